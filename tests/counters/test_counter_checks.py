"""The system checks of counters, one test for each id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.apps import apps
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.core.checks import CheckMessage
from django.db import connection, models
from django.db.models import Avg, CompositePrimaryKey, Count, F, Max, Min, Q, Sum, UniqueConstraint
from django.test.utils import isolate_apps

from leaderboard import CounterField, Journal, ignore
from leaderboard.counters import state
from tests.counters.models import Comment, Post


def found(model: type[models.Model], **options: Any) -> list[CheckMessage]:
    messages = [message for message in model.check(**options) if str(message.id).startswith("leaderboard.")]
    for message in messages:
        assert message.hint
        assert message.obj in model._meta.get_fields()
    return messages


def ids(model: type[models.Model], **options: Any) -> list[str]:
    return sorted({str(message.id) for message in found(model, **options)})


def declared(aggregate: Any, make: Callable[[], Any] = lambda: None, **options: Any) -> type[models.Model]:
    """Return a model with a counter over rows that have some columns."""

    class Kind(models.Model):
        weight = models.IntegerField()

        class Meta:
            app_label = "testapp"

    class Parent(models.Model):
        counter = CounterField(aggregate, **options)
        name = models.CharField(max_length=10)

        class Meta:
            app_label = "testapp"

    class Child(models.Model):
        parent = models.ForeignKey(Parent, models.CASCADE, related_name="children")
        kind = models.ForeignKey(Kind, models.CASCADE)
        number = models.IntegerField()
        share = models.FloatField()
        day = models.DateField()
        token = models.UUIDField()
        flag = models.BooleanField()

        class Meta:
            app_label = "testapp"
            indexes = (models.Index(fields=["parent", "-day"], name="by_day"),)

    return Parent


@pytest.mark.parametrize(
    "aggregate",
    [
        Count("children", filter=Q(children__flag=True) & ~Q(children__day="2020-01-01")),
        Sum(F("children__number") * 2, default=0),
        Avg("children__number"),
        Max("children__day"),
    ],
)
@isolate_apps("tests.testapp")
def test_a_counter_that_can_be_kept(aggregate: Any) -> None:
    assert found(declared(aggregate)) == []


@pytest.mark.parametrize(
    ("aggregate", "reason"),
    [
        (Count("nothing"), "no field named 'nothing'"),
        (Count("name"), "is no relation to many rows"),
        (Count("children__nothing"), "nothing"),
        (Count("children", filter=Q(children__nothing=1)), "nothing"),
        (Count("children", filter=Q(children__number="many")), "expected a number"),
        (Count("children", filter=Q(children__day="soon")), "invalid date format"),
        (Count("children", filter=Q(children__kind__weight=1)), "kind__weight"),
        (Sum("children__kind__weight", default=0), "kind__weight"),
        (Sum("children__share", default=0), "sums integers and decimals"),
        (Avg("children__share"), "sums integers and decimals"),
        (Sum("children__day", default=0), "sums integers and decimals"),
        (Max("children__token"), "keeps the extremes of"),
        (Min("children__flag"), "keeps the extremes of"),
    ],
)
@isolate_apps("tests.testapp")
def test_e010_a_counter_that_cannot_be_kept(aggregate: Any, reason: str) -> None:
    messages = found(declared(aggregate))
    assert {message.id for message in messages} == {"leaderboard.E010"}
    assert messages[0].msg.startswith("testapp.Parent.counter counts by ")
    assert reason in messages[0].msg


@isolate_apps("tests.testapp")
def test_e011_an_app_that_is_not_installed() -> None:
    model = declared(Count("children"))
    with mock.patch.object(apps, "is_installed", lambda name: name != "pgtrigger"):
        (message,) = found(model)
    assert message.id == "leaderboard.E011"
    assert "'pgtrigger' is not installed" in message.msg
    with mock.patch.object(CounterField, "checked_by", None):
        (message,) = found(model)
    assert message.id == "leaderboard.E011"
    assert "'leaderboard' is not installed" in message.msg


@pytest.mark.parametrize(
    "options",
    [
        {"unique_together": [("name", "counter")]},
        {"constraints": [UniqueConstraint(fields=["counter", "name"], name="unique")]},
    ],
)
@isolate_apps("tests.testapp")
def test_e012_a_counter_in_a_unique_constraint(options: dict[str, Any]) -> None:
    meta = type("Meta", (), {"app_label": "testapp", **options})

    class Parent(models.Model):
        name = models.CharField(max_length=10)
        counter = CounterField(Count("children"))
        Meta = meta

    class Child(models.Model):
        parent = models.ForeignKey(Parent, models.CASCADE, related_name="children")

        class Meta:
            app_label = "testapp"

    assert ids(Parent) == ["leaderboard.E012"]


@isolate_apps("tests.testapp")
def test_e012_a_counter_in_a_primary_key() -> None:
    class Parent(models.Model):
        pk = CompositePrimaryKey("code", "counter")
        code = models.IntegerField(unique=True)
        counter = CounterField(Count("children"))

        class Meta:
            app_label = "testapp"

    class Child(models.Model):
        parent = models.ForeignKey(Parent, models.CASCADE, related_name="children", to_field="code")

        class Meta:
            app_label = "testapp"

    (message,) = found(Parent)
    assert message.id == "leaderboard.E012"
    assert "part of the primary key" in message.msg


@pytest.mark.parametrize(
    "options",
    [
        {"aggregate": Count("rows"), "storage": Journal()},
        {"aggregate": Max("rows__number")},
        {"aggregate": Avg("rows__number")},
        {"aggregate": Count("rows")},
    ],
    ids=["journal", "max", "avg", "count"],
)
@isolate_apps("tests.testapp")
def test_e013_a_chain_from_what_cannot_carry_one(options: dict[str, Any]) -> None:
    class Top(models.Model):
        total = CounterField(Sum("children__below", default=0))

        class Meta:
            app_label = "testapp"

    class Child(models.Model):
        top = models.ForeignKey(Top, models.CASCADE, related_name="children")
        below = CounterField(**options)

        class Meta:
            app_label = "testapp"

    class Row(models.Model):
        child = models.ForeignKey(Child, models.CASCADE, related_name="rows")
        number = models.IntegerField()

        class Meta:
            app_label = "testapp"

    refused = ids(Top)
    if options["aggregate"].name == "Count" and "storage" not in options:
        assert refused == []
    else:
        assert refused == ["leaderboard.E013"]


@isolate_apps("tests.testapp")
def test_e014_a_chain_that_leads_back() -> None:
    class Node(models.Model):
        parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
        child_count = CounterField(Count("children"))
        below = CounterField(Sum("children__child_count", default=0))

        class Meta:
            app_label = "testapp"

    (message,) = found(Node)
    assert message.id == "leaderboard.E014"
    assert "testapp.Node.below" in message.msg

    class One(models.Model):
        other = models.ForeignKey("Other", models.CASCADE, related_name="ones")
        total = CounterField(Sum("others__total", default=0), output_field=models.BigIntegerField())

        class Meta:
            app_label = "testapp"

    class Other(models.Model):
        one = models.ForeignKey(One, models.CASCADE, related_name="others")
        total = CounterField(Sum("ones__total", default=0), output_field=models.BigIntegerField())

        class Meta:
            app_label = "testapp"

    assert ids(One) == ids(Other) == ["leaderboard.E014"]


@isolate_apps("tests.testapp", "django.contrib.contenttypes")
def test_e015_a_generic_key_of_another_type() -> None:
    class Vote(models.Model):
        content_type = models.ForeignKey("contenttypes.ContentType", models.CASCADE)
        object_id = models.CharField(max_length=20)
        content_object = GenericForeignKey()

        class Meta:
            app_label = "testapp"

    class Voted(models.Model):
        votes = GenericRelation(Vote)
        vote_count = CounterField(Count("votes"))

        class Meta:
            app_label = "testapp"

    (message,) = found(Voted)
    assert message.id == "leaderboard.E015"
    assert "is varchar(20), but testapp.Voted.id is " in message.msg


@isolate_apps("tests.testapp", "django.contrib.contenttypes")
def test_e016_a_key_of_several_columns() -> None:
    class Vote(models.Model):
        content_type = models.ForeignKey("contenttypes.ContentType", models.CASCADE)
        object_id = models.BigIntegerField()
        content_object = GenericForeignKey()

        class Meta:
            app_label = "testapp"

    class Voted(models.Model):
        pk = CompositePrimaryKey("year", "number")
        year = models.IntegerField()
        number = models.IntegerField()
        votes = GenericRelation(Vote)
        vote_count = CounterField(Count("votes"))

        class Meta:
            app_label = "testapp"

    assert ids(Voted) == ["leaderboard.E016"]


@isolate_apps("tests.testapp")
def test_e017_another_database() -> None:
    model = declared(Count("children"))
    with mock.patch.object(connection, "vendor", "sqlite"):
        (message,) = found(model)
    assert message.id == "leaderboard.E017"
    assert message.msg == "testapp.Parent.counter is a counter, but its database 'default' is sqlite."


@pytest.mark.parametrize(
    "index",
    [
        models.Index(fields=["-counter"], name="index"),
        models.Index(F("counter").desc(), name="index"),
        models.Index(fields=["name"], include=["counter"], name="index"),
        models.Index(fields=["name"], condition=Q(counter__gt=0), name="index"),
    ],
)
@pytest.mark.parametrize("storage", [None, Journal()])
@isolate_apps("tests.testapp")
def test_w007_an_index_on_a_counter(index: models.Index, storage: Any) -> None:
    class Parent(models.Model):
        name = models.CharField(max_length=10)
        counter = CounterField(Count("children"), storage=storage)

        class Meta:
            app_label = "testapp"
            indexes = (index,)

    class Child(models.Model):
        parent = models.ForeignKey(Parent, models.CASCADE, related_name="children")

        class Meta:
            app_label = "testapp"

    (message,) = found(Parent)
    assert message.id == "leaderboard.W007"
    assert ("no HOT updates" if storage is None else "serves no query") in message.msg
    assert ("fillfactor" if storage is None else "Inline()") in str(message.hint)


@isolate_apps("tests.testapp")
def test_w008_an_extreme_without_an_index() -> None:
    (message,) = found(declared(Min("children__number", filter=Q(children__flag=True))))
    assert message.id == "leaderboard.W008"
    assert message.msg == (
        "testapp.Parent.counter looks for the next minimum where one goes, but testapp.Child has no index on "
        "(parent, number)."
    )


# What is in a database


@pytest.mark.django_db
def test_nothing_is_wrong_with_the_database_of_the_tests() -> None:
    assert set(ids(Post, databases=["default"])) <= {"leaderboard.W008"}


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def of(identifier: str, model: type[models.Model] = Post) -> list[CheckMessage]:
    return [message for message in found(model, databases=["default"]) if message.id == identifier]


@pytest.mark.django_db
def test_w009_triggers_that_are_disabled_or_of_another_version() -> None:
    execute("ALTER TABLE counters_comment DISABLE TRIGGER USER")
    (message,) = of("leaderboard.W009")
    assert 'on "counters_comment" is disabled' in message.msg
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname ~ 'insert_tag_posts'")
        (name,) = cursor.fetchone()
    execute(f"COMMENT ON TRIGGER {name} ON counters_post_tags IS 'older'")
    (message,) = of("leaderboard.W009", apps.get_model("counters", "Tag"))
    assert f'{name} on "counters_post_tags" is outdated' in message.msg
    execute(f"DROP TRIGGER {name} ON counters_post_tags")
    (message,) = of("leaderboard.W009", apps.get_model("counters", "Tag"))
    assert f'{name} on "counters_post_tags" is missing' in message.msg


@pytest.mark.django_db
def test_w010_policies_that_bind_the_owner() -> None:
    execute("CREATE ROLE w010 NOLOGIN")
    execute("ALTER TABLE counters_post ENABLE ROW LEVEL SECURITY")
    execute("ALTER TABLE counters_post FORCE ROW LEVEL SECURITY")
    # A superuser is bound by none.
    assert of("leaderboard.W010") == []
    execute("ALTER TABLE counters_post OWNER TO w010")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.oid::regprocedure::text FROM pg_proc p WHERE proname ~ 'counter_insert_post_comments'"
        )
        (function,) = cursor.fetchone()
    execute(f"ALTER FUNCTION {function} OWNER TO w010")
    (message,) = of("leaderboard.W010")
    assert "on counters_post: writes to counted rows fail" in message.msg
    execute("ALTER TABLE counters_post NO FORCE ROW LEVEL SECURITY")
    assert of("leaderboard.W010") == []
    execute("ALTER TABLE counters_post OWNER TO CURRENT_USER")
    assert len(of("leaderboard.W010")) == 1


@pytest.mark.django_db
def test_w011_counters_that_are_not_built() -> None:
    execute(f"DELETE FROM {state.STATE_TABLE} WHERE name = 'counters.Post.karma'")
    state.forget()
    (message,) = of("leaderboard.W011")
    assert (
        message.msg == "counters.Post.karma: not built in the database 'default', and counted on every read."
    )
    assert "manage.py leaderboard backfill counters.Post.karma --database default" in str(message.hint)


@pytest.mark.django_db
def test_w012_partitions_without_triggers() -> None:
    with mock.patch("leaderboard.counters.batches.Batches.unguarded", return_value=["part: trigger"]):
        messages = of("leaderboard.W012")
    assert messages[0].msg.startswith(
        "Partitions in the database 'default' lack triggers that keep counters.Post."
    )


@pytest.mark.django_db
def test_w013_what_was_not_recorded() -> None:
    post = Post.objects.create(title="a")
    with ignore():
        Comment.objects.create(post=post)
    (message,) = of("leaderboard.W013")
    assert message.msg.startswith("1 writes in the database 'default' were not recorded for counters.Post.")

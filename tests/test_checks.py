"""The system checks but those of indexes, one test for each id."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.core.exceptions import FieldError
from django.db import connection, models
from django.db.models import Count, F, OuterRef, Q, Subquery, Sum, Value, Window
from django.db.models.functions import Coalesce, Collate, Rank

from leaderboard import (
    AtLeast,
    AtMost,
    Latest,
    Leaderboard,
    LeaderboardManager,
    LeaderboardQuerySet,
    PercentOf,
    TimeTaken,
)
from leaderboard.declaration.checks import check_boards
from tests.testapp.models import Attempt

pytestmark = pytest.mark.usefixtures("isolated")


def entries() -> type[models.Model]:
    class Parent(models.Model):
        cut_off = models.IntegerField()

        class Meta:
            app_label = "testapp"

    class Entry(models.Model):
        parent = models.ForeignKey(Parent, models.CASCADE, related_name="entries")
        score = models.IntegerField()
        label = models.CharField(max_length=20)
        day = models.DateField()
        started_at = models.DateTimeField()
        finished_at = models.DateTimeField(null=True)
        length = models.DurationField()
        friends = models.ManyToManyField("self")

        class Meta:
            app_label = "testapp"

    return Entry


def found(model: type[models.Model], **declaration: Any) -> list[CheckMessage]:
    """Return what is found beside what is about indexes, having seen that each message is complete."""
    board = Leaderboard(**{"order_by": ["-score"], **declaration})
    messages = check_boards(model, {"overall": board})
    for message in messages:
        assert message.obj is model
        assert message.hint
    return [message for message in messages if message.id not in ("leaderboard.W001", "leaderboard.W003")]


def ids(model: type[models.Model], **declaration: Any) -> list[str | None]:
    return [message.id for message in found(model, **declaration)]


def test_a_declaration_that_fits() -> None:
    fitting = {
        "within": ["parent"],
        "member": "label",
        "counting": Latest("started_at"),
        "order_by": ["-score", "label", TimeTaken("started_at", "finished_at", running=True)],
        "eligible": Q(score__gte=0, parent__cut_off__gt=1) & ~Q(label=""),
        "time_taken": TimeTaken("started_at", "finished_at", allowance="length"),
        "cut_off": AtLeast("score", F("parent__cut_off")) & ~AtMost("started_at", F("day")),
    }
    assert found(entries(), **fitting) == []


@pytest.mark.parametrize(
    ("argument", "declaration"),
    [
        ("within['parents']", {"within": ["parents"]}),
        ("order_by[1]", {"order_by": ["score", "-nothing"]}),
        ("member", {"member": "parent__nothing"}),
        ("counting", {"member": "parent", "counting": Latest("nothing")}),
        ("eligible", {"eligible": Q(nothing=1)}),
        ("eligible", {"eligible": Q(score="many")}),
        ("time_taken", {"time_taken": TimeTaken("started_at", "nothing")}),
        ("cut_off", {"cut_off": AtLeast("score", F("nothing")) | AtLeast("score", 1)}),
    ],
)
def test_e001_unknown_field(argument: str, declaration: dict[str, Any]) -> None:
    (message,) = found(entries(), **declaration)
    assert message.id == "leaderboard.E001"
    assert message.msg.startswith(f"The board 'overall' has {argument}=")


@pytest.mark.parametrize(
    ("eligible", "reason"),
    [
        (
            Q(score="many"),
            r"eligible=<Q: .*'score', 'many'.*: Field 'score' expected a number but got 'many'",
        ),
        (Q(day="soon"), r"eligible=<Q: .*“soon” value has an invalid date format"),
        (Q(day=3), r"eligible=<Q: .*, which does not fit testapp.Entry: "),
    ],
)
def test_e001_a_value_that_the_field_does_not_take(eligible: Q, reason: str) -> None:
    (message,) = found(entries(), eligible=eligible)
    assert message.id == "leaderboard.E001"
    assert re.search(reason, message.msg)
    assert message.hint == "Compare a field with values that it can hold."


def test_e001_an_expression_of_two_types() -> None:
    (message,) = found(entries(), order_by=[Coalesce("score", Value(Decimal(0))).desc()])
    assert message.id == "leaderboard.E001"
    assert "mixed types" in message.msg
    assert "output_field=" in str(message.hint)


@pytest.mark.django_db
def test_e001_reads_no_rows(django_assert_num_queries: Any) -> None:
    model = entries()
    with django_assert_num_queries(0):
        (message,) = found(model, eligible=Q(nothing__in=Attempt.objects.all()))
    assert "eligible=<Q>" in message.msg


@pytest.mark.parametrize(
    ("declaration", "id"),
    [
        ({"order_by": ["-points"]}, "E001"),
        ({"order_by": ["-test__attempts__score"]}, "E004"),
        ({"eligible": ~Q(comments__text="spam")}, "E004"),
        ({"time_taken": TimeTaken("started_at", "score")}, "E006"),
        ({"cut_off": AtLeast("score", "60")}, "E007"),
        ({"order_by": [Window(Rank(), order_by="score")]}, "E008"),
        ({"order_by": [Count("comments")]}, "E008"),
    ],
)
def test_a_board_that_is_not_declared_is_checked_where_it_is_used(
    declaration: dict[str, Any], id: str
) -> None:
    board = Leaderboard(**{"order_by": ["-score"], **declaration})
    (argument,) = declaration
    for _ in range(2):
        with pytest.raises(FieldError, match=rf"^The board has {argument}.*\(leaderboard\.{id}\)$"):
            Attempt.objects.with_leaderboard(board)


def test_e009_a_queryset_without_the_boards_of_its_manager() -> None:
    board = Leaderboard(order_by=["-score"])

    class Bare(LeaderboardManager):
        def get_queryset(self) -> Any:
            return LeaderboardQuerySet(self.model)

    class Plain(models.QuerySet[Any]):
        pass

    class Own(LeaderboardManager):
        def get_queryset(self) -> Any:
            return super().get_queryset().filter(score__gte=0)

    class Managed(models.Model):
        score = models.IntegerField(db_index=True)

        objects = Own(best=board)
        bare = Bare(best=board)
        plain = LeaderboardManager.from_queryset(Plain)(best=board)
        other = LeaderboardQuerySet.as_manager()

        class Meta:
            app_label = "testapp"

    found = [(message.id, message.msg) for message in Managed.check()]
    declares = "of testapp.Managed declares boards, but its"
    assert found == [
        ("leaderboard.E009", f"The manager 'bare' {declares} LeaderboardQuerySet does not know them."),
        ("leaderboard.E009", f"The manager 'plain' {declares} Plain does not know them."),
    ]


def test_e008_shows_what_is_aggregated() -> None:
    (message,) = found(entries(), order_by=[Sum("score")])
    assert "order_by[0]=Sum(F(score))" in message.msg


@pytest.mark.django_db
def test_w004_a_collation_that_the_server_does_not_have() -> None:
    model = entries()

    def found(databases: Any, **declaration: Any) -> list[str]:
        boards = {"b": Leaderboard(**declaration)}
        messages = check_boards(model, boards, databases)
        return [message.msg for message in messages if message.id == "leaderboard.W004"]

    declarations: list[dict[str, Any]] = [
        {"order_by": ["score"], "collation": "klingon"},
        {"order_by": [Collate("label", "klingon").desc()]},
    ]
    for declaration in declarations:
        assert found(None, **declaration) == []
        assert found([], **declaration) == []
        (message,) = found(["default"], **declaration)
        assert "in the collation 'klingon', which the database 'default' does not have." in message
    assert found(["default"], order_by=["label"], collation="POSIX") == []


def test_w002_annotation_that_clashes_with_a_field() -> None:
    class Ranked(models.Model):
        score = models.IntegerField()
        rank = models.IntegerField()
        time_taken = models.DurationField()

        class Meta:
            app_label = "testapp"

    (message,) = found(Ranked)
    assert message.id == "leaderboard.W002"
    assert message.msg == "The annotation 'rank' of standings() clashes with the field of testapp.Ranked."
    assert len(found(Ranked, time_taken=TimeTaken(F("pk"), F("pk")))) == 3  # with E006


def test_w002_annotation_that_clashes_with_an_attribute() -> None:
    class Known(models.Model):
        score = models.IntegerField()

        class Meta:
            app_label = "testapp"

        @property
        def rank(self) -> int:
            return 1

    (message,) = found(Known)
    assert message.id == "leaderboard.W002"
    assert message.msg == "The annotation 'rank' of standings() clashes with the attribute of testapp.Known."


@pytest.mark.parametrize(
    "declaration",
    [
        {"order_by": [Value(None)]},
        {"within": {"a": Value(None)}},
        {"order_by": [F("score") * 0.5 + F("day")]},
        {"order_by": [Coalesce("score", OuterRef("score"))]},
        {"eligible": Q(score=OuterRef("score"))},
        {"cut_off": AtLeast("score", Coalesce("score", OuterRef("score")))},
        {"cut_off": AtLeast(F("price") * 0.5, 1)},
    ],
)
def test_e001_values_without_a_type(declaration: dict[str, Any]) -> None:
    class Sale(models.Model):
        score = models.IntegerField()
        day = models.DateField()
        price = models.DecimalField(max_digits=5, decimal_places=2)

        class Meta:
            app_label = "testapp"

    assert ids(Sale, **declaration) == ["leaderboard.E001"]


def test_e001_a_subquery_needs_one_column() -> None:
    model = entries()
    parents: Any = model._meta.get_field("parent").related_model
    whole = parents.objects.filter(pk=OuterRef("parent"))
    for rows in (whole, whole.values("pk", "cut_off")):
        assert ids(model, order_by=[Subquery(rows)]) == ["leaderboard.E001"]
    assert ids(model, order_by=[Subquery(whole.values("cut_off"))]) == []


def test_e003_database_is_not_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "vendor", "sqlite")
    (message,) = found(entries())
    assert message.id == "leaderboard.E003"
    assert "its database 'default' is sqlite" in message.msg


@pytest.mark.parametrize(
    "declaration",
    [
        {"member": "friends"},
        {"order_by": "friends__score"},
        {"eligible": Q(friends__score=1)},
        {"cut_off": AtLeast("score", F("parent__entries__score"))},
    ],
)
def test_e004_relation_to_many_rows(declaration: dict[str, Any]) -> None:
    assert ids(entries(), **declaration) == ["leaderboard.E004"]


def test_a_composite_primary_key_fits() -> None:
    class Pair(models.Model):
        pk = models.CompositePrimaryKey("score", "other")
        score = models.IntegerField()
        other = models.IntegerField()

        class Meta:
            app_label = "testapp"
            indexes = (models.Index(fields=["score"], name="pair_score"),)

    assert ids(Pair) == []


def test_w005_a_board_of_null() -> None:
    model = entries()
    (message,) = found(model, within={"day": "finished_at"})
    assert message.id == "leaderboard.W005"
    assert "within['day']='finished_at', which may be NULL" in message.msg
    for decided in (True, False):
        assert "leaderboard.W005" not in ids(model, within=["finished_at"], nulls_distinct=decided)


def test_w006_boards_of_a_parent() -> None:
    class Item(models.Model):
        score = models.IntegerField(db_index=True)

        objects = LeaderboardManager(best=Leaderboard(order_by=["-score"]))

        class Meta:
            app_label = "testapp"

    class Essay(Item):
        class Meta:
            app_label = "testapp"

    (message,) = (m for m in Essay.check() if str(m.id).startswith("leaderboard."))
    assert message.id == "leaderboard.W006"
    assert "Essay inherits the board 'best' of testapp.Item" in message.msg
    assert not [m for m in Item.check() if str(m.id).startswith("leaderboard.")]


@pytest.mark.parametrize(
    "time_taken",
    [
        TimeTaken("day", "finished_at"),
        TimeTaken("score", "score"),
        TimeTaken("day", "day", running=True),
    ],
)
def test_e006_times_of_different_types(time_taken: TimeTaken) -> None:
    model = entries()
    (message,) = found(model, time_taken=time_taken)
    assert message.id == "leaderboard.E006"
    assert message.msg.startswith("The board 'overall' has time_taken=TimeTaken(")
    assert "leaderboard.E006" in ids(model, order_by=[time_taken])


def test_e006_what_is_subtracted_is_a_duration() -> None:
    taken = TimeTaken("started_at", "finished_at", paused="score", allowance="length")
    (message,) = found(entries(), time_taken=taken)
    assert message.id == "leaderboard.E006"
    assert "paused is a number" in message.msg


@pytest.mark.parametrize(
    ("cut_off", "types"),
    [
        (AtLeast("score", "60"), "a number with a text"),
        (~AtMost("started_at", F("score")), "a datetime with a number"),
        (AtMost(TimeTaken("started_at", "finished_at"), 60), "a duration with a number"),
        (AtLeast("label", 1) & AtLeast("score", 1), "a text with a number"),
        (PercentOf("score", "length", 50), "a number with a duration"),
        (PercentOf("day", "day", 50), "a date with a date"),
    ],
)
def test_e007_comparison_of_different_types(cut_off: Any, types: str) -> None:
    (message,) = found(entries(), cut_off=cut_off)
    assert message.id == "leaderboard.E007"
    assert types in message.msg


@pytest.mark.parametrize(
    "declaration",
    [
        {"order_by": [Count("score")]},
        {"within": {"place": Window(Rank(), order_by="score")}},
        {"cut_off": AtLeast("score", Count(Value(1)) + 1)},
        {"eligible": Q(score=Window(Rank(), order_by="score"))},
    ],
)
def test_e008_aggregate_or_window(declaration: dict[str, Any]) -> None:
    assert ids(entries(), **declaration) == ["leaderboard.E008"]


def test_e002_one_name_for_two_boards() -> None:
    class Twice(models.Model):
        score = models.IntegerField(db_index=True)
        points = models.IntegerField(db_index=True)

        objects = LeaderboardManager(best=Leaderboard(order_by=["-score"]))
        same = LeaderboardManager(best=Leaderboard(order_by=["-score"]))
        other = LeaderboardManager(best=Leaderboard(order_by=["-points"]))

        class Meta:
            app_label = "testapp"

    (message,) = Twice.check()
    assert message.id == "leaderboard.E002"
    assert message.msg == "Two managers of testapp.Twice declare different boards named 'best'."


def test_the_manager_checks_its_boards() -> None:
    class Managed(models.Model):
        score = models.IntegerField(db_index=True)

        objects = LeaderboardManager(overall=Leaderboard(order_by=["nothing"]))
        fine = LeaderboardManager()

        class Meta:
            app_label = "testapp"

    assert [message.id for message in Managed.check()] == ["leaderboard.E001"]

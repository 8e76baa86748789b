"""``get()`` by a primary key: the entry with its metrics in two statements, and in all else as Django's."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest import mock

import django
import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import FieldError
from django.db import NotSupportedError, connection, models
from django.db.models.expressions import Col
from django.test.utils import CaptureQueriesContext

from leaderboard import Leaderboard, LeaderboardQuerySet
from leaderboard.orm.written import WrittenRows
from tests.test_written import OTHERS, ROWS
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db


def shown(entry: Any) -> Any:
    if not isinstance(entry, models.Model):
        return entry
    own = {name: value for name, value in vars(entry).items() if name[0] != "_"}
    return type(entry), own, entry._state.db, entry._state.adding, entry._state.fields_cache


def outcome(action: Callable[[], Any]) -> Any:
    """Return what an action returns, or the error that it raises."""
    try:
        return shown(action())
    except Exception as error:
        return type(error), str(error)


@pytest.mark.parametrize("name", ["overall", "members"])
def test_it_is_what_a_filter_gives(name: str, data: None) -> None:
    keys = [*Attempt.objects.order_by("pk").values_list("pk", flat=True)[::11], -1, 2**70, "x", None, True]
    chosen = Attempt.objects.board(name)
    for view in (chosen, chosen.on_board(test=Test.objects.get(name="test 0"))):
        for ask in [*ROWS, *OTHERS]:
            for number, key in enumerate((*keys, str(keys[0]))):
                lookup = {"id" if number % 2 else "pk": key}
                expected = outcome(partial(models.QuerySet.get, ask(view), **lookup))
                assert outcome(partial(ask(view).get, **lookup)) == expected


@pytest.mark.parametrize(
    "call",
    [
        lambda view: view[:5].get(pk=1),
        lambda view: view.get(pk=1, score=1),
        lambda view: view.get(models.Q(pk=1)),
        lambda view: view.get(pk__in=[1]),
        lambda view: view.get(rank=1),
        lambda view: view.get(nothing=1),
        lambda view: view.get(),
        lambda view: view.union(view).get(pk=1),
        lambda view: view.none().get(pk=1),
        lambda view: view.filter(pk=1).get(pk=2),
        lambda view: view.distinct("score").order_by("score").get(pk=1),
        lambda view: view.reverse().get(pk=models.F("pk")),
    ],
)
def test_all_else_is_left_to_django(call: Callable[[Any], Any], data: None) -> None:
    view = Attempt.objects.with_rank()
    with mock.patch.object(LeaderboardQuerySet, "_rows_with_key", return_value=None):
        expected = outcome(lambda: call(view))
    assert outcome(lambda: call(view)) == expected


def test_errors_are_those_of_django(data: None) -> None:
    view = Attempt.objects.with_rank()
    with pytest.raises(Attempt.DoesNotExist, match=r"^Attempt matching query does not exist\.$"):
        view.get(pk=-1)
    with pytest.raises(ValueError, match="Field 'id' expected a number but got 'x'"):
        view.get(pk="x")
    with pytest.raises(TypeError, match="Cannot filter a query once a slice has been taken"):
        view[:5].get(pk=1)
    with pytest.raises(NotSupportedError, match=r"get\(\.\.\.\) with filters after union\(\)"):
        view.union(view).get(pk=1)
    with pytest.raises(FieldError, match="Cannot resolve keyword 'nothing'"):
        view.get(nothing=1)


def test_a_row_is_one_level_where_nothing_is_counted_twice(data: None) -> None:
    key = Attempt.objects.with_rank().filter(rank=1).values_list("pk", flat=True)[0]
    for board in ("overall", "members"):
        for ask, is_one_level in ((ROWS[0], True), (ROWS[1], True), (ROWS[4], False), (ROWS[6], False)):
            with CaptureQueriesContext(connection) as sent:
                ask(Attempt.objects.board(board)).get(pk=key)
            reading, counting = (query["sql"] for query in sent)
            assert 'FROM "testapp_attempt" WHERE' in reading
            assert ("OFFSET 0" not in counting) is is_one_level
            assert counting.replace('"', "").startswith("SELECT entry.") is is_one_level


def test_what_a_relation_knows_is_given_to_the_entry(data: None, django_assert_num_queries: Any) -> None:
    test = Test.objects.get(name="test 0")
    key = test.attempts.values_list("pk", flat=True)[0]
    with django_assert_num_queries(2):
        entry = test.attempts.with_rank().get(pk=key)
        assert entry.test is test
    with django_assert_num_queries(3):
        entry = Attempt.objects.with_rank().prefetch_related("comments").get(pk=key)
        assert len(entry.comments.all()) == entry.comments.all().count()
    other = Test.objects.get(name="test 1")
    with pytest.raises(Attempt.DoesNotExist):
        other.attempts.with_rank().get(pk=key)


@pytest.mark.skipif(django.VERSION < (6, 1), reason="Fetch modes are of Django 6.1.")
def test_a_fetch_mode_is_kept(data: None) -> None:
    view: Any = Attempt.objects.with_rank()
    key = Attempt.objects.values_list("pk", flat=True)[0]
    raising = models.FETCH_RAISE  # type: ignore[attr-defined,unused-ignore]
    for mode in (raising, models.FETCH_PEERS):  # type: ignore[attr-defined,unused-ignore]
        assert view.fetch_mode(mode).get(pk=key)._state.fetch_mode is mode


class ByFilter(LeaderboardQuerySet):
    """Hides entries from whoever filters, as a tenant's queryset does."""

    def filter(self, *args: Any, **kwargs: Any) -> Any:
        return super().filter(*args, **kwargs, score__lt=0)


class BeneathFilter(LeaderboardQuerySet):
    def _filter_or_exclude(self, negate: bool, args: Any, kwargs: Any) -> Any:
        hidden = {**kwargs, "score__lt": 0} if "pk" in kwargs else kwargs
        return super()._filter_or_exclude(negate, args, hidden)  # type: ignore[misc]


class ByReading(LeaderboardQuerySet):
    def _fetch_all(self) -> None:
        super()._fetch_all()
        self._result_cache: Any = []


@pytest.mark.parametrize("own", [ByFilter, BeneathFilter, ByReading])
def test_what_a_queryset_does_in_its_own_way_is_done(own: Any, data: None) -> None:
    board = Leaderboard(within=["test"], order_by=["-score"])
    entry = Attempt.objects.filter(score__gt=0)[0]
    view = own(Attempt).with_leaderboard(board).on_board(test=entry.test_id).with_rank()
    with pytest.raises(Attempt.DoesNotExist):
        view.get(pk=entry.pk)


def test_metrics_that_have_changed_places(data: None) -> None:
    """Under names that others had before: the columns are not in the order of the annotations."""
    test = Test.objects.get(name="test 0")
    view = Attempt.objects.on_board(test=test).with_rank("competition", prefix="p_")
    view = (
        view.with_rank("dense", prefix="q_")
        .annotate(x_rank=models.F("p_rank"))
        .with_rank("dense", prefix="p_")
    )
    view = view.with_rank("competition", prefix="q_").with_rank("modified", prefix="x_")
    names = ("pk", "p_rank", "q_rank", "x_rank")
    for row in view.iterator():
        found = view.get(pk=row.pk)
        assert [getattr(found, name) for name in names] == [getattr(row, name) for name in names]


def test_an_annotation_may_be_called_pk(data: None) -> None:
    test = Test.objects.get(name="test 0")
    view = Attempt.objects.on_board(test=test).with_rank("ordinal").annotate(pk=models.F("rank"))
    assert view.get(pk=1).rank == 1


def test_a_value_that_is_an_expression_is_one(data: None) -> None:
    class Odd(int):
        def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
            return models.Value(second)

    first, second = Attempt.objects.order_by("pk").values_list("pk", flat=True)[:2]
    assert Attempt.objects.with_rank().get(pk=Odd(first)).pk == second


def test_distinct_is_no_part_of_what_is_written(data: None) -> None:
    test = Test.objects.get(name="test 0")
    view = (
        Attempt.objects.with_leaderboard(Attempt.objects.all().leaderboard.replace())
        .on_board(test=test)
        .with_rank()
    )
    key = view.values_list("pk", flat=True)[0]
    with mock.patch.object(LeaderboardQuerySet, "_written_for", side_effect=ZeroDivisionError):
        view.distinct().get(pk=key)
    with CaptureQueriesContext(connection) as sent:
        view.get(pk=key)
    assert not any("DISTINCT " in query["sql"].partition("FROM")[0] for query in sent)


def test_a_view_of_all_boards_needs_no_filter_either(data: None) -> None:
    key = Attempt.objects.values_list("pk", flat=True)[0]
    with mock.patch.object(models.QuerySet, "get", side_effect=ZeroDivisionError):
        assert Attempt.objects.with_rank().get(pk=key).pk == key


class Nearly(models.lookups.Exact):
    """An equality of one's own, which is true of other rows too."""

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        left, params = self.process_lhs(compiler, connection)
        right, others = self.process_rhs(compiler, connection)
        return f"lower({left}) = lower({right})", (*params, *others)


class NearlyText(models.TextField):  # type: ignore[type-arg]
    pass


class Lowered(Col):
    def as_sql(self, compiler: Any, connection: Any) -> Any:
        sql, params = super().as_sql(compiler, connection)
        return f"lower({sql})", params


class LoweredText(models.TextField):  # type: ignore[type-arg]
    def get_col(self, alias: str, output_field: Any = None) -> Any:
        return Lowered(alias, self, output_field or self)


NearlyText.register_lookup(Nearly)


@pytest.mark.parametrize("key_field", [NearlyText, LoweredText])
def test_a_key_that_is_compared_in_its_own_way(key_field: Any, isolated: None) -> None:
    class Word(models.Model):
        key = key_field(primary_key=True)
        points = models.IntegerField()

        class Meta:
            app_label = "testapp"

    with connection.schema_editor() as editor:
        editor.create_model(Word)
    Word._base_manager.bulk_create(Word(key=key, points=1) for key in ("a", "A", "Bee"))
    view = LeaderboardQuerySet(Word).with_leaderboard(Leaderboard(order_by=["-points"])).with_rank()
    for key in ("A", "Bee", "bee", "c"):
        assert outcome(partial(view.get, pk=key)) == outcome(partial(models.QuerySet.get, view, pk=key))


class Converted(models.IntegerField):  # type: ignore[type-arg]
    """Is selected as something else than its column, as the geometries of Django are."""

    def select_format(self, compiler: Any, sql: str, params: Any) -> Any:
        return f"({sql} + 1)", params

    select_format.__module__ = "django.contrib.gis.db.models.fields"


def test_a_column_that_is_selected_in_its_own_way(isolated: None) -> None:
    class Place(models.Model):
        shape = Converted()
        points = models.IntegerField()

        class Meta:
            app_label = "testapp"

    with connection.schema_editor() as editor:
        editor.create_model(Place)
    place = Place._base_manager.create(shape=6, points=1)
    view = LeaderboardQuerySet(Place).with_leaderboard(Leaderboard(order_by=["-points"])).with_rank()
    assert view.get(pk=place.pk).shape == next(view.filter(pk=place.pk).iterator()).shape == 7


def test_a_key_that_is_selected_in_its_own_way(isolated: None) -> None:
    declared = Leaderboard(order_by=["-points"], member="player")

    class Place(models.Model):
        id = Converted(primary_key=True)
        player = models.IntegerField()
        points = models.IntegerField()

        class Meta:
            app_label = "testapp"
            indexes = declared.indexes("place")

    with connection.schema_editor() as editor:
        editor.create_model(Place)
    for number in range(6):
        Place._base_manager.create(pk=10 * number, player=number % 2, points=number)
    view = LeaderboardQuerySet(Place).with_leaderboard(declared)
    ranks = [view.with_rank().get(pk=10 * number).rank for number in range(6)]
    assert ranks == [None, None, None, None, 2, 1]
    assert [entry.points for entry in view.top(3)] == [5, 4]
    assert [entry.points for entry in view.with_rank().ranked()[:1]] == [5]


def test_a_key_that_several_rows_have(isolated: None) -> None:
    """Of a table that Django does not manage."""

    class Row(models.Model):
        key = models.IntegerField(primary_key=True)
        points = models.IntegerField()

        class Meta:
            app_label = "testapp"
            managed = False

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE testapp_row (key int, points int)")
        cursor.execute("INSERT INTO testapp_row VALUES (1, 5), (1, 5), (2, 3)")
    view = LeaderboardQuerySet(Row).with_leaderboard(Leaderboard(within=[], order_by=["-points"])).with_rank()
    with pytest.raises(Row.MultipleObjectsReturned, match="it returned 2!"):
        view.get(pk=1)
    assert view.get(pk=2).rank == 3


@pytest.mark.skipif(django.VERSION < (6, 1), reason="Fetch modes are of Django 6.1.")
def test_a_model_is_told_how_to_fetch(data: None, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[Any] = []
    from_db = Attempt.from_db.__func__  # type: ignore[attr-defined]

    def required(cls: Any, /, db: str, names: Any, values: Any, *, fetch_mode: Any) -> Any:
        modes.append(fetch_mode)
        return from_db(cls, db, names, values, fetch_mode=fetch_mode)

    key = Attempt.objects.values_list("pk", flat=True)[0]
    monkeypatch.setattr(Attempt, "from_db", classmethod(required))
    Attempt.objects.with_rank().get(pk=key)
    models.QuerySet.get(Attempt.objects.with_rank(), pk=key)
    assert modes == [models.FETCH_ONE] * 2  # type: ignore[attr-defined,unused-ignore]


def test_an_instance_is_made_as_its_model_says(data: None, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    from_db = Attempt.from_db.__func__  # type: ignore[attr-defined]

    def noted(cls: Any, /, db: str, names: Any, values: Any, **options: Any) -> Any:
        made.append((db, tuple(names)))
        return from_db(cls, db, names, values, **options)

    monkeypatch.setattr(Attempt, "from_db", classmethod(noted))
    key = Attempt.objects.values_list("pk", flat=True)[0]
    made.clear()
    Attempt.objects.with_rank().get(pk=key)
    assert made == [("default", tuple(field.attname for field in Attempt._meta.concrete_fields))]


@pytest.mark.parametrize("key_field", [models.UUIDField, models.TextField, models.SmallIntegerField])
def test_keys_of_other_types(key_field: Any, isolated: None) -> None:
    class Score(models.Model):
        key = key_field(primary_key=True, db_column="odd key")
        group = models.BooleanField()
        points = models.IntegerField()

        class Meta:
            app_label = "testapp"

    with connection.schema_editor() as editor:
        editor.create_model(Score)
    keys: list[Any] = [1, 2, 3]
    if key_field is not models.SmallIntegerField:
        keys = [uuid.UUID(int=n) for n in keys] if key_field is models.UUIDField else ["a%s", "b", "c"]
    for points, key in enumerate(keys):
        Score._base_manager.create(key=key, group=points > 0, points=points)
    board = Leaderboard(within=["group"], order_by=["-points"])
    view = LeaderboardQuerySet(Score).with_leaderboard(board).with_rank()
    with mock.patch.object(
        WrittenRows, "instances", side_effect=WrittenRows.instances, autospec=True
    ) as read:
        for group in (None, True, False):
            own = view if group is None else view.on_board(group=group)
            for points, key in enumerate(keys):
                found = outcome(partial(own.get, pk=key))
                assert found == outcome(partial(models.QuerySet.get, own, key=key))
                assert (found[0] is Score) is (group in (None, points > 0))
    assert read.called
    with pytest.raises(Score.DoesNotExist):
        view.get(pk=70_000 if key_field is models.SmallIntegerField else uuid.UUID(int=9))
    with connection.schema_editor() as editor:
        editor.delete_model(Score)


def test_a_child_of_another_model_is_found_by_djangos_way(isolated: None) -> None:
    class Parent(models.Model):
        class Meta:
            app_label = "testapp"

    class Child(Parent):
        points = models.IntegerField()

        class Meta:
            app_label = "testapp"

    with connection.schema_editor() as editor:
        editor.create_model(Parent)
        editor.create_model(Child)
    low, high = (Child._base_manager.create(points=points) for points in (1, 2))
    view = (
        LeaderboardQuerySet(Child).with_leaderboard(Leaderboard(within=[], order_by=["-points"])).with_rank()
    )
    assert [view.get(pk=child.pk).rank for child in (low, high)] == [2, 1]
    assert [view.get(id=child.pk).rank for child in (low, high)] == [2, 1]
    assert view.get(pk=high).rank == 1


def test_it_is_there_for_asynchronous_code(data: None) -> None:
    key = Attempt.objects.filter(test__name="test 0").values_list("pk", flat=True)[0]
    view = Attempt.objects.with_rank()
    assert shown(async_to_sync(view.aget)(pk=key)) == shown(view.get(pk=key))
    person = Candidate.objects.create(name="p")
    with pytest.raises(Attempt.DoesNotExist):
        view.filter(candidate=person).get(pk=key)

"""Indexes from which the better entries of a board are counted without looking into the table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, timedelta, timezone
from time import sleep
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, models, transaction
from django.db.migrations.writer import MigrationWriter
from django.db.models import Exists, F, Index, OuterRef, Q, UniqueConstraint
from django.db.models.functions import Lower, Now, TruncMonth
from django.db.models.lookups import IsNull
from django.test.utils import CaptureQueriesContext

from leaderboard import Leaderboard, LeaderboardManager, TimeTaken
from leaderboard.declaration.checks import check_boards
from leaderboard.declaration.coverage import (
    finds_counting_entries,
    has_covering_index,
    size_index,
)
from leaderboard.expressions.logic import is_true
from tests.attempts import START
from tests.test_plans import rows_read
from tests.testapp.models import Attempt, Candidate, Test

TAKEN = TimeTaken("started_at", "finished_at")
ELIGIBLE = Q(disqualified=False)


def board(**options: Any) -> Leaderboard:
    return Leaderboard(**{"within": ["test"], "order_by": ["-score"], **options})


MEMBERS = board(member="candidate", order_by=["-score", TAKEN], eligible=ELIGIBLE)


@pytest.mark.parametrize(
    ("declared", "terms", "included"),
    [
        (board(), ["test", "-score"], ["id"]),
        (board(order_by=["-score", "id"]), ["test", "-score", "id"], []),
        (board(member=["candidate", "label"]), ["test", "-score"], ["candidate", "label", "id"]),
        (board(member=Lower("label")), ["test", "-score"], ["label", "id"]),
        (
            board(order_by=["-score", "candidate"], member="candidate"),
            ["test", "-score", "candidate"],
            ["id"],
        ),
    ],
    ids=["plain", "by key", "members of two fields", "members by expression", "member is a term"],
)
def test_what_is_included(declared: Leaderboard, terms: list[str], included: list[str]) -> None:
    index, *_ = declared.indexes("x", covering=True)
    assert (index.fields, list(index.include), index.condition) == (terms, included, None)


def test_columns_of_expressions_are_included() -> None:
    terms, member, size = MEMBERS.indexes("x", covering=True)
    assert [index.expressions for index in (terms, member)] == [i.expressions for i in MEMBERS.indexes("x")]
    assert [index.name for index in (terms, member)] == ["x_terms", "x_member"]
    assert terms.include == ("finished_at", "started_at", "candidate", "id")
    assert member.include == ("finished_at", "started_at", "id")
    assert terms.condition == member.condition == ELIGIBLE
    assert (size.name, size.fields, size.include) == ("x_size", ["test", "candidate", "score"], ())
    assert size.condition == ELIGIBLE & Q(is_true(Q(IsNull(TAKEN, False))))
    monthly = board(within={"month": TruncMonth("finished_at", tzinfo=UTC)}, order_by=["-score"])
    (index,) = monthly.indexes("x", covering=True, key=["season", "number"])
    assert index.include == ("finished_at", "season", "number")


@pytest.mark.parametrize(
    ("declared", "fields"),
    [
        (board(order_by=["-score", TAKEN]), ["test", "score"]),
        (board(order_by=[TAKEN, "-label"]), ["test", "label"]),
        (board(order_by=[TAKEN, "-candidate"], member="candidate"), ["test", "candidate"]),
        (board(order_by=[TAKEN], within=[], member=["candidate", "label"]), ["candidate", "label"]),
        (board(order_by=[TAKEN], within=[]), None),
        (board(order_by=[TAKEN], member=Lower("label")), None),
        (board(order_by=[TAKEN], within={"month": TruncMonth("finished_at", tzinfo=UTC)}), None),
        (board(order_by=["-score", "label"], member="candidate"), None),
    ],
)
def test_an_index_for_the_size_where_terms_are_expressions(
    declared: Leaderboard, fields: list[str] | None
) -> None:
    found = [index for index in declared.indexes("x", covering=True) if index.name == "x_size"]
    assert [index.fields for index in found] == ([] if fields is None else [fields])


def test_without_covering_they_are_as_before() -> None:
    for index in MEMBERS.indexes("x"):
        _, _, options = index.deconstruct()
        assert options == {"name": index.name}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"within": ["test__name"]}, "within has 'test__name'"),
        ({"order_by": ["-score", "test__cut_off"]}, "order_by has 'test__cut_off'"),
        ({"order_by": [TimeTaken("started_at", "finished_at", running=True)]}, "order_by has TimeTaken"),
        ({"member": "candidate__team"}, "member has 'candidate__team'"),
        ({"member": Lower("candidate__name")}, r"member has Lower\(F\(candidate__name\)\)"),
        ({"eligible": Q(test__cut_off=1)}, "eligible has"),
        ({"eligible": Q(finished_at__lt=Now())}, "eligible has"),
        ({"eligible": Q(finished_at__year=2026)}, "eligible has"),
        ({"eligible": Q(label="100 %")}, "eligible has"),
        ({"eligible": Q(Exists(Candidate.objects.filter(pk=OuterRef("candidate"))))}, "eligible has"),
    ],
)
def test_what_no_index_can_tell(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=rf"covering=True: {message}.* Leave covering=True out\."):
        board(**options).indexes("x", covering=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"covering": 1}, "covering=1 must be True or False"),
        ({"covering": True, "key": "pk"}, "key='pk' must name the fields of the primary key"),
        ({"covering": True, "key": 1}, "key=1 must name the fields of the primary key"),
        ({"key": "id"}, "key='id' is what a covering index includes; pass covering=True too"),
    ],
)
def test_wrong_arguments(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        board().indexes("x", **options)


def test_a_migration_holds_them() -> None:
    eligible = ELIGIBLE & ~Q(label__in=["a", "b"]) & Q(score__gte=F("big"), held_on__gt=date(2026, 1, 1))
    for index in board(order_by=[TAKEN], eligible=eligible).indexes("x", covering=True):
        text, imports = MigrationWriter.serialize(index)
        names: dict[str, Any] = {}
        exec("\n".join(sorted(imports)), names)
        assert eval(text, names) == index


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=1)), ZoneInfo("Europe/Berlin")])
def test_a_migration_holds_periods_of_time(zone: Any) -> None:
    monthly = board(within={"month": TruncMonth("finished_at", tzinfo=zone)})
    for index in [*monthly.indexes("x"), *monthly.indexes("x", covering=True)]:
        text, imports = MigrationWriter.serialize(index)
        names: dict[str, Any] = {}
        exec("\n".join(sorted(imports)), names)
        assert eval(text, names) == index


@pytest.mark.usefixtures("isolated")
def test_which_indexes_cover_a_board() -> None:
    class Covered(models.Model):
        group = models.IntegerField()
        person = models.IntegerField()
        score = models.IntegerField()
        name = models.CharField(max_length=20)
        active = models.BooleanField()

        class Meta:
            app_label = "testapp"

    declared = Leaderboard(within=["group"], order_by=["-score"], member="person", eligible=Q(active=True))
    everyone = declared.replace(eligible=None)
    terms, member = declared.indexes("x", covering=True)
    include, fields = ["person", "id"], ["group", "-score"]

    def covers(*indexes: Index, board: Leaderboard = declared) -> bool:
        Covered._meta.indexes = list(indexes)
        # What a board has found out of a model's Meta it keeps.
        return has_covering_index(Covered, board.replace())

    assert covers(terms, member)
    assert finds_counting_entries(Covered, declared.replace())
    assert check_boards(Covered, {"b": declared}) == []
    assert not covers(*declared.indexes("x"))
    assert not covers(member)
    backwards = ["group", "score"]
    assert covers(Index(fields=backwards, include=include, condition=Q(active=True), name="i"))
    assert covers(Index(fields=[*fields, "person", "id"], condition=Q(active=True), name="i"))
    assert not covers(Index(fields=fields, include=["person"], condition=Q(active=True), name="i"))
    assert not covers(Index(fields=fields, include=include, condition=Q(active=False), name="i"))
    assert not covers(Index(fields=fields, include=include, name="i"))
    assert covers(Index(fields=fields, include=include, name="i"), board=everyone)
    assert not covers(terms, board=everyone)
    by_name = everyone.replace(order_by=["name"])
    assert not covers(*by_name.indexes("x", covering=True), board=by_name)
    through = Leaderboard(within=["group"], order_by=["-score", "person__team"])
    assert not covers(terms, board=through)
    Covered._meta.constraints = [UniqueConstraint(fields=backwards, include=include, name="u")]
    assert covers(board=everyone)


@pytest.mark.usefixtures("isolated")
def test_by_how_many_terms_the_index_for_the_size_counts() -> None:
    class Timed(models.Model):
        group = models.IntegerField()
        person = models.IntegerField()
        score = models.IntegerField()
        name = models.CharField(max_length=20)
        started_at = models.DateTimeField()
        finished_at = models.DateTimeField(null=True)
        active = models.BooleanField()

        class Meta:
            app_label = "testapp"

    declared = Leaderboard(within=["group"], order_by=["-score", TAKEN, "person"], eligible=Q(active=True))
    *others, size = declared.indexes("x", covering=True)
    taken = Q(active=True) & Q(is_true(Q(IsNull(TAKEN, False))))

    def columns(*indexes: Index, **changes: Any) -> int | None:
        Timed._meta.indexes = list(indexes)
        index = size_index(Timed, declared.replace(**changes))
        return None if index is None else index.columns

    assert columns(size) == 1
    assert columns(*others) is columns() is None
    assert columns(size, order_by=["-score", "person", TAKEN]) == 2
    assert columns(size, order_by=[TAKEN, "-score", "person"]) == 0
    assert columns(size, order_by=["-score", "person"]) is None
    assert columns(size, eligible=None) is None
    assert columns(size, order_by=["-person", TAKEN, "score"]) is None
    assert columns(Index(fields=["group", "score", "person"], condition=Q(active=True), name="i")) is None
    assert columns(Index(fields=["group", "score", "person", "name"], condition=taken, name="i")) == 1
    by_name = declared.replace(order_by=["name", TAKEN])
    assert columns(*by_name.indexes("x", covering=True), order_by=["name", TAKEN]) is None


@pytest.mark.usefixtures("isolated")
def test_a_plan_tells_whether_an_index_covers_it() -> None:
    class Covered(models.Model):
        score = models.IntegerField()

        objects = LeaderboardManager(scores=Leaderboard(order_by=["-score"]))

        class Meta:
            app_label = "testapp"

    assert (
        "which would be cheaper from a covering index" in Covered.objects.explain_plan("get_standing").reason
    )
    declared = Leaderboard(order_by=["-score"])
    Covered._meta.indexes = declared.indexes("x", covering=True)
    found = Covered.objects.with_leaderboard(declared).standings().page(3).explain_plan()
    assert "board_size counts the whole board, from a covering index" in found.reason


# What is planned


@contextmanager
def indexed(*indexes: Index) -> Iterator[None]:
    """Attempts have these indexes instead of their own."""
    own = Attempt._meta.indexes
    _change_indexes(remove=own, add=indexes)
    try:
        with mock.patch.object(Attempt._meta, "indexes", list(indexes)):
            yield
    finally:
        _change_indexes(remove=indexes, add=own)


def _change_indexes(*, remove: Iterable[Index], add: Iterable[Index]) -> None:
    with connection.schema_editor() as editor:
        for index in remove:
            editor.remove_index(Attempt, index)
        for index in add:
            editor.add_index(Attempt, index)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


COUNTS = {
    "better": "count(*)",
    "better members": "count(DISTINCT candidate_id)",
    "all figures": "count(*), count(*) FILTER (WHERE score > 500), max(id)",
}


def vacuum(cursor: Any) -> None:
    # A snapshot that is held meanwhile, as by autovacuum where it analyzes another table, keeps rows that it
    # does not see from being marked as visible to all.
    for _ in range(300):
        cursor.execute("VACUUM ANALYZE testapp_attempt")
        cursor.execute("SELECT relallvisible = relpages FROM pg_class WHERE relname = 'testapp_attempt'")
        if cursor.fetchone() == (True,):
            return
        sleep(0.1)
    pytest.fail("VACUUM leaves pages that are not visible to all.")


@contextmanager
def only_indexes() -> Iterator[None]:
    """Tables so small are scanned by an index nevertheless."""
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan"):
            cursor.execute(f"SET enable_{way} = off")
        try:
            yield
        finally:
            cursor.execute("RESET ALL")


def scans(sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params or None)
        ((plan,),) = cursor.fetchall()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return [node for node in nodes(plan[0]["Plan"]) if "Scan" in node["Node Type"]]


def attempts_on_boards() -> Test:
    """Return the first of four tests with 2,000 attempts each."""
    tests = Test.objects.bulk_create(Test(name=str(n)) for n in range(4))
    people = Candidate.objects.bulk_create(Candidate(name=str(n)) for n in range(50))
    Attempt.objects.bulk_create(
        Attempt(
            test=tests[n % 4],
            candidate=people[n * 7 % 50],
            score=n * 7919 % 1009,
            started_at=START,
            finished_at=START + timedelta(seconds=n % 70),
            disqualified=n % 20 == 4,
        )
        for n in range(8000)
    )
    return tests[0]


@pytest.mark.plans
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("member", "counted"), [(None, "better"), *(("candidate", counted) for counted in COUNTS)]
)
def test_better_entries_are_counted_from_the_index_alone(member: str | None, counted: str) -> None:
    declared = MEMBERS.replace(member=member)
    test = attempts_on_boards()
    # The conditions are those of the board's own queries: see tests/golden/top.sql.
    conditions = (
        "test_id = %s AND NOT disqualified AND score IS NOT NULL AND (finished_at - started_at) IS NOT NULL"
        f"{' AND candidate_id IS NOT NULL' if member else ''} AND score >= 600"
        " AND (score > 600 OR (score = 600 AND finished_at - started_at < '30 s'::interval))"
    )
    with indexed(*declared.indexes("covering", covering=True)), connection.cursor() as cursor:
        vacuum(cursor)
        with only_indexes():
            (scan,) = scans(f"SELECT {COUNTS[counted]} FROM testapp_attempt WHERE {conditions}", [test.pk])
        with transaction.atomic():
            top = Attempt.objects.with_leaderboard(declared).on_board(test=test).top(10)
            assert rows_read(top) < 100
    assert (scan["Node Type"], scan["Index Name"]) == ("Index Only Scan", "covering_terms")
    assert scan["Heap Fetches"] == 0


@pytest.mark.plans
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("member", "counts"),
    [
        (None, lambda view: view.ranked().count()),
        ("candidate", lambda view: view.ranked().count()),
        (["candidate", "label"], lambda view: view.ranked().count()),
        (None, lambda view: next(iter(view.with_board_size().page(3))).board_size),
        ("candidate", lambda view: next(iter(view.with_board_size().page(3))).board_size),
    ],
)
def test_a_board_is_counted_from_the_small_index(member: Any, counts: Callable[[Any], int]) -> None:
    declared = MEMBERS.replace(member=member)
    test = attempts_on_boards()
    with indexed(*declared.indexes("covering", covering=True)), connection.cursor() as cursor:
        vacuum(cursor)
        view = Attempt.objects.with_leaderboard(declared).on_board(test=test)
        with CaptureQueriesContext(connection) as captured:
            assert counts(view) == (1600 if member is None else 20)
        with only_indexes():
            found = scans(captured[-1]["sql"])
    assert ("covering_size", 1600, 0) in {
        (scan["Index Name"], scan["Actual Rows"], scan["Heap Fetches"])
        for scan in found
        if scan["Node Type"] == "Index Only Scan"
    }


@pytest.mark.plans
@pytest.mark.django_db(transaction=True)
def test_better_entries_are_counted_by_both_indexes() -> None:
    test = attempts_on_boards()
    declared = MEMBERS.replace(member=None)
    with indexed(*declared.indexes("covering", covering=True)), connection.cursor() as cursor:
        vacuum(cursor)
        view = Attempt.objects.with_leaderboard(declared).on_board(test=test)
        entry = view.ranked()[800]
        with CaptureQueriesContext(connection) as captured:
            standing = view.get_standing(entry)
        assert (standing.rank, standing.board_size) == (801, 1600)
        with only_indexes():
            found = scans(captured[-1]["sql"])
    better = view.ranked().filter(score__gt=entry.score).count()
    counted = {
        (scan["Index Name"], scan["Actual Rows"]) for scan in found if scan["Node Type"] == "Index Only Scan"
    }
    assert counted == {("covering_size", better), ("covering_size", 1600), ("covering_terms", 800 - better)}

"""The standing of one entry by counting: as the window and the reference have it."""

from __future__ import annotations

import json
from datetime import timedelta
from threading import Event
from typing import Any
from unittest import mock

import pytest
from django.db import connection, transaction
from django.db.models import DecimalField, F, Q
from django.db.models.functions import Cast
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard import (
    Best,
    Latest,
    Leaderboard,
    PercentileKind,
    PlanKind,
    Qualification,
    RankKind,
    TimeTaken,
)
from leaderboard.querysets.counted import CountedQuerySet
from leaderboard.standings.located import location_of
from leaderboard.testing import reference_standings
from tests.examples import HypothesisTestCase
from tests.test_concurrency import together
from tests.test_plans import rows_read, scanned
from tests.test_properties import EPOCH, boards, counted_apart, load, rows
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db

# Several statements an example; and what the thorough profile does whole.
FEWER = settings(max_examples=settings().max_examples // 4)
CALLS = 1000 if settings().max_examples > 200 else 200

ties = st.sampled_from([None, ["label"], ["-big", "label"], [F("ratio").desc()]])


def windows_refused() -> Any:
    """Return a patch by which no standing is found but by counting."""
    return mock.patch("leaderboard.standings.query.plan", side_effect=AssertionError("a window"))


NOBODY = [Q(score__in=[]), Q(pk__in=Attempt.objects.none())]


@pytest.mark.parametrize("kind", RankKind)
@pytest.mark.parametrize("member", [None, "candidate", ["candidate", "label"]])
@pytest.mark.parametrize("nobody", NOBODY)
def test_a_board_that_nobody_is_on(nobody: Q, member: Any, kind: RankKind, data: None) -> None:
    """Django puts NULL in place of a subquery that it knows to be empty, which is a text to PostgreSQL."""
    declared = Leaderboard(
        within=["test"], order_by=["-score"], member=member, rank_kind=kind, eligible=nobody
    )
    board = Attempt.objects.with_leaderboard(declared)
    (entry, *_) = Attempt.objects.order_by("pk")
    standing = board.get_standing(entry)
    (shown,) = board.standings().filter(pk=entry.pk).iterator()
    assert (standing.rank, standing.board_size) == (shown.rank, shown.board_size) == (None, 0)
    assert standing.qualification == Qualification.EXCLUDED
    assert board.with_rank().get(pk=entry.pk).rank is None
    assert not board.with_rank().filter(pk=entry.pk, rank__lte=3)
    assert board.rank_if(entry).rank == board.rank_if(entry).board_size == 1
    assert not board.on_board(test=entry.test).page(3)


def test_of_entries_that_are_tied_one_of_each_member_has_the_rank() -> None:
    test = Test.objects.create(name="x", cut_off=0)
    one, two, three = (Candidate.objects.create(name=name) for name in "abc")
    declared = Leaderboard(within=["test"], order_by=["-score"], member="candidate")
    entries = [
        Attempt.objects.create(test=test, candidate=candidate, score=score, disqualified=False)
        for candidate, score in ((one, 5), (two, 5), (one, 5), (three, 9), (three, 5), (two, 4))
    ]
    ranks = Attempt.objects.with_leaderboard(declared).with_rank()
    assert [ranks.get(pk=entry.pk).rank for entry in entries] == [2, 2, None, 1, None, None]


def test_members_are_counted_in_order_where_an_index_has_them(data: None) -> None:
    key = Attempt.objects.board("members").with_rank().filter(rank=1)[0].pk
    declared = Attempt.objects.board("members").leaderboard
    boards = {
        "an index": (declared, True),
        "none": (declared.replace(order_by=["-big"]), False),
        "a text": (declared.replace(member="label"), False),
    }
    for name, (board, is_in_order) in boards.items():
        view = Attempt.objects.with_leaderboard(board)
        with CaptureQueriesContext(connection) as sent:
            view.get_standing(pk=key)
        sql = sent.captured_queries[-1]["sql"]
        assert (sql.count("COUNT(DISTINCT") == 2) is is_in_order, name
        assert ("BOOL_OR" in sql) is not is_in_order, name


def test_the_first_entry_of_a_member_is_read_where_an_index_has_them_in_order(data: None) -> None:
    key = Attempt.objects.board("members").with_rank().filter(rank=1)[0].pk
    declared = Attempt.objects.board("members").leaderboard
    boards = {
        "an index": (declared, True),
        "none": (declared.replace(order_by=["-big"]), False),
        "an index in another order": (declared.replace(counting=Latest("started_at")), False),
        "several columns": (declared.replace(member=["candidate", "label"]), False),
    }
    for name, (board, is_read) in boards.items():
        view = Attempt.objects.with_leaderboard(board).with_rank()
        with CaptureQueriesContext(connection) as sent:
            view.get(pk=key)
        assert ("EXISTS" not in sent.captured_queries[-1]["sql"]) is is_read, name


@pytest.mark.parametrize("member", [None, "candidate"])
@pytest.mark.parametrize(
    "order_by",
    [
        ["-score", "id"],
        ["test__id", "-score"],
        [Cast("big", DecimalField(max_digits=40, decimal_places=places)) for places in (1, 2)],
    ],
)
def test_a_dense_rank_by_what_django_groups_otherwise(order_by: list[Any], member: Any, data: None) -> None:
    """By a primary key it would drop the other terms, and by two that it takes for equal one of them."""
    declared = Leaderboard(order_by=order_by, member=member, rank_kind="dense")
    view = Attempt.objects.with_leaderboard(declared)
    for entry in view.with_rank()[::9]:
        assert view.with_rank().get(pk=entry.pk).rank == view.get_standing(entry).rank == entry.rank


class Properties(HypothesisTestCase):
    @FEWER
    @given(rows=rows, board=boards(), ties=ties, apart=st.integers(0, 2), indexed=st.booleans())
    def test_every_standing_equals_the_reference(
        self, rows: list[dict[str, Any]], board: Leaderboard, ties: Any, apart: int, indexed: bool
    ) -> None:
        load(rows)
        queryset = Attempt.objects.with_leaderboard(board.replace(ties_by=ties))
        with counted_apart(board, apart, indexed=indexed):
            self._compare(queryset, queryset)

    @FEWER
    @given(rows=rows, board=boards(st.just(["test"])), apart=st.integers(0, 2), indexed=st.booleans())
    def test_every_standing_among_a_view_equals_the_reference(
        self, rows: list[dict[str, Any]], board: Leaderboard, apart: int, indexed: bool
    ) -> None:
        tests = load(rows)
        view = Attempt.objects.with_leaderboard(board).filter(candidate__name__in=["0", "1"]).as_population()
        with counted_apart(board, apart, indexed=indexed):
            self._compare(view, view.on_board(test=tests[0]), population={*view.values_list("pk", flat=True)})

    def _compare(self, queryset: Any, view: Any, population: Any = None) -> None:
        expected = reference_standings(queryset, population=population, now=now())
        keys = list(view.values_list("pk", flat=True))
        is_steady = location_of(Attempt, view._ranking) is not None
        for key in keys[:: len(keys) // 4 + 1]:
            with mock.patch.object(
                CountedQuerySet, "_counted_at", autospec=True, side_effect=CountedQuerySet._counted_at
            ) as counted:
                found = view.get_standing(pk=key)
            assert counted.call_count <= 1
            assert is_steady or not counted.called
            of = expected[key]
            assert (found.rank, found.board_size, found.percentile, found.qualification) == (
                of.rank,
                of.board_size,
                of.percentile,
                of.qualification,
            ), key
            # Without the size, the rank is counted by itself.
            assert view.with_rank().get(pk=key).rank == of.rank

    @FEWER
    @given(
        rows=rows,
        board=boards(),
        ties=ties,
        member=st.sampled_from(["candidate", "label", "candidate__name"]),
        indexed=st.booleans(),
    )
    def test_every_rank_of_a_member_that_is_read_alone_equals_the_reference(
        self, rows: list[dict[str, Any]], board: Leaderboard, ties: Any, member: str, indexed: bool
    ) -> None:
        load(rows)
        board = board.replace(
            member=member, ties_by=ties, counting=Best(), rank_kind="competition", within=["test"]
        )
        view = Attempt.objects.with_leaderboard(board)
        expected = reference_standings(view, now=now())
        with counted_apart(board, 0, indexed=indexed):
            for entry in Attempt.objects.order_by("pk")[:30]:
                assert view.with_rank().get(pk=entry.pk).rank == expected[entry.pk].rank

    @FEWER
    @given(rows=rows, board=boards(st.just(["test"])))
    def test_every_member_is_counted_as_ranked(self, rows: list[dict[str, Any]], board: Leaderboard) -> None:
        tests = load(rows)
        # A clock that runs on would tell two statements apart.
        board = board.replace(member="candidate", time_taken=TimeTaken("started_at", "finished_at"))
        view = Attempt.objects.with_leaderboard(board).on_board(test=tests[0])
        for member in {*view.exclude(candidate=None).values_list("candidate", flat=True)}:
            found = view.get_standing(member=member)
            with mock.patch("leaderboard.querysets.counted.location_of", return_value=None):
                assert view.get_standing(member=member) == found


@pytest.mark.parametrize("kind", RankKind)
@pytest.mark.parametrize(("name", "apart"), [("overall", 0), ("overall", 1), ("members", 0)])
def test_no_window_is_asked(kind: RankKind, name: str, apart: int, data: None) -> None:
    board = Attempt.objects.board(name).leaderboard.replace(
        rank_kind=kind, percentile_kind=PercentileKind.MEAN
    )
    view = Attempt.objects.with_leaderboard(board)
    ranked = {entry.pk: entry for entry in view.standings()}
    assert len({entry.qualification for entry in ranked.values()}) > 3
    with windows_refused(), counted_apart(board, apart):
        for key, entry in ranked.items():
            found = view.get_standing(pk=key)
            assert (found.rank, found.percentile, found.board_size) == (
                entry.rank,
                entry.percentile,
                entry.board_size,
            )


@pytest.mark.parametrize("name", ["overall", "members"])
def test_a_view_held_to_one_key_is_counted(name: str, data: None) -> None:
    view = Attempt.objects.board(name).with_rank().with_percentile()
    ranked = list(view.values_list("pk", "rank", "percentile"))
    with windows_refused():
        for key, rank, percentile in ranked:
            for held in (
                view.filter(pk=key),
                view.filter(pk__exact=key).order_by("rank"),
                view.filter(id=key),
            ):
                assert list(held.values_list("rank", "percentile")) == [(rank, percentile)]
            assert view.get(pk=key).rank == rank
            assert view.select_related("test").filter(pk=key)[0].percentile == percentile


def test_a_view_held_to_one_key_is_still_a_view(data: None) -> None:
    view = Attempt.objects.with_rank()
    entry = view.filter(rank__gt=1)[0]
    assert view.filter(pk=entry.pk, rank=entry.rank).get() == entry
    assert not view.filter(pk=entry.pk, rank=1)
    assert not view.filter(pk=entry.pk).exclude(score=entry.score)
    assert not view.filter(pk=entry.pk).filter(pk=entry.pk + 1)
    assert not view.filter(pk=-1)
    assert view.filter(pk=entry.pk)[1:2].count() == len(view.filter(pk=entry.pk)[1:2]) == 0


def test_statements_of_a_standing(data: None, django_assert_num_queries: Any) -> None:
    board = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0"))
    entry = board.top(1).get()
    with django_assert_num_queries(2):
        board.get_standing(entry)
    with django_assert_num_queries(2):
        board.get_standing(member=entry.candidate_id)
    with django_assert_num_queries(2):
        board.with_rank().get(pk=entry.pk)
    missing: list[dict[str, Any]] = [{"pk": -1}, {"member": -1}]
    for sought in missing:
        with django_assert_num_queries(1), pytest.raises(Attempt.DoesNotExist):
            board.get_standing(**sought)


@pytest.mark.parametrize("moves", [1, 2])
def test_an_entry_that_moves_between_the_statements(moves: int, data: None) -> None:
    """Once, and it is counted again; twice, and the window is asked."""
    board = Attempt.objects.on_board(test=Test.objects.get(name="test 0"))
    entry = board.top(1).get()
    moved = 0
    found = CountedQuerySet._place

    def moving(queryset: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal moved
        place = found(queryset, *args, **kwargs)
        if moved < moves:
            moved += 1
            Attempt.objects.filter(pk=entry.pk).update(score=-moved)
        return place

    with mock.patch.object(CountedQuerySet, "_place", moving):
        standing = board.get_standing(entry)
    assert moved == moves
    assert standing.rank == max(ranked.rank for ranked in board.top(100))


def test_null_comes_last_among_ties() -> None:
    test = Test.objects.create(name="x", cut_off=0)
    for label in ("b", None, "a", None):
        Attempt.objects.create(test=test, score=1, label=label, disqualified=False)
    for tie in ("label", F("label").desc()):
        board = Leaderboard(within=["test"], order_by=["-score"], ties_by=[tie], rank_kind="ordinal")
        view = Attempt.objects.with_leaderboard(board).on_board(test=test)
        with windows_refused():
            found = {key: view.get_standing(pk=key).rank for key in view.values_list("pk", flat=True)}
        assert found == dict(view.ranked().values_list("pk", "rank"))


@pytest.mark.django_db(transaction=True)
def test_standings_beside_writers_are_of_one_snapshot() -> None:
    """Two states of a board take turns; a place of one that is counted in the other is in neither."""
    test = Test.objects.create(name="x", cut_off=0)
    one = Attempt.objects.create(test=test, score=10, disqualified=False)
    for score in range(1, 10):
        Attempt.objects.create(test=test, score=score, disqualified=False)
    board = Attempt.objects.with_leaderboard(Leaderboard(within=["test"], order_by=["-score"])).on_board(
        test=test
    )
    done = Event()

    def write() -> None:
        while not done.is_set():
            for others, own in ((7, -5), (-7, 5)):
                with transaction.atomic():
                    # In one order of the rows, whoever writes.
                    list(Attempt.objects.select_for_update().order_by("pk"))
                    now = Attempt.objects.get(pk=one.pk).score
                    if (now == 10) == (others > 0):
                        Attempt.objects.exclude(pk=one.pk).update(score=F("score") + others)
                        Attempt.objects.filter(pk=one.pk).update(score=F("score") + own)

    def read() -> list[Any]:
        try:
            return [board.get_standing(one) for _ in range(CALLS)]
        finally:
            done.set()

    _, _, standings = together(write, write, read)
    seen = {(standing.rank, standing.percentile, standing.board_size) for standing in standings}
    assert seen == {(1, 100.0, 10), (10, 10.0, 10)}


@pytest.mark.plans
def test_no_more_is_read_of_a_member_than_the_first_entry() -> None:
    """However many tie with it by the first term, at which an index scan begins."""
    test = Test.objects.create(name="x", cut_off=0)
    members = [Candidate.objects.create(name=name) for name in "ab"]
    Attempt.objects.bulk_create(
        Attempt(
            test=test,
            candidate=members[seconds % 2],
            score=5,
            started_at=EPOCH,
            finished_at=EPOCH + timedelta(seconds=seconds),
            disqualified=False,
        )
        for seconds in range(5000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE testapp_attempt")
        cursor.execute("SET LOCAL enable_seqscan = off")
    ranks = Attempt.objects.board("members").on_board(test=test).with_rank()
    best, second, *_ = entries = Attempt.objects.order_by("pk")
    assert [ranks.get(pk=entry.pk).rank for entry in entries[:4]] == [1, 2, None, None]
    for entry in (best, second):
        explained = ranks.filter(pk=entry.pk).explain(format="json", analyze=True)
        assert scanned(json.loads(explained)[0]["Plan"]) <= 10


@pytest.mark.plans
def test_no_more_is_read_than_the_better_entries() -> None:
    test = Test.objects.create(name="x", cut_off=0)
    Attempt.objects.bulk_create(
        Attempt(test=test, score=n, started_at=EPOCH, finished_at=EPOCH, disqualified=False)
        for n in range(5000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE testapp_attempt")
    board = Attempt.objects.on_board(test=test).with_rank()
    for position in (0, 10, 100):
        entry = Attempt.objects.order_by("-score")[position]
        assert rows_read(board.filter(pk=entry.pk)) <= position + 10


def test_the_plan_is_told() -> None:
    test = Test.objects.create(name="x", cut_off=0)
    view = Attempt.objects.on_board(test=test)
    plans = {
        "no metric": view.explain_plan(),
        "a key": view.with_rank().filter(pk=1).explain_plan(),
        "no member": view.with_rank().filter(candidate=1).explain_plan(),
        "a key and the size": view.with_percentile().filter(pk=1).explain_plan(),
        "the first": view.top(3).explain_plan(),
        "a bound": view.with_rank().filter(rank__lte=3).explain_plan(),
        "the size": view.with_percentile().top(3).explain_plan(),
        "anywhere": view.with_rank().filter(score=3).explain_plan(),
        "all boards": Attempt.objects.with_rank().explain_plan(),
        "two boards": view.with_rank().board("members").with_rank(prefix="m_").filter(pk=1).explain_plan(),
        "running": view.with_leaderboard(
            Leaderboard(order_by=[TimeTaken("started_at", "finished_at", running=True)])
        ).with_rank().filter(pk=1).explain_plan(),
        "a standing": view.explain_plan("get_standing"),
    }  # fmt: skip
    assert {name: plan.kind for name, plan in plans.items()} == {
        "no metric": PlanKind.PLAIN,
        "a key": PlanKind.COUNTED,
        "no member": PlanKind.WINDOW,
        "a key and the size": PlanKind.COUNTED,
        "the first": PlanKind.BOUNDED_WINDOW,
        "a bound": PlanKind.BOUNDED_WINDOW,
        "the size": PlanKind.WINDOW,
        "anywhere": PlanKind.WINDOW,
        "all boards": PlanKind.WINDOW,
        "two boards": PlanKind.WINDOW,
        "running": PlanKind.WINDOW,
        "a standing": PlanKind.COUNTED,
    }
    assert "percentile depends on the size" in str(plans["the size"])
    assert "not pinned by test" in str(plans["all boards"])
    assert plans["a key"].indexes == ("test, -score, TimeTaken('started_at', 'finished_at')",)
    assert plans["a key"].missing == ()
    declared = Leaderboard(within=["test"], order_by=["-big"])
    told = view.with_leaderboard(declared).explain_plan("get_standing")
    assert told.missing == told.indexes == ("test, -big",)
    assert "(missing)" in str(told)
    with pytest.raises(ValueError, match="method='top'"):
        view.explain_plan("top")


def test_nothing_is_sent_to_tell_a_plan(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        Attempt.objects.with_rank().filter(pk=1).explain_plan()
        Attempt.objects.explain_plan("get_standing")

"""The neighbours of an entry, by a run and by one statement: as the reference has them."""

from __future__ import annotations

import pickle
from threading import Event
from typing import Any
from unittest import mock

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, transaction
from django.db.models import Count, F
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard import Leaderboard, PlanKind, RankKind
from leaderboard.querysets import neighbours
from leaderboard.querysets.pages import PageQuerySet
from leaderboard.testing import reference_standings
from tests.attempts import START
from tests.examples import HypothesisTestCase
from tests.test_concurrency import together
from tests.test_paging import runs_only, shown, ties
from tests.test_plans import rows_read
from tests.test_properties import boards, load, rows
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db

FEWER = settings(max_examples=settings().max_examples // 10)
CALLS = 1000 if settings().max_examples > 200 else 25


class Properties(HypothesisTestCase):
    @FEWER
    @given(
        rows=rows,
        board=boards(st.just(["test"])),
        ties=ties,
        member=st.sampled_from([None, "candidate"]),
        before=st.integers(0, 4),
        after=st.integers(0, 4),
        start=st.integers(0, 30),
    )
    def test_all_neighbours_equal_the_reference(
        self,
        rows: list[dict[str, Any]],
        board: Leaderboard,
        ties: Any,
        member: str | None,
        before: int,
        after: int,
        start: int,
    ) -> None:
        (test, *_) = load(rows)
        board = board.replace(ties_by=ties, member=member, **({} if member else {"counting": None}))
        view = Attempt.objects.with_leaderboard(board).on_board(test=test).standings()
        everyone = list(view.ranked().iterator())
        standings = reference_standings(view, now=now())
        for position in {start % (len(everyone) or 1), 0, len(everyone) - 1} & {*range(len(everyone))}:
            entry = everyone[position]
            expected = everyone[max(0, position - before) : position + after + 1]
            asked = {"member": entry.candidate_id} if member else {"pk": entry.pk}
            with CaptureQueriesContext(connection) as captured:
                near: Any = view.around(**asked, before=before, after=after)
                assert shown(near) == shown(expected)
            for each in near:
                of = standings[each.pk]
                assert (each.rank, each.percentile, each.board_size) == (
                    of.rank,
                    of.percentile,
                    of.board_size,
                )
            assert len(captured) == 2
            # A relation that is joined for a metric might hide entries.
            if near.all()._page_as_asked() is not None:
                assert "_has" in captured[1]["sql"]
            assert shown(near.iterator()) == shown(expected)


@pytest.mark.parametrize("kind", RankKind)
@pytest.mark.parametrize("name", ["overall", "members"])
def test_every_entry_with_its_neighbours(kind: RankKind, name: str, data: None) -> None:
    board = Attempt.objects.board(name).leaderboard.replace(rank_kind=kind)
    view = Attempt.objects.with_leaderboard(board).on_board(test=Test.objects.get(name="test 0")).standings()
    everyone = list(view.ranked())
    for before, after in ((0, 0), (0, 2), (2, 0), (1, 1), (3, 2), (1000, 2**63)):
        for position, entry in enumerate(everyone):
            with runs_only():
                near = list(view.around(entry, before=before, after=after))
            assert shown(near) == shown(everyone[max(0, position - before) : position + after + 1])


def test_those_around_are_a_queryset(data: None) -> None:
    view = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0")).standings()
    everyone = list(view.ranked())
    near = view.around(everyone[1], before=1, after=1)
    with runs_only():
        assert list(near.values_list("rank", flat=True)) == [entry.rank for entry in everyone[:3]]
        assert list(near.select_related("candidate")) == list(near.all()) == everyone[:3]
        assert list(async_to_sync(view.aaround)(everyone[1], before=1, after=1)) == everyone[:3]
    assert list(near.reverse()) == everyone[2::-1]
    assert list(near.filter(pk=everyone[2].pk)) == everyone[2:3]
    assert (near.count(), near.exists(), near.first(), near.last()) == (3, True, everyone[0], everyone[2])
    assert list(near[1:]) == everyone[1:3]
    assert list(pickle.loads(pickle.dumps(near))) == everyone[:3]
    counted = view.annotate(said=Count("comments")).around(everyone[1], before=1, after=1)
    assert [entry.pk for entry in counted] == [entry.pk for entry in everyone[:3]]
    # Of a page too, which is a view.
    page = view.page(2, after=everyone[0])
    assert list(page.around(everyone[1], before=1, after=1)) == everyone[1:3]


def test_how_neighbours_are_read(data: None, django_assert_num_queries: Any) -> None:
    view = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0")).standings()
    everyone = list(view.ranked())
    for entry in everyone:
        for asked in ({"pk": entry.pk}, {"entry": entry}, {"member": entry.candidate}):
            with django_assert_num_queries(2), runs_only():
                assert entry in list(view.around(**asked, before=1, after=1))
    near = view.around(everyone[0])
    assert near.explain_plan().kind is PlanKind.PAGE
    with django_assert_num_queries(1):
        assert "rival" in near.explain()
    unranked = Attempt.objects.filter(disqualified=True)[0]
    with django_assert_num_queries(1), pytest.raises(Attempt.DoesNotExist):
        view.around(unranked)
    hidden = view.exclude(pk=everyone[1].pk)
    with django_assert_num_queries(2):
        assert [entry.pk for entry in hidden.around(everyone[0], after=1)] == [
            entry.pk for entry in (everyone[0], everyone[2])
        ]
    assert hidden.around(everyone[0]).explain_plan().kind is PlanKind.WINDOW
    with mock.patch.object(neighbours, "FARTHEST", 1):
        assert view.around(everyone[0], before=2).explain_plan().kind is PlanKind.WINDOW


@pytest.mark.parametrize("moves", [1, 2])
@pytest.mark.parametrize(
    "move", ["the first", "the entry", "one between", "another comes first", "the entry goes"]
)
def test_who_moves_between_the_statements(move: str, moves: int, data: None) -> None:
    """Once, and it is read again; twice, and one statement reads all."""
    test = Test.objects.get(name="test 0")
    view = Attempt.objects.board("members").on_board(test=test).standings()
    everyone = list(view.ranked())
    entry = everyone[2]
    scores = [1000, -1]
    read_by = PageQuerySet._read_by

    def score(moved: Any) -> Any:
        return lambda: Attempt.objects.filter(pk=moved.pk).update(score=scores.pop(0))

    act = {
        "the first": score(everyone[0]),
        "the entry": score(entry),
        "one between": score(everyone[1]),
        "another comes first": lambda: Attempt.objects.create(
            test=test,
            candidate=Candidate.objects.create(name="new"),
            score=scores.pop(0),
            started_at=START,
            finished_at=START,
        ),
        "the entry goes": lambda: scores.pop(0) and Attempt.objects.filter(pk=entry.pk).delete(),
    }[move]
    near = view.around(entry, before=3 if move == "another comes first" else 2, after=1)

    def moving(queryset: Any, *args: Any, **kwargs: Any) -> Any:
        if len(scores) > 2 - moves:
            act()
        return read_by(queryset, *args, **kwargs)

    with mock.patch.object(PageQuerySet, "_read_by", moving):
        found = shown(near)
    assert found == shown(near.iterator())
    assert (entry.pk in [row[0] for row in found]) is (move != "the entry goes")


@pytest.mark.django_db(transaction=True)
def test_neighbours_beside_writers_are_of_one_snapshot() -> None:
    """Two states of a board take turns; ranks of one with entries of the other are in neither."""
    test = Test.objects.create(name="x", cut_off=0)
    entries = [Attempt.objects.create(test=test, score=n, disqualified=False) for n in range(9)]
    board = Leaderboard(within=["test"], order_by=["-score"])
    view = Attempt.objects.with_leaderboard(board).on_board(test=test).with_rank("ordinal").with_percentile()
    one = entries[6]

    def turn() -> None:
        with transaction.atomic():
            # In one order of the rows, whoever writes.
            list(Attempt.objects.select_for_update().order_by("pk"))
            Attempt.objects.exclude(pk=one.pk).update(score=8 - F("score"))

    def answer() -> tuple[Any, ...]:
        near = view.around(one, before=2, after=1)
        return tuple((entry.pk, entry.rank, entry.percentile) for entry in near)

    states = [answer()]
    turn()
    states.append(answer())
    assert states[0] != states[1]
    done = Event()

    def write() -> None:
        while not done.is_set():
            turn()

    def read() -> set[tuple[Any, ...]]:
        try:
            return {answer() for _ in range(CALLS)}
        finally:
            done.set()

    _, _, seen = together(write, write, read)
    assert seen <= {*states}


@pytest.mark.plans
def test_no_more_is_read_than_the_neighbours_and_who_is_before_them() -> None:
    test = Test.objects.create(name="x", cut_off=0)
    Attempt.objects.bulk_create(
        Attempt(test=test, score=n, started_at=START, finished_at=START, disqualified=False)
        for n in range(5000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE testapp_attempt")
    view = Attempt.objects.on_board(test=test).with_rank()
    for position in (0, 10, 50):
        near: Any = view.around(Attempt.objects.order_by("-score")[position], before=3, after=3)
        assert near.explain_plan().kind is PlanKind.PAGE
        assert rows_read(near._read_by(near._page, near._run_of(near._page))) <= position + 50

"""Pages of a board, by a run and by one statement: as the reference has them."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from asgiref.sync import async_to_sync
from django.db import NotSupportedError, connection
from django.db.models import Count, F, OuterRef, Q, Subquery, Window
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard import AtLeast, Best, BoardNotPinned, First, Latest, Leaderboard, PlanKind, RankKind
from leaderboard.kinds import Counting
from leaderboard.querysets.pages import PageQuerySet
from leaderboard.testing import reference_standings
from tests.attempts import START
from tests.examples import HypothesisTestCase
from tests.test_plans import rows_read
from tests.test_properties import boards, counted_apart, load, rows
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db

FEWER = settings(max_examples=settings().max_examples // 10)
ties = st.sampled_from([None, ["label"], ["-big", "label"], [F("ratio").desc()]])
PASSED_OVER = "leaderboard.standings.stretch.PASSED_OVER"
METRICS = ("pk", "rank", "percentile", "board_size", "qualification")


@contextmanager
def runs_only() -> Iterator[None]:
    """Let no page be read but by a run."""
    read = PageQuerySet._rows_of_page

    def reading(queryset: Any) -> Any:
        rows = read(queryset)
        if rows is None and queryset._page is not None and queryset.query.run is None:
            # Not asserted: what pytest would show of it reads the page again.
            pytest.fail("A page is read by one statement.")
        return rows

    with mock.patch.object(PageQuerySet, "_rows_of_page", reading):
        yield


def shown(page: Any) -> list[tuple[Any, ...]]:
    return [tuple(getattr(entry, name, None) for name in METRICS) for entry in page]


class Properties(HypothesisTestCase):
    @FEWER
    @given(
        rows=rows,
        board=boards(st.sampled_from([["test"], ["test"], []])),
        ties=ties,
        member=st.sampled_from([None, "candidate", "candidate"]),
        size=st.sampled_from([1, 2, 3, 50]),
        start=st.integers(0, 30),
        passed_over=st.sampled_from([0, 1, 1000]),
        apart=st.integers(0, 2),
    )
    def test_every_page_equals_the_reference(
        self,
        rows: list[dict[str, Any]],
        board: Leaderboard,
        ties: Any,
        member: str | None,
        size: int,
        start: int,
        passed_over: int,
        apart: int,
    ) -> None:
        """Whether few entries do not count, or so many that the run is gathered."""
        (test, *_) = load(rows)
        board = board.replace(ties_by=ties, member=member, **({} if member else {"counting": None}))
        pins = {"test": test} if board.within else {}
        view = Attempt.objects.with_leaderboard(board).on_board(**pins).standings()
        everyone = list(view.ranked().iterator())
        self._see_that_they_are_the_reference(view, everyone)
        position = start % (len(everyone) + 1)
        with mock.patch(PASSED_OVER, passed_over), counted_apart(board, apart):
            self._compare(view, {"at_rank": position + 1}, everyone[position : position + size], size)
            for entry in everyone[position : position + 1]:
                self._compare(view, {"after": entry}, everyone[position + 1 :][:size], size)
                self._compare(view, {"before": entry}, everyone[max(0, position - size) : position], size)
                if member is not None:
                    first = position - position % size
                    found = everyone[first : first + size]
                    self._compare(view, {"of_member": entry.candidate_id}, found, size)

    def _see_that_they_are_the_reference(self, view: Any, everyone: list[Any]) -> None:
        expected = reference_standings(view, now=now())
        for entry in everyone:
            of = expected[entry.pk]
            assert (entry.rank, entry.percentile, entry.board_size) == (of.rank, of.percentile, of.board_size)

    def _compare(self, view: Any, where: dict[str, Any], expected: Sequence[Any], size: int) -> None:
        with CaptureQueriesContext(connection) as captured:
            assert shown(view.page(size, **where)) == shown(expected), where
        # A relation that is joined for a metric might hide entries.
        if expected and view.page(size, **where)._page_as_asked() is not None:
            assert any("_has" in query["sql"] for query in captured)
        assert shown(view.page(size, **where).iterator()) == shown(expected), where


BY_TIES = {"ties_by": ["-big"]}


@pytest.mark.parametrize("changes", [{}, BY_TIES, {"eligible": Q(test__name="test 0")}])
@pytest.mark.parametrize("counting", [None, Best(), Latest("finished_at")])
@pytest.mark.parametrize("within", [[], ["test"]])
def test_the_first_page_and_those_beside_an_entry(
    within: list[str], counting: Any, changes: dict[str, Any], data: None
) -> None:
    declared = Leaderboard(
        within=within,
        order_by=["-score"],
        member="candidate" if counting else None,
        counting=counting,
        **changes,
    )
    test = Test.objects.get(name="test 0")
    # The best of all, before others of the same member.
    last = Attempt.objects.filter(test=test, candidate__isnull=False, finished_at__isnull=False).latest("pk")
    assert last.finished_at is not None
    Attempt.objects.create(
        test=test,
        candidate=last.candidate,
        score=10_000,
        disqualified=False,
        finished_at=last.finished_at - timedelta(days=1000),
    )
    pins = {"test": test} if within else {}
    view = Attempt.objects.with_leaderboard(declared).on_board(**pins).with_rank()
    everyone = shown(view.ranked().iterator())
    positions = {pk: position for position, (pk, *_) in enumerate(everyone)}
    for entry in Attempt.objects.filter(test=test):
        if (position := positions.get(entry.pk)) is not None:
            assert shown(view.page(2, after=entry)) == everyone[position + 1 : position + 3]
            continue
        with pytest.raises(Attempt.DoesNotExist):
            view.page(2, after=entry)
    # Where no index finds a member's entries, there is no run.
    with nullcontext() if counting and not within else runs_only():
        assert shown(view.page(3)) == everyone[:3] != []
    assert not view.filter(pk__in=[]).page(3)


@pytest.mark.parametrize("kind", RankKind)
@pytest.mark.parametrize("name", ["overall", "members"])
def test_walking_forwards_and_backwards(kind: RankKind, name: str, data: None) -> None:
    board = Attempt.objects.board(name).leaderboard.replace(rank_kind=kind)
    view = Attempt.objects.with_leaderboard(board).on_board(test=Test.objects.get(name="test 0")).standings()
    everyone = shown(view.ranked().iterator())
    assert len(everyone) > 4
    for size in (1, 3):
        with runs_only():
            page = list(view.page(size))
            forwards = shown(page)
            while page := list(view.page(size, after=page[-1])):
                forwards += shown(page)
            assert forwards == everyone
            last = Attempt.objects.get(pk=everyone[-1][0])
            backwards = everyone[-1:]
            page = [last]
            while page := list(view.page(size, before=page[0])):
                backwards = shown(page) + backwards
            assert backwards == everyone


def test_a_page_is_a_queryset(data: None) -> None:
    test = Test.objects.get(name="test 0")
    view = Attempt.objects.board("members").on_board(test=test).standings()
    everyone = list(view.ranked())
    page = view.page(3, after=everyone[0])
    expected = everyone[1:4]
    assert list(page.values_list("pk", "rank")) == [(entry.pk, entry.rank) for entry in expected]
    assert [row["percentile"] for row in page.values("percentile")] == [e.percentile for e in expected]
    assert list(page.reverse()) == expected[::-1]
    assert list(page.order_by("pk")) == sorted(expected, key=lambda entry: entry.pk)
    assert list(page.filter(rank__gt=expected[0].rank)) == [e for e in expected if e.rank > expected[0].rank]
    assert page.count() == len(expected)
    assert page.exists()
    assert list(page[1:]) == expected[1:]
    assert page.first() == expected[0]
    assert page.last() == expected[-1]
    assert list(page.all()) == list(page.select_related("candidate")) == expected
    assert [e.candidate for e in page.prefetch_related("candidate")] == [e.candidate for e in expected]
    assert list(Attempt.objects.filter(pk__in=page.values("pk")).order_by("pk")) == sorted(
        expected, key=lambda entry: entry.pk
    )
    assert [entry.pk for entry in page.exclude(pk=expected[0].pk)] == [entry.pk for entry in expected[1:]]
    doubled = view.page(3).annotate(two=F("rank") * 2)
    assert [entry.two for entry in doubled] == [2 * entry.rank for entry in everyone[:3]]


def test_a_page_of_a_view_shows_ranks_of_the_board(data: None) -> None:
    test = Test.objects.get(name="test 0")
    view = Attempt.objects.board("overall").on_board(test=test).standings()
    friends = view.filter(candidate__team="red")
    everyone = list(friends.ranked())
    assert [entry.rank for entry in everyone] != list(range(1, len(everyone) + 1))
    for position, entry in enumerate(everyone):
        assert shown(friends.page(2, after=entry)) == shown(everyone[position + 1 :][:2])
        assert shown(friends.page(2, before=entry)) == shown(everyone[max(0, position - 2) : position])
        assert shown(friends.page(2, at_rank=position + 1)) == shown(everyone[position : position + 2])
    members = Attempt.objects.board("members").on_board(test=test).filter(candidate__team="red").standings()
    everyone = list(members.ranked())
    for position, entry in enumerate(everyone):
        first = position - position % 2
        assert shown(members.page(2, of_member=entry.candidate)) == shown(everyone[first : first + 2])
    population = view.filter(candidate__team="red").as_population().standings()
    everyone = list(population.ranked())
    assert shown(population.page(2, after=everyone[0])) == shown(everyone[1:3])


@pytest.mark.parametrize("name", ["overall", "members"])
def test_a_cut_off_by_a_subquery(name: str, data: None) -> None:
    own = Subquery(Test.objects.filter(pk=OuterRef("test")).values("cut_off")[:1])
    declared = Attempt.objects.board(name).leaderboard.replace(cut_off=AtLeast("score", own))
    view = (
        Attempt.objects.with_leaderboard(declared).on_board(test=Test.objects.get(name="test 0")).standings()
    )
    everyone = list(view.ranked())
    assert shown(view.page(2, after=everyone[0])) == shown(everyone[1:3])
    assert shown(view.page(2, before=everyone[2])) == shown(everyone[:2])


def test_statements_of_a_page(data: None, django_assert_num_queries: Any) -> None:
    view = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0")).standings()
    (first, *_, last) = view.ranked()
    for number, where in (
        (2, {}),
        (2, {"at_rank": 3}),
        (2, {"after": first}),
        (2, {"after": last}),
        (2, {"before": first}),
        (2, {"before": last}),
        (3, {"of_member": first.candidate}),
        (3, {"of_member": last.candidate}),
        (1, {"at_rank": 1000}),
    ):
        with django_assert_num_queries(number), runs_only():
            list(view.page(3, **where))


def climbed(superseded: int, last: int) -> tuple[Any, list[Any]]:
    """Return a board of three members, of whom one has so many entries that do not count before the last."""
    test = Test.objects.create(name="x", cut_off=0)
    people = Candidate.objects.bulk_create(Candidate(name=str(n)) for n in range(3))
    scores = [(0, 99), (1, 90), *((1, 80 - n) for n in range(superseded)), (2, last)]
    entries = Attempt.objects.bulk_create(
        Attempt(test=test, candidate=people[person], score=score, disqualified=False)
        for person, score in scores
    )
    declared = Leaderboard(within=["test"], order_by=["-score"], member="candidate")
    view = Attempt.objects.with_leaderboard(declared).on_board(test=test).standings()
    return view, [entries[0], entries[1], entries[-1]]


@pytest.mark.parametrize("kind", Counting)
def test_so_many_entries_are_passed_over(kind: Counting, data: None, django_assert_num_queries: Any) -> None:
    """One more, and the statements are sent once more, by which the entries that count are gathered."""
    for superseded, number in ((3, 2), (4, 4)):
        view, (first, second, third) = climbed(superseded, last=1)
        # The others have been finished in no order in which they might count.
        if kind is not Counting.BEST:
            Attempt.objects.filter(pk__in=[first.pk, second.pk, third.pk]).update(finished_at=START)
            rule = Latest("finished_at") if kind is Counting.LATEST else First("finished_at")
            board = view.leaderboard.replace(counting=rule)
            view = view.with_leaderboard(board).standings()
        with mock.patch(PASSED_OVER, 3), runs_only():
            with django_assert_num_queries(number):
                found = shown(view.page(1, after=second))
            assert found == shown(view.page(1, after=second).iterator())
            assert [key for key, *_ in found] == [third.pk]
            with django_assert_num_queries(number):
                found = shown(view.page(1, before=third))
            assert [key for key, *_ in found] == [second.pk]
            assert shown(view.page(2, at_rank=2)) == shown(view.ranked()[1:3])
            assert shown(view.page(2, of_member=third.candidate)) == shown(view.ranked()[2:3])


def test_the_last_entry_is_gathered_where_it_counts(data: None) -> None:
    """Though its member has a better one before the place."""
    board, (first, second, third) = climbed(0, last=1)
    declared = board.leaderboard.replace(counting=Latest("finished_at"))
    Attempt.objects.filter(test=first.test).update(finished_at=START + timedelta(days=1))
    Attempt.objects.create(
        test=first.test, candidate=third.candidate, score=100, finished_at=START, disqualified=False
    )
    page: Any = Attempt.objects.with_leaderboard(declared).on_board(test=first.test).page(1, after=second)
    run = replace(page._run_of(page._page), gathers=True)
    assert [entry.pk for entry in page._read_by(page._page, run)] == [second.pk, third.pk]


def test_a_board_that_ends_is_not_gathered(data: None, django_assert_num_queries: Any) -> None:
    for superseded, number in ((4, 2), (5, 4)):
        view, (first, second, third) = climbed(superseded, last=100)
        assert [entry.pk for entry in view.ranked()] == [third.pk, first.pk, second.pk]
        with mock.patch(PASSED_OVER, 3), django_assert_num_queries(number), runs_only():
            assert shown(view.page(1, after=second)) == []


@pytest.mark.parametrize("moves", [1, 2])
@pytest.mark.parametrize("where", ["after", "before", "of_member", "at_rank"])
def test_what_moves_between_the_statements(moves: int, where: str, data: None) -> None:
    """Once, and it is read again; twice, and one statement reads all."""
    view = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0")).standings()
    entry = list(view.ranked())[2]
    asked: dict[str, Any] = {
        "after": {"after": entry},
        "before": {"before": entry},
        "of_member": {"of_member": entry.candidate},
        "at_rank": {"at_rank": 3},
    }[where]
    page = view.page(2, **asked)
    moved = 0
    read_by = PageQuerySet._read_by

    def moving(queryset: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal moved
        if moved < moves:
            moved += 1
            # To the top, and to the bottom; at a position there is another one then.
            Attempt.objects.filter(pk=entry.pk).update(score=1000 if moved == 1 else -1)
        return read_by(queryset, *args, **kwargs)

    with mock.patch.object(PageQuerySet, "_read_by", moving):
        found = shown(page)
    assert moved == moves
    everyone = list(view.ranked())
    position = everyone.index(entry)
    expected = {
        "after": everyone[position + 1 :][:2],
        "before": everyone[max(0, position - 2) : position],
        "of_member": everyone[position - position % 2 :][:2],
        "at_rank": everyone[2:4],
    }[where]
    assert found == shown(expected)


@pytest.mark.plans
def test_no_more_is_read_than_the_page_and_who_is_before_it() -> None:
    test = Test.objects.create(name="x", cut_off=0)
    Attempt.objects.bulk_create(
        Attempt(test=test, score=n, started_at=START, finished_at=START, disqualified=False)
        for n in range(5000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE testapp_attempt")
    view = Attempt.objects.on_board(test=test).with_rank()
    entries = Attempt.objects.order_by("-score")
    for position in (0, 100):
        page: Any = view.page(10, after=entries[position])
        assert page.explain_plan().kind is PlanKind.PAGE
        # Who is before is counted once, and so is who ties with the place.
        assert rows_read(page._read_by(page._page, page._run_of(page._page))) <= position + 30


def test_of_the_board_is_counted_what_is_shown(data: None) -> None:
    view = Attempt.objects.on_board(test=Test.objects.get(name="test 0")).with_percentile()
    _, second, *_, last = view.ranked()

    def counts(page: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(page) == 2
        return str(captured[-1]["sql"]).count(" FILTER (")

    # Nobody is before the first entry, which its index tells.
    assert counts(view.page(2)) == counts(view.page(2, at_rank=1)) == 0
    assert counts(view.page(2, after=second)) == counts(view.page(2, at_rank=2)) == 1
    # Who ties is counted where the run ends with the tie.
    assert counts(view.with_percentile("strict", prefix="strict_").page(2, before=last)) == 2


@pytest.mark.plans
def test_no_more_entries_are_looked_up_than_are_passed_over() -> None:
    board, (_, second, _) = climbed(3000, last=-5000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE testapp_attempt")
    view = Attempt.objects.with_leaderboard(board.leaderboard).on_board(test=second.test)
    page: Any = view.page(1, after=second)
    run = page._run_of(page._page)
    with mock.patch(PASSED_OVER, 10):
        assert rows_read(page._read_by(page._page, run)) < 100
        gathered = page._read_by(page._page, replace(run, gathers=True))
        assert rows_read(gathered) < 4 * 3003
        assert len(gathered) == 2


def test_what_a_page_refuses(data: None) -> None:
    test = Test.objects.get(name="test 0")
    view = Attempt.objects.board("members").on_board(test=test)
    (first, *_) = view.ranked()
    unranked = Attempt.objects.filter(test=test, disqualified=True)[0]
    elsewhere = Attempt.objects.filter(test__name="test 1", score__gt=0)[0]
    for size in (0, -1):
        with pytest.raises(ValueError, match=f"size={size} must be at least"):
            view.page(size)
    for wrong in (True, "3", None, 2.5):
        with pytest.raises(TypeError, match="size="):
            view.page(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at_rank=0 must be at least 1"):
        view.page(3, at_rank=0)
    with pytest.raises(TypeError, match="begins at one of"):
        view.page(3, after=first, at_rank=2)
    with pytest.raises(TypeError, match="begins at one of"):
        view.page(3, after=first, before=first)
    for entry in (unranked, elsewhere):
        with pytest.raises(Attempt.DoesNotExist, match="ranked, on the board and in the view"):
            view.page(3, after=entry)
    with pytest.raises(Attempt.DoesNotExist):
        view.exclude(pk=first.pk).page(3, before=first)
    with pytest.raises(Attempt.DoesNotExist):
        view.page(3, of_member=-1)
    with pytest.raises(ValueError, match="declares no member"):
        view.board("overall").page(3, of_member=1)
    with pytest.raises(ValueError, match="not saved"):
        view.page(3, after=Attempt(test=test))
    with pytest.raises(TypeError, match="must be an instance"):
        view.page(3, after=test)
    with pytest.raises(BoardNotPinned):
        Attempt.objects.page(3)
    with pytest.raises(TypeError, match="slice"):
        view[:3].page(3)
    with pytest.raises(NotSupportedError):
        view.union(view).page(3)


def test_a_window_would_be_narrowed(data: None) -> None:
    view = Attempt.objects.on_board(test=Test.objects.get(name="test 0"))
    counted = view.annotate(n=Window(Count("pk"))).filter(n__gte=2)
    entry = view.top(1).get()
    with pytest.raises(
        NotSupportedError, match=r"page\(\) after a window, which would be of the entries shown"
    ):
        counted.page(2)
    with pytest.raises(NotSupportedError, match=r"around\(\) after a window"):
        counted.around(entry)
    assert {entry.n for entry in view.page(2).annotate(n=Window(Count("pk")))} == {2}


def test_a_page_is_pickled_with_its_rows(data: None, django_assert_num_queries: Any) -> None:
    view = Attempt.objects.on_board(test=Test.objects.get(name="test 0"))
    page = view.page(2, at_rank=2)
    with django_assert_num_queries(2):
        stored = pickle.dumps(page)
    with django_assert_num_queries(0):
        found = pickle.loads(stored)
        assert shown(found) == shown(page)
    assert list(found.filter(pk=page[1].pk)) == [page[1]]
    assert shown(copy.deepcopy(view.page(2, at_rank=2))) == shown(page)


@pytest.mark.parametrize("name", ["overall", "members"])
@pytest.mark.parametrize("size", [2**31, 2**63 - 1, 2**63, 2**100])
def test_a_page_of_more_rows_than_there_can_be(size: int, name: str, data: None) -> None:
    view = Attempt.objects.board(name).on_board(test=Test.objects.get(name="test 0"))
    everyone = shown(view.ranked())
    first = view.top(1).get()
    assert shown(view.page(size)) == everyone
    assert shown(view.page(size, after=first)) == everyone[1:]
    assert shown(view.page(size, before=first)) == shown(view.page(2, at_rank=size)) == []
    if name == "members":
        assert shown(view.page(size, of_member=first.candidate)) == everyone


def test_asynchronous_pages(data: None) -> None:
    view = Attempt.objects.on_board(test=Test.objects.get(name="test 0"))
    (first, *others) = view.ranked()

    async def read() -> list[Any]:
        return [entry async for entry in await view.apage(2, after=first)]

    assert async_to_sync(read)() == others[:2]


def test_the_plan_of_a_page_is_told(data: None) -> None:
    view = Attempt.objects.on_board(test=Test.objects.get(name="test 0"))
    page = view.page(2, at_rank=2)
    plan = page.explain_plan()
    assert plan.kind is PlanKind.PAGE
    assert plan.indexes == ("test, -score, TimeTaken('started_at', 'finished_at')",)
    assert "percentile counts the whole board" in str(view.with_percentile().page(2).explain_plan())
    assert "_has" in str(page.explain(verbose=True))
    assert page.filter(score__gt=1).explain_plan().kind is PlanKind.WINDOW
    assert view.page(2).order_by("pk").explain_plan().kind is not PlanKind.PAGE

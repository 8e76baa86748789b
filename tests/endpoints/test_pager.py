"""Pages as requests ask for them: walked to the end and back, in every order, while entries come and go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from leaderboard import Leaderboard, RankKind
from leaderboard.endpoints import Order, Orderings, Page, Pager
from leaderboard.expressions.times import is_running
from leaderboard.testing import reference_standings
from tests.test_paging import ties
from tests.test_properties import boards, load, rows
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db

FEWER = settings(max_examples=settings().max_examples // 5)
OTHERS = {"name": "candidate__name", "tag": "label", "half": F("score") / 2}
# Of what runs on, the order is another one by the next page.
steady = boards(st.just(["test"])).filter(
    lambda board: not any(map(is_running, [board.time_taken, *(term.expression for term in board.terms)]))
)
orderings = st.lists(
    st.sampled_from(["rank", "rank", "percentile", "qualification", "time_taken", *OTHERS]),
    min_size=1,
    max_size=3,
    unique=True,
).flatmap(lambda names: st.tuples(*(st.sampled_from([name, f"-{name}"]) for name in names)).map(",".join))


def shown(entries: Sequence[Any]) -> list[tuple[Any, ...]]:
    return [(entry.pk, entry.rank, entry.percentile, entry.board_size) for entry in entries]


def walked(first: Page, ask: Callable[[str], Page], side: str) -> list[Page]:
    """The pages from one on, to one side."""
    pages = [first]
    while (cursor := getattr(pages[-1], side)) is not None:
        pages.append(ask(cursor))
        assert len(pages) < 1000
    return pages


def entries_of(pages: Sequence[Page]) -> list[Any]:
    return [entry for page in pages for entry in page.entries]


VALUES: dict[str, Callable[[Any, Any], Any]] = {
    "rank": lambda entry, standing: standing.rank,
    "percentile": lambda entry, standing: standing.percentile,
    "qualification": lambda entry, standing: standing.qualification,
    "time_taken": lambda entry, standing: standing.time_taken,
    "name": lambda entry, standing: entry.candidate and entry.candidate.name,
    "tag": lambda entry, standing: entry.label,
    "half": lambda entry, standing: entry.score and int(entry.score / 2),
}


def in_order(order: Order, everyone: list[Any], expected: Any) -> list[Any]:
    """Entries in an order, which come in that of the board."""
    found = list(everyone)
    for part in reversed(order.text.split(",")):
        name = part.removeprefix("-")
        value = VALUES[name]
        known = [entry for entry in found if value(entry, expected[entry.pk]) is not None]
        unknown = [entry for entry in found if value(entry, expected[entry.pk]) is None]
        by_value: dict[Any, list[Any]] = {}
        for entry in known:
            by_value.setdefault(value(entry, expected[entry.pk]), []).append(entry)
        down = part.startswith("-") != order.is_reversed
        found = [e for key in sorted(by_value, reverse=down) for e in by_value[key]] + unknown
    return found[::-1] if order.is_reversed else found


class Properties(HypothesisTestCase):
    @FEWER
    @given(
        rows=rows,
        board=steady,
        ties=ties,
        size=st.sampled_from([1, 2, 3, 50]),
        ordering=orderings,
        start=st.integers(1, 25),
        is_view=st.booleans(),
    )
    def test_every_entry_is_on_one_page_with_the_standing_of_the_reference(
        self,
        rows: list[dict[str, Any]],
        board: Leaderboard,
        ties: Any,
        size: int,
        ordering: str,
        start: int,
        is_view: bool,
    ) -> None:
        size = size if len(rows) <= 25 else 50
        (test, *_) = load(rows)
        board = board.replace(ties_by=ties)
        view = Attempt.objects.with_leaderboard(board).on_board(test=test).select_related("candidate")
        expected = reference_standings(view, now=now())
        view = view.filter(score__gte=0) if is_view else view
        on_board = list(view.ranked())
        order = Orderings(Attempt, board, OTHERS).order(ordering)
        ordered = in_order(order, on_board, expected)
        wanted = [
            (e.pk, expected[e.pk].rank, expected[e.pk].percentile, expected[e.pk].board_size) for e in ordered
        ]
        pager = Pager(others=OTHERS, size=size)

        def ask(**given: str) -> Page:
            with CaptureQueriesContext(connection) as captured:
                page = pager.page(view, {"ordering": ordering, **given})
            assert len(captured) <= 3
            return page

        forwards = walked(ask(), lambda cursor: ask(cursor=cursor), "next")
        assert shown(entries_of(forwards)) == wanted
        assert all(len(page.entries) == size for page in forwards[:-1])
        assert forwards[0].previous is None
        backwards = walked(ask(page="last"), lambda cursor: ask(cursor=cursor), "previous")[::-1]
        assert shown(entries_of(backwards)) == wanted
        assert all(len(page.entries) == size for page in backwards[1:])
        assert backwards[-1].next is None
        back = walked(forwards[-1], lambda cursor: ask(cursor=cursor), "previous")[::-1]
        assert shown(entries_of(back)) == wanted
        if order.terms is not None:
            return
        # By a position on the board, and by a member.
        places = [entry.pk for entry in ordered]
        position = len(places) - start if order.is_reversed else start - 1
        page = ask(rank=str(start))
        if start <= len(places):
            assert shown(page.entries) == wanted[position:][:size]
            assert (page.previous is None, page.next is None) == (
                position == 0,
                position + size >= len(places),
            )
        elif not order.is_reversed:
            assert (page.entries, page.next, page.previous is None) == ([], None, not places)
        for entry in ordered[:1] + ordered[-1:] if board.member else []:
            page = ask(member=str(entry.candidate_id))
            nth = places.index(entry.pk)
            nth = len(places) - 1 - nth if order.is_reversed else nth
            first = nth - nth % size
            own = wanted[::-1][first : first + size][::-1] if order.is_reversed else wanted[first:][:size]
            assert shown(page.entries) == own
            around = [*places].index(own[0][0]), [*places].index(own[-1][0])
            assert (page.previous is None, page.next is None) == (
                around[0] == 0,
                around[1] == len(places) - 1,
            )

    @FEWER
    @given(
        rows=rows,
        board=steady,
        size=st.sampled_from([1, 2, 3]),
        ordering=orderings,
        gone=st.lists(st.integers(0, 24), max_size=6),
        back=st.booleans(),
    )
    def test_who_stays_put_is_shown_once_while_others_come_and_go(
        self,
        rows: list[dict[str, Any]],
        board: Leaderboard,
        size: int,
        ordering: str,
        gone: list[int],
        back: bool,
    ) -> None:
        size = size if len(rows) <= 25 else 50
        (test, *_) = load(rows)
        # Without members, so that nobody takes the place of an entry of theirs, and without a status that
        # depends on how many there are.
        board = board.replace(member=None, counting=None, cut_off=None)
        view = Attempt.objects.with_leaderboard(board).on_board(test=test)
        staying = {entry.pk for entry in view.ranked()}
        pager = Pager(others=OTHERS, size=size)
        page = pager.page(view, {"ordering": ordering, "page": "last" if back else "first"})
        shown = [entry.pk for entry in page.entries]
        while (cursor := page.previous if back else page.next) is not None:
            if gone:
                # One of those that were just shown goes, or one that is still to come, and one like it comes.
                everyone = list(view.ranked())
                leaving = everyone[gone.pop() % len(everyone)]
                staying.discard(leaving.pk)
                Attempt.objects.filter(pk=leaving.pk).delete()
                leaving.pk = None
                leaving.save(force_insert=True)
            page = pager.page(view, {"ordering": ordering, "cursor": cursor})
            shown += [entry.pk for entry in page.entries]
        assert len({*shown}) == len(shown)
        assert staying <= {*shown}


@pytest.mark.parametrize("kind", RankKind)
@pytest.mark.parametrize("name", ["overall", "members"])
def test_a_tie_goes_on_from_page_to_page(kind: RankKind, name: str) -> None:
    test = Test.objects.create(name="x", cut_off=0)
    people = Candidate.objects.bulk_create(Candidate(name=str(n)) for n in range(12))
    Attempt.objects.bulk_create(
        Attempt(
            test=test, candidate=person, score=n // 7, disqualified=False, started_at=now(), finished_at=now()
        )
        for n, person in enumerate(people)
    )
    board = Leaderboard(
        within=["test"],
        order_by=["-score"],
        rank_kind=kind,
        member="candidate" if name == "members" else None,
    )
    view = Attempt.objects.with_leaderboard(board).on_board(test=test)
    expected = reference_standings(view)
    pager = Pager(size=3)
    forwards = walked(pager.page(view, {}), lambda cursor: pager.page(view, {"cursor": cursor}), "next")
    for page in forwards:
        for entry in page.entries:
            of = expected[entry.pk]
            assert (entry.rank, entry.percentile) == (of.rank, of.percentile)
    back = walked(forwards[-1], lambda cursor: pager.page(view, {"cursor": cursor}), "previous")
    assert shown(entries_of(back[::-1])) == shown(entries_of(forwards))


def test_no_cursor_leads_to_nobody(data: None) -> None:
    view = Attempt.objects.board("overall").on_board(test=Test.objects.get(name="test 0"))
    pager = Pager(size=2)
    first, last = pager.page(view, {}), pager.page(view, {"page": "last"})
    assert first.next and last.previous
    after, before = {"cursor": first.next}, {"cursor": last.previous}
    assert pager.page(view, after).previous and pager.page(view, before).next
    Attempt.objects.filter(pk__in=[entry.pk for entry in (*first.entries, *last.entries)]).delete()
    assert (pager.page(view, after).previous, pager.page(view, before).next) == (None, None)
    staying = [*view.ranked()]
    Attempt.objects.filter(pk__in=[entry.pk for entry in staying[1:]]).delete()
    Attempt.objects.filter(pk=staying[0].pk).update(score=1000)
    # Who is left is on neither page, and each leads there.
    beyond = pager.page(view, after)
    assert (beyond.entries, beyond.next) == ([], None)
    assert pager.page(view, {"cursor": beyond.previous or ""}).entries == staying[:1]
    Attempt.objects.filter(pk=staying[0].pk).update(score=-1)
    beyond = pager.page(view, before)
    assert (beyond.entries, beyond.previous) == ([], None)
    assert pager.page(view, {"cursor": beyond.next or ""}).entries == staying[:1]
    Attempt.objects.all().delete()
    assert pager.page(view, after) == pager.page(view, before) == pager.page(view, {})


@pytest.mark.parametrize(
    "ordering",
    [
        "-qualification,rank,half",
        "qualification,-rank,half",
        "half,-rank,tag",
        "percentile,rank",
        "-percentile,-rank",
        "percentile,half,rank",
        "rank,half",
        "-rank",
    ],
)
@pytest.mark.parametrize("ties", [None, ["-label"]])
def test_an_ordinal_rank_leaves_no_ties(ordering: str, ties: Any, data: None) -> None:
    board = Attempt.objects.board("overall").leaderboard.replace(
        order_by=["-disqualified"], eligible=None, rank_kind=RankKind.ORDINAL, ties_by=ties
    )
    view = Attempt.objects.with_leaderboard(board).on_board(test=Test.objects.get(name="test 0"))
    expected = reference_standings(view, now=now())
    order = Orderings(Attempt, board, OTHERS).order(ordering)
    wanted = [entry.pk for entry in in_order(order, list(view.ranked()), expected)]
    page = Pager(others=OTHERS, size=100).page(view, {"ordering": ordering})
    assert [entry.pk for entry in page.entries] == wanted
    assert len(wanted) > 5


def test_a_page_of_one_backwards(data: None) -> None:
    view = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0"))
    best = view.top(1).get()
    page = Pager(size=1).page(view, {"ordering": "-rank", "member": str(best.candidate_id)})
    assert (page.entries, page.next) == ([best], None)
    assert page.previous is not None

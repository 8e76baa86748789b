"""Which orders may be asked for, and which of them are those of the board."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Lower

from leaderboard import Leaderboard, RankKind, TimeTaken
from leaderboard.endpoints import InvalidParameter, Orderings, Pager
from leaderboard.endpoints.walks import BoardWalk
from tests.testapp.models import Attempt, Test

TAKEN = TimeTaken("started_at", "finished_at")
BOARD = Leaderboard(within=["test"], order_by=["-score", TAKEN], time_taken=TAKEN)


def order(text: str, board: Leaderboard = BOARD, others: Any = ("label", "big")) -> Any:
    return Orderings(Attempt, board, others).order(text)


@pytest.mark.parametrize(
    "text",
    [
        *("rank", "-percentile", "-score", "-score,time_taken", "rank,percentile", "-score,rank"),
        *("rank,score", "-percentile,time_taken", "-score,time_taken,-rank", "-score,-percentile"),
    ],
)
def test_orders_of_the_board(text: str) -> None:
    found = order(text)
    assert (found.terms, found.is_reversed, found.board) == (None, False, BOARD)


@pytest.mark.parametrize(
    "text", ["-rank", "percentile", "score", "score,-time_taken", "-rank,score", "score,-rank"]
)
def test_orders_of_the_board_backwards(text: str) -> None:
    found = order(text)
    assert (found.terms, found.is_reversed, found.board) == (None, True, BOARD)


@pytest.mark.parametrize(
    "text",
    [
        *("time_taken", "label", "label,rank", "score,time_taken", "-score,-time_taken", "-score,-rank"),
        *("-score,label", "qualification", "rank,qualification", "-score,percentile"),
    ],
)
def test_orders_that_are_sorted(text: str) -> None:
    found = order(text)
    assert (found.is_reversed, found.board) == (False, BOARD)
    assert len(found.terms) == len(found.fields) > 2


def test_what_orders_ties_is_no_other_board() -> None:
    found = order("rank,-label,big")
    assert (found.terms, found.is_reversed) == (None, False)
    assert found.board == BOARD.replace(ties_by=["-label", "big"])
    assert order("-score,time_taken,-label,big").board is found.board
    backwards = order("-rank,-label,big")
    assert (backwards.terms, backwards.is_reversed) == (None, True)
    assert backwards.board == BOARD.replace(ties_by=["label", "-big"])
    declared = BOARD.replace(ties_by=["big"])
    assert order("rank,label", declared).board == BOARD.replace(ties_by=["label", "big"])


def test_ordinal_ranks_have_no_ties() -> None:
    ordinal = BOARD.replace(rank_kind=RankKind.ORDINAL)
    assert (order("rank,label", ordinal).terms, order("rank,label", ordinal).board) == (None, ordinal)
    assert order("-percentile", ordinal).terms is None
    # Other ties would give other ranks.
    assert order("-percentile,label", ordinal).terms is not None


def test_what_may_be_asked_for() -> None:
    assert Orderings(Attempt, BOARD).names == ["rank", "percentile", "qualification", "score", "time_taken"]
    named = BOARD.replace(order_by={"points": "-score", "taken": TAKEN}, time_taken=None)
    orderings = Orderings(Attempt, named, {"name": "candidate__name", "low": Lower("label")})
    assert orderings.names == ["rank", "percentile", "qualification", "points", "taken", "name", "low"]
    assert orderings.order("-points,taken").terms is None
    assert orderings.order("low").fields[0] == Attempt._meta.get_field("label")
    for wrong in ("", "big", "--rank", "rank,", "rank, score", "test__name", "?", "pk", "-", "score\0"):
        with pytest.raises(InvalidParameter, match=r"^ordering: .* is none of rank, percentile"):
            Orderings(Attempt, BOARD).order(wrong)
    for wrong in ("rank,rank", "rank,-rank", "score,rank,-score"):
        with pytest.raises(InvalidParameter, match="names something twice"):
            order(wrong)
    for taken in ("rank", "score", "time_taken"):
        with pytest.raises(ValueError, match=f"{taken!r}, by which the board is ordered already"):
            Orderings(Attempt, BOARD, [taken])
    with pytest.raises(TypeError, match="others"):
        Orderings(Attempt, BOARD, {"name": 1})


@pytest.mark.django_db
def test_a_large_board_is_not_sorted(data: None, django_assert_num_queries: Any) -> None:
    view = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0"))
    size = view.ranked().count()
    pager = Pager(others=["label"], sorted_limit=size)
    assert pager.page(view, {"ordering": "label"}).entries
    Attempt.objects.create(test=view[0].test, candidate_id=view[0].candidate_id, score=1, disqualified=False)
    assert pager.page(view, {"ordering": "label"}).entries
    smaller = Pager(others=["label"], sorted_limit=size - 1)
    # Not how many are seen of it.
    for seen in (view, view.filter(candidate__team="red")):
        with (
            django_assert_num_queries(1),
            pytest.raises(
                InvalidParameter, match=rf"'label' sorts the whole .* more than {size - 1} entries"
            ),
        ):
            smaller.page(seen, {"ordering": "label"})
        assert smaller.page(seen, {"ordering": "rank,label"}).entries
    assert Pager(others=["label"], sorted_limit=None).page(view, {"ordering": "label"}).entries


@pytest.mark.django_db
def test_pages_in_the_order_of_the_board_are_runs(data: None) -> None:
    view = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0"))
    for text in ("rank", "-rank", "-percentile,label"):
        walk = BoardWalk(view.with_leaderboard(order(text, view.leaderboard).board).standings(), order(text))
        assert walk._view.page(2)._page_as_asked() is not None
        assert "_has" in walk._view.select_related("candidate", "test").page(2).explain(verbose=True)


@pytest.mark.django_db
def test_terms_through_relations_and_of_no_column(data: None) -> None:
    board = Leaderboard(within=["test"], order_by=["-candidate__name", (F("score") * 2).desc()])
    view = Attempt.objects.with_leaderboard(board).on_board(test=Test.objects.get(name="test 0"))
    pager = Pager(size=2)
    for ordering in ("rank", "candidate__name", "qualification"):
        page = pager.page(view, {"ordering": ordering})
        found = [*page.entries]
        while page.next:
            page = pager.page(view, {"ordering": ordering, "cursor": page.next})
            found += page.entries
        assert {*found} == {*view.ranked()}
        assert len(found) == view.ranked().count()

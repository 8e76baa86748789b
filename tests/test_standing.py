"""The standing of one entry or member."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import NotSupportedError

from tests.boards import Boards, fields
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db


def test_the_figures_of_a_standing_ignore_the_view(boards: Boards) -> None:
    for row in boards.rows:
        alone = boards.view.filter(pk=row.entry.pk)
        for view in (boards.view, alone, alone.distinct(), alone.values("score"), alone[:1]):
            assert fields(view.get_standing(row.entry)) == fields(row.standing)
            assert view.get_standing(pk=row.entry.pk) == view.get_standing(row.entry)


VIEWS: dict[str, Callable[[Any, Any], Any]] = {
    "none": lambda view, entry: view.none(),
    "a filter": lambda view, entry: view.exclude(pk=entry.pk),
    "a filter before the board": lambda view, entry: Attempt.objects.exclude(pk=entry.pk).on_board(
        test=entry.test_id
    ),
    "a filter by a metric": lambda view, entry: view.with_rank(prefix="of_").filter(of_rank=-1),
    "a join": lambda view, entry: view.filter(comments__text="said by nobody"),
    "an inner join": lambda view, entry: view.filter(candidate__team="of nobody"),
    "a slice": lambda view, entry: view.exclude(pk=entry.pk).order_by("pk")[:100],
    "pins that contradict each other": lambda view, entry: view.filter(test=entry.test_id).filter(
        test=entry.test_id + 1
    ),
    "a related manager and another board": lambda view, entry: entry.test.attempts.on_board(
        test=Test.objects.exclude(pk=entry.test_id)[0]
    ),
}


@pytest.mark.parametrize("name", VIEWS)
def test_the_view_decides_whose_standing_is_seen(name: str, boards: Boards) -> None:
    for row in boards.ranked()[:3]:
        view = VIEWS[name](boards.view, row.entry)
        for sought in ({"entry": row.entry}, {"pk": row.entry.pk}):
            with pytest.raises(Attempt.DoesNotExist, match="on the board and in the view"):
                view.get_standing(**sought)


def test_the_view_decides_which_member_is_seen(data: None) -> None:
    board = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0"))
    for entry in board.with_rank().filter(rank__gte=1):
        own = board.filter(candidate=entry.candidate_id)
        assert own.get_standing(member=entry.candidate).rank == entry.rank
        with pytest.raises(Attempt.DoesNotExist):
            board.exclude(candidate=entry.candidate_id).get_standing(member=entry.candidate)
        with pytest.raises(Attempt.DoesNotExist):
            board.none().get_standing(member=entry.candidate)


def test_the_standing_of_a_union_is_refused(boards: Boards) -> None:
    with pytest.raises(NotSupportedError, match="get_standing"):
        boards.view.union(boards.view).get_standing(boards.rows[0].entry)


def test_get_standing_reads_the_stored_row(boards: Boards) -> None:
    row = boards.ranked()[0]
    row.entry.score = -1
    assert boards.view.get_standing(row.entry).rank == row.rank


def test_get_standing_of_no_such_entry(boards: Boards) -> None:
    row = boards.ranked()[0]
    other = Test.objects.exclude(pk=row.entry.test_id)[0]
    with pytest.raises(ValueError, match="not saved"):
        boards.view.get_standing(Attempt(test=other))
    with pytest.raises(ValueError, match="not saved"):
        boards.view.on_board(test=other).around(Attempt(test=other))
    with pytest.raises(Attempt.DoesNotExist):
        boards.view.on_board(test=other).get_standing(row.entry)
    with pytest.raises(TypeError):
        boards.view.get_standing()
    with pytest.raises(TypeError):
        boards.view.get_standing(other)
    Attempt.objects.filter(pk=row.entry.pk).delete()
    with pytest.raises(Attempt.DoesNotExist):
        boards.view.get_standing(row.entry)


def test_get_standing_of_a_member(data: None) -> None:
    boards = Boards({"": "members"})
    for test in Test.objects.all():
        for candidate in Candidate.objects.all():
            view = boards.view.on_board(test=test)
            own = [
                r for r in boards.rows if (r.entry.test_id, r.entry.candidate_id) == (test.pk, candidate.pk)
            ]
            if not own:
                with pytest.raises(Attempt.DoesNotExist):
                    view.get_standing(member=candidate)
                continue
            ranks = [row.rank for row in own if row.rank is not None]
            assert len(ranks) <= 1
            assert view.get_standing(member=candidate).rank == (ranks[0] if ranks else None)


def test_the_standing_of_a_deleted_instance(boards: Boards) -> None:
    entry = boards.ranked()[0].entry
    entry.delete()
    with pytest.raises(Attempt.DoesNotExist):
        boards.view.get_standing(entry)


def test_a_member_without_entries(data: None) -> None:
    board = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0"))
    with pytest.raises(
        Attempt.DoesNotExist, match=r"No Attempt of member=0 is stored, on the board and in the view\."
    ):
        board.get_standing(member=0)

"""The standing of one entry or member."""

from __future__ import annotations

import pytest

from tests.boards import Boards, fields
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db


def test_get_standing_ignores_the_view(boards: Boards) -> None:
    for row in boards.rows:
        for view in (boards.view, boards.view.none(), boards.view.filter(score=-1), boards.view[:1]):
            assert fields(view.get_standing(row.entry)) == fields(row.standing)


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
    with pytest.raises(Attempt.DoesNotExist, match=r"No Attempt of member=0 is stored and on the board\."):
        board.get_standing(member=0)

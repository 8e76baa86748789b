"""What pins a board, and what does not."""

from __future__ import annotations

import pytest
from django.db.models import Q

from leaderboard import BoardNotPinned
from tests.boards import Boards
from tests.testapp.models import Attempt

pytestmark = pytest.mark.django_db


def test_a_board_must_be_pinned(boards: Boards) -> None:
    row = boards.ranked()[0]
    with pytest.raises(BoardNotPinned):
        boards.view.top(3)
    with pytest.raises(BoardNotPinned):
        boards.view.around(row.entry)
    with pytest.raises(BoardNotPinned):
        boards.view.filter(Q(test=row.entry.test_id) | Q(score=20)).top(3)
    with pytest.raises(BoardNotPinned):
        boards.view.exclude(test=row.entry.test_id).top(3)
    with pytest.raises(BoardNotPinned):
        Attempt.objects.board("members").get_standing(member=row.entry.candidate_id or 1)

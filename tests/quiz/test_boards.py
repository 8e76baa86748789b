"""What a user's CI runs: the model's boards are held to the reference in five lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis.extra.django import TestCase

from leaderboard.testing import assert_matches_reference
from leaderboard.testing.strategies import entries
from tests.quiz.models import Answer


class BoardTests(TestCase):
    @given(answers=entries(Answer))
    def test_boards(self, answers: list[Answer]) -> None:
        Answer.objects.bulk_create(answers)
        for board in ("fastest", "hall_of_fame"):
            assert_matches_reference(Answer.objects.board(board))

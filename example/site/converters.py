"""Names in URLs."""

from __future__ import annotations

from example.assessments.models import Test

__all__ = ["BoardConverter"]

PLACES = {"tests": Test.Board.SCORED, "races": Test.Board.TIMED}


class BoardConverter:
    """The board that a test is ranked on: a page of it need not look that up."""

    regex = "|".join(PLACES)

    def to_python(self, value: str) -> str:
        """Return the board that a place in a URL stands for."""
        return PLACES[value].value

    def to_url(self, value: str) -> str:
        """Return the place of a board; raises ``ValueError`` where there is no such board."""
        for place, board in PLACES.items():
            if board == value:
                return place
        raise ValueError(f"There is no board {value!r}.")

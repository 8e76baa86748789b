"""How far an attempt is from the cut-off, in the unit of the cut-off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from leaderboard.templatetags.leaderboard import time_taken

__all__ = ["Margin", "margin_of"]


@dataclass(frozen=True, slots=True)
class Margin:
    """The cut-off of an attempt, whether it is met, and by how much or how much is missing, in words."""

    cut_off: Any
    is_met: bool
    words: str


def margin_of(attempt: Any) -> Margin | None:
    """Return the margin of an attempt with its metrics; None where there is no cut-off, or no value."""
    return _of_time(attempt) if attempt.test.is_timed else _of_score(attempt)


def _of_time(attempt: Any) -> Margin | None:
    limit = attempt.test.most_time if attempt.limit is None else attempt.limit
    if limit is None or attempt.time_taken is None:
        return None
    left = limit - attempt.time_taken
    is_met = left >= timedelta(0)
    side = "within" if is_met else "over"
    return Margin(limit, is_met, f"{time_taken(abs(left))} {side} the limit of {time_taken(limit)}")


def _of_score(attempt: Any) -> Margin | None:
    least = attempt.test.least_score
    if least is None or attempt.score is None:
        return None
    beyond = attempt.score - least
    if not beyond:
        return Margin(least, True, f"exactly at the cut-off of {least} points")
    points = f"{abs(beyond)} point{'s' * (abs(beyond) != 1)}"
    side = "above" if beyond > 0 else "below"
    return Margin(least, beyond > 0, f"{points} {side} the cut-off of {least} points")

"""How far an attempt is from the cut-off, in the unit of the cut-off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from leaderboard.templatetags.leaderboard import time_taken

__all__ = ["Margin", "margin_of"]


@dataclass(frozen=True, slots=True)
class Margin:
    """What decides, the cut-off, and how far beyond it an attempt is: a negative one falls short."""

    cut_off: str
    is_met: bool
    words: str


def margin_of(attempt: Any) -> Margin | None:
    """Return the margin of an attempt with its metrics; None where there is no cut-off, or no value."""
    if attempt.test.is_timed:
        limit = attempt.test.most_time if attempt.limit is None else attempt.limit
        if limit is None or attempt.time_taken is None:
            return None
        left = limit - attempt.time_taken
        side = "within" if left >= timedelta(0) else "over"
        return Margin(
            time_taken(limit),
            left >= timedelta(0),
            f"{time_taken(abs(left))} {side} the limit of {time_taken(limit)}",
        )
    least = attempt.test.least_score
    if least is None or attempt.score is None:
        return None
    beyond = attempt.score - least
    if beyond == 0:
        return Margin(str(least), True, f"exactly at the cut-off of {least} points")
    points = f"{abs(beyond)} point{'s' * (abs(beyond) != 1)}"
    return Margin(
        str(least),
        beyond >= 0,
        f"{points} {'above' if beyond > 0 else 'below'} the cut-off of {least} points",
    )

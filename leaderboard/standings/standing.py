"""What is derived for one entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from leaderboard.kinds import Qualification

__all__ = ["Standing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is derived for one entry; ``rank`` and ``percentile`` are None where it is not ranked."""

    rank: int | Decimal | None
    board_size: int
    percentile: float | None
    time_taken: timedelta | None = None
    qualification: Qualification

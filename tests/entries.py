"""Entries for the reference, and what it derives for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from leaderboard.kinds import Qualification
from leaderboard.reference import Entry, Specification, standings

DOWN = Specification(descending=(True,))
NAN = math.nan
INF = math.inf


def rows(values: Sequence[Any], **common: Any) -> list[Entry]:
    """Entries with the keys 1, 2, 3…, one for each value of the only term."""
    return [Entry(key=key, terms=(value,), **common) for key, value in enumerate(values, start=1)]


def statuses(entries: Sequence[Entry], specification: Specification, **options: Any) -> list[Qualification]:
    return [standing.qualification for standing in standings(entries, specification, **options).values()]

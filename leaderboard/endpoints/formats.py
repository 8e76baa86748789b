"""Metrics as people read them; numbers stay numbers, which are written as the language of a page has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

__all__ = ["FORMATS", "percentile", "qualification", "rank", "time_taken"]

MICROSECOND = timedelta(microseconds=1)
TENTH = Decimal("0.1")


def rank(value: Any) -> Any:
    """Return a rank, of which only a fractional one that is no whole number has a decimal place."""
    return int(value) if isinstance(value, Decimal) and value == int(value) else value


def percentile(value: float) -> Decimal:
    """Return a percentile with one decimal place, cut off: only who has all of 100 is shown with that."""
    # By its shortest digits: what is 64.1 times 10 for a float is a little less than 641.
    return Decimal(repr(float(value))).quantize(TENTH, ROUND_DOWN)


def time_taken(value: timedelta) -> str:
    """Return a duration as hours, minutes, seconds and, where there is one, a fraction: ``26:03:04.5``."""
    parts = value // MICROSECOND
    seconds, fraction = divmod(abs(parts), 10**6)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    digits = f".{fraction:06d}".rstrip("0") if fraction else ""
    return f"{'-' if parts < 0 else ''}{hours}:{minutes:02d}:{seconds:02d}{digits}"


def qualification(value: Any) -> str:
    """Return the label of a qualification."""
    return str(getattr(value, "label", value))


FORMATS: Mapping[str, Callable[[Any], Any]] = {
    "rank": rank,
    "percentile": percentile,
    "time_taken": time_taken,
    "qualification": qualification,
}

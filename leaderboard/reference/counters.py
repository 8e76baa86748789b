"""Counters by definition: over the rows that there are, or that a history of writes leaves.

Nothing here is shared with the SQL side. A row is a mapping, and None is NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

__all__ = ["Counter", "Delete", "Empty", "Put", "Transaction", "counted", "rows_after"]

Row = Mapping[str, Any]


def _row_itself(row: Row) -> Any:
    return row


def _always(row: Row) -> bool | None:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """What is counted: ``key`` tells to what a row belongs, None for nothing.

    ``value`` is what is aggregated of it, and ``matches`` the filter, where None is unknown.
    """

    function: Literal["count", "sum", "avg", "min", "max"]
    key: Callable[[Row], Any]
    value: Callable[[Row], Any] = _row_itself
    matches: Callable[[Row], bool | None] = _always


def counted(counter: Counter, rows: Iterable[Row], keys: Iterable[Any]) -> dict[Any, Any]:
    """Return the value of a counter for each of ``keys``; an average is an exact ``Fraction``."""
    found: dict[Any, list[Any]] = {key: [] for key in keys}
    for row in rows:
        key = counter.key(row)
        if key is None or key not in found or counter.matches(row) is not True:
            continue
        value = counter.value(row)
        if value is not None:
            found[key].append(value)
    return {key: _aggregate(counter.function, values) for key, values in found.items()}


def _aggregate(function: str, values: list[Any]) -> Any:
    if function == "count":
        return len(values)
    if function == "sum":
        return sum(values, start=Decimal(0)) if values else 0
    if not values:
        return None
    if function == "avg":
        return Fraction(sum(map(Fraction, values))) / len(values)
    return min(values) if function == "min" else max(values)


# Histories


@dataclass(frozen=True, slots=True)
class Put:
    """A row is inserted, or takes the place of the one with its key."""

    key: Any
    row: Row


@dataclass(frozen=True, slots=True)
class Delete:
    key: Any


@dataclass(frozen=True, slots=True)
class Empty:
    """All rows are deleted."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """Writes that last together or not at all; a savepoint is one within another."""

    writes: tuple[Write, ...]
    is_committed: bool = True


Write = Put | Delete | Empty | Transaction


def rows_after(history: Iterable[Write], before: Mapping[Any, Row] | None = None) -> dict[Any, Row]:
    """Return the rows, by their keys, that a history leaves of those that were there before."""
    rows = dict(before or {})
    for write in history:
        match write:
            case Put(key, row):
                rows[key] = row
            case Delete(key):
                rows.pop(key, None)
            case Empty():
                rows.clear()
            case Transaction(writes, is_committed):
                if is_committed:
                    rows = rows_after(writes, rows)
    return rows

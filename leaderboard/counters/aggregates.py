"""What a counter is declared by: an aggregate over one relation, read as expressions over the related rows.

Count("comments", filter=Q(comments__is_public=True))  becomes  relation "comments", filter Q(is_public=True)
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import Aggregate, Avg, Count, Exists, F, Max, Min, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Now, Random

from leaderboard.orm.trees import parts_of, path_of

__all__ = ["Function", "Kept", "kept_by"]

Function = Literal["count", "sum", "avg", "min", "max"]
FUNCTIONS: dict[type[Aggregate], Function] = {
    Count: "count",
    Sum: "sum",
    Avg: "avg",
    Min: "min",
    Max: "max",
}


@dataclass(frozen=True)
class Kept:
    """What a counter keeps over the rows of ``relation``; ``value`` and ``filter`` are relative to these."""

    function: Function
    relation: str
    value: Any
    filter: Q | None

    @property
    def counts_rows(self) -> bool:
        """Whether the value is how many rows there are, whatever is in them."""
        return self.function == "count" and self.value == F("pk")

    @property
    def is_extreme(self) -> bool:
        return self.function in ("min", "max")


def kept_by(aggregate: Aggregate) -> Kept:
    """Return what ``aggregate`` asks to keep.

    Raises ``TypeError`` where it is no aggregate, and ``ValueError`` where it is one that no trigger keeps.
    """
    function = FUNCTIONS.get(type(aggregate))
    if function is None:
        raise TypeError(
            "CounterField() takes Count, Sum, Avg, Min or Max of a relation, such as "
            f'Count("comments"), not {aggregate!r}.'
        )
    arguments: Any = aggregate
    if arguments.distinct:
        raise ValueError(
            f"{aggregate!r}: with distinct=True the value does not follow from what a write adds and takes "
            "away. Count the rows of a table that is unique by what should be distinct."
        )
    if getattr(arguments, "order_by", None) is not None:
        raise ValueError(f"{aggregate!r}: order_by is not kept by a counter.")
    default = arguments.default
    if function == "sum" and (isinstance(default, bool) or default != 0):
        raise ValueError(
            f"{aggregate!r}: a counter of a sum is 0 where nothing is summed, so it takes default=0, "
            f"not default={default!r}."
        )
    if function != "sum" and default is not None:
        raise ValueError(
            f"{aggregate!r}: default={default!r} is not kept by a counter; use Coalesce() on reading."
        )
    (value,) = arguments.source_expressions
    condition = arguments.filter
    if condition is not None and not isinstance(condition, Q):
        condition = Q(condition)
    names = sorted({path.partition("__")[0] for path in _paths(value, condition)})
    if len(names) != 1:
        among = f"refers to {' and '.join(map(repr, names))}" if names else "refers to no relation"
        raise ValueError(f"{aggregate!r} {among}: a counter is over the rows of one relation.")
    return Kept(function, names[0], _relative(value), None if condition is None else _relative(condition))


def _paths(*nodes: Any) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Subquery | Exists | OuterRef | Now | Random | Aggregate):
            raise ValueError(f"{node!r} in a counter: its value changes without a write to the related row.")
        if isinstance(node, F):
            yield path_of(node)
        elif isinstance(node, tuple):
            path, value = node
            yield path
            yield from _paths(value)
        elif isinstance(node, list | set | frozenset):
            yield from _paths(*node)
        elif node is not None:
            yield from _paths(*parts_of(node))


def _relative(node: Any) -> Any:
    """Return a copy of an expression or condition in which paths begin at the related row."""
    if isinstance(node, F):
        return F(_below(path_of(node)))
    if isinstance(node, tuple):
        path, value = node
        return _below(path), _relative(value)
    if isinstance(node, Q):
        renamed = copy.copy(node)
        renamed.children = [_relative(child) for child in node.children]
        return renamed
    if isinstance(node, list):
        return [_relative(part) for part in node]
    if hasattr(node, "set_source_expressions"):
        renamed = node.copy()
        parts = [None if part is None else _relative(part) for part in node.get_source_expressions()]
        renamed.set_source_expressions(parts)
        return renamed
    return node


def _below(path: str) -> str:
    return path.partition("__")[2] or "pk"

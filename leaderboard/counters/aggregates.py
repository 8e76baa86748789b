"""What a counter is declared by: an aggregate over one relation, read as expressions over the related rows.

Count("comments", filter=Q(comments__is_public=True))  becomes  relation "comments", filter Q(is_public=True)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import Aggregate, Avg, Count, Exists, F, Max, Min, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Now, Random

from leaderboard.orm.relations import nodes_in, relative
from leaderboard.orm.trees import path_of
from leaderboard.orm.versions import filter_of

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
    condition = filter_of(aggregate)
    if condition is not None and not isinstance(condition, Q):
        condition = Q(condition)
    names = set()
    for node in nodes_in(value, condition):
        if isinstance(node, Subquery | Exists | OuterRef | Now | Random | Aggregate):
            raise ValueError(f"{aggregate!r}: {node!r} changes without a write to the related row.")
        if isinstance(node, F):
            names.add(path_of(node).partition("__")[0])
    if len(names) != 1:
        among = f"refers to {' and '.join(map(repr, sorted(names)))}" if names else "refers to no relation"
        raise ValueError(f"{aggregate!r} {among}: a counter is over the rows of one relation.")
    (relation,) = names
    return Kept(function, relation, relative(value), None if condition is None else relative(condition))

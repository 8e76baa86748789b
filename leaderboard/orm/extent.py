"""How much of its rows a query asks for: only their number, the first one, those first in some order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import OrderBy
from django.db.models.sql import Query

from leaderboard.orm.columns import DerivedRef, columns_of
from leaderboard.orm.conditions import conjuncts, is_opaque

__all__ = ["asks_for_one", "is_grouped", "is_ordered", "is_turned", "only_counts", "sorting_column"]


def only_counts(query: Query, conditions: Sequence[Any]) -> bool:
    """Tell whether no more is asked for than how many rows meet ``conditions``, as by ``count()``."""
    if any(not any(own is condition for condition in conditions) for own in conjuncts(query.where)):
        return False
    if any(query.alias_refcount[alias] for alias in query.alias_map if alias != query.base_table):
        return False
    if (
        query.default_cols
        or query.distinct
        or query.combinator
        or query.order_by
        or query.extra_select
        or is_grouped(query)
    ):
        return False
    # Of a copy: a query remembers what it selects, under aliases that may yet change.
    asked = [*query.select, *query.clone().annotation_select.values()]
    return not (any(columns_of(*asked)) or any(map(is_opaque, asked)))


def asks_for_one(query: Query) -> bool:
    """Tell whether the first row is asked for at most, as by ``exists()``."""
    return query.low_mark == 0 and query.high_mark is not None and query.high_mark <= 1


def is_grouped(query: Query) -> bool:
    """Tell whether rows are groups of rows."""
    return query.group_by is not None


def is_ordered(query: Query) -> bool:
    """Tell whether the rows are asked for in an order, be it that of the model."""
    by_model = query.default_ordering and query.get_meta().ordering
    return bool(query.order_by or query.extra_order_by or by_model)


def sorting_column(query: Query) -> str | None:
    """Return the derived column that an order begins with; None where it begins with anything else."""
    for term in query.order_by[:1]:
        if isinstance(term, OrderBy) and isinstance(term.expression, DerivedRef):
            return term.expression.name
    return None


def is_turned(query: Query) -> bool:
    """Tell whether the order is reversed."""
    return not query.standard_ordering

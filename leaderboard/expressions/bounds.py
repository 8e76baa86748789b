"""Conditions on where a row stands in an order, compared with a place that is given by values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import OrderBy
from django.db.models.lookups import IsNull

from leaderboard.expressions.literals import FromText
from leaderboard.expressions.logic import (
    Comparison,
    Negation,
    all_of,
    any_of,
    equal,
    not_distinct,
    not_null,
)

__all__ = ["beyond"]


def beyond(order_by: Sequence[OrderBy], place: Sequence[Any], *, later: bool, or_tied: bool = False) -> Any:
    """Return the condition to come strictly after a place or, unless ``later``, before it.

    ``place`` has a value for each term of ``order_by``; with ``or_tied`` the place itself is included.
    """
    alternatives = []
    tied: list[Any] = []
    for order, value in zip(order_by, place, strict=True):
        past = _past(order, value, later=later)
        if past is not None:
            alternatives.append(all_of([*tied, past]))
        same = not_distinct if order.nulls_last else equal
        tied.append(same(order.expression, value))
    if or_tied:
        alternatives.append(all_of(tied))
    if order_by[0].nulls_last:
        return any_of(alternatives)
    # Implied by the alternatives, but an index scan can begin where it holds.
    operator = ">=" if order_by[0].descending != later else "<="
    bound = Comparison(order_by[0].expression, place[0], arg_joiner=f" {operator} ")
    if len(order_by) == 1:
        return bound if or_tied else alternatives[0]
    return all_of([bound, any_of(alternatives)])


def _past(order: OrderBy, value: Any, *, later: bool) -> Any:
    """Return the condition for one term alone; None where nothing meets it."""
    operator = ">" if order.descending != later else "<"
    past = Comparison(order.expression, value, arg_joiner=f" {operator} ")
    if not order.nulls_last:
        return past
    # NULL comes last, and is tied with NULL.
    if isinstance(value, FromText):
        if value.value is None:
            return None if later else not_null(order.expression)
        return any_of([past, IsNull(order.expression, True)]) if later else past
    absent, present = (IsNull(side, True) for side in (order.expression, value))
    first, last = (present, absent) if later else (absent, present)
    return any_of([past, all_of([last, Negation(first)])])

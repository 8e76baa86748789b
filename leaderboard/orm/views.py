"""Views as queries: the keys of their rows, what they refer to, whether two have the same rows."""

from __future__ import annotations

from typing import Any, cast

from django.db import NotSupportedError
from django.db.models.sql import Query

from leaderboard.orm.models import key_names
from leaderboard.orm.query import DerivedQuery
from leaderboard.orm.trees import holds_outer_reference, same

__all__ = ["is_correlated", "keys_of", "same_view"]


def keys_of(query: Query) -> Query:
    """Return a query for the primary keys of the rows, in no order."""
    keys: Any = query.clone()
    if keys.extra_tables:
        # Django gives them other names in a subquery, and takes those for tables.
        raise NotSupportedError(
            "extra(tables=…) does not work in a subquery, which this needs; use filter() with a relation or "
            "with Exists()."
        )
    keys.select_for_update = False
    keys.clear_ordering()
    keys.set_values(key_names(keys.model))
    return cast(Query, keys)


def is_correlated(query: Query) -> bool:
    """Tell whether a query, or a population in it, refers to a query around it."""
    if (
        query.external_aliases
        or holds_outer_reference(query)
        or any(map(is_correlated, query.combined_queries))
    ):
        return True
    return isinstance(query, DerivedQuery) and any(
        definition.is_correlated for definition in query.derived_columns.values()
    )


def same_view(left: Query | None, right: Query | None) -> bool:
    """Tell whether two queries are one, or were built alike, so that they have the same rows."""
    if left is None or right is None or left is right:
        return left is right
    return type(left) is type(right) and all(
        same(getattr(left, name), getattr(right, name)) for name in ROWS_BY
    )


# What of a query decides which rows it has.
ROWS_BY = (
    *("model", "where", "alias_map", "select", "annotations", "group_by", "distinct", "distinct_fields"),
    *("order_by", "low_mark", "high_mark", "combinator", "combined_queries", "extra", "extra_tables"),
    "standard_ordering",
)

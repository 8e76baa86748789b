"""Views as queries: the keys of their rows, what they refer to, whether two have the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.core.exceptions import EmptyResultSet
from django.db import NotSupportedError
from django.db.models import Expression, QuerySet
from django.db.models.lookups import Lookup
from django.db.models.sql import Query
from django.db.models.sql.where import WhereNode

from leaderboard.orm.deferred import made
from leaderboard.orm.models import key_names
from leaderboard.orm.query import DerivedQuery
from leaderboard.orm.trees import constructor_arguments, holds_outer_reference, holds_query, same

__all__ = ["is_correlated", "keys_of", "same_view", "statement_of"]


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


def statement_of(query: Query, connection: Any) -> tuple[str, Sequence[Any]]:
    """Return the SQL of a query and its parameters; none where no row can meet its conditions."""
    try:
        sql, params = query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return "", ()
    return sql, params


def same_view(left: Query | None, right: Query | None) -> bool:
    """Tell whether two queries are one, or were built alike, so that they have the same rows."""
    return left is right or (left is not None and right is not None and _alike(left, right))


def _alike(left: Any, right: Any) -> bool:
    """Tell whether two parts of queries are equal, in which a subquery equals one that was built alike."""
    if left is right:
        return True
    if type(left) is not type(right):
        return False
    if isinstance(left, DerivedQuery):
        left, right = made(left), made(right)
        if dict(left.derived_columns) != dict(right.derived_columns):
            return False
    if isinstance(left, Query):
        return all(_alike(getattr(left, name), getattr(right, name)) for name in ROWS_BY)
    if isinstance(left, QuerySet):
        return _alike(left.query, right.query)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(_alike, left, right))
    if isinstance(left, Mapping):
        return list(left) == list(right) and all(_alike(left[name], right[name]) for name in left)
    if not holds_query(left) or not holds_query(right):
        return same(left, right)
    if isinstance(left, WhereNode):
        is_one = (left.connector, left.negated) == (right.connector, right.negated)
        return is_one and _alike(left.children, right.children)
    if isinstance(left, Lookup):
        return _alike([left.lhs, left.rhs], [right.lhs, right.rhs])
    return _alike(left.get_source_expressions(), right.get_source_expressions()) and _alike(
        _arguments(left), _arguments(right)
    )


def _arguments(expression: Any) -> list[Any]:
    # A subquery does not keep them, and has no more than its query.
    if not isinstance(expression, Expression):
        return []
    positional, named = constructor_arguments(expression)
    return [*positional, *named.values()]


# What of a query decides which rows it has.
ROWS_BY = (
    *("model", "where", "alias_map", "select", "annotations", "group_by", "distinct", "distinct_fields"),
    *("order_by", "low_mark", "high_mark", "combinator", "combined_queries", "extra", "extra_tables"),
    "standard_ordering",
)

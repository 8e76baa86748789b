"""Derived tables and their columns: ``FROM (SELECT …) "app_attempt"`` and ``"app_attempt"."rank"``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import NotSupportedError, models
from django.db.models import ExpressionWrapper, F
from django.db.models.expressions import Col
from django.db.models.sql import Query
from django.db.models.sql.datastructures import BaseTable
from django.db.models.sql.where import WhereNode

from leaderboard.orm.ordering import NullsLast
from leaderboard.orm.versions import quote_alias

__all__ = [
    "DerivedColumn",
    "DerivedRef",
    "DerivedTable",
    "EqualWrapper",
    "LateralTable",
    "StoredColumn",
    "UnnumberedColumn",
    "columns_of",
    "is_stored_column",
    "may_be_null",
    "same_column",
]


class DerivedTable(BaseTable):
    """A base table that is a query, under the alias that the model's own table would have."""

    table_alias: str

    def __init__(
        self,
        table_name: str,
        alias: str,
        query: Any,
        *,
        is_fenced: bool = False,
        first: int | None = None,
    ) -> None:
        super().__init__(table_name, alias)
        self.query = query
        self.is_fenced = is_fenced
        # Only so many rows in the order of the query, and those that tie with the last of them.
        self.first = first

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        # No rows inside are no reason to have no rows outside, such as that of an aggregate.
        sql, params = self.query.get_compiler(connection=connection, elide_empty=False).as_sql()
        # PostgreSQL does not flatten a subquery with an OFFSET, so that what it selects is evaluated once.
        fence = " OFFSET 0" if self.is_fenced else ""
        limit = "" if self.first is None else f" FETCH FIRST {self.first} ROWS WITH TIES"
        return f"({sql}{fence}{limit}) {quote_alias(compiler, self.table_alias)}", params

    def relabeled_clone(self, change_map: Any) -> DerivedTable:
        alias = change_map.get(self.table_alias, self.table_alias)
        query = self.query.relabeled_clone(change_map)
        return DerivedTable(self.table_name, alias, query, is_fenced=self.is_fenced, first=self.first)

    @property
    def identity(self) -> tuple[Any, ...]:
        return (*super().identity, id(self.query))


class LateralTable(BaseTable):
    """A base table of the rows that one query has for each row of another, called ``outer`` in it.

    ``branches`` are pairs of such queries, the outer one first, or None and one that needs none; their rows
    are put together. ``names`` are those of the columns of the outer ones.
    """

    table_alias: str

    def __init__(
        self,
        table_name: str,
        alias: str,
        branches: Sequence[tuple[Query | None, Query]],
        *,
        outer: str,
        names: Sequence[str],
    ) -> None:
        super().__init__(table_name, alias)
        self.branches = branches
        self.outer = outer
        self.names = names

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        alias, outer = (quote_alias(compiler, name) for name in (self.table_alias, self.outer))
        names = ", ".join(map(connection.ops.quote_name, self.names))
        parts: list[str] = []
        params: list[Any] = []
        for around, inside in self.branches:
            sql = ""
            if around is not None:
                values, own = around.get_compiler(connection=connection, elide_empty=False).as_sql()
                sql = f"({values}) {outer} ({names}) CROSS JOIN LATERAL "
                params += own
            rows, own = inside.get_compiler(connection=connection, elide_empty=False).as_sql()
            parts.append(f"SELECT {alias}.* FROM {sql}({rows}) {alias}")
            params += own
        return f"({' UNION ALL '.join(parts)}) {alias}", tuple(params)

    def relabeled_clone(self, change_map: Any) -> LateralTable:
        alias = change_map.get(self.table_alias, self.table_alias)
        return LateralTable(self.table_name, alias, self.branches, outer=self.outer, names=self.names)

    @property
    def identity(self) -> tuple[Any, ...]:
        return (*super().identity, id(self.branches))


class DerivedColumn(NullsLast, Col):
    """A column that exists in the derived table only."""

    def __init__(self, alias: str, name: str, output_field: models.Field[Any, Any]) -> None:
        super().__init__(alias, output_field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        table = compiler.query.alias_map.get(self.alias)
        # None where a subquery refers to the query around it; a union compiles its order but does not use it.
        if not (table is None or isinstance(table, DerivedTable | LateralTable) or compiler.query.combinator):
            raise NotSupportedError(
                f"Nothing computes {self.name!r} in this query: a queryset without standings loses those of "
                "one on the right of | or &. Put the one with standings on the left."
            )
        return f"{quote_alias(compiler, self.alias)}.{connection.ops.quote_name(self.name)}", ()

    def relabeled_clone(self, relabels: Mapping[str, str]) -> DerivedColumn:
        return DerivedColumn(relabels.get(self.alias, self.alias), self.name, self.output_field)

    @property
    def identity(self) -> tuple[Any, ...]:
        # Col compares by its field, and two metrics may have equal ones.
        return (type(self), self.alias, self.name)

    def __repr__(self) -> str:
        return f"DerivedColumn({self.alias}.{self.name})"


class DerivedRef(F):
    """A reference to a derived column that is not annotated; resolved where the query is, as ``F`` is."""

    name: str

    def __init__(self, name: str, output_field: models.Field[Any, Any]) -> None:
        super().__init__(name)
        self.field = output_field

    @property
    def conditional(self) -> bool:
        return isinstance(self.field, models.BooleanField)

    def resolve_expression(self, query: Any = None, *args: Any, **kwargs: Any) -> DerivedColumn:
        alias = query.get_initial_alias()
        query.unref_alias(alias)
        return DerivedColumn(alias, self.name, self.field)


class EqualWrapper(ExpressionWrapper):  # type: ignore[type-arg]  # generic for django-stubs only
    """A wrapper that equals what it wraps, so that an order by that is found among what is selected."""

    @property
    def identity(self) -> Any:
        return self.expression.identity


class UnnumberedColumn(ExpressionWrapper):  # type: ignore[type-arg]
    """A column that equals nothing that is selected, so that GROUP BY has it by name, not by number."""

    @property
    def identity(self) -> Any:
        return (type(self), self.expression.identity)


class StoredColumn(Col):
    """A column of the model handed through a derived table as it is stored."""

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        # A field may convert its column for reading; only the outermost SELECT is read.
        return sql, params


def columns_of(*expressions: Any) -> Iterator[Col]:
    """Yield the columns that expressions refer to, those that a subquery takes from outside too."""
    for expression in expressions:
        if isinstance(expression, Col):
            yield expression
        elif isinstance(expression, WhereNode):
            yield from columns_of(*expression.children)
        elif isinstance(expression, Query):
            # Not get_external_cols(), which leaves out what is combined by union().
            yield from columns_of(*expression.combined_queries)
            inside = columns_of(expression.where, *expression.annotations.values())
            yield from (column for column in inside if column.alias in expression.external_aliases)
        elif hasattr(expression, "get_source_expressions"):
            yield from columns_of(*expression.get_source_expressions())
        elif isinstance(expression, list | tuple):
            yield from columns_of(*expression)


def may_be_null(expression: Any) -> bool:
    """Tell whether a column in a resolved expression may be NULL."""
    return any(column.target.null for column in columns_of(expression))


def is_stored_column(expression: Any) -> bool:
    """Tell whether a resolved expression is a column of a model's table."""
    return isinstance(expression, Col) and not isinstance(expression, DerivedColumn)


def same_column(left: Any, right: Any) -> bool | None:
    """Tell whether two columns are the same; None where one of the two is no column."""
    if isinstance(left, Col) and isinstance(right, Col):
        # A lookup on a foreign key compares it as itself, a reference as the key it holds.
        return (left.alias, left.target) == (right.alias, right.target)
    return None

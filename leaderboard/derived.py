"""Queries whose base table is a derived table: ``FROM (SELECT …) "app_attempt"``.

What is filtered, joined, grouped or sliced afterwards is ordinary SQL outside of it, so no way of making
a view can change what was computed inside. Everything here depends on internals of Django's ORM that
are the same in 5.2, 6.0 and 6.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from functools import cache
from typing import Any, cast

from django.db import NotSupportedError, connections, models
from django.db.models import F, Func, Transform
from django.db.models.expressions import Col, RawSQL, Ref
from django.db.models.lookups import IsNull
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.datastructures import BaseTable
from django.db.models.sql.where import AND, ExtraWhere, WhereNode

from leaderboard.expressions import TimeTaken
from leaderboard.structure import parts_of, path_of, resolved

__all__ = [
    "DerivedColumn",
    "DerivedQuery",
    "DerivedRef",
    "DerivedTable",
    "LevelQuery",
    "as_level",
    "columns_of",
    "conjuncts",
    "is_lookup",
    "is_opaque",
    "is_repeatable",
    "moved",
    "over",
    "select_columns",
    "without",
]


class DerivedTable(BaseTable):
    """A base table that is a query, under the alias that the model's own table would have."""

    def __init__(self, table_name: str, alias: str, query: Query) -> None:
        super().__init__(table_name, alias)
        self.query = query

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        # No rows inside are no reason to have no rows outside, such as that of an aggregate.
        sql, params = self.query.get_compiler(connection=connection, elide_empty=False).as_sql()
        # Django 6.1 quotes every alias; before, an alias other than a table's name is not quoted.
        quote = getattr(compiler, "quote_name", None) or compiler.quote_name_unless_alias
        return f"({sql}) {quote(self.table_alias)}", params

    def relabeled_clone(self, change_map: Any) -> DerivedTable:
        alias = change_map.get(self.table_alias, self.table_alias)
        return DerivedTable(self.table_name, alias, self.query.relabeled_clone(change_map))

    @property
    def identity(self) -> tuple[Any, ...]:
        return (*super().identity, id(self.query))


class DerivedColumn(Col):
    """A column that exists in the derived table only."""

    def __init__(self, alias: str, name: str, output_field: models.Field[Any, Any]) -> None:
        super().__init__(alias, output_field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        table = compiler.query.alias_map.get(self.alias)
        # None where a subquery refers to the query around it; a union compiles its order but does not use it.
        if not (table is None or isinstance(table, DerivedTable) or compiler.query.combinator):
            raise NotSupportedError(
                f"Nothing computes {self.name!r} in this query: a queryset without standings loses those of "
                "one on the right of | or &. Put the one with standings on the left."
            )
        quote = getattr(compiler, "quote_name", None) or compiler.quote_name_unless_alias
        return f"{quote(self.alias)}.{connection.ops.quote_name(self.name)}", ()

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


class PlainColumn(Col):
    """A column of the model handed through a derived table as it is stored."""

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        # A field may convert its column for reading; only the outermost SELECT is read.
        return sql, params


def conjuncts(where: WhereNode) -> Iterator[Any]:
    """Yield the conditions that every row of a query meets: those joined by AND at the top."""
    if where.negated or where.connector != AND:
        if len(where.children) == 1 and not where.negated:
            yield from _conjunct(where.children[0])
        else:
            yield where
        return
    for child in where.children:
        yield from _conjunct(child)


def _conjunct(child: Any) -> Iterator[Any]:
    if isinstance(child, WhereNode):
        yield from conjuncts(child)
    else:
        yield child


def without(where: WhereNode, dropped: list[Any]) -> WhereNode:
    """Return the conjunction of all conjuncts of ``where`` but those ``dropped``."""
    kept = [child for child in conjuncts(where) if not any(child is other for other in dropped)]
    return WhereNode(kept, connector=AND)


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


def moved(lookup: Any, expression: Any, query: Query) -> Any:
    """Return ``lookup`` as a condition of ``query`` on what ``expression`` is there."""
    lookup = copy(lookup)
    lookup.lhs = resolved(expression, query)
    return lookup


# PostgreSQL's own functions that may have another value in each row.
VOLATILE = (
    "CLOCK_TIMESTAMP",
    "GEN_RANDOM_UUID",
    "NEXTVAL",
    "RANDOM",
    "RANDOM_NORMAL",
    "TIMEOFDAY",
    "UUIDV4",
    "UUIDV7",
)


def is_lookup(condition: Any, *types: type[Any]) -> bool:
    """Tell whether a condition is one of Django's own lookups of ``types``; others may mean anything."""
    return isinstance(condition, types) and type(condition).__module__.startswith("django.")


def is_opaque(node: Any) -> bool:
    """Tell whether an expression or a condition holds SQL that Django does not know, or a random value."""
    if isinstance(node, RawSQL | ExtraWhere):
        return True
    if isinstance(node, Func) and str(node.extra.get("function", node.function)).upper() in VOLATILE:
        return True
    return any(map(is_opaque, parts_of(node)))


def is_repeatable(node: Any) -> bool:
    """Tell whether a condition, evaluated once more in a copy of its query, is true of the same rows."""
    # Which rows a slice takes may depend on an order that leaves ties, or that is random.
    if isinstance(node, Query) and node.is_sliced:
        return False
    return not is_opaque(node) and all(map(is_repeatable, parts_of(node)))


def select_columns(query: Query) -> None:
    """Make ``query`` select the columns of the model's own table, and its annotations."""
    alias = query.get_initial_alias()
    model: Any = query.get_meta().concrete_model
    fields = model._meta.local_concrete_fields
    query.clear_ordering(force=True)
    query.default_ordering = False
    query.select_related = False
    query.clear_deferred_loading()
    query.set_select([PlainColumn(alias, field) for field in fields])


class LevelQuery(Query):
    """A query inside a derived table, all of whose tables are called ``level``, with a number if joined.

    A condition taken from the view may refer to tables of enclosing queries, by names that the tables
    joined here must not hide.
    """

    level = ""

    def table_alias(
        self, table_name: str, create: bool = False, filtered_relation: Any = None
    ) -> tuple[str, bool]:
        known = self.table_map.get(table_name)
        if known and not create:
            return super().table_alias(table_name, create, filtered_relation)
        alias = f"{self.level}{len(self.alias_map) or ''}"
        self.table_map.setdefault(table_name, []).append(alias)
        self.alias_refcount[alias] = 1
        return alias, True


def as_level(query: Query, level: str) -> LevelQuery:
    """Return a copy of ``query`` with the columns of its model, to be a level of a derived table."""
    entries = cast(LevelQuery, query.chain(klass=LevelQuery))
    entries.level = level
    entries.change_aliases(
        {alias: f"{level}{position or ''}" for position, alias in enumerate([*entries.alias_map])}
    )
    entries.__dict__.pop("base_table", None)
    select_columns(entries)
    return entries


def over(query: Query, level: str) -> LevelQuery:
    """Return a query on the same model that reads from ``query``."""
    outer = as_level(Query(query.model), level)
    alias = outer.base_table
    outer.alias_map[alias] = DerivedTable(query.get_meta().db_table, alias, query)
    outer.external_aliases.update(query.external_aliases)
    return outer


class DerivedCompiler(SQLCompiler):
    """Compiles queries over derived tables; mixed into the compiler of the connection."""

    def collapse_group_by(self, expressions: Any, having: Any) -> Any:
        # PostgreSQL knows that a primary key determines the row of a table, but not of a derived one.
        collapsed = super().collapse_group_by(expressions, having)
        derived = self._derived_aliases()
        grouped = [
            expression
            for expression in expressions
            if expression in collapsed or getattr(expression, "alias", None) in derived
        ]
        whole = {column.alias for column in grouped if isinstance(column, Col) and column.target.primary_key}
        # A lookup such as day__year=2026 is grouped by the year, but compiled to a range of days.
        return list(
            dict.fromkeys(
                [*grouped, *(c for c in columns_of(*expressions) if c.alias in whole and c.alias in derived)]
            )
        )

    def _derived_aliases(self) -> set[str]:
        return {alias for alias, table in self.query.alias_map.items() if isinstance(table, DerivedTable)}

    def _order_by_pairs(self) -> Any:
        # PostgreSQL sorts NULL first when descending, which would put unranked entries on top. After
        # reverse() what is written as descending is ascending here, and what was last comes first.
        # (django-stubs has the method return None.)
        for order, is_reference in super()._order_by_pairs():  # type: ignore[attr-defined]
            written = self.query.standard_ordering
            if order.descending == written and order.nulls_first is None and order.nulls_last is None:
                source = order.expression
                if isinstance(source, F) and not isinstance(source, DerivedRef):
                    source = self.query.annotations.get(path_of(source))
                elif isinstance(source, Ref):
                    (source,) = source.get_source_expressions()
                # The time taken is an annotation like any other, but a metric to its readers.
                metric = any(isinstance(column, DerivedColumn) for column in columns_of(source))
                if metric or isinstance(source, TimeTaken):
                    order = order.copy()
                    order.nulls_last, order.nulls_first = written or None, not written or None
            yield order, is_reference


@cache
def _compiler_class(base: type[SQLCompiler]) -> type[SQLCompiler]:
    return type("DerivedCompiler", (DerivedCompiler, base), {})


class DerivedQuery(Query):
    """A query that may read from a derived table, which is made when it is compiled.

    Whether there is one is decided by ``has_derived_columns``; what it holds by ``derive()``.
    """

    # Set on the copy that is compiled, which has its derived table.
    derived = False

    @property
    def has_derived_columns(self) -> bool:
        return False

    def derive(self) -> None:
        """Replace the base table by a derived one; called on a copy."""
        raise NotImplementedError

    def get_compiler(self, using: Any = None, connection: Any = None, elide_empty: bool = True) -> Any:
        if not (self.derived or self.has_derived_columns):
            return super().get_compiler(using, connection, elide_empty)
        if using:
            connection = connections[using]
        if connection is None:
            raise ValueError("Need either using or connection")
        if connection.vendor != "postgresql":
            raise NotSupportedError(
                f"Leaderboards need PostgreSQL; the database {connection.alias!r} is {connection.vendor}."
            )
        query: Any = self
        if not (self.derived or self.combinator):
            query = self.clone()
            query.derive()
            query.derived = True
        compiler = _compiler_class(connection.ops.compiler(self.compiler))
        return compiler(query, connection, using, elide_empty)

    def replace_base_table(self, query: Query) -> None:
        alias = str(self.base_table)
        if '"' in alias:
            # A table in another schema; what is derived from it is in none.
            self.change_aliases({alias: "derived"})
            self.__dict__.pop("base_table", None)
            alias = "derived"
        self.alias_map[alias] = DerivedTable(self.get_meta().db_table, alias, query)

    def build_filter(self, filter_expr: Any, *args: Any, **kwargs: Any) -> Any:
        clause, joins = super().build_filter(filter_expr, *args, **kwargs)
        negated = kwargs.get("current_negated", args[1] if len(args) > 1 else False)
        if negated and isinstance(filter_expr, tuple) and isinstance(clause, WhereNode) and clause.children:
            condition = clause.children[0]
            left, right = (_referred(getattr(condition, side, None)) for side in ("lhs", "rhs"))
            # exclude(rank=1) keeps the unranked, as exclude() does with any nullable field, on either side.
            nullable: list[Col] = [column for column in (left, right) if isinstance(column, DerivedColumn)]
            if isinstance(left, DerivedColumn) and type(right) is Col and self.is_nullable(right.target):
                nullable.append(right)
            if not isinstance(condition, IsNull):
                for column in nullable:
                    clause.add(IsNull(column, False), AND)
        return clause, joins


def _referred(side: Any) -> Any:
    """Return the column that one side of a lookup is, or is a transform of."""
    while isinstance(side, Transform | Ref):
        (side, *_) = side.get_source_expressions()
    return side

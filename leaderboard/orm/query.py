"""Queries whose base table is a derived table: ``FROM (SELECT …) "app_attempt"``.

What is filtered, joined, grouped or sliced afterwards is ordinary SQL outside of it, so no way of making
a view can change what was computed inside:

    SELECT app_attempt.id, app_attempt.rank AS rank
    FROM (SELECT standing.id, …, RANK() OVER (…) AS rank FROM …) app_attempt
    WHERE app_attempt.rank <= 10
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Protocol, Self

from django.db import NotSupportedError, connections, models
from django.db.models import F, Transform
from django.db.models.expressions import Col, Ref
from django.db.models.lookups import IsNull
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.constants import INNER
from django.db.models.sql.datastructures import Join
from django.db.models.sql.where import AND, WhereNode

from leaderboard.orm.columns import DerivedColumn, DerivedRef, DerivedTable, NullsLast, columns_of
from leaderboard.orm.conditions import (
    PinnedTo,
    conjuncts,
    is_equality,
    is_opaque,
    is_repeatable,
    is_strict,
    lookup_on,
    spans_rows,
    without,
)
from leaderboard.orm.levels import unique_name
from leaderboard.orm.models import own_field, own_fields
from leaderboard.orm.trees import path_of, resolved

__all__ = ["NO_ROW_LOCKS", "Definition", "DerivedQuery", "View", "keys_of"]


NO_ROW_LOCKS = (
    "select_for_update() cannot lock rows through standings. Lock them by primary key: "
    "Model.objects.select_for_update().filter(pk__in=…)."
)


# The query of a queryset, as the floors above name it.
View = Query


class Definition(Protocol):
    """What a derived column holds: a value that is equal where the column would be."""

    @property
    def output_field(self) -> models.Field[Any, Any]: ...

    def with_views(self, change: Callable[[Query], Query]) -> Self:
        """Return the definition with the views that it depends on changed."""


class DerivedCompiler(SQLCompiler):
    """Compiles queries over derived tables; mixed into the compiler of the connection."""

    query: DerivedQuery

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
            if (
                order.descending == written
                and order.nulls_first is None
                and order.nulls_last is None
                and self._sorts_nulls_last(order.expression)
            ):
                order = order.copy()
                order.nulls_last, order.nulls_first = written or None, not written or None
            yield order, is_reference

    def _sorts_nulls_last(self, source: Any) -> bool:
        if isinstance(source, F) and not isinstance(source, DerivedRef):
            source = self.query.annotations.get(path_of(source))
        elif isinstance(source, Ref):
            (source,) = source.get_source_expressions()
        return isinstance(source, NullsLast) or any(
            isinstance(column, DerivedColumn) for column in columns_of(source)
        )


@cache
def _compiler_class(base: type[SQLCompiler]) -> type[SQLCompiler]:
    return type("DerivedCompiler", (DerivedCompiler, base), {})


class DerivedQuery(Query):
    """A query that reads from a derived table where it has derived columns.

    The table is made when the query is compiled, by ``derived_table()``.
    """

    model: type[models.Model]

    # By name. Shared by copies of the query: replaced, never changed. A mappingproxy could not be pickled.
    derived_columns: Mapping[str, Any] = {}

    # Set on the copy that is compiled, which has its derived table.
    is_derived = False

    def derived_table(self, columns: Mapping[str, Any]) -> tuple[Query, Sequence[Any]]:
        """Return a query with ``columns``, and the conditions of this query that hold inside already."""
        raise NotImplementedError

    # Derived columns

    def derive(self, definition: Definition, name: str) -> str:
        """Return the derived column that holds ``definition``, a new one unless there is one already."""
        for column, existing in self.derived_columns.items():
            if existing == definition:
                return column
        taken = {field.column for field in own_fields(self.model)} | self.derived_columns.keys()
        column = unique_name(name, taken)
        self.derived_columns = {**self.derived_columns, column: definition}
        return column

    def derived_reference(self, definition: Definition, name: str) -> DerivedRef:
        """Return a reference to a derived column that is not annotated."""
        return DerivedRef(self.derive(definition, name), definition.output_field)

    def annotate_derived(self, definition: Definition, alias: str) -> None:
        """Annotate ``definition`` as ``alias``, in place of an annotation of that name."""
        self.add_annotation(self.derived_reference(definition, alias), alias)

    def used_columns(self) -> dict[str, Any]:
        """Return the derived columns that the compiled query will refer to."""
        expressions: list[Any] = [self.where, *self.annotation_select.values(), *self.select]
        if isinstance(self.group_by, tuple):
            expressions += self.group_by
        for term in self.order_by:
            if isinstance(term, str):
                name = term.removeprefix("-")
                # A transform may follow the name.
                expressions += [
                    annotation
                    for alias, annotation in self.annotations.items()
                    if name == alias or name.startswith(f"{alias}__")
                ]
            else:
                expressions.append(resolved(term, self.clone()))
        expressions += [
            table.filtered_relation.resolved_condition
            for table in self._joins()
            if table.filtered_relation is not None
        ]
        if self.extra_select or any(map(is_opaque, expressions)):
            # They may be named in SQL that Django does not know.
            return dict(self.derived_columns)
        used = {column.name for column in columns_of(*expressions) if isinstance(column, DerivedColumn)}
        return {name: definition for name, definition in self.derived_columns.items() if name in used}

    # What the view shows

    def conditions(self) -> Iterator[Any]:
        """Yield the conditions that every row of the query meets."""
        return conjuncts(self.where)

    def equalities(self) -> list[Any]:
        """Return the conditions that hold an expression to one value."""
        return [
            condition
            for condition in self.conditions()
            if is_equality(condition) and self._is_constant(condition.rhs)
        ]

    def _is_constant(self, value: Any) -> bool:
        own = any(column.alias in self.alias_map for column in columns_of(value))
        return not own and not is_opaque(value)

    def resolved_here(self, expression: Any) -> Any:
        """Return what an expression on the model is in this query, which stays as it is."""
        # Most are a column of the model's own table, for which no copy need be made.
        if self.alias_map and (field := own_field(self.model, expression)) is not None:
            return field.get_col(self.base_table)
        return resolved(expression, self.clone())

    def strict_conditions(self) -> Iterator[tuple[Any, str]]:
        """Yield the conditions on derived columns that are not true where those are NULL, and the columns."""
        for condition in self.conditions():
            # A correlated condition may begin with a column of an enclosing query's table.
            column = condition.lhs if is_strict(condition) else None
            if isinstance(column, DerivedColumn) and column.alias in self.alias_map:
                yield condition, column.name

    def pin(self, declared: Any, value: Any) -> None:
        """Limit the query to where an expression of a declaration has a value."""
        value = self.resolve_lookup_value(value, None, True)
        self.where.add(PinnedTo(resolved(declared, self), value, declared), AND)

    def add_condition(self, expression: Any, lookup: Any) -> None:
        """Limit the query to where ``expression`` meets what ``lookup`` says of another query's."""
        self.where.add(lookup_on(resolved(expression, self), lookup), AND)

    def repeatable_conditions(self) -> list[Any]:
        """Return the conditions that are about stored values, and true of the same rows in a copy."""
        return [
            condition
            for condition in self.conditions()
            if not spans_rows(condition)
            and not any(isinstance(column, DerivedColumn) for column in columns_of(condition))
            and is_repeatable(condition)
        ]

    @property
    def has_filtered_relation(self) -> bool:
        return any(join.filtered_relation is not None for join in self._joins())

    @property
    def has_inner_join(self) -> bool:
        return any(join.join_type == INNER for join in self._joins())

    def _joins(self) -> Iterator[Any]:
        return (table for table in self.alias_map.values() if isinstance(table, Join))

    def selecting(self, expressions: Sequence[Any], conditions: Sequence[Any]) -> Any:
        """Return a query on the tables of this one for ``expressions`` where ``conditions`` are met."""
        query: Any = self.clone()
        query.derived_columns = {}
        query.where = WhereNode([*conditions], connector=AND)
        query.annotations = {}
        query.set_annotation_mask(None)
        query.group_by = None
        query.distinct = False
        query.distinct_fields = ()
        query.clear_limits()
        query.clear_ordering(force=True)
        query.select_related = False
        query.clear_select_clause()
        query.set_select([resolved(expression, query) for expression in expressions])
        return query

    @property
    def has_slice(self) -> bool:
        return self.is_sliced

    def outer_aliases(self) -> Mapping[str, Any]:
        """Return the aliases of enclosing queries that conditions may refer to."""
        return self.external_aliases

    def taken_aliases(self) -> set[str]:
        """Return the aliases that no table inside the derived one may hide."""
        return {*self.external_aliases, *self.alias_map}

    # Compiling

    def get_compiler(self, using: Any = None, connection: Any = None, elide_empty: bool = True) -> Any:
        if not (self.is_derived or self.derived_columns):
            return super().get_compiler(using, connection, elide_empty)
        if using:
            connection = connections[using]
        if connection is None:
            raise ValueError("Need either using or connection")
        if connection.vendor != "postgresql":
            raise NotSupportedError(
                f"Leaderboards need PostgreSQL; the database {connection.alias!r} is {connection.vendor}."
            )
        query = self if self.is_derived or self.combinator else self._with_derived_table()
        compiler = _compiler_class(connection.ops.compiler(self.compiler))
        return compiler(query, connection, using, elide_empty)

    def _with_derived_table(self) -> Any:
        query: Any = self.clone()
        # Without any, as in count(), the model's own table has all that is asked for.
        if columns := query.used_columns():
            table, enforced = query.derived_table(columns)
            query._replace_base_table(table)
            query.where = without(query.where, enforced)
        query.is_derived = True
        return query

    def _replace_base_table(self, table: Query) -> None:
        alias = str(self.base_table)
        if '"' in alias:
            # A table in another schema; what is derived from it is in none.
            self.change_aliases({alias: "derived"})
            self.__dict__.pop("base_table", None)
            alias = "derived"
        self.alias_map[alias] = DerivedTable(self.get_meta().db_table, alias, table)

    # Combining and nesting

    def build_filter(self, filter_expr: Any, *args: Any, **kwargs: Any) -> Any:
        clause, joins = super().build_filter(filter_expr, *args, **kwargs)
        negated = kwargs.get("current_negated", args[1] if len(args) > 1 else False)
        if negated and isinstance(filter_expr, tuple) and isinstance(clause, WhereNode) and clause.children:
            self._keep_unknown(clause)
        return clause, joins

    def _keep_unknown(self, clause: WhereNode) -> None:
        """Let exclude(rank=1) keep the unranked, as it keeps NULL of any nullable field, on either side."""
        condition: Any = clause.children[0]
        if isinstance(condition, IsNull):
            return
        left, right = (_referred(getattr(condition, side, None)) for side in ("lhs", "rhs"))
        nullable: list[Col] = [column for column in (left, right) if isinstance(column, DerivedColumn)]
        if isinstance(left, DerivedColumn) and type(right) is Col and self.is_nullable(right.target):
            nullable.append(right)
        for column in nullable:
            clause.add(IsNull(column, False), AND)

    def combine(self, rhs: Query, connector: str) -> None:
        merged = dict(self.derived_columns)
        if isinstance(rhs, DerivedQuery):
            for column, definition in rhs.derived_columns.items():
                if merged.setdefault(column, definition) != definition:
                    raise NotSupportedError(
                        f"The two querysets have different standings named {column!r}. Combine the views "
                        "first and call standings() on the result, or keep the standings apart by prefix=."
                    )
        if merged and self.select_for_update:
            raise NotSupportedError(NO_ROW_LOCKS)
        super().combine(rhs, connector)
        self.derived_columns = merged

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        clone: Any = super().resolve_expression(*args, **kwargs)
        clone._change_views(lambda view: view.resolve_expression(*args, **kwargs))
        return clone

    def change_aliases(self, change_map: dict[Any, str]) -> Any:
        result = super().change_aliases(change_map)

        def relabel(view: Query) -> Query:
            return view.relabeled_clone(
                {old: new for old, new in change_map.items() if old in view.external_aliases}
            )

        self._change_views(relabel)
        return result

    def _change_views(self, change: Callable[[Query], Query]) -> None:
        changed: dict[int, Query] = {}

        def change_once(view: Query) -> Query:
            # Columns that share a view must share it afterwards.
            if id(view) not in changed:
                changed[id(view)] = change(view)
            return changed[id(view)]

        self.derived_columns = {
            column: definition.with_views(change_once) for column, definition in self.derived_columns.items()
        }


def keys_of(query: Query) -> Query:
    """Return a query for the primary keys of the rows, in no order."""
    keys = query.clone()
    keys.clear_ordering()
    keys.clear_select_clause()
    keys.add_fields(["pk"])
    return keys


def _referred(side: Any) -> Any:
    """Return the column that one side of a lookup is, or is a transform of."""
    while isinstance(side, Transform | Ref):
        (side, *_) = side.get_source_expressions()
    return side

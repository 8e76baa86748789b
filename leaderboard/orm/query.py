"""Queries whose base table is a derived table: ``FROM (SELECT …) "app_attempt"``.

What is filtered, joined, grouped or sliced afterwards is ordinary SQL outside of it, so no way of making
a view can change what was computed inside:

    SELECT app_attempt.id, app_attempt.rank AS rank
    FROM (SELECT standing.id, …, RANK() OVER (…) AS rank FROM …) app_attempt
    WHERE app_attempt.rank <= 10
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Protocol, Self, cast

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import NotSupportedError, connections, models
from django.db.models import F, Transform
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import Col, ColPairs, Ref
from django.db.models.lookups import IsNull
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.constants import INNER
from django.db.models.sql.datastructures import Join
from django.db.models.sql.where import AND, WhereNode

from leaderboard.orm.columns import DerivedColumn, DerivedRef, DerivedTable, UnnumberedColumn, columns_of
from leaderboard.orm.conditions import (
    PinnedTo,
    PinnedToNull,
    conjuncts,
    equalities_in,
    evaluated_outside,
    is_opaque,
    is_repeatable,
    lookup_on,
    spans_rows,
    strict_side,
    without,
)
from leaderboard.orm.deferred import made
from leaderboard.orm.levels import unique_name
from leaderboard.orm.models import key_fields, own_field, own_fields
from leaderboard.orm.ordering import NullsLast, OrderingCompiler
from leaderboard.orm.trees import parts_of, path_of, resolved
from leaderboard.orm.written import WrittenQuery, WrittenRows

__all__ = ["NO_ROW_LOCKS", "Definition", "DerivedQuery", "View"]


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

    @property
    def is_correlated(self) -> bool:
        """Whether a view that it depends on refers to a query around it."""

    def with_views(self, change: Callable[[Query], Query]) -> Self:
        """Return the definition with the views that it depends on changed."""


class DerivedCompiler(OrderingCompiler):
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
        whole = self._aliases_with_key(grouped)
        # A lookup such as day__year=2026 is grouped by the year, but compiled to a range of days.
        columns: list[Any] = [
            column for column in columns_of(*expressions) if column.alias in whole and column.alias in derived
        ]
        if len(key_fields(self.query.model)) > 1:
            # What is selected is named by its number, for which Django counts a composite key as one column.
            columns = [UnnumberedColumn(column, column.output_field) for column in columns]
        return list(dict.fromkeys([*grouped, *columns]))

    def _aliases_with_key(self, grouped: Sequence[Any]) -> set[str]:
        """Return the aliases of the tables whose whole primary key is among the expressions."""
        parts = [part for whole in grouped for part in (whole if isinstance(whole, ColPairs) else [whole])]
        columns = {(part.alias, part.target) for part in parts if isinstance(part, Col)}
        keys = key_fields(self.query.model)
        return {alias for alias, _ in columns if all((alias, field) in columns for field in keys)}

    def _derived_aliases(self) -> set[str]:
        return {alias for alias, table in self.query.alias_map.items() if isinstance(table, DerivedTable)}


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

    # How many rows of one board are shown, where nothing but their order leaves others out.
    first_of_board: int | None = None

    # Set on the copy that is compiled, which has its derived table.
    is_derived = False

    # What the query is in SQL, if that is known, and the values in it.
    written: tuple[WrittenRows, Sequence[Any]] | None = None

    def derived_table(self, columns: Mapping[str, Any]) -> tuple[Query | WrittenQuery, Sequence[Any]]:
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

    def derived_reference(self, definition: Definition, name: str, output_field: Any = None) -> DerivedRef:
        """Return a reference to a derived column that is not annotated."""
        return DerivedRef(self.derive(definition, name), output_field or definition.output_field)

    def annotate_derived(self, definition: Definition, alias: str, output_field: Any = None) -> None:
        """Annotate ``definition`` as ``alias``, in place of an annotation of that name."""
        if alias in self.annotations:
            del self.annotations[alias]
            self._drop_unused()
        self.add_annotation(self.derived_reference(definition, alias, output_field), alias)

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

    def _drop_unused(self) -> None:
        """Forget the derived columns that nothing refers to any more."""
        kept: Any = self.clone()
        kept.set_annotation_mask(None)
        self.derived_columns = kept.used_columns()

    def is_made_of_derived(self, expression: Any) -> bool:
        """Tell whether an expression, resolved or not, is an annotated derived value or made of one."""
        if isinstance(expression, NullsLast):
            return True
        if isinstance(expression, F):
            name, *_ = path_of(expression).split(LOOKUP_SEP)
            annotation = self.annotations.get(path_of(expression), self.annotations.get(name))
            return annotation is not None and self.is_made_of_derived(annotation)
        if isinstance(expression, Query):
            return any(isinstance(column, DerivedColumn) for column in columns_of(expression))
        return any(map(self.is_made_of_derived, parts_of(expression)))

    # What the view shows

    def conditions(self) -> Iterator[Any]:
        """Yield the conditions that every row of the query meets."""
        return conjuncts(self.where)

    def without_view(self) -> Any:
        """Return a copy that no condition and no slice limits, in no order."""
        query: Any = self.clone()
        query.where = WhereNode()
        query.clear_limits()
        query.clear_ordering(force=True, clear_default=True)
        return query

    def equalities(self, *, null_is_a_value: bool = False) -> list[Any]:
        """Return the conditions that hold an expression to one value, which may be NULL where that is one."""
        return [
            condition
            for condition in equalities_in(self.where, null_is_a_value=null_is_a_value)
            if self._is_constant(condition.rhs)
        ]

    def _is_constant(self, value: Any) -> bool:
        own = any(column.alias in self.alias_map for column in columns_of(value))
        return not own and is_repeatable(value)

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
            column = strict_side(condition)
            if isinstance(column, DerivedColumn) and column.alias in self.alias_map:
                yield condition, column.name

    def pin(self, declared: Any, value: Any) -> None:
        """Limit the query to where an expression of a declaration has a value."""
        value = self.resolve_lookup_value(value, None, True)
        self.where.add(PinnedTo(resolved(declared, self), value, declared), AND)

    def pin_null(self, declared: Any) -> None:
        """Limit the query to where an expression of a declaration is NULL."""
        self.where.add(PinnedToNull(resolved(declared, self), declared), AND)

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

    def shows_all_rows_of(self, conditions: Sequence[Any]) -> bool:
        """Tell whether nothing but ``conditions`` keeps a row from the result."""
        others = [own for own in self.conditions() if not any(own is condition for condition in conditions)]
        return not (
            others or self.has_inner_join or self.is_sliced or self.distinct_fields or self.combinator
        )

    @property
    def has_filtered_relation(self) -> bool:
        return any(join.filtered_relation is not None for join in self._joins())

    @property
    def has_inner_join(self) -> bool:
        return any(join.join_type == INNER for join in self._joins())

    def _joins(self) -> Iterator[Any]:
        # One that Django has found needless stays in the map, as of filter(test=1), which the column decides.
        return (
            table
            for alias, table in self.alias_map.items()
            if isinstance(table, Join) and self.alias_refcount[alias]
        )

    def selecting(self, expressions: Sequence[Any], conditions: Sequence[Any]) -> Any:
        """Return a query on the tables of this one for ``expressions`` where ``conditions`` are met."""
        query: Any = Query(self.model)
        # Nothing but the tables: neither what is selected, nor how it is ordered, limited or explained.
        query.alias_map, query.table_map = {**self.alias_map}, {**self.table_map}
        query.alias_refcount, query.external_aliases = {**self.alias_refcount}, {**self.external_aliases}
        query.alias_prefix, query.subq_aliases = self.alias_prefix, self.subq_aliases
        query.where = WhereNode([*conditions], connector=AND)
        query.default_ordering = False
        query.set_select([resolved(expression, query) for expression in expressions])
        return query

    @property
    def has_slice(self) -> bool:
        return self.is_sliced

    def outer_aliases(self) -> Mapping[str, Any]:
        """Return the aliases of enclosing queries that conditions may refer to."""
        return self.external_aliases

    @property
    def is_of_one_table(self) -> bool:
        """Whether the rows are those of the model's own table that meet conditions on it."""
        return not (
            any(self._joins())
            or self.external_aliases
            or self.is_sliced
            or self.combinator
            or self.distinct_fields
            or self.extra_tables
            or self.group_by is not None
            or any(isinstance(column, DerivedColumn) for column in columns_of(self.where))
        )

    def own_condition(
        self, connection: Any, conditions: Sequence[Any] | None = None
    ) -> tuple[str, Iterable[Any]] | None:
        """Return the conditions of a query of one table as SQL, or others; None where no row meets them."""
        where = self.where if conditions is None else WhereNode([*conditions], connector=AND)
        try:
            compiler: Any = SQLCompiler(self, connection, None)
            return compiler.compile(where)  # type: ignore[no-any-return]
        except EmptyResultSet:
            return None
        except FullResultSet:
            return "TRUE", ()

    def taken_aliases(self) -> set[str]:
        """Return the aliases that no table inside the derived one may hide."""
        return {*self.external_aliases, *self.alias_map}

    # Compiling

    def get_compiler(self, using: Any = None, connection: Any = None, elide_empty: bool = True) -> Any:
        if not (self.is_derived or self.derived_columns or self._sorts_nulls_last):
            return super().get_compiler(using, connection, elide_empty)
        if using:
            connection = connections[using]
        if connection is None:
            raise ValueError("Need either using or connection")
        if self.written is not None:
            rows, values = self.written
            return rows.compiler_for(self, connection, values)
        if connection.vendor != "postgresql":
            raise NotSupportedError(
                f"Leaderboards need PostgreSQL; the database {connection.alias!r} is {connection.vendor}."
            )
        query = self if self.is_derived or self.combinator else self._with_derived_table()
        compiler = _compiler_class(connection.ops.compiler(self.compiler))
        return compiler(query, connection, using, elide_empty)

    @property
    def _sorts_nulls_last(self) -> bool:
        """Whether there is something to sort as a derived column is, though it needs no derived table."""
        return any(isinstance(annotation, NullsLast) for annotation in self.annotations.values())

    def _with_derived_table(self) -> Any:
        # Not of the copy, which would remember its annotations under the aliases of before.
        columns = self.used_columns()
        query: Any = self.clone()
        # Without any, as in count(), the model's own table has all that is asked for.
        if columns:
            table, enforced = query.derived_table(columns)
            # Before the table has another name, by which the conditions would be others.
            query.where = without(query.where, enforced)
            query._replace_base_table(table)
            query.where = evaluated_outside(query.where, query.alias_map.keys())
        query.is_derived = True
        return query

    def _replace_base_table(self, table: Query | WrittenQuery) -> None:
        alias = str(self.base_table)
        if '"' in alias:
            alias = self._rename_base_table(alias)
        self.alias_map[alias] = DerivedTable(self.get_meta().db_table, alias, table)

    def _rename_base_table(self, alias: str) -> str:
        """Return another alias for the table of another schema: what is derived from it is in none."""
        derived = unique_name("derived", self.taken_aliases())
        renamed: dict[Any, str] = {alias: derived}
        order = [renamed.get(name, name) for name in self.alias_map]
        self.change_aliases(renamed)
        # The first one is the base table, and others may be joined to it.
        self.alias_map = {name: self.alias_map[name].relabeled_clone(renamed) for name in order}
        self.__dict__.pop("base_table", None)
        return derived

    # Combining and nesting

    def resolve_ref(
        self, name: str, allow_joins: bool = True, reuse: Any = None, summarize: bool = False
    ) -> Any:
        found = super().resolve_ref(name, allow_joins, reuse, summarize)
        annotation = self.annotations.get(name)
        if summarize and isinstance(annotation, NullsLast) and not self.combinator:
            # In aggregate(), as what it is. A reference is written without its table, and within
            # a subquery on the same model it would be the column of that.
            return annotation
        return found

    def solve_lookup_type(self, lookup: str, summarize: bool = False) -> Any:
        parts, field_parts, expression = super().solve_lookup_type(lookup, summarize)
        if summarize and isinstance(expression, Ref) and not self.combinator:
            (annotation,) = expression.get_source_expressions()
            if isinstance(annotation, NullsLast):
                # As resolve_ref() has it: beside a column, the reference would be a second name for it.
                return parts, field_parts, annotation
        return parts, field_parts, expression

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
        nullable = [side for side in (left, right) if self.is_made_of_derived(side)]
        if nullable and left is nullable[0] and type(right) is Col and self.is_nullable(right.target):
            nullable.append(right)
        for side in nullable:
            clause.add(IsNull(side, False), AND)

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
        self.where = made(self).where
        super().combine(made(rhs), connector)
        self.derived_columns = merged

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        clone: Any = super(DerivedQuery, made(self)).resolve_expression(*args, **kwargs)
        clone._change_views(lambda view: view.resolve_expression(*args, **kwargs))
        return clone

    def __getstate__(self) -> dict[str, Any]:
        return cast(dict[str, Any], super(DerivedQuery, made(self)).__getstate__())

    def change_aliases(self, change_map: dict[Any, str]) -> Any:
        result = super().change_aliases(change_map)

        def relabel(view: Query) -> Query:
            own = {old: new for old, new in change_map.items() if old in view.external_aliases}
            return view.relabeled_clone(own) if own else view

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


def _referred(side: Any) -> Any:
    """Return the expression that one side of a lookup is, or is a transform of."""
    while isinstance(side, Transform):
        (side, *_) = side.get_source_expressions()
    return side

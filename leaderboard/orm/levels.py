"""The levels of a derived table: queries on one model, each of which reads from the one below.

SELECT standing.id, …, RANK() OVER (…) AS rank
FROM (SELECT entry.id, …, entry.finished_at - entry.started_at AS _term0
      FROM app_attempt entry WHERE …) standing
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.core.exceptions import FieldError
from django.db.models import BooleanField, Case, F, Model, OrderBy, OuterRef, Q, Subquery, When
from django.db.models.expressions import Col
from django.db.models.lookups import Exact
from django.db.models.sql import Query
from django.db.models.sql.constants import LOUTER
from django.db.models.sql.datastructures import Join
from django.db.models.sql.where import AND, OR, WhereNode

from leaderboard.orm.columns import DerivedColumn, DerivedTable, StoredColumn
from leaderboard.orm.models import key_fields, own_fields
from leaderboard.orm.trees import is_fixed, joined_many_rows, parts_of, resolved

__all__ = ["LevelQuery", "level_of", "level_over", "row_of", "show_each_once", "unique_name"]


def unique_name(name: str, taken: Any) -> str:
    while name in taken:
        name += "_"
    return name


class Added(F):
    """A reference to what a level adds itself, by which it is put in place of that."""

    def __init__(self, name: str, expression: Any) -> None:
        super().__init__(name)
        self.conditional = getattr(expression, "conditional", False)


class LevelQuery(Query):
    """A query inside a derived table, all of whose tables are called ``level``, with a number if joined.

    A condition taken from the view may refer to tables of enclosing queries, by names that the tables
    joined here must not hide. Copies share expressions: these are never changed.
    """

    model: type[Model]
    level = ""

    def get_compiler(self, using: Any = None, connection: Any = None, elide_empty: bool = True) -> Any:
        # No rows are counted as such: NULL in place of a subquery is a text to what reads it from a level.
        return super().get_compiler(using, connection, elide_empty=False)

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

    @property
    def below(self) -> LevelQuery | None:
        """The level that this one reads from; None where it is the model's table."""
        table = self._table
        return table.query if isinstance(table, DerivedTable) else None

    def copied_level(self) -> LevelQuery:
        """Return a copy of this level alone."""
        return cast(LevelQuery, self.clone())

    def copied(self, lowest: LevelQuery) -> LevelQuery:
        """Return a copy of the levels from this one down, with ``lowest`` in place of the lowest one."""
        below = self.below
        if below is None:
            return lowest
        copied = self.copied_level()
        table = self._table
        copied._read_from(below.copied(lowest), is_fenced=table.is_fenced, first=table.first)
        copied.refer_to(lowest.external_aliases)
        return copied

    @property
    def _table(self) -> Any:
        return self.alias_map[self.level]

    def _read_from(self, below: LevelQuery, *, is_fenced: bool, first: int | None) -> None:
        name = self.get_meta().db_table
        self.alias_map[self.level] = DerivedTable(name, self.level, below, is_fenced=is_fenced, first=first)

    def read_row(self, row: Query) -> None:
        """Let the level read a row that :func:`row_of` has made, in place of the model's table."""
        self.alias_map[self.level] = DerivedTable(self.get_meta().db_table, self.level, row)

    # Columns

    def column(self, name: str) -> Any:
        """Return a column of the level below, as this one refers to it; of the lowest, one of its own."""
        below: Any = self.below
        if below is None:
            added = self.annotations.get(name)
            return F(own_column(self.model, name).attname) if added is None else Added(name, added)
        if (annotation := below.annotations.get(name)) is not None:
            field = annotation.output_field
        else:
            field = own_column(below.model, name)
        return DerivedColumn(self.level, name, field)

    def key_columns(self) -> Sequence[Col]:
        """Return the columns of the primary key in the model's own table, or as the level below has them."""
        return [Col(self.level, field) for field in key_fields(self.model)]

    def add_column(self, name: str, expression: Any) -> str:
        """Return the name of a new column that holds ``expression``: ``name``, unless it is taken."""
        column = self.new_name(name)
        self.add_annotation(expression, column)
        return column

    def new_name(self, name: str) -> str:
        """Return a name that no column has: ``name``, unless it is taken."""
        fields = {field.column for field in own_fields(self.model)}
        return unique_name(name, fields | self.annotations.keys())

    @property
    def added(self) -> int:
        """The number of columns beside those of the model."""
        return len(self.annotations)

    def annotate(self, name: str, expression: Any) -> None:
        """Add a column of that very name."""
        self.add_annotation(expression, name)

    def show_only(self, expressions: Mapping[str, Any]) -> bool:
        """Add columns of those very names, which may be made of what was added, and hand on no others.

        Nothing is changed, and False returned, where a name is taken or a subquery would be run twice.
        """
        if expressions.keys() & self.annotations.keys():
            return False
        made_of = self.annotations.values()
        shown = [expression.resolve_expression(self) for expression in expressions.values()]
        if sum(map(_subqueries_in, shown)) > sum(map(_subqueries_in, made_of)):
            return False
        for name, expression in zip(expressions, shown, strict=True):
            self.annotate(name, expression)
        self.set_annotation_mask(expressions)
        return True

    def select_values(self, expressions: Sequence[Any]) -> None:
        """Select expressions on the model, and nothing else."""
        self.clear_select_clause()
        for position, expression in enumerate(expressions):
            self.annotate(f"_value{position}", expression)

    def aggregate_rows(self, expression: Any) -> None:
        """Select an aggregate over all rows, and nothing else."""
        self.clear_select_clause()
        self.annotate("n", expression)
        # As first_by() has it.
        self.alias_prefix = self.level

    def ask_existence(self) -> None:
        """Let it be a subquery of which only that it has rows is asked."""
        self.alias_prefix = self.level

    def select_grouped(self, of: Mapping[str, Any], aggregates: Mapping[str, Any]) -> None:
        """Select both, one row for each combination of values of ``of``."""
        self._select({**of, **aggregates})
        self.set_group_by()

    def _select(self, columns: Mapping[str, Any]) -> None:
        self.clear_select_clause()
        for name, expression in columns.items():
            self.annotate(name, expression)

    def select_distinct(self, columns: Mapping[str, Any]) -> None:
        """Select ``columns`` only, each combination of values once."""
        self._select(columns)
        show_each_once(self)

    def select_first(
        self, of: Mapping[str, Any], columns: Mapping[str, Any], order_by: Sequence[OrderBy]
    ) -> None:
        """Select both, of the first row by ``order_by`` for each combination of values of ``of``."""
        self._select({**of, **columns})
        self.distinct, self.distinct_fields = True, tuple(of)
        self.add_ordering(*(F(name) for name in of), *order_by)

    def keep_first(self, of: Sequence[str], order_by: Sequence[OrderBy]) -> None:
        """Leave only the first row by ``order_by`` for each combination of values of some columns.

        They are of the model, or the level below has added them and this one hands them on.
        """
        fields = {field.column: field.attname for field in own_fields(self.model)}
        self.distinct, self.distinct_fields = True, tuple(fields.get(name, name) for name in of)
        self.add_ordering(*map(self.column, of), *order_by)

    def keep_columns(self) -> None:
        """Hand on what the level below adds to the columns of the model."""
        below: Any = self.below
        for name in below.annotations:
            self.add_annotation(self.column(name), name)

    def keep_distinct(self, names: Sequence[str]) -> None:
        """Leave nothing but the different values of some columns, of the model or added."""
        own = [field for field in own_fields(self.model) if field.column in names]
        self.set_select([StoredColumn(self.level, field) for field in own])
        self.set_annotation_mask({name for name in self.annotations if name in names})
        show_each_once(self)

    # Conditions

    def refer_to(self, outer_aliases: Mapping[str, Any]) -> None:
        """Let conditions refer to tables of enclosing queries."""
        self.external_aliases.update(outer_aliases)

    def restrict(self, condition: Any, *, first: bool = False) -> None:
        """Leave only rows for which a condition on the model is true, written last unless it comes first."""
        before = len(self.where.children)
        self.add_q(Q(condition))
        if first:
            children = self.where.children
            self.where = WhereNode([*children[before:], *children[:before]], connector=AND)

    def sort(self, order_by: Sequence[OrderBy]) -> None:
        """Let the rows come in an order, so that a scan above may stop early."""
        self.add_ordering(*order_by)

    def end_after(self, count: int) -> None:
        """Leave only so many rows."""
        self.set_limits(high=count)

    def read_first(self, count: int) -> None:
        """Read only so many rows in the order of the level below, and those that tie with the last."""
        self._table.first = count

    def restrict_first(self, conditions: Sequence[Any]) -> None:
        """Leave only rows for which resolved conditions are true, written before those that are there."""
        self.where = WhereNode([*conditions, *self.where.children], connector=AND)

    def first_by(self, member: str, order_by: Sequence[OrderBy]) -> None:
        """Make this level the subquery for the key of the first row that has the member of an outer one."""
        self.add_q(Q((member, OuterRef(member))))
        self.show_key_of_first(order_by)

    def show_key_of_first(self, order_by: Sequence[OrderBy]) -> None:
        """Make this level a subquery for the key of its first row by an order."""
        self.add_ordering(*order_by)
        self.set_limits(high=1)
        self.clear_select_clause()
        self.set_select([StoredColumn(self.level, field) for field in key_fields(self.model)])
        # Spares it new aliases when it is resolved as a subquery. Not before: by the prefix, the subqueries
        # of the declaration get aliases that differ from its own.
        self.alias_prefix = self.level

    def restrict_to_key_of(
        self, subquery: LevelQuery, conditions: Sequence[Any], *, unless: Any = None
    ) -> None:
        """Leave only the row whose key a resolved subquery has, where ``conditions`` hold in it first.

        With ``unless`` rows stay, too, of which that is true.
        """
        subquery = subquery.copied_level()
        subquery.restrict_first(conditions)
        subquery.refer_to(self.external_aliases)
        held = Subquery(subquery)
        (key,) = self.key_columns()
        # PostgreSQL takes an equality with a subquery to be true of one row in 200, by which a scan that soon
        # stops looks long, and JIT compiles it for a second. Of a CASE it assumes one in two.
        is_held = Case(When(Exact(key, held), then=True), default=False, output_field=BooleanField())
        ways: list[Any] = [is_held] if unless is None else [unless, is_held]
        self.where.add(WhereNode(ways, OR) if len(ways) > 1 else ways[0], AND)

    def resolved_within(self, outer: LevelQuery) -> LevelQuery:
        """Return this level as a subquery of ``outer``."""
        inner = self.copied_level()
        inner.subquery = True
        return cast(LevelQuery, inner.resolve_expression(outer))

    def is_fixed(self) -> bool:
        """Tell whether the same, made at another moment, holds the same values."""
        return all(map(is_fixed, (self.where, *self.annotations.values())))

    # Relations

    def may_be_null(self, expression: Any) -> bool:
        """Tell whether a resolved expression may be NULL in a row of this query."""
        if not isinstance(expression, Col) or expression.target.null:
            return True
        table = self.alias_map[expression.alias]
        return isinstance(table, Join) and table.join_type == LOUTER

    def refuse_multiplied_rows(self) -> None:
        """Raise ``FieldError`` where a relation to many rows is joined."""
        if (joined := joined_many_rows(self)) is not None:
            raise FieldError(
                f"A leaderboard of {self.get_meta().label} refers to the relation "
                f"{joined.relation!r}, of which an entry may have many rows. Use a subquery."
            )

    def resolved(self, expressions: Mapping[str, Any]) -> dict[str, Any]:
        return {name: resolved(expression, self) for name, expression in expressions.items()}


def level_of(model: type[Model], level: str) -> LevelQuery:
    """Return a query for the columns of the model's own table, as the lowest level."""
    query = LevelQuery(model)
    query.level = level
    alias = query.get_initial_alias()
    query.default_ordering = False
    query.set_select([StoredColumn(alias, field) for field in own_fields(model)])
    return query


def level_over(
    below: LevelQuery, level: str, *, is_fenced: bool = False, first: int | None = None
) -> LevelQuery:
    """Return a query for the columns of the model that reads from ``below``.

    With ``is_fenced`` PostgreSQL evaluates what ``below`` adds once a row, however often it is used. With
    ``first`` it reads so many rows in the order of ``below``, and those that tie with the last of them.
    """
    query = level_of(below.model, level)
    query._read_from(below, is_fenced=is_fenced, first=first)
    return query


def own_column(model: type[Model], name: str) -> Any:
    """Return the field of the model that has a column of that name."""
    return next(field for field in own_fields(model) if field.column == name)


def _subqueries_in(node: Any) -> int:
    # A subquery that is resolved is its query, as of Django 6.1.
    return 1 if isinstance(node, Subquery | Query) else sum(map(_subqueries_in, parts_of(node)))


def show_each_once(query: Query) -> None:
    """Let a query have one row for each combination of the values that it selects."""
    selected: list[Any] = [*query.select, *query.annotation_select.values()]
    # PostgreSQL fills the hash table of a parallel SELECT DISTINCT in the order of others of the same hash,
    # so that all collide, and some statements take a hundred times as long; that of GROUP BY has another one.
    # Django groups by no column beside a primary key, by one of two that it takes for equal, by a subquery's
    # references, and by expressions with parameters that the server takes for others.
    are_columns = all(isinstance(one, Col) and not one.target.primary_key for one in selected)
    if are_columns and len({*selected}) == len(selected):
        query.set_group_by(allow_aliases=False)
    else:
        query.distinct = True


def row_of(columns: Mapping[str, Any]) -> Query:
    """Return a query for one row that stands in no table, of expressions by the names of their columns."""
    query = RowQuery(None)
    for name, expression in columns.items():
        query.add_annotation(expression, name)
    return query


class RowQuery(Query):
    """A query whose annotations are called as columns of a table are."""

    def check_alias(self, alias: str) -> None:
        # Django takes any name of a column, and of an annotation none with a space.
        pass

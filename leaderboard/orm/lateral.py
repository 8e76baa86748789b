"""Queries for the rows that a query has for each row of another.

SELECT each.id, …
FROM (SELECT each.* FROM (SELECT test_id FROM … GROUP BY test_id) each_outer (_outer0)
      CROSS JOIN LATERAL (SELECT … FROM … WHERE test_id = each_outer._outer0 … LIMIT 3) each) each
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import F, ForeignKey, Func, Model
from django.db.models.lookups import IsNull
from django.db.models.sql import Query
from django.db.models.sql.where import AND

from leaderboard.orm.columns import (
    DerivedColumn,
    LateralTable,
    StoredColumn,
    is_stored_column,
    may_be_null,
)
from leaderboard.orm.levels import LevelQuery, level_of, show_each_once, unique_name
from leaderboard.orm.models import key_fields, own_fields
from leaderboard.orm.ordering import NullsLast
from leaderboard.orm.query import DerivedQuery, View
from leaderboard.orm.trees import output_field_of, resolved

__all__ = [
    "Branch",
    "Outer",
    "each_row_of",
    "has_window",
    "is_plain",
    "may_hold_null",
    "outer_for",
    "pin_to_outer",
    "values_of",
]

LEVEL = "each"


class Outer(NamedTuple):
    """What the rows inside refer to: the alias of the table around them, and the names of its columns."""

    alias: str
    names: Sequence[str]


class Branch(NamedTuple):
    """A query for values, and one for the rows that belong to them; None where nothing is needed."""

    values: View | None
    rows: DerivedQuery


def outer_for(query: DerivedQuery, number: int) -> Outer:
    """Return a table of so many columns that no table of ``query`` hides."""
    return Outer(unique_name(f"{LEVEL}_outer", query.taken_aliases()), [f"_outer{n}" for n in range(number)])


def pin_to_outer(query: DerivedQuery, declared: Any, outer: Outer, name: str) -> None:
    """Limit a query to where an expression of a declaration has the value of a column of ``outer``."""
    field = output_field_of(query.resolved_here(declared))
    query.external_aliases[outer.alias] = False
    query.pin(declared, DerivedColumn(outer.alias, name, field))


def each_row_of(
    model: type[Model], branches: Sequence[Branch], outer: Outer, columns: Mapping[str, Any] | None = None
) -> LevelQuery:
    """Return a query for the rows of all branches: their keys, or all columns of the model and ``columns``.

    ``columns`` are definitions of derived columns, by name.
    """
    fields = key_fields(model) if columns is None else own_fields(model)
    shown = columns or {}
    inside = [(values, _selecting(rows, fields, shown.values())) for values, rows in branches]
    query = level_of(model, LEVEL)
    table = query.get_meta().db_table
    query.alias_map[LEVEL] = LateralTable(table, LEVEL, inside, outer=outer.alias, names=outer.names)
    # As a subquery it needs no other aliases.
    query.alias_prefix = LEVEL
    if columns is None:
        query.set_select([*query.key_columns()])
    selected: Any = inside[0][1].select[len(fields) :]
    for (name, definition), column in zip(shown.items(), selected, strict=True):
        query.annotate(name, DerivedColumn(LEVEL, column.name, definition.output_field))
    return query


def _selecting(rows: DerivedQuery, fields: Sequence[Any], columns: Iterable[Any]) -> Query:
    query: Any = rows.clone()
    query.select_related = False
    # What is ordered and filtered by is resolved; nothing refers to an annotation by its name, and an order
    # by one would place its NULLs last, which no index has.
    query.annotations = {}
    query.set_annotation_mask(None)
    alias = query.get_initial_alias()
    derived = [
        DerivedColumn(alias, query.derive(definition, "_each"), definition.output_field)
        for definition in columns
    ]
    query.set_select([*(StoredColumn(alias, field) for field in fields), *derived])
    return query  # type: ignore[no-any-return]


def is_plain(query: DerivedQuery) -> bool:
    """Tell whether the rows are some of the model's, once each, with no annotations but derived ones."""
    annotations = query.annotations.values()
    return (
        query.group_by is None
        and not query.distinct
        and all(isinstance(annotation, NullsLast) for annotation in annotations)
    )


def has_window(query: DerivedQuery) -> bool:
    """Tell whether a window function is annotated, or filtered by."""
    parts: list[Any] = [query.where, *query.annotations.values()]
    return any(part.contains_over_clause for part in parts)


def may_hold_null(query: DerivedQuery, declared: Any) -> bool:
    """Tell whether an expression of a declaration may be NULL in a row of ``query``."""
    expression = query.resolved_here(declared)
    # What another table is joined for may have no row there.
    is_own = is_stored_column(expression) and expression.alias == query.base_table
    return not is_own or may_be_null(expression)


def values_of(view: DerivedQuery, declared: Sequence[Any], nulls: Sequence[bool | None]) -> View:
    """Return a query for the different values that expressions have in a view, or for more than those.

    ``nulls`` tells of each whether it must be NULL, or must not; None where either will do.
    """
    conditions = [] if view.has_filtered_relation else view.repeatable_conditions()
    is_restricted = bool(conditions) or (view.has_inner_join and not view.has_filtered_relation)
    if (owners := _owners(view, declared)) is not None and not any(nulls):
        # Every value is a key of the other table, which has one row for each.
        related, field = owners
        query: Any = Query(related)
        query.default_ordering = False
        query.set_select([resolved(F(field.name), query)])
        if is_restricted:
            shown = view.selecting(declared, conditions)
            shown.subquery = True
            # Not by a lookup, which would select the primary key instead.
            among = Func(*query.select, shown, arg_joiner=" IN ", template="%(expressions)s")
            query.where.add(among, AND)
        return query  # type: ignore[no-any-return]
    query = view.selecting(declared, conditions)
    for expression, is_null in zip(query.select, nulls, strict=True):
        if is_null is not None:
            query.where.add(IsNull(expression, is_null), AND)
    if all(nulls):
        query.set_limits(high=1)
    else:
        show_each_once(query)
    return query  # type: ignore[no-any-return]


def _owners(view: DerivedQuery, declared: Sequence[Any]) -> tuple[type[Model], Any] | None:
    """Return the model, and its field, that has every value of a foreign key; None for anything else."""
    if len(declared) != 1:
        return None
    column: Any = view.resolved_here(declared[0])
    if not is_stored_column(column):
        return None
    key: Any = column.target
    # Without a constraint it may hold what is no key.
    is_kept = isinstance(key, ForeignKey) and column.target.db_constraint
    return (key.target_field.model, key.target_field) if is_kept else None

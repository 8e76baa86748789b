"""What a query holds to one row: equalities with its primary key, and nothing that makes other rows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db.models.expressions import Col
from django.db.models.fields.related_lookups import RelatedExact
from django.db.models.lookups import Exact, IntegerFieldExact
from django.db.models.sql.compiler import SQLCompiler

from leaderboard.orm.columns import DerivedColumn, same_column
from leaderboard.orm.conditions import PinnedTo
from leaderboard.orm.models import key_fields, stored_fields
from leaderboard.orm.query import DerivedQuery
from leaderboard.orm.trees import is_known

__all__ = ["Equalities", "asked_of_rows", "equality_with_key", "held_key", "shows_own_rows"]

# What is "column = value" in SQL, whatever the value.
PLAIN = (Exact, IntegerFieldExact, RelatedExact, PinnedTo)


@dataclass(frozen=True, slots=True)
class Equalities:
    """Conditions that are equalities of columns with values, all in one table.

    Django takes as long to compile one as to make an instance; only the values need to be looked at anew.
    """

    query: DerivedQuery
    lookups: Sequence[Any]

    @classmethod
    def of(cls, query: DerivedQuery, conditions: Sequence[Any]) -> Self | None:
        """Return the conditions of a query, if they are no others."""
        are_plain = all(
            type(each) in PLAIN
            and type(each.lhs) is Col
            and each.rhs_is_direct_value()
            and not isinstance(each.rhs, bool)
            for each in conditions
        )
        return cls(query, conditions) if are_plain else None

    @property
    def columns(self) -> Sequence[Any]:
        """The fields of the columns: other values of theirs are the same SQL."""
        return tuple(each.lhs.target for each in self.lookups)

    def text(self, connection: Any) -> str:
        """Return them as SQL, with places for the values."""
        compiler = SQLCompiler(self.query, connection, None)
        return " AND ".join(f"{compiler.compile(each.lhs)[0]} = %s" for each in self.lookups)

    def values(self, connection: Any) -> list[Any] | None:
        """Return the values as the database takes them; None where a column cannot have one."""
        compiler = SQLCompiler(self.query, connection, None)
        try:
            return [value for each in self.lookups for value in each.process_rhs(compiler, connection)[1]]
        except EmptyResultSet:
            return None


def shows_own_rows(query: DerivedQuery) -> bool:
    """Tell whether a query groups no rows, leaves out no first ones and joins no other queries."""
    return not (
        query.group_by is not None
        or query.combinator
        or query.low_mark
        or query.distinct_fields
        or query.extra_select
        or query.extra_tables
    )


def held_key(query: DerivedQuery) -> dict[str, Any] | None:
    """Return the lookups that hold the primary key to one value, by field; None where there are none."""
    fields = key_fields(query.model)
    held = {
        field.attname: lookup
        for lookup in query.equalities()
        for field in fields
        if same_column(lookup.lhs, Col(str(query.base_table), field))
    }
    return held if len(held) == len(fields) else None


def equality_with_key(query: DerivedQuery, name: str, value: Any) -> dict[str, Any] | None:
    """Return the lookup of ``filter(name=value)``, by field, where that is a primary key of one field.

    None where it is not, where Django might make something else of the value, and after a slice.
    """
    field: Any = query.get_meta().pk
    is_key = field in key_fields(query.model) and name in ("pk", field.name)
    if not is_key or field.is_relation or name in query.annotations or type(value) not in (int, str, UUID):
        return None
    column = field.get_col(str(query.base_table))
    kind = field.get_lookup("exact")
    # A lookup of one's own may be true of other rows.
    is_plain = type(column) is Col and kind in PLAIN and not query.is_sliced
    return {field.attname: kind(column, value)} if is_plain else None


def asked_of_rows(query: DerivedQuery, conditions: Sequence[Any]) -> Mapping[str, Any] | None:
    """Return the definitions of what is annotated, where whole rows of one table are asked for with that.

    None where anything else is, or where not only ``conditions`` limit them. Two such queries on a model are
    the same SQL but for their conditions, if those leave one row, which no order and no limit changes.
    """
    if (
        not query.default_cols
        or query.select_related
        or query.deferred_loading != (frozenset(), True)
        or query.annotation_select_mask is not None
        or query.distinct
        or query.external_aliases
        or any(count and alias != query.base_table for alias, count in query.alias_refcount.items())
        or query.base_table != query.get_meta().db_table
        or any(not any(own is condition for condition in conditions) for own in query.conditions())
        or not all(is_known(type(field).select_format) for field in stored_fields(query.model))
    ):
        return None
    definitions = {}
    for name, annotation in query.annotations.items():
        if type(annotation) is not DerivedColumn:
            return None
        definition = query.derived_columns[annotation.name]
        if annotation.output_field is not definition.output_field:
            return None
        definitions[name] = definition
    return definitions

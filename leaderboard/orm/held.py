"""What a query holds to one row: equalities with its primary key, and nothing that makes other rows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models.expressions import Col

from leaderboard.orm.columns import DerivedColumn, same_column
from leaderboard.orm.models import key_fields, stored_fields
from leaderboard.orm.query import DerivedQuery
from leaderboard.orm.trees import is_known

__all__ = ["asked_of_rows", "held_key", "shows_own_rows"]


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
        or query.external_aliases
        or len([alias for alias, count in query.alias_refcount.items() if count]) != 1
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

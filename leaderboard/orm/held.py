"""What a query holds to one row: equalities with its primary key, and nothing that makes other rows of it."""

from __future__ import annotations

from typing import Any

from django.db.models.expressions import Col

from leaderboard.orm.columns import same_column
from leaderboard.orm.models import key_fields
from leaderboard.orm.query import DerivedQuery

__all__ = ["held_key", "shows_own_rows"]


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

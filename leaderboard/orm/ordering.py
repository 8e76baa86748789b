"""Where NULL is placed in an order, and what an order ends in.

ORDER BY app_attempt.percentile DESC NULLS LAST, app_attempt.id
"""

from __future__ import annotations

from typing import Any

from django.db.models import OrderBy
from django.db.models.sql.compiler import SQLCompiler

from leaderboard.orm.models import key_parts

__all__ = ["NullsLast", "OrderingCompiler"]


class NullsLast:
    """Mixed into expressions that say of NULL that nothing is derived: it sorts last, up and down."""


class OrderingCompiler(SQLCompiler):
    """Compiles the order of queries that have derived values."""

    query: Any

    def _order_by_pairs(self) -> Any:
        # PostgreSQL sorts NULL first when descending, which would put unranked entries on top. After
        # reverse() what is written as descending is ascending here, and what was last comes first.
        written, is_derived = self.query.standard_ordering, False
        # (django-stubs has the method return None.)
        for order, is_reference in super()._order_by_pairs():  # type: ignore[attr-defined]
            is_derived = self.query.is_made_of_derived(order.expression)
            placed = order.nulls_first is not None or order.nulls_last is not None
            if is_derived and not placed and order.descending == written:
                order = order.copy()
                order.nulls_last, order.nulls_first = written or None, not written or None
            yield order, is_reference
        # PostgreSQL returns ties in any order, another one for each page.
        if is_derived and self._has_keys():
            for part in key_parts(self.query.model):
                yield OrderBy(part, descending=not written), False

    def _has_keys(self) -> bool:
        """Tell whether each row of the result is a row of the model, so that it has a primary key."""
        query = self.query
        if query.combinator or query.group_by is not None or query.distinct_fields:
            return False
        return not query.distinct or query.default_cols

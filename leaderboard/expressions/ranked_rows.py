"""The rows of a query that a window ranks, where no board is declared."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F, OrderBy

from leaderboard.expressions.arguments import as_condition, as_expression, as_ordering
from leaderboard.expressions.logic import all_of, is_true, not_null
from leaderboard.expressions.tally import WindowTally
from leaderboard.expressions.terms import Term
from leaderboard.orm.names import Combinable

__all__ = ["RankedRows"]


class RankedRows:
    """The rows of a query that are ranked: eligible, and with no NULL term."""

    def __init__(self, order_by: object, partition_by: object, eligible: object) -> None:
        terms = [OrderBy(Term(term.expression), term.descending) for term in as_ordering(order_by)]
        parts = [partition_by] if isinstance(partition_by, str | Combinable) else partition_by
        if not isinstance(parts, Sequence):
            raise TypeError(f"partition_by={partition_by!r} must be a field name, an expression or a list.")
        present = [not_null(term.expression) for term in terms]
        required = as_condition(eligible, "eligible")
        self.complete = all_of(present)
        self.eligible = is_true(required) if required else None
        self.ranked = all_of([self.eligible, *present] if self.eligible else present)
        self.tally = WindowTally(
            terms,
            partition_by=[as_expression(part, "partition_by") for part in parts],
            ranked=self.ranked,
            ties=[F("pk")],
        )

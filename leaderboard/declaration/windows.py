"""The qualification as a window expression, where no board is declared."""

from __future__ import annotations

from django.db.models import Case, Q
from django.utils.deconstruct import deconstructible

from leaderboard.declaration.cut_offs import CutOff
from leaderboard.expressions.logic import Negation
from leaderboard.expressions.qualification import QUALIFICATION, qualification_of
from leaderboard.expressions.ranked_rows import RankedRows
from leaderboard.orm.names import Combinable

__all__ = ["QualificationWindow"]


@deconstructible(path="leaderboard.QualificationWindow")
class QualificationWindow(Case):
    """The qualification by ``cut_off`` among the rows of the query that share ``partition_by``.

    A row that is not ``eligible`` is ``EXCLUDED``, one with a NULL among the terms of ``order_by`` is
    ``PENDING``. Raises ``TypeError`` where ``cut_off`` is no rule.
    """

    def __init__(
        self,
        cut_off: CutOff,
        *,
        order_by: object,
        partition_by: object = (),
        eligible: Q | Combinable | None = None,
    ) -> None:
        if not isinstance(cut_off, CutOff):
            raise TypeError(f"cut_off={cut_off!r} is no cut-off rule, such as AtLeast('score', 60).")
        rows = RankedRows(order_by, partition_by, eligible)
        case = qualification_of(
            excluded=None if rows.eligible is None else Negation(rows.eligible),
            pending=Negation(rows.complete),
            met=cut_off.condition(rows.tally, lambda expression: expression),
        )
        super().__init__(*case.cases, default=case.default, output_field=QUALIFICATION)

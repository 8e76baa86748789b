"""Every formula of a percentile, one division of whole numbers each.

``WEAK``, which is the default::

    (100 * (COUNT(*) OVER (PARTITION BY test_id) - RANK() OVER (…) + 1))::float8
        / NULLIF(COUNT(*) OVER (PARTITION BY test_id), 0)::float8
"""

from __future__ import annotations

from typing import Any

from django.db.models import Case, ExpressionWrapper, Q, Value, When
from django.db.models.functions import Cast, Greatest, NullIf
from django.utils.deconstruct import deconstructible

from leaderboard.expressions.arguments import as_kind
from leaderboard.expressions.fields import FLOAT
from leaderboard.expressions.numbers import whole
from leaderboard.expressions.ranked_rows import RankedRows
from leaderboard.expressions.tally import Tally
from leaderboard.kinds import PercentileKind
from leaderboard.orm.names import Combinable

__all__ = ["PercentileWindow", "fraction_of", "percentile_of"]


def fraction_of(kind: PercentileKind, tally: Tally) -> tuple[Any, Any]:
    """Return numerator and denominator of the percentile of ``kind``, whole numbers both.

    With ``worse`` = n - modified and ``tied`` = modified - competition + 1, these are the formulas
    of ``scipy.stats.percentileofscore``, and of PostgreSQL's ``percent_rank()`` turned round.
    """
    n = tally.size
    match kind:
        case PercentileKind.STRICT:
            return whole(100 * (n - tally.modified)), n
        case PercentileKind.WEAK:
            return whole(100 * (n - tally.competition + 1)), n
        case PercentileKind.MEAN:
            return whole(50 * (2 * n - tally.modified - tally.competition + 1)), n
        case PercentileKind.SCIPY_RANK:
            return whole(50 * (2 * n - tally.modified - tally.competition + 2)), n
        case PercentileKind.PERCENT_RANK:
            # The only entry of a board has 0: nobody is worse.
            return whole(100 * (n - tally.modified)), Greatest(whole(n - 1), Value(1))


def percentile_of(kind: PercentileKind, tally: Tally) -> Any:
    """Return the percentile of ``kind``, a float from 0 to 100 made by one division."""
    numerator, denominator = fraction_of(kind, tally)
    # Rows that take no part are divided too before they are hidden; theirs may be an empty board.
    divisor = Cast(NullIf(denominator, Value(0)), FLOAT)
    return ExpressionWrapper(Cast(numerator, FLOAT) / divisor, output_field=FLOAT)


@deconstructible(path="leaderboard.expressions.PercentileWindow")
class PercentileWindow(Case):
    """The percentile of ``kind``, a float from 0 to 100, among the rows that share ``partition_by``.

    Terms are ordered best first, and a higher percentile is better. Rows that are not ranked, and what
    is raised, are as for :class:`RankWindow`.
    """

    def __init__(
        self,
        kind: PercentileKind | str = PercentileKind.WEAK,
        *,
        order_by: object,
        partition_by: object = (),
        eligible: Q | Combinable | None = None,
    ) -> None:
        kind = as_kind(PercentileKind, kind, "kind")
        rows = RankedRows(order_by, partition_by, eligible)
        super().__init__(When(rows.ranked, then=percentile_of(kind, rows.tally)), output_field=FLOAT)

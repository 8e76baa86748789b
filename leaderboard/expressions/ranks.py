"""Every formula of a rank.

``COMPETITION``: ``RANK() OVER (PARTITION BY test_id ORDER BY score DESC)``; ``FRACTIONAL``: the mean of that
and of ``COUNT(*) OVER (PARTITION BY test_id ORDER BY score DESC)``, which counts the last of those tied.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Case, Q, Value, When
from django.utils.deconstruct import deconstructible

from leaderboard.expressions.arguments import as_kind
from leaderboard.expressions.fields import BIGINT, NUMERIC
from leaderboard.expressions.numbers import Product, whole
from leaderboard.expressions.ranked_rows import RankedRows
from leaderboard.expressions.tally import Tally
from leaderboard.kinds import RankKind
from leaderboard.orm.names import Combinable

__all__ = ["RankWindow", "rank_field", "rank_of"]


def rank_of(kind: RankKind, tally: Tally) -> Any:
    """Return the rank of ``kind``: a whole number, or a Decimal for ``FRACTIONAL``."""
    match kind:
        case RankKind.COMPETITION:
            return tally.competition
        case RankKind.MODIFIED:
            return tally.modified
        case RankKind.DENSE:
            return tally.dense
        case RankKind.ORDINAL:
            return tally.ordinal
        case RankKind.FRACTIONAL:
            return Product(whole(tally.competition + tally.modified), Value(Decimal("0.5"), NUMERIC))


def rank_field(kind: RankKind) -> models.Field[Any, Any]:
    return NUMERIC if kind is RankKind.FRACTIONAL else BIGINT


@deconstructible(path="leaderboard.expressions.RankWindow")
class RankWindow(Case):
    """The rank of ``kind`` among the rows of the query that share ``partition_by``, best first.

    A row that is not ``eligible`` or has a NULL among the terms of ``order_by`` is not ranked: NULL.
    Ties of ``ORDINAL`` are broken by the primary key. Raises ``ValueError`` for an unknown kind or an
    empty ordering.
    """

    def __init__(
        self,
        kind: RankKind | str = RankKind.COMPETITION,
        *,
        order_by: object,
        partition_by: object = (),
        eligible: Q | Combinable | None = None,
    ) -> None:
        kind = as_kind(RankKind, kind, "kind")
        rows = RankedRows(order_by, partition_by, eligible)
        super().__init__(When(rows.ranked, then=rank_of(kind, rows.tally)), output_field=rank_field(kind))

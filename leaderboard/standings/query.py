"""The query behind a queryset whose rows carry standings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leaderboard.orm.query import DerivedQuery
from leaderboard.standings.each import first_of_each
from leaderboard.standings.metrics import MetricColumn
from leaderboard.standings.plan import plan
from leaderboard.standings.table import table_of

__all__ = ["LeaderboardQuery"]


class LeaderboardQuery(DerivedQuery):
    """A query whose derived columns are metrics."""

    derived_columns: Mapping[str, MetricColumn] = {}

    def derived_table(self, columns: Mapping[str, MetricColumn]) -> tuple[Any, Sequence[Any]]:
        if (first := first_of_each(self, [*columns.values()])) is not None:
            condition, rows = first
            return rows.table(columns), [condition]
        planned = plan(self, columns)
        return table_of(planned), planned.enforced

"""The query behind a queryset whose rows carry standings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leaderboard.orm.query import DerivedQuery
from leaderboard.standings.counted import counted_table
from leaderboard.standings.each import first_of_each
from leaderboard.standings.member import member_table
from leaderboard.standings.metrics import MetricColumn
from leaderboard.standings.place import Place
from leaderboard.standings.plan import counted_plan, free_levels, plan
from leaderboard.standings.run import Run, run_table
from leaderboard.standings.supposed import supposed_table
from leaderboard.standings.table import table_of

__all__ = ["LeaderboardQuery"]


class LeaderboardQuery(DerivedQuery):
    """A query whose derived columns are metrics."""

    derived_columns: Mapping[str, MetricColumn] = {}

    # Where the one entry stood that the query is for, or the one that counts of a member's, if it is to be
    # counted.
    place: Place | None = None
    of_member = False

    # The run of a board's order that the query is for, and the conditions by which it is that.
    run: tuple[Run, Sequence[Any]] | None = None

    # The row that is supposed to be on a board, and where it would stand there.
    supposed: tuple[Any, Place] | None = None

    def derived_table(self, columns: Mapping[str, MetricColumn]) -> tuple[Any, Sequence[Any]]:
        if self.place is not None and all(
            column.ranking == self.place.ranking for column in columns.values()
        ):
            planned = counted_plan(
                self.model, columns, self.place, free_levels(self), of_member=self.of_member
            )
            return (member_table if self.of_member else counted_table)(planned, self.place), ()
        if self.supposed is not None:
            row, place = self.supposed
            return supposed_table(self.model, columns, place, row, free_levels(self)), ()
        if self.run is not None:
            run, conditions = self.run
            return run_table(self.model, columns, run, free_levels(self)), conditions
        if (first := first_of_each(self, [*columns.values()])) is not None:
            condition, rows = first
            return rows.table(columns), [condition]
        planned = plan(self, columns)
        return table_of(planned), planned.enforced

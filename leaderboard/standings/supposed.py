"""The derived table of an entry that is supposed: the metrics that it would have, were it on its board.

    SELECT standing.id, …, standing._figures1[2] + 1 AS rank, standing._figures1[1] + 1 AS board_size
    FROM (SELECT entry.id, …, (SELECT ARRAY[COUNT(*), …] FROM app_attempt rival WHERE …) AS _figures1
          FROM (SELECT NULL::bigint AS id, 1::bigint AS test_id, 60::integer AS score, …) entry
          OFFSET 0) standing

Those on the board are counted as for one of them, in ``counted.py``; the entry comes beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, F, Model, OrderBy

from leaderboard.expressions.literals import FromText
from leaderboard.expressions.logic import Negation, all_of, equal, not_distinct
from leaderboard.orm.levels import LevelQuery, level_over
from leaderboard.orm.models import key_names
from leaderboard.standings.entries import entry_level
from leaderboard.standings.metrics import MetricColumn
from leaderboard.standings.place import Place
from leaderboard.standings.plan import Levels, counted_plan
from leaderboard.standings.population import Population
from leaderboard.standings.tally import CountedTally, comes_before, is_of_member, plus_one

__all__ = ["supposed_table"]


def supposed_table(
    model: type[Model], columns: Mapping[str, MetricColumn], place: Place, row: Any, levels: Levels
) -> LevelQuery:
    """Return the derived table of one entry, whose columns ``row`` has, and whose ``place`` they make."""
    plan = counted_plan(model, columns, place, levels)
    entries = entry_level(plan)
    entries.query.refuse_multiplied_rows()
    entries.lowest.read_row(row)
    (names,) = entries.rankings
    figures = level_over(entries.query, levels.counting)
    figures.keep_columns()
    standings = level_over(figures, levels.standing, is_fenced=True)
    tally = SupposedTally(plan, place, figures, standings)
    population = Population(
        tally=tally,
        terms=[standings.column(name) for name in names.terms],
        ties=[standings.column(name) for name in names.ties],
        row_column=lambda expression: standings.column(entries.column_of(expression)),
        cut_off=place.ranking.declaration.cut_off,
        ranked=None if tally.superseded is None else Negation(tally.superseded),
        superseded=tally.superseded,
    )
    for name, column in columns.items():
        standings.annotate(name, column.metric.expression(population))
    return standings


class SupposedTally(CountedTally):
    """The numbers of an entry that is not on the board, beside those that are.

    Its member's entries are not among those, nor is what is stored of it. Without a key it comes after those
    with whom it ties.
    """

    @property
    def modified(self) -> Any:
        return plus_one(super().modified)

    @property
    def size(self) -> Any:
        return plus_one(super().size)

    @property
    def ordinal(self) -> Any:
        if self._has_key:
            return super().ordinal
        order = self._by_all[: -len(self._place.key)]
        return self._column("ordinal", lambda: plus_one(self._number(order, or_tied=True)))

    @property
    def _has_key(self) -> bool:
        return all(value.value is not None for value in self._place.key)

    def _rivals(self, level: str | None = None, *, mark: Any = None) -> LevelQuery:
        rows = self._others(level, mark=mark)
        parts = self._declaration.member_parts
        if parts:
            own = zip(parts, self._place.member, strict=True)
            rows.restrict(Negation(all_of([not_distinct(part, value) for part, value in own])))
        return rows

    def _others(self, level: str | None = None, *, mark: Any = None) -> LevelQuery:
        """Return a query for the entries of the board without what is stored of this one."""
        rows = self._population(level, mark=mark)
        if self._has_key:
            own = zip(key_names(self._plan.model), self._place.key, strict=True)
            rows.restrict(Negation(all_of([equal(F(name), value) for name, value in own])))
        return rows

    def _is_superseded(self) -> Any:
        rows = self._others()
        for condition in is_of_member(self._place):
            rows.restrict(condition)
        order: list[tuple[OrderBy, FromText]] = self._counting_order
        if self._has_key:
            rows.restrict(comes_before(order))
        else:
            rows.restrict(comes_before(order[: -len(self._place.key)], or_tied=True))
        rows.ask_existence()
        return Exists(rows)

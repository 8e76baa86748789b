"""The derived table of a run: entries that stand next to one another, their metrics by one counted place.

    SELECT …, CASE WHEN standing.score = 60 AND … THEN standing._competition2
        ELSE standing._competition2 + standing._tied3 - 1 + RANK() OVER (ORDER BY …) END AS rank
    FROM (SELECT counting.*, (SELECT COUNT(*) …) + 1 AS _competition2, (SELECT COUNT(*) …) AS _tied3
          FROM (…) counting OFFSET 0) standing

Which entries these are is found in ``stretch.py``. The place is counted as one entry is, in ``counted.py``.
Between its first row and its last a run has every entry of the board, so only a tie at either end may go on
outside of it. One at the place is counted there; where a rank depends on the other end, the run is read to
the end of the tie, and what is too much left out.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import Case, Count, ExpressionWrapper, Model, OrderBy, Value, When, Window
from django.db.models.functions import DenseRank, RowNumber
from django.db.models.lookups import Exact, LessThanOrEqual

from leaderboard.expressions.fields import BIGINT, BOOLEAN
from leaderboard.expressions.literals import FromText
from leaderboard.expressions.logic import all_of, equal, not_distinct
from leaderboard.expressions.tally import Tally, WindowTally
from leaderboard.orm.levels import LevelQuery, level_over
from leaderboard.orm.trees import holds_query
from leaderboard.orm.written import Slot, Written, WrittenQuery
from leaderboard.standings.entries import entry_level
from leaderboard.standings.metrics import MetricColumn, Ranking
from leaderboard.standings.place import Place
from leaderboard.standings.plan import Levels, can_look_up, run_plan
from leaderboard.standings.population import Population
from leaderboard.standings.shared import is_lasting, written_once
from leaderboard.standings.stretch import order_on, stretch_of, turned
from leaderboard.standings.tally import CountedTally

__all__ = ["Run", "can_be_run", "run_table"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """Where a run begins, how many entries it has, and whether they come after that place or before it.

    The entry that stands at the place is one of them. ``position`` is the one that it must have, ``shown``
    the key of an entry that must be among them, ``nth`` at which position of them if that is given: where
    anything is not so, the run is empty. It is also where too many entries of members are passed over that do
    not count, unless it ``gathers`` those that do. With ``is_first`` the board begins with it.
    """

    place: Place
    later: bool
    count: int
    position: FromText | None = None
    shown: Sequence[FromText] = ()
    nth: int | None = None
    gathers: bool = False
    is_first: bool = False

    @property
    def row(self) -> Sequence[Any]:
        """All values in it, as text."""
        return [*self.place.row, *(value.value for value in self._others)]

    @property
    def _others(self) -> Sequence[FromText]:
        return [*self.shown, *([] if self.position is None else [self.position])]

    @property
    def shape(self) -> Hashable:
        """What runs have in common that differ only in values."""
        nulls = tuple(value is None for value in self.place.row)
        others = self.position is None, self.nth, self.gathers, self.is_first
        return nulls, self.later, self.count, len(self.shown), *others

    def with_slots(self) -> Run:
        """Return the run with a slot for each value that is not NULL."""
        begin = len(self.place.row)
        others = [
            FromText(Slot(begin + number), value.output_field) for number, value in enumerate(self._others)
        ]
        return replace(
            self,
            place=self.place.with_slots(),
            shown=others[: len(self.shown)],
            position=None if self.position is None else others[-1],
        )


def can_be_run(model: type[Model], ranking: Ranking) -> bool:
    """Tell whether a run of a board is read without the rest, and no subquery is to be evaluated below it."""
    declaration = ranking.declaration
    if any(map(holds_query, declaration.row_expressions())):
        return False
    return not declaration.member_parts or can_look_up(model, declaration)


def run_table(
    model: type[Model], columns: Mapping[str, MetricColumn], run: Run, levels: Levels
) -> LevelQuery | WrittenQuery:
    """Return the derived table for the entries of a run."""
    declaration = run.place.ranking.declaration
    shape = run_plan(model, columns, run.place, levels).shape
    if shape is None or not is_lasting(declaration, model):
        return _table(model, columns, run, levels)

    def write(connection: Any) -> Written:
        return Written.of(_table(model, columns, run.with_slots(), levels), connection)

    return WrittenQuery(
        lambda connection: written_once(
            declaration, ("run", shape, run.shape), connection, lambda: write(connection)
        ),
        run.row,
    )


def _table(model: type[Model], columns: Mapping[str, MetricColumn], run: Run, levels: Levels) -> LevelQuery:
    plan = run_plan(model, columns, run.place, levels)
    entries = entry_level(plan)
    for level in (entries.query, entries.lowest):
        level.refuse_multiplied_rows()
    (names,) = entries.rankings
    stretch = stretch_of(plan, entries, run.place, run.count, later=run.later, gathers=run.gathers)
    figures = stretch.level
    standings = level_over(figures, levels.standing, is_fenced=True)
    terms = [standings.column(name) for name in names.terms]
    ties = [standings.column(name) for name in names.ties]
    order = order_on(standings, names, run.place)
    tally = RunTally(
        CountedTally(plan, run.place, figures, standings, is_first=run.is_first),
        order,
        is_tied=all_of([equal(column, value) for column, value in zip(terms, run.place.terms, strict=True)]),
        number_of_terms=len(terms),
        later=run.later,
    )
    population = Population(
        tally=tally,
        terms=terms,
        ties=ties,
        row_column=lambda expression: standings.column(entries.column_of(expression)),
        cut_off=run.place.ranking.declaration.cut_off,
    )
    for name, column in columns.items():
        standings.annotate(name, column.metric.expression(population))
    position = standings.add_column("_position", Window(RowNumber(), order_by=turned(order, run.later)))
    marks = [
        _marked(
            standings, run.place.key, zip([*terms, *ties], [*run.place.terms, *run.place.ties], strict=True)
        )
    ]
    marks += [_marked(standings, run.shown)] if run.shown else []
    ordinal = None if run.position is None else standings.add_column("_ordinal", tally.counted.ordinal)
    stretch.end(with_ties=tally.reads_last_tie)
    rows = level_over(standings, levels.counting)
    rows.keep_columns()
    rows.restrict(LessThanOrEqual(rows.column(position), Value(run.count, BIGINT)))
    held: list[Any] = [rows.column(mark) for mark in marks]
    if run.nth is not None:
        held[-1] = all_of([held[-1], Exact(rows.column(position), Value(run.nth, BIGINT))])
    checks = [rows.add_column("_has", Window(BoolOr(one), output_field=BOOLEAN)) for one in held]
    checked = level_over(rows, levels.standing)
    checked.keep_columns()
    for name in checks:
        checked.restrict(Exact(checked.column(name), Value(True, BOOLEAN)))
    if ordinal is not None:
        checked.restrict(Exact(checked.column(ordinal), run.position))
    return checked


def _marked(standings: LevelQuery, key: Sequence[FromText], values: Iterable[tuple[Any, Any]] = ()) -> str:
    """Return a new column: whether it is the row of a key that has some values."""
    same = [equal(column, value) for column, value in zip(standings.key_columns(), key, strict=True)]
    same += [not_distinct(column, value) for column, value in values]
    return standings.add_column("_mark", all_of(same))


class RunTally(Tally):
    """The numbers of the entries of a run, by those of the place where it begins and windows over the run.

    ``order`` are the terms, ``number_of_terms`` of them, what orders ties, and the key. ``is_tied`` says
    whether an entry ties with the place.
    """

    def __init__(
        self,
        counted: CountedTally,
        order: Sequence[OrderBy],
        *,
        is_tied: Any,
        number_of_terms: int,
        later: bool,
    ) -> None:
        self.counted = counted
        self._terms = list(order[:number_of_terms])
        self._window = WindowTally(self._terms, ties=order[number_of_terms:])
        self._is_tied = is_tied
        self._later = later
        # Whether a number that was asked for depends on how the tie of the last entry goes on.
        self.reads_last_tie = False

    @property
    def _before(self) -> Any:
        """How many of the board come before the whole run."""
        if self._later:
            return self.counted.ordinal - Value(1, BIGINT)
        return self.counted.ordinal - Window(Count("*"), output_field=BIGINT)

    def _at_place(self, number: Any, others: Any) -> Any:
        return Case(When(self._is_tied, then=number), default=others, output_field=BIGINT)

    def _sum(self, number: Any) -> Any:
        return ExpressionWrapper(self._before + number, BIGINT)

    @property
    def competition(self) -> Any:
        if self._later:
            return self._at_place(self.counted.competition, self._sum(self._window.competition))
        self.reads_last_tie = True
        return self._sum(self._window.competition)

    @property
    def modified(self) -> Any:
        if not self._later:
            return self._at_place(self.counted.modified, self._sum(self._window.modified))
        self.reads_last_tie = True
        return self._sum(self._window.modified)

    @property
    def size(self) -> Any:
        return self.counted.size

    @property
    def dense(self) -> Any:
        # The first of the places in the run is that of the entry where it begins.
        nth = Window(DenseRank(), order_by=turned(self._terms, self._later), output_field=BIGINT)
        one = Value(1, BIGINT)
        dense = self.counted.dense
        return ExpressionWrapper(dense - one + nth if self._later else dense + one - nth, BIGINT)

    @property
    def ordinal(self) -> Any:
        return self._sum(self._window.ordinal)

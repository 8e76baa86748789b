"""The derived table of a run: entries that stand next to one another, their metrics by one counted place.

    SELECT …, CASE WHEN standing.score = 60 AND … THEN standing._competition2
        ELSE standing._competition2 + standing._tied3 - 1 + RANK() OVER (ORDER BY …) END AS rank
    FROM (SELECT counting.*, (SELECT COUNT(*) …) + 1 AS _competition2, (SELECT COUNT(*) …) AS _tied3
          FROM (SELECT … FROM app_attempt entry WHERE entry.test_id = 1 AND entry.score <= 60 AND (…)
                ORDER BY entry.score DESC, …, entry.id LIMIT 51) counting OFFSET 0) standing

The place is counted as one entry is, in ``counted.py``. Between its first row and its last a run has every
entry of the board, so only a tie at either end may go on outside of it. One at the place is counted there;
where a rank depends on the other end, the run is read to the end of the tie, and what is too much left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import Case, Count, ExpressionWrapper, Model, OrderBy, Value, When, Window
from django.db.models.functions import DenseRank, RowNumber
from django.db.models.lookups import Exact, LessThanOrEqual

from leaderboard.expressions.bounds import beyond
from leaderboard.expressions.fields import BIGINT, BOOLEAN
from leaderboard.expressions.literals import FromText
from leaderboard.expressions.logic import all_of, equal, not_distinct
from leaderboard.expressions.tally import Tally, WindowTally
from leaderboard.orm.conditions import lookup_on
from leaderboard.orm.levels import LevelQuery, level_over
from leaderboard.orm.trees import holds_query
from leaderboard.standings.counted import CountedTally, order_at
from leaderboard.standings.counting import key_order
from leaderboard.standings.entries import EntryLevel, entry_level
from leaderboard.standings.metrics import MetricColumn, Ranking
from leaderboard.standings.plan import Levels, Place, Plan, can_look_up, pins_at, run_plan
from leaderboard.standings.population import Population

__all__ = ["Run", "can_be_run", "run_table"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """Where a run begins, how many entries it has, and whether they come after that place or before it.

    The entry that stands at the place is one of them. ``position`` is the one that it must have, ``shown``
    the key of an entry that must be among them, ``nth`` at which position of them if that is given: where
    anything is not so, the run is empty.
    """

    place: Place
    later: bool
    count: int
    position: int | None = None
    shown: Sequence[FromText] | None = None
    nth: int | None = None


def can_be_run(model: type[Model], ranking: Ranking) -> bool:
    """Tell whether a run of a board is read without the rest, and no subquery is to be evaluated below it."""
    declaration = ranking.declaration
    if any(map(holds_query, declaration.row_expressions())):
        return False
    return not declaration.member_parts or can_look_up(model, declaration)


def run_table(
    model: type[Model], columns: Mapping[str, MetricColumn], run: Run, levels: Levels
) -> LevelQuery:
    """Return the derived table for the entries of a run."""
    plan = run_plan(model, columns, run.place, levels)
    entries = entry_level(plan)
    for level in (entries.query, entries.lowest):
        level.refuse_multiplied_rows()
    (names,) = entries.rankings
    _restrict(plan, entries, run)
    figures = level_over(entries.query, levels.counting)
    figures.keep_columns()
    standings = level_over(figures, levels.standing, is_fenced=True)
    terms = [standings.column(name) for name in names.terms]
    ties = [standings.column(name) for name in names.ties]
    order = [
        OrderBy(column, term.descending, nulls_last=term.nulls_last or None)
        for column, (term, _) in zip(
            [*terms, *ties, *key_order(standings)], order_at(model, run.place), strict=True
        )
    ]
    tally = RunTally(
        CountedTally(plan, run.place, figures, standings),
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
    position = standings.add_column("_position", Window(RowNumber(), order_by=_turned(order, run.later)))
    marks = [
        _marked(
            standings, run.place.key, zip([*terms, *ties], [*run.place.terms, *run.place.ties], strict=True)
        )
    ]
    marks += [] if run.shown is None else [_marked(standings, run.shown)]
    ordinal = None if run.position is None else standings.add_column("_ordinal", tally.counted.ordinal)
    _limit(entries, figures, run, order_at(model, run.place), with_ties=tally.reads_last_tie)
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
        checked.restrict(Exact(checked.column(ordinal), Value(run.position, BIGINT)))
    return checked


def _marked(standings: LevelQuery, key: Sequence[FromText], values: Iterable[tuple[Any, Any]] = ()) -> str:
    """Return a new column: whether it is the row of a key that has some values."""
    same = [equal(column, value) for column, value in zip(standings.key_columns(), key, strict=True)]
    same += [not_distinct(column, value) for column, value in values]
    return standings.add_column("_mark", all_of(same))


def _restrict(plan: Plan, entries: EntryLevel, run: Run) -> None:
    """Leave only entries of the board that stand at the place or beyond it."""
    (within,) = entries.within
    terms, values = zip(*order_at(plan.model, run.place), strict=True)
    lowest = entries.lowest
    lowest.restrict(beyond(terms, values, later=run.later, or_tied=True))
    pins = pins_at(run.place)
    lowest.restrict_first([lookup_on(within[name], lookup) for name, lookup in pins.items()])
    if entries.rivals is not None:
        rivals = entries.rivals
        own = [lookup_on(rivals.within[name], lookup) for name, lookup in pins.items()]
        lowest.restrict_to_key_of(rivals.query, own)


def _limit(
    entries: EntryLevel, figures: LevelQuery, run: Run, order: Sequence[Any], *, with_ties: bool
) -> None:
    """Let the scan end with the run, or with the tie that its last entry has part in."""
    terms = [term for term, _ in order]
    if with_ties:
        entries.lowest.sort(_turned(terms[: len(run.place.terms)], run.later))
        figures.read_first(run.count)
    else:
        entries.lowest.sort(_turned(terms, run.later))
        entries.lowest.end_after(run.count)


def _turned(order: Sequence[OrderBy], later: bool) -> list[OrderBy]:
    """Return an order as it is read from the place on."""
    if later:
        return list(order)
    return [
        OrderBy(term.expression, not term.descending, nulls_first=True if term.nulls_last else None)
        for term in order
    ]


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
        nth = Window(DenseRank(), order_by=_turned(self._terms, self._later), output_field=BIGINT)
        one = Value(1, BIGINT)
        dense = self.counted.dense
        return ExpressionWrapper(dense - one + nth if self._later else dense + one - nth, BIGINT)

    @property
    def ordinal(self) -> Any:
        return self._sum(self._window.ordinal)

"""The derived table of one entry: its standing by counting, where a window would rank the whole board.

    SELECT standing.id, …, CASE WHEN standing._complete1 THEN standing._competition2 END AS rank
    FROM (SELECT counting.id, …, (SELECT COUNT(*) FROM app_attempt rival
              WHERE rival.test_id = 1 AND … AND rival.score >= 60 AND (rival.score > 60 OR …)) + 1
              AS _competition2
          FROM (SELECT entry.id, … FROM app_attempt entry WHERE entry.id = 7 AND …) counting
          WHERE counting.score IS NOT DISTINCT FROM 60 AND … OFFSET 0) standing

The values of the entry's terms are literals, read by a statement before: by them the planner knows how little
of an index is to be read. Where they are not the entry's any more, the table is empty. Of a row that is read
alone the levels are one, where no figure is used twice: PostgreSQL takes longer to plan three.

What is counted of the others is in ``tally.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

from django.db.models import F
from django.db.models.lookups import Exact, IsNull

from leaderboard.expressions.logic import Negation, all_of, not_distinct
from leaderboard.orm.conditions import lookup_on
from leaderboard.orm.levels import LevelQuery, level_over
from leaderboard.orm.models import key_names
from leaderboard.orm.written import Written, WrittenQuery
from leaderboard.standings.entries import entry_level
from leaderboard.standings.place import Place
from leaderboard.standings.plan import Plan
from leaderboard.standings.population import Population
from leaderboard.standings.shared import is_lasting, written_once
from leaderboard.standings.tally import CountedTally

__all__ = ["counted_table", "written_table"]


def counted_table(plan: Plan, place: Place) -> LevelQuery | WrittenQuery:
    """Return the derived table of a plan for the one entry that stood at ``place``."""
    if place.is_alone:
        # It is written once with what reads it.
        return _table(plan, place, is_one_level=True) or _table(plan, place)
    return written_table(plan, place, _table)


def written_table(
    plan: Plan, place: Place, make: Callable[[Plan, Place], LevelQuery]
) -> LevelQuery | WrittenQuery:
    """Return the table that ``make`` makes of a plan for ``place``, as SQL written once if it can be."""
    declaration, shape = place.ranking.declaration, plan.shape
    if shape is None or not is_lasting(declaration, plan.model):
        return make(plan, place)
    # That is what a condition depends on, beside values.
    nulls = tuple(value is None for value in place.row)

    def write(connection: Any) -> Written:
        slotted = place.with_slots()
        return Written.of(make(plan.at(slotted), slotted), connection)

    return WrittenQuery(
        lambda connection: written_once(
            declaration, ("counted", shape, nulls), connection, lambda: write(connection)
        ),
        place.row,
    )


@overload
def _table(plan: Plan, place: Place) -> LevelQuery: ...
@overload
def _table(plan: Plan, place: Place, *, is_one_level: bool) -> LevelQuery | None: ...
def _table(plan: Plan, place: Place, *, is_one_level: bool = False) -> LevelQuery | None:
    (ranking,) = plan.rankings
    entries = entry_level(plan)
    if is_one_level and entries.query is not entries.lowest:
        return None
    entries.query.refuse_multiplied_rows()
    (columns,), (within,) = entries.rankings, entries.within
    entries.lowest.restrict_first([lookup_on(within[name], lookup) for name, lookup in ranking.pins.items()])
    for name, value in zip(key_names(plan.model), place.key, strict=True):
        entries.lowest.restrict(Exact(F(name), value))
    figures = entries.query
    if not is_one_level:
        figures = level_over(entries.query, plan.levels.counting)
        figures.keep_columns()
    terms = [(figures.column(name), value) for name, value in zip(columns.terms, place.terms, strict=True)]
    ties = [(figures.column(name), value) for name, value in zip(columns.ties, place.ties, strict=True)]
    declaration = ranking.ranking.declaration
    members = zip(declaration.member_parts, place.member, strict=True)
    by_field = declaration.counting.order_by(declaration.collation)
    chosen = [] if by_field is None or place.counting is None else [(by_field.expression, place.counting)]
    for column, value in (*terms, *ties, *members, *chosen):
        figures.restrict(not_distinct(column, value))
    # Fenced: a figure is counted once, however many metrics are made of it.
    standings = figures if is_one_level else level_over(figures, plan.levels.standing, is_fenced=True)
    tally = CountedTally(plan, place, figures, standings)
    complete = standings.column(str(columns.complete))
    superseded = tally.superseded
    population = Population(
        tally=tally,
        terms=[standings.column(name) for name in columns.terms],
        ties=[standings.column(name) for name in columns.ties],
        row_column=lambda expression: standings.column(entries.column_of(expression)),
        cut_off=declaration.cut_off,
        ranked=complete if superseded is None else all_of([complete, Negation(superseded)]),
        excluded=IsNull(complete, True) if columns.may_be_excluded else None,
        pending=Negation(complete),
        superseded=superseded,
    )
    expressions = {name: column.metric.expression(population) for name, column in plan.columns.items()}
    if is_one_level:
        return standings if standings.show_only(expressions) else None
    for name, expression in expressions.items():
        standings.annotate(name, expression)
    return standings

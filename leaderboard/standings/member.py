"""The derived table of one member's entries on a board, of which the one that counts is ranked by counting.

    SELECT standing.id, …,
        CASE WHEN standing._complete1 AND standing._counts0 THEN standing._competition END AS rank
    FROM (SELECT counting.id, …, (SELECT COUNT(*) …) + 1 AS _competition,
              BOOL_OR(CASE WHEN counting._complete1 AND counting._counts0 AND NOT (counting.id = 7
                  AND counting.score IS NOT DISTINCT FROM 60 AND …) THEN true …) OVER () AS _moved
          FROM (SELECT …, ROW_NUMBER() OVER (PARTITION BY …) = 1 AS _counts0 FROM (SELECT …
                FROM app_attempt entry WHERE entry.test_id = 1 AND entry.candidate_id = 3) counting
          ) counting OFFSET 0) standing
    WHERE NOT standing._moved

One of them has a place on the board, so that is counted once, as for one entry in ``counted.py``. Its values
are literals, read by a statement before. Where another entry counts by now, or it stands elsewhere, the table
is empty.
"""

from __future__ import annotations

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import F, Window
from django.db.models.lookups import IsNull

from leaderboard.expressions.fields import BOOLEAN
from leaderboard.expressions.logic import Negation, all_of, equal, is_true, not_distinct
from leaderboard.orm.conditions import lookup_on
from leaderboard.orm.levels import LevelQuery, level_over
from leaderboard.orm.models import key_names
from leaderboard.orm.written import WrittenQuery
from leaderboard.standings.counted import written_table
from leaderboard.standings.counting import counting_level
from leaderboard.standings.entries import entry_level
from leaderboard.standings.place import Place
from leaderboard.standings.plan import Plan
from leaderboard.standings.population import Population
from leaderboard.standings.tally import CountedTally, is_of_member

__all__ = ["member_table"]


def member_table(plan: Plan, place: Place) -> LevelQuery | WrittenQuery:
    """Return the derived table of a plan for the entries of the member of whom one stood at ``place``."""
    return written_table(plan, place, _table)


def _table(plan: Plan, place: Place) -> LevelQuery:
    (ranking,) = plan.rankings
    entries = entry_level(plan)
    (columns,), (within,) = entries.rankings, entries.within
    entries.lowest.restrict_first([lookup_on(within[name], lookup) for name, lookup in ranking.pins.items()])
    for condition in is_of_member(place):
        entries.lowest.restrict(condition)
    for level in (entries.query, entries.lowest):
        level.refuse_multiplied_rows()
    rows, (counting,) = counting_level(plan, entries)
    figures = level_over(rows, plan.levels.counting)
    figures.keep_columns()
    stood = [equal(F(name), value) for name, value in zip(key_names(plan.model), place.key, strict=True)]
    stood += [
        not_distinct(figures.column(name), value)
        for name, value in zip([*columns.terms, *columns.ties], [*place.terms, *place.ties], strict=True)
    ]
    is_ranked = [figures.column(str(columns.complete)), figures.column(str(counting))]
    is_another = is_true(all_of([*is_ranked, Negation(all_of(stood))]))
    moved = figures.add_column("_moved", Window(BoolOr(is_another), output_field=BOOLEAN))
    # Fenced: a figure is counted once, however many metrics are made of it.
    standings = level_over(figures, plan.levels.standing, is_fenced=True)
    standings.restrict(Negation(standings.column(moved)))
    complete, counts = (standings.column(str(name)) for name in (columns.complete, counting))
    population = Population(
        tally=CountedTally(plan, place, figures, standings),
        terms=[standings.column(name) for name in columns.terms],
        ties=[standings.column(name) for name in columns.ties],
        row_column=lambda expression: standings.column(entries.column_of(expression)),
        cut_off=place.ranking.declaration.cut_off,
        ranked=all_of([complete, counts]),
        excluded=IsNull(complete, True) if columns.may_be_excluded else None,
        pending=Negation(complete),
        superseded=Negation(counts),
    )
    for name, column in plan.columns.items():
        standings.annotate(name, column.metric.expression(population))
    return standings

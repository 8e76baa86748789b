"""The derived table of a plan: up to three levels, each a query over the one below.

1. *entry* (``entries.py``): what is known of each entry from its own row;
2. *counting* (``counting.py``), only with members: which of a member's entries counts;
3. *standing*, here: the metrics.

::

    SELECT standing.id, …,
        CASE WHEN standing._complete1 THEN RANK() OVER (
            PARTITION BY standing._complete1 ORDER BY standing.score DESC, standing._term0) END AS rank,
        COUNT(1) FILTER (WHERE standing._complete1) OVER () AS board_size
    FROM (SELECT entry.id, … FROM app_attempt entry WHERE entry.test_id = 1) standing

PostgreSQL flattens a level that has no window function. All but the conditions for the boards of a view
depends on the declaration only; it is prepared once and copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import OrderBy
from django.db.models.lookups import IsNull

from leaderboard.expressions.logic import InSubquery, Negation, all_of, any_of
from leaderboard.expressions.tally import WindowTally
from leaderboard.orm.conditions import lookup_on
from leaderboard.orm.levels import LevelQuery, level_over
from leaderboard.orm.models import base_query
from leaderboard.standings.counting import counting_level, key_order
from leaderboard.standings.entries import EntryLevel, RankingColumns, entry_level
from leaderboard.standings.plan import Plan, RankingPlan
from leaderboard.standings.population import Population
from leaderboard.standings.shared import is_shareable

__all__ = ["table_of"]


def table_of(plan: Plan) -> LevelQuery:
    """Return the derived table of ``plan``."""
    template = _template(plan)
    entries = _entries_of_boards(plan, template.entries)
    return template.standings.copied(entries)


@dataclass(frozen=True)
class Template:
    """The levels of a table that are not yet limited to the boards of a view."""

    entries: EntryLevel
    standings: LevelQuery


def _template(plan: Plan) -> Template:
    shape = plan.shape
    declaration = plan.rankings[0].ranking.declaration
    if shape is None or not is_shareable(declaration, plan.model):
        return _prepare(plan)
    # By the default time zone, a date in a cut-off becomes a time.
    key = ("template", shape, settings.USE_TZ, settings.TIME_ZONE)
    template: Template | None = declaration.prepared(key, lambda: _shareable(_prepare(plan)))
    return template or _prepare(plan)


def _shareable(template: Template) -> Template | None:
    """Return a template for other queries to use; None where its values may differ for them."""
    levels = (template.standings, template.entries.query, template.entries.lowest)
    return template if all(level.is_fixed() for level in levels) else None


def _prepare(plan: Plan) -> Template:
    entries = entry_level(plan)
    for level in (entries.query, entries.lowest):
        level.refuse_multiplied_rows()
    if plan.is_counted:
        return Template(entries, _without_columns(entries))
    counted, counting = counting_level(plan, entries)
    standings = level_over(counted, plan.levels.standing, first=plan.first)
    rankings = zip(plan.rankings, entries.rankings, counting, strict=True)
    populations = {
        ranking.ranking: _population(standings, ranking, columns, name, entries)
        for ranking, columns, name in rankings
    }
    for name, column in plan.columns.items():
        standings.annotate(name, column.metric.expression(populations[column.ranking]))
    return Template(entries, standings)


def _without_columns(entries: EntryLevel) -> LevelQuery:
    """Return a table with a row for each ranked entry, in which there is nothing to read.

    ``SELECT entry.candidate_id FROM … WHERE … GROUP BY entry.candidate_id``: of each member one entry counts,
    whichever it is.
    """
    (columns,) = entries.rankings
    if columns.member:
        entries.query.keep_distinct(columns.member)
    return entries.query


def _population(
    standings: LevelQuery,
    ranking: RankingPlan,
    columns: RankingColumns,
    counting: str | None,
    entries: EntryLevel,
) -> Population:
    declaration = ranking.ranking.declaration
    terms = [standings.column(name) for name in columns.terms]
    ties = [standings.column(name) for name in columns.ties]
    ranked = excluded = pending = superseded = None
    if columns.complete is not None:
        complete = ranked = standings.column(columns.complete)
        excluded = IsNull(complete, True) if columns.may_be_excluded else None
        pending = Negation(complete)
        if counting is not None:
            counts = standings.column(counting)
            superseded = Negation(counts)
            ranked = all_of([complete, counts])
    return Population(
        tally=WindowTally(
            [OrderBy(column, term.descending) for column, term in zip(terms, declaration.terms, strict=True)],
            partition_by=[standings.column(name) for name in columns.partition],
            ranked=ranked,
            by_subquery=ranking.ranking.view is not None or base_query(entries.query.model) is not None,
            ties=[
                *(
                    OrderBy(column, tie.descending, nulls_last=True)
                    for column, tie in zip(ties, declaration.ties_by, strict=True)
                ),
                *map(OrderBy, key_order(standings)),
            ],
        ),
        terms=terms,
        ties=ties,
        row_column=lambda expression: standings.column(entries.column_of(expression)),
        cut_off=declaration.cut_off,
        ranked=ranked,
        excluded=excluded,
        pending=pending,
        superseded=superseded,
    )


# The boards of a view


def _entries_of_boards(plan: Plan, entries: EntryLevel) -> LevelQuery:
    """Return the level of entries without those of boards that the view does not show."""
    query = entries.lowest.copied_level()
    query.refer_to(plan.outer_aliases)
    (first, *_), (within, *_) = plan.rankings, entries.within
    conditions = [lookup_on(within[name], first.pins[name]) for name in first.pins if name in first.shared]
    scopes = [
        _scope(query, ranking, within) for ranking, within in zip(plan.rankings, entries.within, strict=True)
    ]
    # Correct without, but slow.
    if all(scopes):
        conditions.append(any_of([all_of(scope) for scope in scopes]))
    query.restrict_first(conditions)
    if entries.rivals is not None:
        rivals = entries.rivals
        pins = [lookup_on(rivals.within[name], lookup) for name, lookup in first.pins.items()]
        query.restrict_to_key_of(rivals.query, pins)
    return query


def _scope(query: LevelQuery, ranking: RankingPlan, within: dict[str, Any]) -> Sequence[Any]:
    """Return the conditions for an entry to be on a board of the view, without the shared ones."""
    scope = [
        lookup_on(within[name], lookup) for name, lookup in ranking.pins.items() if name not in ranking.shared
    ]
    if ranking.boards is not None:
        parts = [within[name] for name in ranking.free]
        boards = InSubquery(*parts, ranking.boards, or_null=any(map(query.may_be_null, parts)))
        scope.append(boards.resolve_expression(query))
    return scope

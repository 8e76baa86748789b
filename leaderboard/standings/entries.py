"""The lowest level: entries, with what is known of each from its own row.

    SELECT entry.id, …,
        entry.finished_at - entry.started_at AS _term0,
        (CASE WHEN NOT entry.disqualified THEN entry.score IS NOT NULL AND … END)::boolean AS _complete1,
        entry.score >= entry1.cut_off AS _cut_off2
    FROM app_attempt entry JOIN app_test entry1 ON … WHERE entry.test_id = 1

``_complete1`` is NULL where the entry is not eligible and false where a term is NULL. A table of ranked
entries only has the conditions in place of the column::

    … WHERE entry.test_id = 1 AND NOT entry.disqualified AND entry.score IS NOT NULL AND …

Where the first of a board are all that is asked for, it ends after those, with all that tie with the last::

    … ORDER BY entry.score DESC, entry.finished_at - entry.started_at FETCH FIRST 3 ROWS WITH TIES

Where a declaration holds subqueries, a level below evaluates them, once a row, and is the lowest::

    … FROM (SELECT value.id, …, (SELECT …) AS _value0 FROM app_attempt value WHERE … OFFSET 0) entry
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import OrderBy

from leaderboard.declaration.coverage import size_index
from leaderboard.expressions.logic import is_true
from leaderboard.orm.levels import LevelQuery, level_of, level_over
from leaderboard.orm.trees import holds_query
from leaderboard.standings.columns import Columns
from leaderboard.standings.eligibility import completeness, eligibility, marked
from leaderboard.standings.plan import Members, Plan, RankingPlan
from leaderboard.standings.rivals import Rivals, rivals_of

__all__ = ["EntryLevel", "RankingColumns", "entry_level"]


@dataclass(frozen=True, kw_only=True)
class RankingColumns:
    """The columns of the level that are one ranking's.

    ``complete`` is None where the level holds ranked entries only; ``member`` is empty where members need not
    be told apart, and ``counting`` None where their entries need not be numbered, or the best one counts.
    """

    partition: Sequence[str]
    terms: Sequence[str]
    ties: Sequence[str]
    complete: str | None
    may_be_excluded: bool
    member: Sequence[str]
    counting: str | None


@dataclass(frozen=True, kw_only=True)
class EntryLevel:
    """The level of entries, not yet limited to the boards of a view.

    ``lowest`` is the level that is to be limited: this one, unless it reads subqueries from one below.
    ``rankings`` are the columns of each ranking, ``within`` what the parts of its ``within`` are there.
    """

    query: LevelQuery
    lowest: LevelQuery
    rankings: Sequence[RankingColumns]
    within: Sequence[dict[str, Any]]
    rivals: Rivals | None
    columns: Columns

    def column_of(self, expression: Any) -> str:
        """Return the name of the column that holds an expression over the entry's own row."""
        name = self.columns.known(expression)
        if name is None:
            raise LookupError(f"{expression!r} is not among the row_values() of its cut-off rule or metric.")
        return name


def entry_level(plan: Plan) -> EntryLevel:
    """Return the level of entries that ``plan`` needs."""
    values = _value_level(plan)
    if values is None:
        lowest = query = level_of(plan.model, plan.levels.entry)
    else:
        lowest = values.query
        query = level_over(lowest, plan.levels.entry, is_fenced=True)
    within = [lowest.resolved(ranking.ranking.declaration.within) for ranking in plan.rankings]
    columns = Columns(query, values)
    rankings = [_ranking_columns(plan, ranking, columns) for ranking in plan.rankings]
    for value in _row_values(plan):
        columns.add("cut_off", value)
    return EntryLevel(
        query=query,
        lowest=lowest,
        rankings=rankings,
        within=within,
        rivals=rivals_of(plan, plan.rankings[0], query) if plan.members is Members.LOOKED_UP else None,
        columns=columns,
    )


def _row_values(plan: Plan) -> Iterator[Any]:
    for column in plan.columns.values():
        yield from column.metric.row_values(column.ranking.declaration)


def _value_level(plan: Plan) -> Columns | None:
    """Return the level that evaluates subqueries of declarations once a row; None where there are none."""
    used = [value for ranking in plan.rankings for value in _used(plan, ranking)]
    slow = [value for value in (*used, *_row_values(plan)) if holds_query(value)]
    if not slow:
        return None
    columns = Columns(level_of(plan.model, plan.levels.value))
    for value in slow:
        columns.add("value", value)
    terms = plan.rankings[0].ranking.declaration.terms
    in_order = plan.only_ranked and not plan.is_counted
    if in_order and not any(holds_query(term.expression) for term in terms):
        columns.query.sort([OrderBy(term.expression, term.descending) for term in terms])
    return columns


def _used(plan: Plan, ranking: RankingPlan) -> Iterator[Any]:
    declaration = ranking.ranking.declaration
    yield from (declaration.within[name] for name in ranking.partition)
    yield from (term.expression for term in (*declaration.terms, *declaration.ties_by))
    yield from declaration.member_parts
    if declaration.eligible and not plan.only_ranked:
        yield is_true(declaration.eligible)


def _ranking_columns(plan: Plan, ranking: RankingPlan, columns: Columns) -> RankingColumns:
    declaration = ranking.ranking.declaration
    partition = [columns.add("within", declaration.within[name]) for name in ranking.partition]
    terms = [columns.add("term", term.expression) for term in declaration.terms]
    ties = [columns.add("tie", tie.expression) for tie in declaration.ties_by]
    eligible = eligibility(plan.model, ranking, columns)
    size = size_index(plan.model, declaration) if plan.members is Members.COUNTED else None
    present = completeness(declaration, columns, mark=None if size is None else size.mark)
    complete = None
    if plan.only_ranked:
        for condition in (*eligible, *present):
            columns.query.restrict(condition)
        if plan.first is not None:
            columns.query.sort(
                [OrderBy(columns.here(term.expression), term.descending) for term in declaration.terms]
            )
    else:
        complete = columns.add("complete", marked(eligible, present))
    numbered = bool(declaration.member_parts) and plan.members is Members.NUMBERED
    order = declaration.counting.order_by(declaration.collation) if numbered else None
    told_apart = numbered or plan.members is Members.COUNTED
    return RankingColumns(
        partition=partition,
        terms=terms,
        ties=ties,
        complete=complete,
        may_be_excluded=bool(eligible),
        member=[columns.add("member", part) for part in declaration.member_parts] if told_apart else [],
        counting=None if order is None else columns.add("counting", order.expression),
    )

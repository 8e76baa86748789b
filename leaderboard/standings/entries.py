"""The lowest level: entries, with what is known of each from its own row.

    SELECT entry.id, …,
        entry.finished_at - entry.started_at AS _term0,
        (CASE WHEN NOT entry.disqualified THEN entry.score IS NOT NULL AND … END)::boolean AS _complete1,
        entry.score >= entry1.cut_off AS _cut_off2
    FROM app_attempt entry JOIN app_test entry1 ON … WHERE entry.test_id = 1

``_complete1`` is NULL where the entry is not eligible and false where a term is NULL. A table of ranked
entries only has the conditions in place of the column::

    … WHERE entry.test_id = 1 AND NOT entry.disqualified AND entry.score IS NOT NULL AND …
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, F, OrderBy, Q, When
from django.db.models.functions import Cast

from leaderboard.declaration.leaderboard import Leaderboard
from leaderboard.expressions.fields import BOOLEAN, is_text
from leaderboard.expressions.logic import InSubquery, all_of, not_null
from leaderboard.expressions.terms import Term
from leaderboard.kinds import Counting
from leaderboard.orm.levels import LevelQuery, level_of
from leaderboard.orm.models import base_query, own_field
from leaderboard.orm.query import keys_of
from leaderboard.orm.trees import same, unshared
from leaderboard.standings.plan import Plan, RankingPlan

__all__ = ["EntryLevel", "RankingColumns", "Rivals", "entry_level"]


@dataclass(frozen=True, kw_only=True)
class RankingColumns:
    """The columns of the level that are one ranking's.

    ``complete`` is None where the level holds ranked entries only; ``member`` and ``counting`` are None
    where a member's entries need not be numbered, or the best one counts.
    """

    partition: Sequence[str]
    terms: Sequence[str]
    complete: str | None
    may_be_excluded: bool
    member: str | None
    counting: str | None


@dataclass(frozen=True, kw_only=True)
class Rivals:
    """The subquery for a member's counting entry, not yet limited to a board."""

    query: LevelQuery
    within: dict[str, Any]


@dataclass(kw_only=True)
class EntryLevel:
    """The level of entries, not yet limited to the boards of a view.

    ``rankings`` are the columns of each ranking, ``within`` what the parts of its ``within`` are here.
    """

    query: LevelQuery
    rankings: Sequence[RankingColumns]
    within: Sequence[dict[str, Any]]
    rivals: Rivals | None
    _columns: list[tuple[Any, str]] = field(default_factory=list)

    def column_of(self, expression: Any) -> str:
        """Return the name of the column that holds an expression over the entry's own row."""
        name = _known_column(self.query, self._columns, expression)
        if name is None:
            raise LookupError(f"{expression!r} is not among the row_values() of its cut-off rule or metric.")
        return name


def entry_level(plan: Plan) -> EntryLevel:
    """Return the level of entries that ``plan`` needs."""
    query = level_of(plan.model, plan.levels.entry)
    columns: list[tuple[Any, str]] = []

    def add(name: str, expression: Any) -> str:
        known = _known_column(query, columns, expression)
        if known is None:
            known = query.add_column(f"_{name}{query.added}", expression)
            columns.append((expression, known))
        return known

    within = [query.resolved(ranking.ranking.declaration.within) for ranking in plan.rankings]
    rankings = [_ranking_columns(plan, ranking, query, add) for ranking in plan.rankings]
    for column in plan.columns.values():
        for value in column.metric.row_values(column.ranking.declaration):
            add("cut_off", value)
    return EntryLevel(
        query=query,
        rankings=rankings,
        within=within,
        rivals=_rivals(plan, plan.rankings[0], query) if plan.looks_up_members else None,
        _columns=columns,
    )


def _known_column(query: LevelQuery, columns: Sequence[tuple[Any, str]], expression: Any) -> str | None:
    source = expression.source if isinstance(expression, Term) else expression
    own = own_field(query.model, source)
    # A text is no column of the model's: a term of it has a collation.
    if own is not None and not is_text(own):
        return str(own.column)
    return next((column for known, column in columns if same(known, expression)), None)


def _ranking_columns(plan: Plan, ranking: RankingPlan, query: LevelQuery, add: Any) -> RankingColumns:
    declaration = ranking.ranking.declaration
    partition = [add("within", declaration.within[name]) for name in ranking.partition]
    terms = [add("term", term.expression) for term in declaration.terms]
    conditions = _eligibility(plan, ranking)
    complete = None
    if plan.only_ranked:
        _restrict_to_ranked(query, conditions, declaration)
    else:
        present = all_of([not_null(term.expression) for term in declaration.terms])
        # One column, evaluated once: NULL where the entry is not eligible, false where a term is NULL.
        if conditions:
            # Cast, since the NULL of a condition that Django knows to be empty would be text.
            present = Cast(Case(When(Q(*conditions), then=present)), BOOLEAN)
        complete = add("complete", present)
    numbered = declaration.member is not None and not plan.looks_up_members
    order = counting_order(declaration) if numbered else None
    return RankingColumns(
        partition=partition,
        terms=terms,
        complete=complete,
        may_be_excluded=bool(conditions),
        member=add("member", F(str(declaration.member))) if numbered else None,
        counting=None if order is None else add("counting", order.expression),
    )


def counting_order(declaration: Leaderboard) -> OrderBy | None:
    """Return by what a member's entry counts; None where it is the best one, by the ordering terms."""
    counting = declaration.counting
    if counting.kind is Counting.BEST:
        return None
    latest = counting.kind is Counting.LATEST
    return OrderBy(Term(F(str(counting.field)), declaration.collation), latest, nulls_last=True)


def _eligibility(plan: Plan, ranking: RankingPlan) -> list[Any]:
    """Return the conditions for an entry to be eligible, those that the declaration implies too."""
    declaration = ranking.ranking.declaration
    conditions: list[Any] = [declaration.eligible] if declaration.eligible else []
    if declaration.member is not None:
        conditions.append(Q((f"{declaration.member}__isnull", False)))
    conditions += [not_null(declaration.within[name]) for name in ranking.free]
    if (stored := base_query(plan.model)) is not None:
        conditions.append(InSubquery(F("pk"), keys_of(stored)))
    if ranking.ranking.view is not None:
        conditions.append(InSubquery(F("pk"), ranking.ranking.view))
    return conditions


def _restrict_to_ranked(query: LevelQuery, eligibility: Sequence[Any], declaration: Leaderboard) -> None:
    """Leave only entries that are eligible and have no NULL term."""
    for condition in eligibility:
        query.restrict(condition)
    for term in declaration.terms:
        query.restrict(not_null(term.expression))


def _rivals(plan: Plan, ranking: RankingPlan, entries: LevelQuery) -> Rivals:
    """Return the subquery for the counting entry of an entry's member.

    A correlated subquery with a limit, since the planner runs it for the rows that it reads: an
    anti-join reads the whole board before the first row.
    """
    declaration = ranking.ranking.declaration
    rivals = level_of(plan.model, plan.levels.rival)
    within = rivals.resolved(declaration.within)
    _restrict_to_ranked(rivals, _eligibility(plan, ranking), declaration)
    by_field = counting_order(declaration)
    # Resolved when it is compiled, as the ordering of a query whose aliases stay as they are.
    terms = [OrderBy(unshared(term.expression), term.descending) for term in declaration.terms]
    order = terms if by_field is None else [by_field]
    rivals.first_by(str(declaration.member), [*order, OrderBy(Term(F("pk")))])
    return Rivals(query=rivals.resolved_within(entries), within=within)

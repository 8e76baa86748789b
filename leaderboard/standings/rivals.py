"""Which of a member's entries counts, looked up row by row, so that a scan can stop early.

    … WHERE CASE WHEN entry.id = (SELECT rival.id FROM app_attempt rival
        WHERE rival.candidate_id = entry.candidate_id AND … ORDER BY rival.score DESC, rival.id LIMIT 1)
        THEN true ELSE false END

What finds the counting entries of all members instead is in ``counting.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import F, OrderBy

from leaderboard.expressions.terms import Term
from leaderboard.orm.levels import LevelQuery, level_of
from leaderboard.standings.columns import Columns
from leaderboard.standings.eligibility import completeness, eligibility
from leaderboard.standings.plan import Plan, RankingPlan

__all__ = ["Rivals", "rivals_of"]


@dataclass(frozen=True, kw_only=True)
class Rivals:
    """The subquery for a member's counting entry, not yet limited to a board."""

    query: LevelQuery
    within: dict[str, Any]


def rivals_of(plan: Plan, ranking: RankingPlan, entries: LevelQuery) -> Rivals:
    """Return the subquery for the counting entry of an entry's member.

    A correlated subquery with a limit, since the planner runs it for the rows that it reads: an
    anti-join reads the whole board before the first row.
    """
    declaration = ranking.ranking.declaration
    rivals = level_of(plan.model, plan.levels.rival)
    within = rivals.resolved(declaration.within)
    columns = Columns(rivals)
    for condition in (*eligibility(plan.model, ranking, columns), *completeness(declaration, columns)):
        rivals.restrict(condition)
    by_field = declaration.counting.order_by(declaration.collation)
    # Resolved when it is compiled, as the ordering of a query whose aliases stay as they are.
    terms = [OrderBy(term.expression, term.descending) for term in declaration.terms]
    order = terms if by_field is None else [by_field]
    rivals.first_by(str(declaration.member), [*order, OrderBy(Term(F("pk")))])
    return Rivals(query=rivals.resolved_within(entries), within=within)

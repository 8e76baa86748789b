"""Which entries are kept out of the ranking: those that are not eligible, and those with a NULL term."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Case, F, Model, Q, When
from django.db.models.functions import Cast

from leaderboard.declaration.leaderboard import Leaderboard
from leaderboard.expressions.fields import BOOLEAN
from leaderboard.expressions.logic import InSubquery, all_of, any_of, is_true, not_null
from leaderboard.expressions.terms import as_written
from leaderboard.orm.columns import DerivedColumn
from leaderboard.orm.models import base_query, key_parts
from leaderboard.orm.views import keys_of
from leaderboard.standings.columns import Columns
from leaderboard.standings.plan import RankingPlan

__all__ = ["completeness", "eligibility", "marked"]


def eligibility(model: type[Model], ranking: RankingPlan, columns: Columns) -> list[Any]:
    """Return the conditions for an entry to be eligible, those that the declaration implies too."""
    declaration = ranking.ranking.declaration
    conditions: list[Any] = []
    if declaration.eligible:
        # Where it is a column of the level below, that says whether it is true.
        value = columns.here(is_true(declaration.eligible))
        conditions.append(value if isinstance(value, DerivedColumn) else declaration.eligible)
    if isinstance(declaration.member, str):
        conditions.append(Q((f"{declaration.member}__isnull", False)))
    elif declaration.member_parts:
        conditions.append(any_of([not_null(columns.here(part)) for part in declaration.member_parts]))
    if not declaration.null_is_a_board:
        conditions += [not_null(columns.here(declaration.within[name])) for name in ranking.free]
    keys = key_parts(model)
    if (stored := base_query(model)) is not None:
        conditions.append(InSubquery(*keys, keys_of(stored)))
    if ranking.ranking.view is not None:
        conditions.append(InSubquery(*keys, ranking.ranking.view))
    return conditions


def completeness(declaration: Leaderboard, columns: Columns, *, mark: Any = None) -> list[Any]:
    """Return the conditions for an entry to have no NULL term; ``mark`` is one for all expressions."""
    terms = [term.expression for term in declaration.terms if mark is None or isinstance(as_written(term), F)]
    present = [not_null(columns.here(term)) for term in terms]
    return present if mark is None else [*present, mark]


def marked(eligible: Sequence[Any], present: Sequence[Any]) -> Any:
    """Return one expression: NULL where the entry is not eligible, false where a term is NULL, else true."""
    complete = all_of(present)
    # Cast, since the NULL of a condition that Django knows to be empty would be text.
    return Cast(Case(When(Q(*eligible), then=complete)), BOOLEAN) if eligible else complete

"""The lowest level: entries, with what is known of each from its own row.

    SELECT entry.id, …,
        entry.finished_at - entry.started_at AS _term0,
        (CASE WHEN NOT entry.disqualified THEN entry.score IS NOT NULL AND … END)::boolean AS _complete1,
        entry.score >= entry1.cut_off AS _cut_off2
    FROM app_attempt entry JOIN app_test entry1 ON … WHERE entry.test_id = 1

``_complete1`` is NULL where the entry is not eligible and false where a term is NULL. A table of ranked
entries only has the conditions in place of the column::

    … WHERE entry.test_id = 1 AND NOT entry.disqualified AND entry.score IS NOT NULL AND …

Where a declaration holds subqueries, a level below evaluates them, once a row, and is the lowest::

    … FROM (SELECT value.id, …, (SELECT …) AS _value0 FROM app_attempt value WHERE … OFFSET 0) entry
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, F, OrderBy, Q, When
from django.db.models.functions import Cast

from leaderboard.declaration.leaderboard import Leaderboard
from leaderboard.expressions.fields import BOOLEAN, is_text
from leaderboard.expressions.logic import InSubquery, all_of, any_of, is_true, not_null
from leaderboard.expressions.terms import Term
from leaderboard.kinds import Counting
from leaderboard.orm.columns import DerivedColumn
from leaderboard.orm.levels import LevelQuery, level_of, level_over
from leaderboard.orm.models import base_query, key_parts, own_field
from leaderboard.orm.query import keys_of
from leaderboard.orm.trees import holds_query, same, unshared
from leaderboard.standings.plan import Plan, RankingPlan

__all__ = ["EntryLevel", "RankingColumns", "Rivals", "entry_level"]


@dataclass(frozen=True, kw_only=True)
class RankingColumns:
    """The columns of the level that are one ranking's.

    ``complete`` is None where the level holds ranked entries only; ``member`` is empty and ``counting`` None
    where a member's entries need not be numbered, or the best one counts.
    """

    partition: Sequence[str]
    terms: Sequence[str]
    ties: Sequence[str]
    complete: str | None
    may_be_excluded: bool
    member: Sequence[str]
    counting: str | None


@dataclass(frozen=True, kw_only=True)
class Rivals:
    """The subquery for a member's counting entry, not yet limited to a board."""

    query: LevelQuery
    within: dict[str, Any]


class Columns:
    """The columns that a level adds to those of the model, one for each expression."""

    def __init__(self, query: LevelQuery, values: Columns | None = None) -> None:
        self.query = query
        self._values = values
        self._added: list[tuple[Any, str]] = []

    def known(self, expression: Any) -> str | None:
        source = expression.source if isinstance(expression, Term) else expression
        own = own_field(self.query.model, source)
        # A text is no column of the model's: a term of it has a collation.
        if own is not None and not is_text(own):
            return str(own.column)
        return next((column for known, column in self._added if same(known, expression)), None)

    def add(self, name: str, expression: Any) -> str:
        """Return the column for an expression, a new one unless there is one already."""
        column = self.known(expression)
        if column is None:
            column = self.query.add_column(f"_{name}{self.query.added}", self.here(expression))
            self._added.append((expression, column))
        return column

    def here(self, expression: Any) -> Any:
        """Return an expression over the entry's own row, or the column in which the level below has it."""
        evaluated = self._values is not None and holds_query(expression)
        value = self._values.known(expression) if self._values is not None and evaluated else None
        return expression if value is None else self.query.column(value)


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
        rivals=_rivals(plan, plan.rankings[0], query) if plan.looks_up_members else None,
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
    if plan.only_ranked and not any(holds_query(term.expression) for term in terms):
        columns.query.sort([OrderBy(unshared(term.expression), term.descending) for term in terms])
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
    conditions = _eligibility(plan, ranking, columns)
    present = [not_null(columns.here(term.expression)) for term in declaration.terms]
    complete = None
    if plan.only_ranked:
        for condition in (*conditions, *present):
            columns.query.restrict(condition)
    else:
        marked = all_of(present)
        # One column, evaluated once: NULL where the entry is not eligible, false where a term is NULL.
        if conditions:
            # Cast, since the NULL of a condition that Django knows to be empty would be text.
            marked = Cast(Case(When(Q(*conditions), then=marked)), BOOLEAN)
        complete = columns.add("complete", marked)
    numbered = bool(declaration.member_parts) and not plan.looks_up_members
    order = counting_order(declaration) if numbered else None
    return RankingColumns(
        partition=partition,
        terms=terms,
        ties=ties,
        complete=complete,
        may_be_excluded=bool(conditions),
        member=[columns.add("member", part) for part in declaration.member_parts] if numbered else [],
        counting=None if order is None else columns.add("counting", order.expression),
    )


def counting_order(declaration: Leaderboard) -> OrderBy | None:
    """Return by what a member's entry counts; None where it is the best one, by the ordering terms."""
    counting = declaration.counting
    if counting.kind is Counting.BEST:
        return None
    latest = counting.kind is Counting.LATEST
    return OrderBy(Term(F(str(counting.field)), declaration.collation), latest, nulls_last=True)


def _eligibility(plan: Plan, ranking: RankingPlan, columns: Columns) -> list[Any]:
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
    keys = key_parts(plan.model)
    if (stored := base_query(plan.model)) is not None:
        conditions.append(InSubquery(*keys, keys_of(stored)))
    if ranking.ranking.view is not None:
        conditions.append(InSubquery(*keys, ranking.ranking.view))
    return conditions


def _rivals(plan: Plan, ranking: RankingPlan, entries: LevelQuery) -> Rivals:
    """Return the subquery for the counting entry of an entry's member.

    A correlated subquery with a limit, since the planner runs it for the rows that it reads: an
    anti-join reads the whole board before the first row.
    """
    declaration = ranking.ranking.declaration
    rivals = level_of(plan.model, plan.levels.rival)
    within = rivals.resolved(declaration.within)
    for condition in _eligibility(plan, ranking, Columns(rivals)):
        rivals.restrict(condition)
    for term in declaration.terms:
        rivals.restrict(not_null(term.expression))
    by_field = counting_order(declaration)
    # Resolved when it is compiled, as the ordering of a query whose aliases stay as they are.
    terms = [OrderBy(unshared(term.expression), term.descending) for term in declaration.terms]
    order = terms if by_field is None else [by_field]
    rivals.first_by(str(declaration.member), [*order, OrderBy(Term(F("pk")))])
    return Rivals(query=rivals.resolved_within(entries), within=within)

"""The level between, only with members: which of a member's entries counts.

    SELECT counting.id, …, counting._term0, counting._complete1,
        ROW_NUMBER() OVER (PARTITION BY counting.candidate_id, counting._complete1
            ORDER BY counting.score DESC, counting._term0, counting.id) = 1 AS _counts0
    FROM (SELECT entry.id, … FROM app_attempt entry WHERE …) counting

Over ranked entries only it has no others: no row is numbered and handed on to be left out above.

    SELECT DISTINCT ON (counting.candidate_id) counting.id, …, counting._term0
    FROM (SELECT entry.id, … FROM app_attempt entry WHERE …) counting
    ORDER BY counting.candidate_id, counting.score DESC, counting._term0, counting.id

Where indexes serve it, the counting entry is looked up instead: ``rivals.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import OrderBy, Value, Window
from django.db.models.functions import RowNumber

from leaderboard.declaration.leaderboard import Leaderboard
from leaderboard.expressions.fields import BIGINT
from leaderboard.expressions.logic import equal
from leaderboard.expressions.terms import Term
from leaderboard.orm.levels import LevelQuery, level_over
from leaderboard.standings.entries import EntryLevel, RankingColumns
from leaderboard.standings.plan import Plan

__all__ = ["counting_level", "keep_counting", "key_order"]


def counting_level(plan: Plan, entries: EntryLevel) -> tuple[LevelQuery, Sequence[str | None]]:
    """Return the level that tells the counting entries, and for each ranking the column that does.

    None for one that needs no column, since all entries of the level count. Where no ranking needs a level of
    its own it is that of entries.
    """
    if not any(columns.member for columns in entries.rankings):
        return entries.query, [None for _ in plan.rankings]
    query = level_over(entries.query, plan.levels.counting)
    query.keep_columns()
    if plan.only_ranked:
        (ranking,), (columns,) = plan.rankings, entries.rankings
        keep_counting(query, ranking.ranking.declaration, columns)
        return query, [None]
    names: list[str | None] = []
    for position, (ranking, columns) in enumerate(zip(plan.rankings, entries.rankings, strict=True)):
        if not columns.member:
            names.append(None)
            continue
        # The sorts to come carry a truth value in place of a number eight times as wide.
        counts = equal(_position_among_own(query, ranking.ranking.declaration, columns), Value(1))
        names.append(query.add_column(f"_counts{position}", counts))
    return query, names


def keep_counting(query: LevelQuery, declaration: Leaderboard, columns: RankingColumns) -> None:
    """Leave only the entry of each member that counts, in a level over ranked entries of one board."""
    query.keep_first(columns.member, _own_order(query, declaration, columns))


def _position_among_own(query: LevelQuery, declaration: Leaderboard, columns: RankingColumns) -> Window:
    """Return the position of an entry among its member's, by which the first one counts."""
    # Those that are not complete are no rivals of those that are.
    return Window(
        RowNumber(),
        partition_by=[
            query.column(str(name)) for name in (*columns.partition, *columns.member, columns.complete)
        ],
        order_by=_own_order(query, declaration, columns),
        output_field=BIGINT,
    )


def _own_order(query: LevelQuery, declaration: Leaderboard, columns: RankingColumns) -> list[OrderBy]:
    """Return the order of a member's entries, of which the first one counts."""
    by_field = declaration.counting.order_by(declaration.collation)
    if by_field is None:
        order = [
            OrderBy(query.column(name), term.descending)
            for name, term in zip(columns.terms, declaration.terms, strict=True)
        ]
    else:
        order = [OrderBy(query.column(str(columns.counting)), by_field.descending, nulls_last=True)]
    return [*order, *map(OrderBy, key_order(query))]


def key_order(query: LevelQuery) -> Sequence[Any]:
    """Return what breaks ties at last: the primary key, in the collation C where it is text."""
    return [Term(key).resolve_expression(query) for key in query.key_columns()]

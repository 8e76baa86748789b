"""The level between, only with members: which of a member's entries counts.

    SELECT counting.id, …, counting._term0, counting._complete1,
        ROW_NUMBER() OVER (PARTITION BY counting.candidate_id, counting._complete1
            ORDER BY counting.score DESC, counting._term0, counting.id) = 1 AS _counts0
    FROM (SELECT entry.id, … FROM app_attempt entry WHERE …) counting

Over ranked entries only it hands on the number itself, and the level of standings says ``_nth0 = 1``: a
comparison outside of the level lets the window stop after the first of a partition. Where indexes serve it,
the counting entry is looked up instead: ``rivals.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import OrderBy, Value, Window
from django.db.models.functions import RowNumber

from leaderboard.expressions.fields import BIGINT
from leaderboard.expressions.logic import equal
from leaderboard.expressions.terms import Term
from leaderboard.orm.levels import LevelQuery, level_over
from leaderboard.standings.entries import EntryLevel, RankingColumns
from leaderboard.standings.plan import Plan, RankingPlan

__all__ = ["counting_level", "key_order"]


def counting_level(plan: Plan, entries: EntryLevel) -> tuple[LevelQuery, Sequence[str | None]]:
    """Return the level that tells the counting entries, and for each ranking the column that does.

    Where no ranking needs one it is the level of entries.
    """
    if not any(columns.member for columns in entries.rankings):
        return entries.query, [None for _ in plan.rankings]
    query = level_over(entries.query, plan.levels.counting)
    query.keep_columns()
    names: list[str | None] = []
    for position, (ranking, columns) in enumerate(zip(plan.rankings, entries.rankings, strict=True)):
        if not columns.member:
            names.append(None)
            continue
        nth = _position_among_own(query, ranking, columns)
        # The sorts to come carry a truth value in place of a number eight times as wide.
        name, value = ("nth", nth) if columns.complete is None else ("counts", equal(nth, Value(1)))
        names.append(query.add_column(f"_{name}{position}", value))
    return query, names


def _position_among_own(query: LevelQuery, ranking: RankingPlan, columns: RankingColumns) -> Window:
    """Return the position of an entry among its member's, by which the first one counts."""
    declaration = ranking.ranking.declaration
    # Those that are not complete are no rivals of those that are.
    apart = [*columns.member, *([columns.complete] if columns.complete else [])]
    by_field = declaration.counting.order_by(declaration.collation)
    if by_field is None:
        order = [
            OrderBy(query.column(name), term.descending)
            for name, term in zip(columns.terms, declaration.terms, strict=True)
        ]
    else:
        order = [OrderBy(query.column(str(columns.counting)), by_field.descending, nulls_last=True)]
    return Window(
        RowNumber(),
        partition_by=[query.column(str(name)) for name in (*columns.partition, *apart)],
        order_by=[*order, *map(OrderBy, key_order(query))],
        output_field=BIGINT,
    )


def key_order(query: LevelQuery) -> Sequence[Any]:
    """Return what breaks ties at last: the primary key, in the collation C where it is text."""
    return [Term(key).resolve_expression(query) for key in query.key_columns()]

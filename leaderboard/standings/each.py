"""The first entries of every board, each board read as ``top()`` reads one.

    WHERE id IN (SELECT each.id FROM (SELECT … FROM (SELECT id FROM app_test) each_outer (_outer0)
        CROSS JOIN LATERAL (SELECT … WHERE test_id = each_outer._outer0 … LIMIT 3) each) each)

Where every row of a query meets that condition, what is inside of it is the derived table, with the metrics:
no other entries need be ranked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from django.db.models import Model

from leaderboard.declaration.leaderboard import Leaderboard
from leaderboard.expressions.logic import InSubquery
from leaderboard.orm.conditions import asserted
from leaderboard.orm.lateral import Branch, Outer, each_row_of
from leaderboard.orm.levels import LevelQuery
from leaderboard.orm.models import key_parts
from leaderboard.orm.query import DerivedQuery
from leaderboard.orm.trees import same
from leaderboard.standings.metrics import MetricColumn

__all__ = ["FirstOfEach", "FirstRows", "first_of_each"]


@dataclass(frozen=True, eq=False)
class FirstRows:
    """The first entries of boards of one declaration: a branch for each way to name them by NULL or not."""

    model: type[Model]
    declaration: Leaderboard
    branches: Sequence[Branch]
    outer: Outer

    def keys(self) -> LevelQuery:
        """Return a query for their primary keys."""
        return each_row_of(self.model, self.branches, self.outer)

    def table(self, columns: Mapping[str, MetricColumn]) -> LevelQuery:
        """Return a query for their columns and ``columns``."""
        return each_row_of(self.model, self.branches, self.outer, columns)

    def has(self, columns: Iterable[MetricColumn]) -> bool:
        """Tell whether a board of every column is one of these boards, or all entries of one."""
        within = dict(self.declaration.within)
        return all(same(dict(column.ranking.declaration.within), within) for column in columns)


class FirstOfEach(InSubquery):
    """The condition to be among the first entries of boards."""

    def __init__(self, *expressions: Any, rows: FirstRows) -> None:
        super().__init__(*expressions)
        self.rows = rows

    @classmethod
    def of(cls, rows: FirstRows) -> Self:
        """Return the condition to be among ``rows``."""
        return cls(*key_parts(rows.model), rows.keys(), rows=rows)


def first_of_each(view: DerivedQuery, columns: Iterable[MetricColumn]) -> tuple[Any, FirstRows] | None:
    """Return the condition of a view, and the rows that meet it, which may be read with ``columns``.

    None where there is no such condition, or where the columns are of other boards.
    """
    found = None
    for condition in view.conditions():
        first = asserted(condition)
        if isinstance(first, FirstOfEach) and first.rows.has(columns):
            found = condition, first.rows
    return found

"""The columns that a level adds to those of the model."""

from __future__ import annotations

from typing import Any

from leaderboard.expressions.fields import is_text
from leaderboard.expressions.terms import Term
from leaderboard.orm.levels import LevelQuery
from leaderboard.orm.models import own_field
from leaderboard.orm.trees import holds_query, same

__all__ = ["Columns"]


class Columns:
    """One column for each expression, or the column of the level below that evaluates it."""

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

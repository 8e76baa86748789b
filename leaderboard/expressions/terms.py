"""Ordering terms."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import OrderBy, Value
from django.db.models.functions import Cast, Collate

from leaderboard.expressions.fields import is_text
from leaderboard.orm.trees import output_field_of

__all__ = ["Term", "as_written"]


class Term(models.Func):
    """An ordering term; text gets an explicit collation, so that no server's locale decides a rank."""

    template = "%(expressions)s"
    arity = 1

    def __init__(self, expression: Any, collation: str = "C") -> None:
        super().__init__(expression)
        self.collation = collation

    @property
    def source(self) -> Any:
        """The expression that was given for the term."""
        (source,) = self.get_source_expressions()
        return source

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        (resolved,) = super().resolve_expression(*args, **kwargs).get_source_expressions()
        field = output_field_of(resolved)
        if is_text(field) and not isinstance(resolved, Collate):
            return Collate(resolved, self.collation)
        # A literal number in ORDER BY would be the position of a column.
        return Cast(resolved, field) if isinstance(resolved, Value) and field is not None else resolved


def as_written(term: OrderBy) -> Any:
    """Return what a board's ordering term is by, as it was written."""
    wrapped: Any = term.expression
    return wrapped.source

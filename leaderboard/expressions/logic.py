"""Conditions in SQL's three-valued logic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models import Case, Value, When
from django.db.models.functions import Collate
from django.db.models.lookups import IsNull

from leaderboard.expressions.fields import BOOLEAN, is_text
from leaderboard.orm.trees import output_field_of

__all__ = [
    "Comparison",
    "InSubquery",
    "Negation",
    "all_of",
    "any_of",
    "equal",
    "is_true",
    "not_distinct",
    "not_null",
]


class Logic(models.Func):
    """Conditions joined in SQL's three-valued logic.

    ``Q`` is not used for this: its negation adds ``IS NOT NULL`` tests, which make an unknown false.
    """

    template = "(%(expressions)s)"

    def __init__(self, *conditions: Any, arg_joiner: str) -> None:
        super().__init__(*conditions, arg_joiner=arg_joiner, output_field=BOOLEAN)


class Negation(models.Func):
    """``NOT condition``, unknown where the condition is unknown."""

    template = "(NOT %(expressions)s)"
    arity = 1

    def __init__(self, condition: Any) -> None:
        super().__init__(condition, output_field=BOOLEAN)


def all_of(conditions: Sequence[Any]) -> Any:
    """Return the conjunction of one condition or more."""
    return conditions[0] if len(conditions) == 1 else Logic(*conditions, arg_joiner=" AND ")


def any_of(conditions: Sequence[Any]) -> Any:
    """Return the disjunction of one condition or more."""
    return conditions[0] if len(conditions) == 1 else Logic(*conditions, arg_joiner=" OR ")


def not_null(expression: Any) -> Any:
    return IsNull(expression, False)


def is_true(condition: Any) -> Case:
    """Return whether ``condition`` is true, false also where it is unknown."""
    # Case, since a condition that Django knows to be empty or full compiles to no SQL on its own.
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BOOLEAN)


def equal(left: Any, right: Any) -> Any:
    return Comparison(left, right, arg_joiner=" = ")


def not_distinct(left: Any, right: Any) -> Any:
    """Return whether two values are equal, or NULL both."""
    return Comparison(left, right, arg_joiner=" IS NOT DISTINCT FROM ")


class Comparison(models.Func):
    """A comparison of two expressions; texts compare in the C collation, whatever that of the terms is."""

    template = "(%(expressions)s)"
    arity = 2

    def __init__(self, left: Any, right: Any, *, arg_joiner: str) -> None:
        super().__init__(left, right, arg_joiner=arg_joiner, output_field=BOOLEAN)

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        resolved = super().resolve_expression(*args, **kwargs)
        left, right = resolved.get_source_expressions()
        if is_text(output_field_of(left)) and not isinstance(left, Collate):
            left = Collate(left, "C")
        resolved.set_source_expressions([left, right])
        return resolved


class InSubquery(models.Func):
    """``(a, b) IN (SELECT …)``, and where ``or_null`` also where one of them is NULL."""

    def __init__(self, *expressions: Any, or_null: bool = False) -> None:
        super().__init__(*expressions, output_field=BOOLEAN)
        self.or_null = or_null

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> Any:
        *sides, query = (compiler.compile(source) for source in self.get_source_expressions())
        names = [sql for sql, _ in sides]
        side_params = [param for _, params in sides for param in params]
        sql = f"({', '.join(names)}) IN {query[0]}"
        params = [*side_params, *query[1]]
        if self.or_null:
            sql = " OR ".join([sql, *(f"{name} IS NULL" for name in names)])
            params += side_params
        return f"({sql})", params

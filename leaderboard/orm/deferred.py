"""Subqueries that are made when they are written as SQL: what a statement may do without costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Expression, QuerySet, Subquery

__all__ = ["Deferred"]


class Deferred(Expression):
    """The subquery of a queryset that ``make`` returns, which refers to nothing around it.

    It is made anew for each statement, and has no parts until then. Each time it must have the same rows.
    """

    def __init__(self, make: Callable[[], QuerySet[Any]]) -> None:
        super().__init__()
        self.make = make

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        made: Any = self.make()
        sql, params = compiler.compile(made.resolve_expression(compiler.query))
        return sql, params

    def __copy__(self) -> Deferred:
        # By __reduce__() it would be made.
        return Deferred(self.make)

    def __reduce__(self) -> tuple[Any, ...]:
        # A queryset is read when it is pickled, and a query is not.
        made: Any = self.make()
        return Subquery, (made.query,)

"""Subqueries that are made when they are needed: a statement that does without one is written for nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Expression, QuerySet
from django.db.models.lookups import Lookup
from django.db.models.sql import Query
from django.db.models.sql.where import WhereNode

from leaderboard.orm.conditions import conjuncts

__all__ = ["Deferred", "made"]


class Deferred(Expression):
    """The right side of a condition: the subquery of a queryset that ``make`` returns.

    It refers to nothing around it, has the same rows each time, and has no parts before it is made.
    """

    def __init__(self, make: Callable[[], QuerySet[Any]], database: str | None) -> None:
        super().__init__()
        self.make = make
        # Where Django looks whether both queries are of one database.
        self._db = database

    def made_within(self, query: Query) -> Any:
        """Return the subquery as ``filter()`` would have made it on ``query``."""
        made: Any = self.make()
        return made.resolve_expression(query)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        sql, params = compiler.compile(self.made_within(compiler.query))
        return sql, params


def made(query: Query) -> Any:
    """Return the query with all its subqueries made; itself where none is deferred.

    So it must be where it becomes part of another one, whose tables have other names then.
    """
    if not any(_is_deferred(condition) for condition in conjuncts(query.where)):
        return query
    clone = query.clone()
    clone.where = WhereNode([_made(condition, clone) for condition in conjuncts(query.where)])
    return clone


def _is_deferred(condition: Any) -> bool:
    return isinstance(condition, Lookup) and isinstance(condition.rhs, Deferred)


def _made(condition: Any, query: Query) -> Any:
    if not _is_deferred(condition):
        return condition
    # Not a copy, which would remember what it was made of.
    return type(condition)(condition.lhs, condition.rhs.made_within(query))

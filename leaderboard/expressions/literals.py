"""Values as PostgreSQL writes them, read in one statement and given to another: ``'12.50'::numeric``.

An index serves a comparison with a literal; what a subquery gives, the planner does not know.
"""

from __future__ import annotations

import re
from typing import Any

from django.db import models

__all__ = ["AsText", "FromText", "Typed"]

TEXT = models.TextField()
# numeric(5, 2) would round what an expression of that type may well hold.
MODIFIERS = re.compile(r"\([^)]*\)")


class AsText(models.Func):
    """A value in the way that PostgreSQL writes it."""

    template = "(%(expressions)s)::text"
    arity = 1

    def __init__(self, expression: Any) -> None:
        super().__init__(expression, output_field=TEXT)


class FromText(models.Value):
    """A value that :class:`AsText` has read, of the type that ``field`` has in the database."""

    def __init__(self, text: Any, field: models.Field[Any, Any]) -> None:
        super().__init__(text, output_field=field)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return f"%s::{_type_of(self.output_field, connection)}", (self.value,)


class Typed(models.Value):
    """A value with its type, as a column of a row that stands in no table."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        sql, params = super().as_sql(compiler, connection)
        # In parentheses, since a cast binds closer than the sign of a number that psycopg2 writes.
        return f"({sql})::{_type_of(self.output_field, connection)}", params


def _type_of(field: Any, connection: Any) -> str:
    return MODIFIERS.sub("", field.cast_db_type(connection))

"""Expressions over the rows of one table, as SQL that stands by itself: without parameters, for a trigger."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, Q
from django.db.models.sql import Query

from leaderboard.orm.levels import level_of
from leaderboard.orm.trees import output_field_of

__all__ = ["output_field_on", "text_of"]


def output_field_on(model: type[Model], expression: Any) -> Any:
    """Return the field of an expression's values over the rows of ``model``; None where it has none."""
    return output_field_of(_resolved(Query(model, alias_cols=False), expression))


def text_of(model: type[Model], expression: Any, connection: Any, *, alias: str | None = None) -> str:
    """Return an expression or a condition over the rows of ``model`` as SQL without parameters.

    Its columns bear the name of no table, or ``alias``. Raises ``FieldError`` where it needs another table.
    """
    query: Any = Query(model, alias_cols=False) if alias is None else level_of(model, alias)
    sql, params = query.get_compiler(connection=connection).compile(_resolved(query, expression))
    editor = connection.SchemaEditorClass(connection)
    return str(sql % tuple(_quoted(editor, param) for param in params))


def _resolved(query: Any, expression: Any) -> Any:
    if isinstance(expression, Q):
        return query.build_where(expression)
    return expression.resolve_expression(query, allow_joins=False)


def _quoted(editor: Any, param: Any) -> str:
    quoted = str(editor.quote_value(param))
    # Meant for a statement with parameters, where a percent sign is written twice.
    return quoted.replace("%%", "%") if isinstance(param, str) else quoted

"""What declared expressions are made of: their parts, copies of them, whether two are the same."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from django.core.exceptions import FieldError
from django.db import models
from django.db.models import Q
from django.db.models.expressions import BaseExpression
from django.db.models.sql import Query
from django.db.models.sql.where import WhereNode

__all__ = ["described", "parts_of", "path_of", "reason_of", "resolved", "same", "unshared"]


def path_of(reference: Any) -> Any:
    """Return the name that ``reference``, an ``F``, holds; django-stubs leaves the attribute out."""
    return reference.name


def unshared(value: Any) -> Any:
    """Return an expression, a condition or a query that shares no lookup of a subquery with ``value``.

    Django resolves the lookups of a subquery in place, and copies of a query share them, unless resolving
    gives the subquery new aliases, as it does where the query around it is no subquery itself. A
    declaration resolved within one would keep the aliases of the first query that used it.
    """
    return _copied(value) if _holds_query(value) else value


def _holds_query(value: Any) -> bool:
    if isinstance(value, models.QuerySet | Query):
        return True
    return any(map(_holds_query, parts_of(value)))


def parts_of(value: Any) -> Iterable[Any]:
    """Return what an expression, a condition or a query is made of."""
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, Q | WhereNode):
        return value.children
    if isinstance(value, Query):
        return [value.where, *value.annotations.values()]
    return value.get_source_expressions() if isinstance(value, BaseExpression) else ()


def _copied(value: Any) -> Any:
    if isinstance(value, list | tuple):
        parts = [_copied(part) for part in value]
        return parts if isinstance(value, list) else tuple(parts)
    if isinstance(value, Q | WhereNode):
        node = copy.copy(value)
        node.children = _copied(value.children)
        return node
    if isinstance(value, models.QuerySet):
        queryset = value._chain()  # type: ignore[attr-defined]
        queryset.query = _copied(value.query)
        return queryset
    if isinstance(value, Query):
        query = value.clone()
        query.where = _copied(value.where)
        query.annotations = {name: _copied(part) for name, part in value.annotations.items()}
        return query
    if isinstance(value, BaseExpression) and (sources := value.get_source_expressions()):
        expression = copy.copy(value)
        expression.set_source_expressions(_copied(list(sources)))
        return expression
    return value


def same(left: Any, right: Any) -> bool:
    """Tell whether two expressions are equal, in what Django's equality leaves out too.

    For Django, ``Value(1)`` equals ``Value(True)``, and a cast to one decimal place that to two.
    """
    return bool(left == right) and _details(left) == _details(right)


def _details(value: Any) -> Any:
    """Return the parameters of the fields and the types of the literals in an expression."""
    if isinstance(value, models.Field):
        if hasattr(value, "model"):
            return None
        _, path, arguments, options = value.deconstruct()
        # An array's field has another field among its options.
        values = [_details(part) if isinstance(part, models.Field) else part for part in options.values()]
        return path, arguments, list(options), values
    if isinstance(value, Mapping):
        return [(key, _details(part)) for key, part in value.items()]
    if isinstance(value, Query):
        return _details([value.where, value.annotations, value.combined_queries])
    parts: list[Any] = [type(value), *map(_details, parts_of(value))]
    if isinstance(value, BaseExpression):
        # Where it cannot be told yet, what the expression is made of tells it.
        with suppress(FieldError):
            parts.append(_details(getattr(value, "_output_field_or_none", None)))
        parts += [_details(getattr(value, name, None)) for name in ("value", "rhs")]
    return parts


def resolved(expression: Any, query: Query) -> Any:
    """Return what a declaration's expression is on ``query``."""
    return unshared(expression).resolve_expression(query, allow_joins=True, reuse=None)


def described(value: Any) -> str:
    """Return the ``repr()`` of a value, which for a queryset would read the database."""
    return f"<{type(value).__name__}>" if _holds_queryset(value) else repr(value)


def _holds_queryset(value: Any) -> bool:
    return isinstance(value, models.QuerySet) or any(map(_holds_queryset, parts_of(value)))


def reason_of(error: Exception) -> str:
    """Return what an error says; a ``ValidationError`` shows a list, and so do its words in ``str()``."""
    return " ".join(getattr(error, "messages", [str(error)]))

"""Expressions, conditions and queries as trees: their parts, copies of them, whether two are the same."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, NamedTuple

from django.db import models
from django.db.models import F, Model, OuterRef, Q, Value
from django.db.models.expressions import BaseExpression, Expression, ResolvedOuterRef
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.db.models.lookups import Lookup
from django.db.models.sql import Query
from django.db.models.sql.datastructures import Join
from django.db.models.sql.where import WhereNode
from django.utils.functional import LazyObject, Promise

__all__ = [
    "ManyRows",
    "constructor_arguments",
    "described",
    "frozen",
    "holds_outer_reference",
    "holds_query",
    "is_bare_literal",
    "is_fixed",
    "is_known",
    "joined_many_rows",
    "nodes_of",
    "output_field_of",
    "parts_of",
    "path_of",
    "refers_outside",
    "replace_arguments",
    "resolved",
    "resolved_on_model",
    "resolves_alike",
    "same",
    "shown_arguments",
    "unshared",
]


def path_of(reference: Any) -> Any:
    """Return the name that ``reference``, an ``F``, holds; django-stubs leaves the attribute out."""
    return reference.name


def parts_of(value: Any) -> Iterable[Any]:
    """Return what an expression, a condition or a query is made of."""
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, Q | WhereNode):
        return value.children
    if isinstance(value, Query):
        return [value.where, *value.annotations.values()]
    return value.get_source_expressions() if isinstance(value, BaseExpression) else ()


def nodes_of(expression: Any) -> Iterator[Any]:
    """Yield an expression and what it is made of, as far as Django's ``flatten()`` goes."""
    if isinstance(expression, BaseExpression | Q):
        yield from expression.flatten()


def output_field_of(expression: Any) -> Any:
    """Return the field of a resolved expression's values; None where it has none.

    Raises ``FieldError`` where its parts have types that do not go together.
    """
    # What the outer query has there is not known before the subquery is within it.
    return None if refers_outside(expression) else expression._output_field_or_none


def refers_outside(node: Any) -> bool:
    """Tell whether a resolved expression refers to a query around the one that it was resolved on."""
    if isinstance(node, ResolvedOuterRef):
        return True
    return not isinstance(node, Query) and any(map(refers_outside, parts_of(node)))


def holds_outer_reference(node: Any) -> bool:
    """Tell whether something, or a subquery in it, refers to a query that it is not within yet."""
    if isinstance(node, OuterRef | ResolvedOuterRef):
        return True
    # One to a query farther out is not resolved yet, and no part of a lookup for Django.
    is_farther = isinstance(node, Lookup) and isinstance(node.rhs, OuterRef)
    return is_farther or any(map(holds_outer_reference, parts_of(node)))


def constructor_arguments(value: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments that an instance of a class with ``@deconstructible`` was made with."""
    positional, named = value._constructor_args
    return positional, named


def replace_arguments(value: Any, **named: Any) -> None:
    """Let an instance of a class with ``@deconstructible`` be made of other arguments in a migration."""
    positional, given = constructor_arguments(value)
    value._constructor_args = positional, {**given, **named}


def shown_arguments(value: Any) -> str:
    """Return the arguments of an instance of a class with ``@deconstructible``, for its ``repr()``."""
    positional, named = constructor_arguments(value)
    return ", ".join(
        [*map(described, positional), *(f"{name}={described(part)}" for name, part in named.items())]
    )


def is_bare_literal(value: Any) -> bool:
    """Tell whether ``value`` is a ``Value`` that was given no output field."""
    if type(value) is not Value:
        return False
    positional, named = constructor_arguments(value)
    return not named and len(positional) == 1


# Resolving


def resolved(expression: Any, query: Query) -> Any:
    """Return what a declaration's expression is on ``query``."""
    return unshared(expression).resolve_expression(query, allow_joins=True, reuse=None)


def resolved_on_model(expression: Any, model: type[Model]) -> tuple[Any, Query]:
    """Return what an expression is on ``model``, and the query that it was resolved on."""
    query = Query(model)
    return expression.resolve_expression(query), query


class ManyRows(NamedTuple):
    """A join by which a row may have many others: the table and the relation that it is by."""

    table: str
    relation: str


def joined_many_rows(query: Query) -> ManyRows | None:
    """Return the first join of ``query`` by which a row may have many others; None where there is none."""
    for alias, table in query.alias_map.items():
        if query.alias_refcount[alias] and isinstance(table, Join):
            relation = table.join_field
            if isinstance(relation, ForeignObjectRel) and relation.multiple:
                return ManyRows(table.table_name, str(relation.name))
    return None


# Copies


def unshared(value: Any) -> Any:
    """Return an expression, a condition or a query that shares no lookup of a subquery with ``value``.

    Django resolves the lookups of a subquery in place, and copies of a query share them, unless resolving
    gives the subquery new aliases, as it does where the query around it is no subquery itself. A
    declaration resolved within one would keep the aliases of the first query that used it.
    """
    return _copied(value) if holds_query(value) else value


def holds_query(value: Any) -> bool:
    """Tell whether a subquery is part of an expression, a condition or a query."""
    return isinstance(value, models.QuerySet | Query) or any(map(holds_query, parts_of(value)))


def resolves_alike(value: Any) -> bool:
    """Tell whether an expression or a condition, resolved at any moment, is the same and can be shared."""
    # Resolving and compiling change subqueries; a lazy value, or an expression of one's own, may depend on
    # the language, the tenant or whatever else is current.
    if isinstance(value, models.QuerySet | Query | Promise | LazyObject):
        return False
    if isinstance(value, BaseExpression | F) and not is_known(type(value).resolve_expression):
        return False
    parts = value if isinstance(value, set | frozenset) else parts_of(value)
    return all(map(resolves_alike, parts))


def is_fixed(node: Any) -> bool:
    """Tell whether what was resolved holds the values that it would have at any moment.

    A field or a lookup of one's own may make them of whatever is current when it is resolved.
    """
    if isinstance(node, Lookup):
        makers: list[Any] = [type(node).get_prep_lookup]
        if isinstance(field := getattr(node.lhs, "output_field", None), models.Field):
            makers.append(type(field).get_prep_value)
        if not all(is_known(maker) for maker in makers):
            return False
    return all(map(is_fixed, parts_of(node)))


def is_known(method: Any) -> bool:
    """Tell whether a method is Django's or the library's own, which depend on nothing that is current."""
    return bool(method.__module__.startswith(("django.", "leaderboard.")))


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


def frozen(value: Any) -> Any:
    """Return an expression or a condition with values of its own, read once where they are an iterator."""
    if isinstance(value, Q):
        condition = copy.copy(value)
        condition.children = [frozen(child) for child in value.children]
        return condition
    if isinstance(value, tuple):
        return type(value)(map(frozen, value)) if type(value) is tuple else value
    if isinstance(value, list | Iterator | KeysView | ValuesView):
        return [frozen(part) for part in value]
    if isinstance(value, dict | set | bytearray):
        return copy.deepcopy(value)
    if isinstance(value, Value):
        literal = copy.copy(value)
        literal.value = frozen(value.value)
        return literal
    if isinstance(value, BaseExpression) and (sources := value.get_source_expressions()):
        expression = copy.copy(value)
        expression.set_source_expressions([frozen(source) for source in sources])
        return expression
    return value


# Equality


def same(left: Any, right: Any) -> bool:
    """Tell whether two expressions are equal, in what Django's equality leaves out too.

    For Django, ``Value(1)`` equals ``Value(True)``, and a cast to one decimal place that to two.
    """
    return left is right or (bool(left == right) and _details(left) == _details(right))


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
    if isinstance(value, Expression):
        # Of a field among the arguments, Django compares the type only.
        positional, named = constructor_arguments(value)
        parts += [_details(part) for part in (*positional, *named.values()) if isinstance(part, models.Field)]
    if isinstance(value, Value):
        parts.append(_details(value.value))
    if isinstance(value, Lookup):
        parts.append(_details(value.rhs))
    return parts


# Words


def described(value: Any) -> str:
    """Return the ``repr()`` of a value, which for a queryset would read the database."""
    return f"<{type(value).__name__}>" if _holds_queryset(value) else repr(value)


def _holds_queryset(value: Any) -> bool:
    return isinstance(value, models.QuerySet) or any(map(_holds_queryset, parts_of(value)))

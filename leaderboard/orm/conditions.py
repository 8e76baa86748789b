"""The conditions of a query: what holds for every row, what a condition says and whether it is repeatable."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from copy import copy
from typing import Any

from django.db.models import ExpressionWrapper, Func, IntegerField, Value
from django.db.models.expressions import RawSQL
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    IsNull,
    LessThan,
    LessThanOrEqual,
    Lookup,
    Range,
    YearLookup,
)
from django.db.models.sql import Query
from django.db.models.sql.where import AND, OR, ExtraWhere, WhereNode

from leaderboard.orm.columns import DerivedColumn, columns_of, same_column
from leaderboard.orm.trees import parts_of, same

__all__ = [
    "PinnedTo",
    "PinnedToNull",
    "asserted",
    "bounds_from_above",
    "compares",
    "conjuncts",
    "equalities_in",
    "evaluated_outside",
    "is_equality",
    "is_opaque",
    "is_repeatable",
    "lookup_on",
    "spans_rows",
    "strict_side",
    "values_of",
    "without",
]


class PinnedTo(Exact):
    """An equality that remembers which expression of a declaration it compares.

    What that resolves to may have no equality to be found by, as a subquery has none.
    """

    def __init__(self, lhs: Any, rhs: Any, declared: Any) -> None:
        super().__init__(lhs, rhs)
        self.declared = declared


class PinnedToNull(IsNull):
    """The same for NULL."""

    def __init__(self, lhs: Any, declared: Any) -> None:
        super().__init__(lhs, True)
        self.declared = declared


def conjuncts(where: WhereNode) -> Iterator[Any]:
    """Yield the conditions that every row of a query meets: those joined by AND at the top."""
    if where.negated or where.connector != AND:
        if len(where.children) == 1 and not where.negated:
            yield from _conjunct(where.children[0])
        else:
            yield where
        return
    for child in where.children:
        yield from _conjunct(child)


def _conjunct(child: Any) -> Iterator[Any]:
    if isinstance(child, WhereNode):
        yield from conjuncts(child)
    else:
        yield child


def without(where: WhereNode, dropped: Sequence[Any]) -> WhereNode:
    """Return the conjunction of all conjuncts of ``where`` but those ``dropped``."""
    kept = [child for child in conjuncts(where) if not any(child is other for other in dropped)]
    return WhereNode(kept, connector=AND)


def evaluated_outside(condition: Any, own: Collection[str]) -> Any:
    """Return a condition in which no derived whole number is compared with what an outer query has.

    It is made part of an expression. Otherwise the window that counts it may stop by the condition, and
    PostgreSQL before 17 does not run it again for the next row of the outer query.
    """
    if isinstance(condition, WhereNode):
        children = [evaluated_outside(child, own) for child in condition.children]
        return WhereNode(children, condition.connector, condition.negated)
    if not isinstance(condition, Lookup):
        return condition
    changed = copy(condition)
    for side, other in (("lhs", "rhs"), ("rhs", "lhs")):
        column = getattr(condition, side)
        is_counted = isinstance(column, DerivedColumn) and isinstance(column.output_field, IntegerField)
        if is_counted and any(outer.alias not in own for outer in columns_of(getattr(condition, other))):
            number = ExpressionWrapper(column + Value(0, column.output_field), column.output_field)
            setattr(changed, side, number)
    return changed


def asserted(condition: Any) -> Any:
    """Return the expression that a condition says is true: as Django writes one that is no lookup."""
    return condition.lhs if type(condition) is Exact and condition.rhs is True else condition


def lookup_on(expression: Any, lookup: Any) -> Any:
    """Return a lookup like ``lookup`` with a resolved expression as its left side."""
    lookup = copy(lookup)
    lookup.lhs = expression
    return lookup


def compares(lookup: Any, declared: Any, expression: Any) -> bool:
    """Tell whether a lookup compares ``declared``, which its query resolves to ``expression``."""
    if isinstance(lookup, PinnedTo | PinnedToNull) and same(lookup.declared, declared):
        return True
    columns = same_column(lookup.lhs, expression)
    return same(lookup.lhs, expression) if columns is None else columns


def _is_djangos(condition: Any, *types: type[Any]) -> bool:
    """Tell whether a condition is one of Django's own lookups of ``types``; others may mean anything."""
    if isinstance(condition, PinnedTo | PinnedToNull):
        return issubclass(type(condition), types)
    return isinstance(condition, types) and type(condition).__module__.startswith("django.")


def is_equality(condition: Any) -> bool:
    """Tell whether a condition is true of one value only, as far as PostgreSQL's ``=`` tells values apart."""
    # One of the years is a range.
    return _is_djangos(condition, Exact) and not isinstance(condition, YearLookup)


def equalities_in(where: WhereNode, *, null_is_a_value: bool = False) -> list[Any]:
    """Return the equalities that hold wherever ``where`` does, be it by each branch of an OR."""
    found = []
    for condition in conjuncts(where):
        is_null = null_is_a_value and _is_djangos(condition, IsNull) and condition.rhs
        if is_equality(condition) or is_null:
            found.append(condition)
        elif isinstance(condition, WhereNode) and condition.connector == OR and not condition.negated:
            first, *others = (
                equalities_in(WhereNode([branch], AND), null_is_a_value=null_is_a_value)
                for branch in condition.children
            )
            found += [lookup for lookup in first if all(_is_among(lookup, branch) for branch in others)]
    return found


def _is_among(lookup: Any, others: Sequence[Any]) -> bool:
    # Not by Django's equality, for which a column is another one after its query was combined.
    return any(
        type(lookup) is type(other)
        and same(lookup.rhs, other.rhs)
        and (same_column(lookup.lhs, other.lhs) or same(lookup.lhs, other.lhs))
        for other in others
    )


def strict_side(condition: Any) -> Any:
    """Return the left side of a condition that is not true where that is NULL; None for other conditions."""
    comparisons = (Exact, GreaterThan, GreaterThanOrEqual, In, LessThan, LessThanOrEqual, Range)
    if _is_djangos(condition, *comparisons):
        return condition.lhs
    negated = False
    while isinstance(condition, WhereNode) and len(condition.children) == 1:
        negated = negated != condition.negated
        (condition,) = condition.children
    if _is_djangos(condition, IsNull) and condition.rhs == negated:
        return condition.lhs
    return None


def values_of(condition: Any) -> list[Any] | None:
    """Return the values of which a condition holds its left side to one; None where they are not given."""
    if not _is_djangos(condition, Exact, In) or isinstance(condition, YearLookup):
        return None
    values = condition.rhs if isinstance(condition, In) else [condition.rhs]
    return list(values) if isinstance(values, list | tuple | set | frozenset) else None


def bounds_from_above(condition: Any) -> bool:
    """Tell whether a condition bounds its left side from above, as PostgreSQL sees it in a window's."""
    return _is_djangos(condition, Exact, LessThan, LessThanOrEqual, Range)


def spans_rows(condition: Any) -> bool:
    """Tell whether a condition holds an aggregate or a window function."""
    return bool(condition.contains_aggregate or condition.contains_over_clause)


# PostgreSQL's own functions that may have another value in each row.
VOLATILE = (
    "CLOCK_TIMESTAMP",
    "GEN_RANDOM_UUID",
    "NEXTVAL",
    "RANDOM",
    "RANDOM_NORMAL",
    "TIMEOFDAY",
    "UUIDV4",
    "UUIDV7",
)


def is_opaque(node: Any) -> bool:
    """Tell whether an expression or a condition holds SQL that Django does not know, or a random value."""
    if isinstance(node, RawSQL | ExtraWhere):
        return True
    if isinstance(node, Func) and str(node.extra.get("function", node.function)).upper() in VOLATILE:
        return True
    return any(map(is_opaque, parts_of(node)))


def is_repeatable(node: Any) -> bool:
    """Tell whether a condition, evaluated once more in a copy of its query, is true of the same rows."""
    # Which rows a slice takes may depend on an order that leaves ties, or that is random.
    if isinstance(node, Query) and node.is_sliced:
        return False
    return not is_opaque(node) and all(map(is_repeatable, parts_of(node)))

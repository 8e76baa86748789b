"""Which indexes serve a board."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import ExpressionWrapper, F, Index, OrderBy, Q, Value
from django.db.models.functions import Coalesce, Collate

from leaderboard.expressions.logic import is_true, not_null
from leaderboard.expressions.terms import as_written
from leaderboard.expressions.times import TimeTaken, is_running
from leaderboard.orm.names import CombinedExpression, TruncBase
from leaderboard.orm.trees import described, holds_query, nodes_of, parts_of, path_of

__all__ = ["covering_indexes_for", "indexes_for", "mark_of_size", "sources_of"]


def indexes_for(
    prefix: str, *, within: Sequence[Any], terms: Sequence[OrderBy], member: Sequence[Any]
) -> list[Index]:
    """Return the indexes on ``(within, terms)`` and, with a member, on ``(within, member, terms)``."""
    if not all(map(_indexable, within)):
        return []
    board = [OrderBy(value) for value in within]
    indexed: list[OrderBy] = []
    for term in terms:
        if not _indexable(as_written(term)):
            break
        indexed.append(OrderBy(as_written(term), term.descending))
    indexes = [_index(f"{prefix}_terms", [*board, *indexed])] if indexed else []
    if member and all(map(_indexable, member)):
        indexes.append(_index(f"{prefix}_member", [*board, *map(OrderBy, member), *indexed]))
    return indexes


def covering_indexes_for(
    prefix: str,
    *,
    within: Sequence[Any],
    terms: Sequence[OrderBy],
    member: Sequence[Any],
    eligible: Q,
    key: Sequence[str],
) -> list[Index]:
    """Return the same indexes with all that counting a board's entries reads, but for what is not eligible.

    Raises ``ValueError`` naming what cannot be read from an index: then PostgreSQL would look into the table
    for each entry all the same.
    """
    parts = [("within", within, _indexable), ("order_by", [*map(as_written, terms)], _indexable)]
    for argument, values, fits in (*parts, ("member", member, _is_of_own_columns)):
        for value in values:
            if not fits(value):
                raise _uncovered(argument, value)
    if not _is_immutable_condition(eligible):
        raise _uncovered("eligible", eligible)
    # An index on an expression does not give its value: PostgreSQL reads it from the columns of that.
    needed = [*sources_of(*within, *map(as_written, terms), *member), *key]
    covering = []
    for index in indexes_for(prefix, within=within, terms=terms, member=member):
        columns = {name.removeprefix("-") for name in index.fields}
        columns |= {path_of(source) for source in map(_unordered, index.expressions) if isinstance(source, F)}
        include = [name for name in dict.fromkeys(needed) if name not in columns]
        # No IS NOT NULL of terms and member: from version 17 on, PostgreSQL drops that of a NOT NULL column
        # from a query, and then cannot tell that the index has all of its rows.
        _, expressions, options = index.deconstruct()
        covering.append(Index(*expressions, **options, include=include, condition=eligible or None))
    return [*covering, *_index_of_size(prefix, within=within, terms=terms, member=member, eligible=eligible)]


def _index_of_size(
    prefix: str, *, within: Sequence[Any], terms: Sequence[OrderBy], member: Sequence[Any], eligible: Q
) -> Iterator[Index]:
    """Yield the index from which a board with expressions among its terms is counted whole.

    It has no column of expressions, and none beside its key: so PostgreSQL stores what is equal once, which
    leaves a tenth of the other ones.
    """
    columns = [source for source in map(as_written, terms) if isinstance(source, F)]
    mark = mark_of_size(terms)
    key = [OrderBy(column) for column in dict.fromkeys([*within, *member, *columns])]
    if mark is not None and key and all(isinstance(part.expression, F) for part in key):
        index = _index(f"{prefix}_size", key)
        index.condition = eligible & Q(mark)
        yield index


def mark_of_size(terms: Sequence[OrderBy]) -> Any:
    """Return whether no expression among the terms is NULL; None where there is none.

    Written so that it follows from nothing else. PostgreSQL takes an index whose first column has one value
    for one in the order of the table, and would read in the order of the board by it, which takes twice the
    time; so it is for statements that have the same condition.
    """
    computed = [source for source in map(as_written, terms) if not isinstance(source, F)]
    return is_true(Q(*map(not_null, computed))) if computed else None


def _unordered(part: Any) -> Any:
    return part.expression if isinstance(part, OrderBy) else part


def _uncovered(argument: str, value: Any) -> ValueError:
    shown = described(path_of(value) if isinstance(value, F) else value)
    return ValueError(
        f"covering=True: {argument} has {shown}, which PostgreSQL cannot read from an index; that takes "
        "columns of the model itself and immutable expressions over them. Leave covering=True out."
    )


def sources_of(*expressions: Any) -> Iterator[str]:
    """Yield the names of the fields that expressions are made of, but for the primary key as ``pk``."""
    for expression in expressions:
        for node in nodes_of(expression) if not isinstance(expression, F) else [expression]:
            if isinstance(node, F) and path_of(node) != "pk":
                yield path_of(node)


def _is_of_own_columns(expression: Any) -> bool:
    names = sources_of(expression)
    return not holds_query(expression) and not any("__" in name for name in names)


# Others may depend on the collation, the zone of the session or a pattern with a percent sign.
COMPARISONS = ("exact", "in", "gt", "gte", "lt", "lte", "isnull", "range")
LITERALS = (str, int, float, Decimal, date, time, timedelta, UUID)


def _is_immutable_condition(condition: Any) -> bool:
    """Tell whether PostgreSQL takes a condition into an index, and Django into a migration, as it is."""
    if isinstance(condition, Q):
        return all(map(_is_immutable_condition, parts_of(condition)))
    if not isinstance(condition, tuple):
        return False
    path, value = condition
    name, _, lookup = path.partition("__")
    return name != "pk" and lookup in ("", *COMPARISONS) and _is_literal(value)


def _is_literal(value: Any) -> bool:
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(_is_literal, value))
    if isinstance(value, F):
        return "__" not in path_of(value) and path_of(value) != "pk"
    # Django doubles a percent sign in what it writes into an index.
    return value is None or (isinstance(value, LITERALS) and not (isinstance(value, str) and "%" in value))


# Not Cast or Trunc, which may depend on the time zone of the session.
IMMUTABLE = (TimeTaken, Collate, ExpressionWrapper, CombinedExpression, Coalesce, Value)


def _indexable(expression: Any) -> bool:
    """Tell whether PostgreSQL takes the expression into an index: own columns, immutable functions."""
    if isinstance(expression, F):
        # An index knows the primary key by its own name only; nothing after it would order anything.
        return "__" not in path_of(expression) and path_of(expression) != "pk"
    if not isinstance(expression, TimeTaken | Collate | TruncBase) or is_running(expression):
        return False
    return all(map(_is_immutable, nodes_of(expression)))


def _is_immutable(node: Any) -> bool:
    if isinstance(node, F):
        return "__" not in path_of(node)
    # In the zone of the session, what is truncated would change with it.
    return type(node) in IMMUTABLE or (isinstance(node, TruncBase) and node.tzinfo is not None)


def _index(name: str, parts: list[OrderBy]) -> Index:
    # What Django fills in for each child of an abstract model; it checks the length then.
    if len(re.sub(r"%\((app_label|class)\)s", "", name)) > Index.max_name_length:
        raise ValueError(
            f"The index name {name!r} has more than {Index.max_name_length} characters; "
            "give indexes() a shorter prefix."
        )
    if all(isinstance(part.expression, F) for part in parts):
        names = [f"{'-' if part.descending else ''}{path_of(part.expression)}" for part in parts]
        return Index(name=name, fields=names)
    # PostgreSQL sorts ascending by default; a bare expression keeps the migration short.
    return Index(*(part if part.descending else part.expression for part in parts), name=name)

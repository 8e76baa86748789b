"""Which indexes serve a board."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.db.models import ExpressionWrapper, F, Index, OrderBy, Value
from django.db.models.functions import Coalesce, Collate

from leaderboard.expressions.terms import as_written
from leaderboard.expressions.times import TimeTaken, is_running
from leaderboard.orm.names import CombinedExpression, TruncBase
from leaderboard.orm.trees import nodes_of, path_of

__all__ = ["indexes_for"]


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

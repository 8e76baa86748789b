"""Expressions and conditions that reach over one relation, and the same as its rows see them.

Q(comments__is_public=True)  over "comments" is  Q(is_public=True)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import F, Q
from django.db.models.constants import LOOKUP_SEP

from leaderboard.orm.trees import parts_of, path_of

__all__ = ["nodes_in", "relative"]


def nodes_in(*nodes: Any) -> Iterator[Any]:
    """Yield the parts of expressions and conditions; the path of a condition as a reference."""
    for node in nodes:
        if isinstance(node, tuple):
            path, value = node
            yield F(path)
            yield from nodes_in(value)
        elif isinstance(node, list | set | frozenset):
            yield from nodes_in(*node)
        elif node is not None:
            yield node
            yield from nodes_in(*parts_of(node))


def relative(node: Any) -> Any:
    """Return a copy in which each path begins at the related row: ``pk`` for the relation itself."""
    if isinstance(node, F):
        return F(_below(path_of(node)))
    if isinstance(node, tuple):
        path, value = node
        return _below(path), relative(value)
    if isinstance(node, list):
        return [relative(part) for part in node]
    if isinstance(node, Q):
        return Q(*map(relative, node.children), _connector=node.connector, _negated=node.negated)
    if hasattr(node, "set_source_expressions"):
        copied = node.copy()
        parts = [None if part is None else relative(part) for part in node.get_source_expressions()]
        copied.set_source_expressions(parts)
        return copied
    return node


def _below(path: str) -> str:
    return path.partition(LOOKUP_SEP)[2] or "pk"

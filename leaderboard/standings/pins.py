"""Which board a view is pinned to, and which member: what holds each part of that to one value."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, TypeVar

from leaderboard.declaration.leaderboard import Leaderboard
from leaderboard.orm.conditions import compares, is_equality
from leaderboard.orm.query import DerivedQuery

__all__ = ["member_pins", "pins_of"]

K = TypeVar("K", bound=Hashable)


def pins_of(view: DerivedQuery, declaration: Leaderboard) -> dict[str, Any]:
    """Return, for each name of ``within`` that the view holds to one value, the lookup that does."""
    return _pins(view, declaration.within, null_is_a_value=declaration.null_is_a_board)


def member_pins(view: DerivedQuery, declaration: Leaderboard) -> list[Any]:
    """Return the lookups that hold the view to one member, one a part; none where it is not held."""
    parts = dict(enumerate(declaration.member_parts))
    pins = [*_pins(view, parts, null_is_a_value=len(parts) > 1).values()]
    # Where all are NULL, it is nobody's.
    return pins if len(pins) == len(parts) and any(map(is_equality, pins)) else []


def _pins(view: DerivedQuery, parts: Mapping[K, Any], *, null_is_a_value: bool) -> dict[K, Any]:
    equalities = view.equalities(null_is_a_value=null_is_a_value) if parts else []
    pins = {}
    for name, part in parts.items() if equalities else ():
        wanted = view.resolved_here(part)
        for lookup in equalities:
            if compares(lookup, part, wanted):
                pins[name] = lookup
                break
    return pins

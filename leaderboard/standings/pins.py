"""Which board a view is pinned to: what holds each part of ``within`` to one value."""

from __future__ import annotations

from typing import Any

from leaderboard.declaration.leaderboard import Leaderboard
from leaderboard.orm.conditions import compares
from leaderboard.orm.query import DerivedQuery

__all__ = ["pins_of"]


def pins_of(view: DerivedQuery, declaration: Leaderboard) -> dict[str, Any]:
    """Return, for each name of ``within`` that the view holds to one value, the lookup that does."""
    equalities = view.equalities(null_is_a_value=declaration.null_is_a_board)
    pins = {}
    for name, part in declaration.within.items() if equalities else ():
        wanted = view.resolved_here(part)
        for lookup in equalities:
            if compares(lookup, part, wanted):
                pins[name] = lookup
                break
    return pins

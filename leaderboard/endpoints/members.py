"""Whom a request is about: a member of the board, or an entry."""

from __future__ import annotations

from typing import Any

from leaderboard.declaration.leaderboard import Leaderboard
from leaderboard.endpoints.errors import InvalidParameter
from leaderboard.endpoints.parameters import Parameters

__all__ = ["member_in", "whom"]


def member_in(parameters: Parameters, board: Leaderboard) -> Any:
    """Return the member that ``member`` names, or of several fields ``member.<field>`` each; None for none.

    Raises ``InvalidParameter`` where the board declares no member, or another kind of one.
    """
    declared = board.member
    text = parameters.text("member")
    if not isinstance(declared, tuple):
        if text is not None and declared is None:
            raise InvalidParameter("member", "the board declares no member.")
        return text
    if text is not None:
        names = ", ".join(f"member.{name}" for name in declared)
        raise InvalidParameter("member", f"a member is named by {names}.")
    values = {name: parameters.text(f"member.{name}") for name in declared}
    return values if any(value is not None for value in values.values()) else None


def whom(parameters: Parameters, board: Leaderboard) -> dict[str, Any]:
    """Return ``member=`` or ``pk=`` of whom a request is about, the latter by ``entry``.

    Raises ``InvalidParameter`` where that is nobody, or two.
    """
    member, key = member_in(parameters, board), parameters.text("entry")
    if (member is None) == (key is None):
        names = "entry" if board.member is None else "one of member and entry"
        raise InvalidParameter("entry" if board.member is None else "member", f"give {names}.")
    return {"pk": key} if member is None else {"member": member}

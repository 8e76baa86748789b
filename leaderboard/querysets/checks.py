"""System checks of managers."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import models

from leaderboard.declaration.leaderboard import DeclaresBoards
from leaderboard.querysets.boards import BoardQuerySet

__all__ = ["check_queryset"]


def check_queryset(manager: models.Manager[Any]) -> list[CheckMessage]:
    """Return why the querysets of ``manager`` do not know its boards; empty where they do."""
    queryset: Any = manager.get_queryset()
    boards = manager.boards if isinstance(manager, DeclaresBoards) else {}
    if isinstance(queryset, BoardQuerySet) and queryset._board == next(iter(boards.values()), None):
        return []
    return [
        Error(
            f"The manager {manager.name!r} of {manager.model._meta.label} declares boards, but its "
            f"{type(queryset).__name__} does not know them.",
            hint="Let get_queryset() begin with super().get_queryset(), and make querysets of your own "
            "subclasses of LeaderboardQuerySet.",
            obj=manager.model,
            id="leaderboard.E009",
        )
    ]

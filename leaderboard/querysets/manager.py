"""Managers that declare boards, and the queryset of theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import models

from leaderboard.declaration.checks import check_boards
from leaderboard.declaration.leaderboard import DeclaresBoards, Leaderboard
from leaderboard.orm.queryset import made_by_as_manager
from leaderboard.querysets.boards import as_leaderboard
from leaderboard.querysets.checks import check_queryset
from leaderboard.querysets.supposed import SupposingQuerySet

__all__ = ["LeaderboardManager", "LeaderboardQuerySet"]


class LeaderboardQuerySet(SupposingQuerySet):
    """A queryset that derives rank, percentile, board size, time taken and qualification in SQL.

    What is filtered, sliced or joined, before or after, is a view: it changes which rows are shown and
    never what is derived for them, which depends on the board and its declaration alone.
    """

    @classmethod
    def as_manager(cls, **boards: Leaderboard | Callable[[], Leaderboard]) -> Any:
        """Return a manager with this queryset's methods that declares ``boards``.

        Raises what :class:`LeaderboardManager` does.
        """
        return made_by_as_manager(LeaderboardManager.from_queryset(cls)(**boards))


# The plugin of django-stubs sees the base of a class only where it has a name.
_Manager = models.Manager.from_queryset(LeaderboardQuerySet)


class LeaderboardManager(DeclaresBoards, _Manager[Any]):
    """A manager that declares boards; the first one named is the default.

    A board may be given as a function without arguments, which is called when the boards are first asked
    for: a subquery over other models can be written only when all models are there.

    Raises ``TypeError`` for what is no ``Leaderboard``, ``ValueError`` for a name that is no identifier.
    """

    def __init__(self, /, **boards: Leaderboard | Callable[[], Leaderboard]) -> None:
        super().__init__()
        for name, board in boards.items():
            if not name.isidentifier():
                raise ValueError(f"The board name {name!r} must be an identifier, such as 'overall'.")
            if not callable(board):
                as_leaderboard(name, board)
        self._declared = boards
        self._boards: dict[str, Leaderboard] = {}

    @property
    def boards(self) -> dict[str, Leaderboard]:
        """The boards by name."""
        for name, board in self._declared.items():
            if name not in self._boards:
                try:
                    made = as_leaderboard(f"{name}()", board()) if callable(board) else board
                except RecursionError:
                    raise ImproperlyConfigured(
                        f"The function for the board {name!r} asks the manager that it makes a board for. "
                        "Let it query by the model's _base_manager."
                    ) from None
                # Threads that come here at once all get the board that one of them has made.
                self._boards.setdefault(name, made)
        return self._boards

    def check(self, **kwargs: Any) -> list[Any]:
        return [
            *super().check(**kwargs),
            *check_queryset(self),
            *check_boards(self.model, self.boards, kwargs.get("databases")),
        ]

    def get_queryset(self) -> Any:
        queryset: Any = super().get_queryset()
        queryset._board = next(iter(self.boards.values()), None)
        return queryset

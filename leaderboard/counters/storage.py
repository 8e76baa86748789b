"""Where a counter keeps what writes add to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Inline", "Journal", "Storage"]


@dataclass(frozen=True)
class Inline:
    """A write adds to the parent's column, and whoever writes to the same parent waits for the commit."""

    def deconstruct(self) -> tuple[str, tuple[()], dict[str, Any]]:
        return "leaderboard.Inline", (), {}


@dataclass(frozen=True)
class Journal:
    """A write only inserts a row into a side table; a read adds the rows that wait to the parent's column.

    One write in ``fold_every`` merges the rows of its parent into one when it commits; ``fold_journals()``
    does so for all parents. Raises ``ValueError`` unless it is a power of two, from 1 to 4096.
    """

    fold_every: int = 128

    def __post_init__(self) -> None:
        every = self.fold_every
        if isinstance(every, bool) or not isinstance(every, int) or every not in [2**n for n in range(13)]:
            raise ValueError(f"Journal(fold_every={every!r}): give a power of two from 1 to 4096.")

    def deconstruct(self) -> tuple[str, tuple[()], dict[str, Any]]:
        return "leaderboard.Journal", (), {} if self.fold_every == 128 else {"fold_every": self.fold_every}


Storage = Inline | Journal

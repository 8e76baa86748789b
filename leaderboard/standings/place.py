"""Where an entry stands: by which expressions it has its place on a board, and the values that it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from leaderboard.expressions.literals import AsText, FromText
from leaderboard.orm.written import Slot
from leaderboard.standings.metrics import Ranking

__all__ = ["Location", "Place"]


@dataclass(frozen=True, kw_only=True)
class Location:
    """The expressions by which entries of a board have their places, and the fields of their values.

    In this order: the primary key, ``within``, the ordering terms, what orders ties, the member, and by what
    one of a member's entries is chosen.
    """

    expressions: Sequence[Any]
    fields: Sequence[Any]
    names: Sequence[str]
    sizes: Sequence[int]

    @property
    def columns(self) -> Sequence[Any]:
        """What is to be read of an entry, all as text."""
        return [AsText(expression) for expression in self.expressions]

    def place(self, ranking: Ranking, row: Sequence[Any]) -> Place:
        """Return the place on a board that was read as ``columns``."""
        return Place(ranking=ranking, location=self, row=row)


@dataclass(frozen=True, eq=False, kw_only=True)
class Place:
    """Where one entry stood when it was read: its key, and the values by which it has its place.

    ``row`` has them all, as text. ``within`` are those that name its board, ``counting`` is by what its
    member's entries are chosen among. With ``is_alone`` nothing is read but its row with its metrics, so that
    each of them is computed once, whatever the levels of its table.
    """

    ranking: Ranking
    location: Location
    row: Sequence[Any]
    is_alone: bool = False

    # Where what counts is written already, they are not needed.
    @cached_property
    def _literals(self) -> Sequence[Sequence[FromText]]:
        pairs = zip(self.row, self.location.fields, strict=True)
        literals = iter([FromText(text, field) for text, field in pairs])
        return [[next(literals) for _ in range(size)] for size in self.location.sizes]

    @property
    def key(self) -> Sequence[FromText]:
        return self._literals[0]

    @property
    def within(self) -> Mapping[str, FromText]:
        return dict(zip(self.location.names, self._literals[1], strict=True))

    @property
    def terms(self) -> Sequence[FromText]:
        return self._literals[2]

    @property
    def ties(self) -> Sequence[FromText]:
        return self._literals[3]

    @property
    def member(self) -> Sequence[FromText]:
        return self._literals[4]

    @property
    def counting(self) -> FromText | None:
        return next(iter(self._literals[5]), None)

    def with_slots(self, *, is_alone: bool = False) -> Place:
        """Return the place with a slot for each value that is not NULL."""
        row = [None if value is None else Slot(position) for position, value in enumerate(self.row)]
        return replace(self, row=row, is_alone=is_alone)

    @property
    def is_on_board(self) -> bool:
        """Whether the entry is on a board, which by a NULL it is only where that is declared."""
        of_key, of_board, *_ = self.location.sizes
        is_null = None in self.row[of_key : of_key + of_board]
        return not is_null or self.ranking.declaration.null_is_a_board

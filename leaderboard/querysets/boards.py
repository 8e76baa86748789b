"""Choosing a board, pinning a queryset to it, and making a view the population."""

from __future__ import annotations

from typing import Any, Self

from django.core.exceptions import FieldError, ImproperlyConfigured, ValidationError
from django.db import NotSupportedError
from django.db.models import F

from leaderboard.declaration.checks import misfits
from leaderboard.declaration.leaderboard import Leaderboard, boards_of
from leaderboard.expressions.arguments import reason_of
from leaderboard.expressions.times import period_of
from leaderboard.orm.columns import is_stored_column
from leaderboard.orm.queryset import DerivedQuerySet
from leaderboard.orm.trees import described, path_of
from leaderboard.orm.views import keys_of
from leaderboard.standings.metrics import Ranking
from leaderboard.standings.pins import pins_of
from leaderboard.standings.query import LeaderboardQuery

__all__ = ["BoardNotPinned", "BoardQuerySet", "as_leaderboard"]


class BoardNotPinned(ValueError):
    """Raised where a method needs one board and the queryset shows several."""


def as_leaderboard(name: str, board: object) -> Leaderboard:
    """Return ``board``; raise ``TypeError`` naming the argument where it is no ``Leaderboard``."""
    if not isinstance(board, Leaderboard):
        raise TypeError(f"{name}={described(board)} must be a Leaderboard(order_by=[…]).")
    return board


class BoardQuerySet(DerivedQuerySet):
    """A queryset on the boards of one declaration."""

    query: LeaderboardQuery
    _query_class = LeaderboardQuery

    _board: Leaderboard | None = None
    _population: Any = None
    _carried: tuple[str, ...] = ("_board", "_population")

    def board(self, name: str) -> Self:
        """Return the queryset for the declared board ``name``.

        Raises ``ValueError`` where the model's managers declare none of that name.
        """
        if not isinstance(name, str):
            raise TypeError(f"board={name!r} must be the name of a board; for others use with_leaderboard().")
        boards = boards_of(self.model)
        if name not in boards:
            known = ", ".join(map(repr, boards)) or "none"
            raise ValueError(
                f"board={name!r} is not declared on {self.model._meta.label}; declared: {known}."
            )
        return self._copied(_board=boards[name])

    def with_leaderboard(self, board: Leaderboard) -> Self:
        """Return the queryset for ``board``, which need not be declared on the model.

        Raises ``TypeError`` for what is no ``Leaderboard``, ``FieldError`` for one that does not fit the
        model, in the words of the system checks.
        """
        model: Any = self.model
        for message in misfits(model, as_leaderboard("board", board)):
            raise FieldError(f"{message.msg} {message.hint} ({message.id})")
        return self._copied(_board=board)

    @property
    def leaderboard(self) -> Leaderboard:
        """The board that metrics are about; raises ``ImproperlyConfigured`` where the model has none."""
        board = self._board or next(iter(boards_of(self.model).values()), None)
        if board is not None:
            return board
        raise ImproperlyConfigured(
            f"{self.model._meta.label} declares no board. Declare one, as in "
            "objects = LeaderboardManager(overall=Leaderboard(order_by=['-score'])), "
            "or pass one to with_leaderboard()."
        )

    @property
    def _ranking(self) -> Ranking:
        return Ranking(self.leaderboard, self._population)

    def on_board(self, **within: Any) -> Self:
        """Return the entries on one board, whose values are given by the names of ``within``.

        A board by a truncated time is named by any moment of its period. None names the board of NULL where
        the board is declared with ``nulls_distinct=False``. Raises ``TypeError`` where the names are not
        exactly those of ``within`` and after a slice, ``ValueError`` for another None and for a value that
        the field does not take.
        """
        self._refuse_combined("on_board")
        self._refuse_slice("on_board")
        declaration = self.leaderboard
        if within.keys() != declaration.within.keys():
            expected = ", ".join(f"{name}=…" for name in declaration.within) or "no arguments"
            raise TypeError(f"on_board() takes {expected}, not {', '.join(sorted(within)) or 'nothing'}.")
        queryset = self._copied()
        for name, value in within.items():
            if value is None and not declaration.null_is_a_board:
                raise ValueError(
                    f"on_board({name}=None): an entry with a NULL board is on no board, unless the board is "
                    "declared with nulls_distinct=False."
                )
            try:
                queryset = queryset._pinned_to(declaration.within[name], value)
            except (OverflowError, TypeError, ValueError, ValidationError) as error:
                raise ValueError(f"on_board({name}={described(value)}): {reason_of(error)}") from error
        return queryset

    def _pinned_to(self, part: Any, value: Any) -> Self:
        """Return the queryset limited to a value of one part of ``within``."""
        queryset = self._copied()
        expression = queryset.query.resolved_here(part)
        if type(value) is F:
            raise TypeError("a board is named by a value, not by a column of its entries.")
        if is_stored_column(expression):
            return self.filter(**{path_of(part): value})
        if value is None:
            queryset.query.pin_null(part)
            return queryset
        # Not as filter() would: a lookup of the year, say, compares bounds instead of the expression.
        queryset.query.pin(part, period_of(value, expression))
        return queryset

    def as_population(self) -> Self:
        """Return the queryset with its present view as the population of later standings.

        Members, ties, percentiles and cut-offs are then those among the view's entries; ``eligible``
        still applies. Raises ``NotSupportedError`` after a slice.
        """
        self._refuse_combined("as_population")
        if self._has_slice:
            raise NotSupportedError(
                "as_population() after a slice: filter by primary key, pk__in=list(…), or slice afterwards."
            )
        return self._copied(_population=keys_of(self.query))

    def _pinned_ranking(self, method: str) -> Ranking:
        """Return the ranking of the one board that the view is on; raise ``BoardNotPinned`` for several."""
        ranking = self._ranking
        within = ranking.declaration.within
        if within.keys() - pins_of(self.query, ranking.declaration).keys():
            names = ", ".join(f"{name}=…" for name in within)
            raise BoardNotPinned(f"{method}() needs one board; call on_board({names}) first.")
        return ranking

    @property
    def is_whole_board(self) -> bool:
        """Whether the view shows every entry of its board, or of all boards."""
        pins = pins_of(self.query, self.leaderboard).values()
        return self.query.shows_all_rows_of(list(pins))

    def whole_board(self) -> Self:
        """Return all entries of the board that the view is on, or of all boards."""
        queryset = self._unfiltered()
        for name, lookup in pins_of(self.query, self.leaderboard).items():
            queryset.query.add_condition(self.leaderboard.within[name], lookup)
        return queryset

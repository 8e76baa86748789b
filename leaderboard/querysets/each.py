"""The first entries of every board in a view."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, Self

from django.db import NotSupportedError
from django.db.models import OrderBy

from leaderboard.expressions.terms import Term
from leaderboard.orm.lateral import (
    Branch,
    is_plain,
    may_hold_null,
    outer_for,
    pin_to_outer,
    values_of,
)
from leaderboard.orm.views import keys_of
from leaderboard.querysets.places import PlaceQuerySet, limit
from leaderboard.standings.each import FirstOfEach, FirstRows
from leaderboard.standings.pins import pins_of

__all__ = ["EachQuerySet"]


class EachQuerySet(PlaceQuerySet):
    """A queryset that finds the first of every board."""

    def top_of_each(self, n: int) -> Self:
        """Return the first ``n`` ranked entries of the view on each of its boards, board by board, in order.

        What is filtered afterwards is a view of these, also where the queryset is on one board. The rank is
        annotated unless a field or an annotation has its name. Raises ``TypeError`` after a slice, and
        ``NotSupportedError`` after ``select_for_update()``, ``distinct(*fields)``, ``union()`` or a window
        that is annotated, and for a view that refers to a query around it.
        """
        n = limit(n, "n")
        self._refuse_combined("top_of_each")
        self._refuse_slice("top_of_each")
        self._refuse_row_locks()
        if self._has_distinct_fields:
            raise NotSupportedError(
                "top_of_each() after distinct(*fields), which sets an order of its own; "
                "filter by primary key instead: pk__in=queryset.values('pk')."
            )
        declaration = self.leaderboard
        pinned = pins_of(self.query, declaration)
        free = {name: part for name, part in declaration.within.items() if name not in pinned}
        self._refuse_windows("top_of_each")
        self._refuse_outer("top_of_each")
        outer = outer_for(self.query, len(free))
        is_whole, view = self.is_whole_board, self
        if is_whole:
            view = self.whole_board()
        elif not is_plain(self.query) or self._has_many_rows:
            view = self.whole_board().filter(pk__in=keys_of(self.query))
        first = []
        # A board of NULL is not found by an equality.
        ways = [
            (False, True) if declaration.null_is_a_board and may_hold_null(self.query, part) else (None,)
            for part in free.values()
        ]
        for nulls in product(*ways):
            rows = view._copied()
            for part, name, is_null in zip(free.values(), outer.names, nulls, strict=True):
                if is_null:
                    rows.query.pin_null(part)
                else:
                    pin_to_outer(rows.query, part, outer, name)
            rows.query.first_of_board = n if is_whole else None
            first.append(
                Branch(
                    values_of(self.query, [*free.values()], nulls) if free else None,
                    rows._in_order("top_of_each")[:n].query,
                )
            )
        if n == 0:
            return self.none()
        each = FirstRows(self.model, declaration, first, outer)
        found = self._in_written_order().filter(FirstOfEach.of(each))
        return found._board_by_board(list(free.values()))._with_default_rank()

    def _board_by_board(self, parts: Sequence[Any]) -> Self:
        """Return the queryset in the order of the boards, and of the entries on each."""
        queryset = self._copied()
        boards = (OrderBy(Term(part)) for part in parts)
        return queryset.order_by(*boards, *queryset._board_order(self._ranking))

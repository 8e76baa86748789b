"""Ways along a board: in its own order or backwards, by its index, and in any other, by sorting it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, OrderBy

from leaderboard.endpoints.errors import InvalidParameter
from leaderboard.endpoints.ordering import Order
from leaderboard.expressions.bounds import beyond
from leaderboard.expressions.literals import FromText
from leaderboard.standings.bookmark import Bookmark, BookmarkAnnotation, place_of

__all__ = ["BOOKMARK", "BoardWalk", "SortedWalk", "Walk"]

# The annotation by which an entry of a page is found again.
BOOKMARK = "_bookmark"

Entries = list[Any]


class Walk(ABC):
    """The ranked entries of a view in some order, read from place to place.

    ``rows`` is a queryset of all of them in that order.
    """

    rows: Any

    @abstractmethod
    def ahead(self, size: int, bookmark: Bookmark | None = None) -> Entries:
        """Return the entries next after a place, or the first ones, in order."""

    @abstractmethod
    def behind(self, size: int, bookmark: Bookmark | None = None) -> Entries:
        """Return the entries next before a place, or the last ones, in order."""

    @abstractmethod
    def at_rank(self, size: int, rank: int) -> Entries:
        """Return the entries from a position of the board on, in order."""

    @abstractmethod
    def of_member(self, size: int, member: Any) -> Entries:
        """Return the page that a member is on, where pages of that size begin with the first of the board.

        Raises ``DoesNotExist`` where the member is not ranked or not in the view.
        """

    @abstractmethod
    def place(self, bookmark: Bookmark) -> Sequence[FromText]:
        """Return the values of a bookmark, with their types."""

    def beyond(self, bookmark: Bookmark, *, later: bool) -> Any:
        """Return a queryset for the entries after a place, or those before it."""
        return self.rows.filter(beyond(self._order, self.place(bookmark), later=later))

    def has_beside(self, entries: Sequence[Any], *, later: bool) -> bool:
        """Return whether there are others after one entry, or before it; of none, whether there are any."""
        sides = [self.beyond(getattr(entry, BOOKMARK), later=later) for entry in entries]
        return bool((sides or [self.rows])[0].exists())

    def sides(self, first: Any, last: Any) -> tuple[bool, bool]:
        """Return whether there are entries before the first of some, and after the last."""
        earlier = self.beyond(getattr(first, BOOKMARK), later=False).order_by()
        later = self.beyond(getattr(last, BOOKMARK), later=True).order_by()
        own = self.rows.model._base_manager.using(self.rows.db).filter(pk=first.pk)
        # Where the entry has just gone, a link that leads to nobody does less harm than none.
        found = own.values_list(Exists(earlier), Exists(later)).first()
        return (True, True) if found is None else found

    @property
    @abstractmethod
    def _order(self) -> Sequence[OrderBy]:
        """The order in which ``rows`` are."""


class BoardWalk(Walk):
    """A walk in the order of a board, or backwards, by the pages that a queryset gives."""

    def __init__(self, view: Any, order: Order) -> None:
        self._view = view.with_bookmarks(BOOKMARK)
        self._turns = order.is_reversed
        self._board = order.board
        ranked = view.ranked()
        self.rows = ranked.reverse() if self._turns else ranked

    def ahead(self, size: int, bookmark: Bookmark | None = None) -> Entries:
        return self._beside(size, bookmark, later=not self._turns)

    def behind(self, size: int, bookmark: Bookmark | None = None) -> Entries:
        return self._beside(size, bookmark, later=self._turns)

    def _beside(self, size: int, bookmark: Bookmark | None, *, later: bool) -> Entries:
        if bookmark is not None:
            page = self._view.page(size, **{"after" if later else "before": bookmark})
        else:
            page = self._view.page(size, last=not later)
        return self._in_order(page)

    def at_rank(self, size: int, rank: int) -> Entries:
        if not self._turns:
            return self._in_order(self._view.page(size, at_rank=rank))
        return self._in_order(self._view.page(min(size, rank), at_rank=max(1, rank - size + 1)))

    def of_member(self, size: int, member: Any) -> Entries:
        return self._in_order(self._view.page(size, of_member=member))

    def _in_order(self, page: Any) -> Entries:
        return [*page][::-1] if self._turns else [*page]

    def place(self, bookmark: Bookmark) -> Sequence[FromText]:
        return place_of(bookmark, self.rows.model, self._board)

    def beyond(self, bookmark: Bookmark, *, later: bool) -> Any:
        return super().beyond(bookmark, later=later != self._turns)

    @property
    def _order(self) -> Sequence[OrderBy]:
        order: Sequence[OrderBy] = self.rows.order_terms
        return order


class SortedWalk(Walk):
    """A walk in any other order, for which all ranked entries are sorted.

    Raises ``InvalidParameter`` where the board has more of them than ``limit``; None is no limit.
    """

    def __init__(self, view: Any, order: Order, limit: int | None) -> None:
        if limit is not None and view.whole_board().ranked().count() > limit:
            raise InvalidParameter(
                "ordering", f"{order.text!r} sorts the whole board, which has more than {limit} entries."
            )
        self._asked = order
        self.rows = view.ranked().order_by(*self._order)

    @property
    def _order(self) -> Sequence[OrderBy]:
        return self._asked.terms or ()

    @property
    def _marked(self) -> Any:
        return self.rows.annotate(**{BOOKMARK: BookmarkAnnotation(*(t.expression for t in self._order))})

    def ahead(self, size: int, bookmark: Bookmark | None = None) -> Entries:
        rows = self._marked
        if bookmark is not None:
            rows = rows.filter(beyond(self._order, self.place(bookmark), later=True))
        return [*rows[:size]]

    def behind(self, size: int, bookmark: Bookmark | None = None) -> Entries:
        rows = self._marked
        if bookmark is not None:
            rows = rows.filter(beyond(self._order, self.place(bookmark), later=False))
        return [*rows.reverse()[:size]][::-1]

    def at_rank(self, size: int, rank: int) -> Entries:
        raise self._refused("rank")

    def of_member(self, size: int, member: Any) -> Entries:
        raise self._refused("member")

    def _refused(self, parameter: str) -> InvalidParameter:
        return InvalidParameter(parameter, f"the order {self._asked.text!r} is not that of the board.")

    def place(self, bookmark: Bookmark) -> Sequence[FromText]:
        pairs = zip(bookmark.values, self._asked.fields, strict=True)
        return [FromText(text, field) for text, field in pairs]

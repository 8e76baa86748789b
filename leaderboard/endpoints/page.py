"""A page of a board as a request asks for it, whatever framework the request is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async

from leaderboard.endpoints.cursor import Cursor, Cursors
from leaderboard.endpoints.errors import InvalidParameter
from leaderboard.endpoints.members import member_in
from leaderboard.endpoints.ordering import Order, Orderings
from leaderboard.endpoints.parameters import Parameters
from leaderboard.endpoints.walks import BOOKMARK, BoardWalk, SortedWalk, Walk
from leaderboard.kinds import RankKind
from leaderboard.querysets.places import at_least_one

__all__ = ["ENDS", "METRICS", "MOST", "Page", "Pager"]

METRICS = ("rank", "board_size", "percentile", "qualification", "time_taken")
ENDS = ("first", "last")
# More than any board has.
MOST = 10**15
# Begins the names of where an entry is on the board, and of how many.
NUMBER = "_number_"


@dataclass(frozen=True, kw_only=True)
class Page:
    """Entries next to one another in an order: instances of the model, with the metrics of their board.

    ``next`` and ``previous`` are cursors, None where there is nobody.
    """

    entries: Sequence[Any]
    ordering: str
    size: int
    next: str | None
    previous: str | None


class Found(NamedTuple):
    """Entries, and whether there are others before them and after them."""

    entries: Sequence[Any]
    has_previous: bool
    has_next: bool


class Pager:
    """Gives pages of boards: of ``size`` entries unless a request asks for another number up to ``max_size``.

    ``ordering`` is the order where none is asked for. ``others`` are names that a board may be ordered by
    beside its own, as paths to fields or a mapping of names to expressions; an order that is not the
    board's own is refused where the board has more than ``sorted_limit`` entries, unless that is None.
    ``metrics`` are those that entries get, all unless given, and ``prefix`` begins their names. Raises
    ``TypeError`` or ``ValueError`` naming an argument that cannot be right.
    """

    def __init__(
        self,
        *,
        size: int = 50,
        max_size: int = 200,
        ordering: str = "rank",
        others: Sequence[str] | Mapping[str, Any] = (),
        metrics: Sequence[str] | None = None,
        prefix: str = "",
        sorted_limit: int | None = 100_000,
    ) -> None:
        self.max_size = at_least_one(max_size, "max_size")
        self.size = at_least_one(size, "size")
        if size > max_size:
            raise ValueError(f"size={size!r} must be at most max_size={max_size!r}.")
        if not isinstance(ordering, str) or not ordering:
            raise TypeError(f"ordering={ordering!r} must be an order, such as 'rank'.")
        if not isinstance(others, Sequence | Mapping) or isinstance(others, str):
            raise TypeError(f"others={others!r} must be a list of paths to fields, or a mapping.")
        if metrics is not None and (isinstance(metrics, str) or {*metrics} - {*METRICS}):
            raise ValueError(f"metrics={metrics!r} must be some of {', '.join(METRICS)}.")
        self.ordering = ordering
        self.others = others
        self.metrics = metrics
        self.prefix = prefix
        self.sorted_limit = None if sorted_limit is None else at_least_one(sorted_limit, "sorted_limit")

    def page(self, view: Any, given: Mapping[str, str], *, scope: str = "") -> Page:
        """Return the page that parameters ask for, of a queryset that is on one board.

        They are ``size``, ``ordering``, and one of ``cursor``, ``rank`` (the position on the board where
        the page begins), ``member`` (who is on it) and ``page``, ``first`` or ``last``. Cursors are of this
        board, order and filter only; where values of a filter are not in its statement, ``scope`` tells
        them apart.

        Raises :class:`~leaderboard.endpoints.InvalidParameter` for a parameter that cannot be right,
        ``DoesNotExist`` for a member who is not ranked or not in the view, and what
        :meth:`~leaderboard.LeaderboardQuerySet.page` raises.
        """
        parameters = Parameters(given)
        size = parameters.whole("size", self.size, most=self.max_size)
        order = self._order(view, parameters)
        place = parameters.only("cursor", "rank", "page")
        member = member_in(parameters, order.board)
        if place and member is not None:
            raise InvalidParameter(place, "cannot be given beside member.")
        walk = self._walk(view, order, is_numbered=member is not None)
        cursors = Cursors(walk.rows, scope)
        if member is not None:
            found = self._of_member(walk, size, member, order, is_whole=view.is_whole_board)
        else:
            found = self._beside(walk, cursors, parameters, size)
        if not found.entries:
            # Nobody is there beside whom the others are.
            first, last = Cursor(None, True), Cursor(None, False)
        else:
            first = Cursor(getattr(found.entries[-1], BOOKMARK), True)
            last = Cursor(getattr(found.entries[0], BOOKMARK), False)
        return Page(
            entries=found.entries,
            ordering=order.text,
            size=size,
            next=cursors.write(first) if found.has_next else None,
            previous=cursors.write(last) if found.has_previous else None,
        )

    async def apage(self, view: Any, given: Mapping[str, str], *, scope: str = "") -> Page:
        """Asynchronous form of :meth:`page`."""
        return await sync_to_async(self.page)(view, given, scope=scope)

    def ordered(self, view: Any, given: Mapping[str, str]) -> Any:
        """Return a queryset of all ranked entries with their metrics, in the order that ``ordering`` gives.

        Raises :class:`~leaderboard.endpoints.InvalidParameter` for an order that is not allowed.
        """
        return self._walk(view, self._order(view, Parameters(given)), is_numbered=False).rows

    def with_metrics(self, view: Any) -> Any:
        """Return a queryset with the metrics that entries get."""
        if self.metrics is None:
            return view.standings(self.prefix)
        for name in self.metrics:
            view = getattr(view, f"with_{name}")(prefix=self.prefix)
        return view

    def orderings(self, view: Any) -> Orderings:
        """Return the orders that the board of a queryset may be asked for in."""
        return Orderings(view.model, view.leaderboard, self.others, prefix=self.prefix)

    def _order(self, view: Any, parameters: Parameters) -> Order:
        orderings = self.orderings(view)
        text = parameters.text("ordering")
        if text is not None:
            return orderings.order(text)
        try:
            return orderings.order(self.ordering)
        except InvalidParameter as error:
            # No fault of the request.
            raise ValueError(f"ordering={self.ordering!r}: {error.reason}") from error

    def _walk(self, view: Any, order: Order, *, is_numbered: bool) -> Walk:
        view = self.with_metrics(view.with_leaderboard(order.board))
        if order.terms is not None:
            return SortedWalk(view, order, self.sorted_limit)
        if is_numbered:
            view = view.with_rank(RankKind.ORDINAL, prefix=NUMBER).with_board_size(prefix=NUMBER)
        return BoardWalk(view, order)

    def _beside(self, walk: Walk, cursors: Cursors, parameters: Parameters, size: int) -> Found:
        rank = parameters.whole("rank", 0, most=MOST)
        if rank:
            entries = walk.at_rank(size + 1, rank)
            shown = entries[:size]
            return Found(shown, walk.has_beside(shown[:1], later=False), len(entries) > size)
        text = parameters.text("cursor")
        if text is None:
            is_last = parameters.choice("page", ENDS) == "last"
            cursor = Cursor(None, not is_last)
        else:
            cursor = cursors.read(text)
        # At an end there is nobody beyond; elsewhere there may be.
        is_between = cursor.bookmark is not None
        if cursor.is_later:
            entries = walk.ahead(size + 1, cursor.bookmark)
            shown = entries[:size]
            return Found(shown, is_between and walk.has_beside(shown[:1], later=False), len(entries) > size)
        entries = walk.behind(size + 1, cursor.bookmark)
        shown = entries[-size:]
        return Found(shown, len(entries) > size, is_between and walk.has_beside(shown[-1:], later=True))

    def _of_member(self, walk: Walk, size: int, member: Any, order: Order, *, is_whole: bool) -> Found:
        try:
            entries = walk.of_member(size, member)
        except ValueError as error:
            raise InvalidParameter("member", str(error)) from error
        if not entries:
            return Found(entries, False, False)
        if not is_whole:
            return Found(entries, *walk.sides(entries[0], entries[-1]))
        first, last = (getattr(entry, f"{NUMBER}rank") for entry in (entries[0], entries[-1]))
        is_best, is_worst = (
            min(first, last) == 1,
            max(first, last) == getattr(entries[0], f"{NUMBER}board_size"),
        )
        sides = (not is_best, not is_worst)
        return Found(entries, *(sides[::-1] if order.is_reversed else sides))

"""The neighbours of an entry in the order of a board.

Which they are is a condition of the queryset, so that it is right however it is read, by one statement. Where
nothing else is asked of it, it is read as a page is: by a run from the first of them on. Where that stands is
read by the statement that finds the entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Self

from asgiref.sync import sync_to_async
from django.db.models import Exists, F, Model, QuerySet, Subquery

from leaderboard.expressions.bounds import beyond
from leaderboard.expressions.logic import all_of, equal
from leaderboard.orm.models import key_names
from leaderboard.querysets.pages import Page, PageQuerySet, as_number
from leaderboard.querysets.places import MOST_ROWS, as_value, limit
from leaderboard.standings.place import Location, Place
from leaderboard.standings.run import Run, can_be_run

__all__ = ["NeighbourQuerySet"]

# All who stand so far before an entry are read to find where its neighbours begin.
FARTHEST = 1000


class Start(NamedTuple):
    """Where the first of the neighbours stood, the entry, and at which position among them."""

    first: Place
    entry: Place
    position: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Near(Page):
    """A page that begins so many entries ``before`` the one of ``key``, and ends so many ``after`` it."""

    before: int
    after: int
    start: Start


class NeighbourQuerySet(PageQuerySet):
    """A queryset that finds the neighbours of an entry."""

    def around(
        self,
        entry: Model | None = None,
        *,
        pk: Any = None,
        member: Any = None,
        before: int = 5,
        after: int = 5,
    ) -> Self:
        """Return an entry, or a member's counting entry, with its neighbours in the view, in order.

        They are of one moment, that when the queryset is evaluated; it is empty where the entry is no
        longer ranked, or in the view, by then. The rank is annotated as by ``top()``. Raises ``DoesNotExist``
        where the entry is not ranked or not in the view, ``ValueError`` where it is not saved or the board
        declares no member, ``TypeError`` for another model's, ``NotSupportedError`` after a window function
        is annotated and for a view that refers to a query around it, and otherwise what ``top()`` raises.
        """
        before, after = limit(before, "before"), limit(after, "after")
        self._refuse_windows("around")
        self._refuse_outer("around")
        ranked = self._in_order("around")
        shown = self._of_one(ranked, "around", entry, pk, member)
        location = self._location
        can_run = self.is_whole_board and before <= FARTHEST and can_be_run(self.model, self._ranking)
        board = self.whole_board()._in_order("around") if can_run and location is not None else None
        start: Start | None = None
        if location is None or board is None:
            # In no order, or PostgreSQL may walk the board for the one that it is to find.
            key = next(iter(shown.order_by().values_list(*key_names(self.model))[:1]), None)
        else:
            names = key_names(self.model)
            own = shown._plain_rows()
            if member is None:
                own = own.filter(pk=pk if entry is None else self._key_of(entry))
            else:
                own = own.filter(pk__in=shown.order_by().values(*names)[:1])
            key, start = board.using(shown.db)._start_of(own, before, location)
        if key is None:
            raise self._missing(entry, pk, member, "ranked, on the board and in the view")
        shown = ranked.filter(pk=as_value(key))
        run = partial(ranked._run, key, before, after)
        near = ranked._with_default_rank()
        known = [*near.query.conditions()]
        # Neighbours without the entry between them would be a gap.
        near = near.filter(Exists(shown), pk__in=run() if start is None else ranked._deferred(run))
        *others, among = [own for own in near.query.conditions() if not any(own is one for one in known)]
        if start is None:
            return near._copied(_page=None)
        return near._copied(
            _page=Near(
                ranking=self._ranking,
                size=before + 1 + after,
                view=board,
                order=ranked.order_terms,
                known=[*known, *others],
                condition=among,
                key=key,
                mark=None,
                later=None,
                position=start.position,
                place=start.first,
                location=location,
                before=before,
                after=after,
                start=start,
            )
        )

    async def aaround(
        self,
        entry: Model | None = None,
        *,
        pk: Any = None,
        member: Any = None,
        before: int = 5,
        after: int = 5,
    ) -> Self:
        """Asynchronous form of :meth:`around`."""
        return await sync_to_async(self.around)(entry, pk=pk, member=member, before=before, after=after)

    def _run(self, key: tuple[Any, ...], before: int, after: int) -> QuerySet[Any]:
        """Return the primary keys of an entry and of its neighbours in this queryset, which is in order."""
        names = key_names(self.model)
        sides = [
            self._beside(key, count, later=later).values(*names)
            for count, later in ((before, False), (after, True))
            if count
        ]
        own = self._plain_rows().filter(pk=as_value(key)).values(*names)
        return own.union(*sides, all=True) if sides else own

    def _start_of(self, own: QuerySet[Any], before: int, location: Location) -> tuple[Any, Start | None]:
        """Return the key of the one row of ``own``, and where its neighbours in this queryset begin.

        None where it is not among these.
        """
        names = key_names(self.model)
        keys = [Subquery(own.values_list(name)) for name in names]
        up_to = self.filter(
            beyond(self.order_terms, [*self._terms_of(own), *keys], later=False, or_tied=True)
        )
        is_own = all_of([equal(F(name), key) for name, key in zip(names, keys, strict=True)])
        rows = list(up_to.reverse().values_list(is_own, *names, *location.columns)[: before + 1])
        # Who is not ranked may stand between those who are.
        if not (rows and rows[0][0]):
            return None, None
        begin = 1 + len(names)
        entry, first = (location.place(self._ranking, row[begin:]) for row in (rows[0], rows[-1]))
        return rows[0][1:begin], Start(first, entry, len(rows))

    def _run_of(self, page: Page, *, again: bool = False) -> Run | None:
        if not isinstance(page, Near):
            return super()._run_of(page, again=again)
        start: Start | None = page.start
        if again:
            view = self._view_of(page)
            own = view._plain_rows().filter(pk=as_value(page.key))
            _, start = view._start_of(own, page.before, page.location)
        if start is None:
            return None
        return Run(
            place=start.first,
            later=True,
            # More is read than it has: whom it passes over.
            count=min(start.position + page.after, MOST_ROWS // 2),
            # Where there are not so many before it, the first is that of the board.
            position=as_number(1) if start.position <= page.before else None,
            shown=start.entry.key,
            nth=start.position,
        )

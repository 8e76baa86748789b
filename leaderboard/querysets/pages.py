"""Pages of a board: runs of its order that begin beside an entry or at a position, not after an offset.

What a page shows is a condition of the queryset, so that it is right however it is read, by one statement.
Where nothing else is asked of it, it is read by a run instead: where the first entry stands, then the entries
from there on, with what is counted of the board once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

from asgiref.sync import sync_to_async
from django.db import connections
from django.db.models import ExpressionWrapper, Model, QuerySet, Subquery, Value
from django.db.models.lookups import Exact

from leaderboard.expressions.bounds import beyond
from leaderboard.expressions.fields import BIGINT
from leaderboard.expressions.literals import FromText
from leaderboard.kinds import RankKind
from leaderboard.orm.extent import is_turned
from leaderboard.orm.lateral import is_plain
from leaderboard.orm.models import key_names
from leaderboard.orm.written import Statement
from leaderboard.querysets.counted import TRIES
from leaderboard.querysets.each import EachQuerySet
from leaderboard.querysets.places import MOST_ROWS, as_value, at_least_one
from leaderboard.standings.bookmark import Bookmark, BookmarkAnnotation, place_of
from leaderboard.standings.explained import ChosenPlan, plan_of_run
from leaderboard.standings.located import first_of, location_of, ranked_of
from leaderboard.standings.metrics import Rank, Ranking
from leaderboard.standings.place import Location, Place
from leaderboard.standings.run import Run, can_be_run

__all__ = ["Page", "PageQuerySet", "as_number"]

POSITION = "_page_rank"


@dataclass(frozen=True, kw_only=True, eq=False)
class Page:
    """What a queryset is a page of, and by which of its conditions.

    ``view`` are the ranked entries of the whole board in ``order``, which ``known`` are the conditions for;
    None where some are hidden. The page begins at ``position``, or beside the entry of ``key``, which stood
    at ``place``: after it if ``later``, before it if not; where that is None the entry is on the page.
    Without a key it may begin beside a place where nobody need stand, ``mark``, or else end with the board.
    """

    ranking: Ranking
    size: int
    view: Any
    order: Sequence[Any]
    known: Sequence[Any]
    condition: Any = None
    key: Any
    mark: Sequence[Any] | None
    later: bool | None
    position: int
    place: Place | None
    location: Any


class PageQuerySet(EachQuerySet):
    """A queryset that reads a board page by page."""

    _page: Page | None = None
    _carried = (*EachQuerySet._carried, "_page")

    def page(
        self,
        size: int,
        *,
        after: Model | Bookmark | None = None,
        before: Model | Bookmark | None = None,
        at_rank: int | None = None,
        of_member: Any = None,
        last: bool = False,
    ) -> Self:
        """Return ``size`` ranked entries of the view next to one another, in order, ties by primary key.

        They are the first ones, those next ``after`` an entry or next ``before`` one, those from the position
        ``at_rank`` on, the page that a member is on, where pages of that size begin with the first entry, or
        the ``last`` ones. There are fewer at either end. A bookmark in place of an entry is where that stood
        when it was read. The rank is annotated as by ``top()``; what is derived is that of the board. What is
        filtered afterwards is a view of the page.

        Raises ``TypeError`` for several of these and for another model's entry, ``ValueError`` for a size or
        a position below 1, for an entry that is not saved, for a bookmark that another board must have and
        where the board declares no member, ``DoesNotExist`` where the entry or the member is not ranked or
        not in the view, and otherwise what :meth:`around` raises.
        """
        # More is read than it has: who it begins beside, and whom it passes over.
        size = min(at_least_one(size, "size"), MOST_ROWS // 2)
        if [after is None, before is None, at_rank is None, of_member is None, not last].count(False) > 1:
            raise TypeError("page() begins at one of after=, before=, at_rank=, of_member= and last=.")
        self._refuse_windows("page")
        self._refuse_outer("page")
        ranked = self._in_order("page")
        position = 1 if at_rank is None else at_least_one(at_rank, "at_rank")
        entry = after if after is not None else before
        key: Any = None
        mark: Sequence[Any] | None = None
        place: Place | None = None
        later = None if entry is None and not last else after is not None
        if isinstance(entry, Bookmark):
            mark = place_of(entry, self.model, self.leaderboard)
        elif entry is not None or of_member is not None:
            found = self._of_one(ranked, "page", entry, None, of_member)
            read = (
                found._place_in_view(self._location)
                if entry is None
                else self._place_of_ranked(found, self._key_of(entry))
            )
            if read is None:
                raise self._missing(entry, None, of_member, "ranked, on the board and in the view")
            key, place = read
        is_whole = self.is_whole_board
        shown = ranked._with_default_rank()
        known = [*shown.query.conditions()]
        page = Page(
            ranking=self._ranking,
            size=size,
            # Those of a view may be copies each time.
            view=ranked if is_whole else None,
            order=ranked.order_terms,
            known=known,
            key=key,
            mark=mark,
            later=later,
            position=position,
            place=place,
            location=self._location,
        )
        keys = partial(ranked._keys_on, page, is_whole=is_whole)
        shown = shown.filter(pk__in=ranked._deferred(keys) if is_whole else keys())
        condition, *others = [own for own in shown.query.conditions() if not any(own is one for one in known)]
        return shown._copied(_page=replace(page, condition=condition, view=None if others else page.view))

    async def apage(
        self,
        size: int,
        *,
        after: Model | Bookmark | None = None,
        before: Model | Bookmark | None = None,
        at_rank: int | None = None,
        of_member: Any = None,
        last: bool = False,
    ) -> Self:
        """Asynchronous form of :meth:`page`."""
        return await sync_to_async(self.page)(
            size, after=after, before=before, at_rank=at_rank, of_member=of_member, last=last
        )

    def with_bookmarks(self, name: str = "bookmark") -> Self:
        """Return the queryset with the :class:`~leaderboard.Bookmark` of each row, annotated as ``name``.

        It is where the row stands in the order of the board, and what :meth:`page` takes in place of an entry
        that may have moved or gone since. Raises ``ValueError`` for a name that is a field's or another
        annotation's, and ``NotSupportedError`` after ``union()`` or ``select_for_update()``.
        """
        self._refuse_combined("with_bookmarks")
        self._refuse_row_locks()
        clone = self._copied()
        order = clone._board_order(clone._ranking)
        return clone.annotate(**{name: BookmarkAnnotation(*(term.expression for term in order))})

    @property
    def _location(self) -> Location | None:
        return location_of(self.model, self._ranking)

    def _beyond(self, order: Sequence[Any], mark: Sequence[Any] | None, *, later: bool) -> Self:
        """Return this queryset, which is in order, from a place on, or backwards from there or the end."""
        side = self if mark is None else self.filter(beyond(order, mark, later=later))
        return side if later else side.reverse()

    def _place_in_view(self, location: Location | None) -> tuple[tuple[Any, ...], Place | None] | None:
        """Return the key of a row and where it stands, if that can be read; None where there is none."""
        names = key_names(self.model)
        columns = () if location is None else location.columns
        # In no order, or PostgreSQL may walk the board for the one that it is to find.
        row = next(iter(self.order_by().values_list(*names, *columns)[:1]), None)
        if row is None:
            return None
        key, values = row[: len(names)], row[len(names) :]
        return key, None if location is None else location.place(self._ranking, values)

    def _place_of_ranked(self, found: Self, key: Any) -> tuple[tuple[Any, ...], Place | None] | None:
        """Return the same of the view's ranked entry with a key, which is all that ``found`` has."""
        location, connection = self._location, connections[found.db]
        one = self.whole_board().filter(pk=key)
        is_plain_row = self.is_whole_board and one.query.is_of_one_table and len(key_names(self.model)) == 1
        statement = (
            ranked_of(self.model, self._ranking, location, connection)
            if is_plain_row and location is not None
            else None
        )
        if statement is None or location is None:
            return found._place_in_view(location)
        place = one._place_by(statement, location, connection)
        return None if place is None else ((key,), place)

    def _keys_on(self, page: Page, *, is_whole: bool) -> QuerySet[Any]:
        """Return a query for the keys of the entries on a page of this queryset, which is in order."""
        # Of a copy: one that has been read is sliced in Python.
        view = self.all().each_once()
        if page.later is not None and page.key is None:
            rows = view._beyond(view.order_terms, page.mark, later=page.later)[: page.size]
        elif page.later is not None:
            rows = view._beside(page.key, page.size, later=page.later)
        elif page.key is not None:
            rows = view._page_of(page.key, page.size, is_whole=is_whole)
        else:
            rows = view[page.position - 1 : page.position - 1 + page.size]
        return rows.values(*key_names(self.model))

    def _page_of(self, key: tuple[Any, ...], size: int, *, is_whole: bool) -> Self:
        """Return the page that an entry is on, of this queryset, which is in order, in no order."""
        # The position in a view is the rank there: each member has one entry in it that is ranked.
        view = self.order_by() if is_whole else self.order_by().as_population()
        nth = view._hidden(view._ranking, Rank(RankKind.ORDINAL))
        page = ExpressionWrapper((nth - Value(1, BIGINT)) / Value(size, BIGINT), BIGINT)
        own = Subquery(view.filter(pk=as_value(key)).values_list(page))
        return view.filter(Exact(page, own))

    def __getstate__(self) -> dict[str, Any]:
        # Its results go along, and what they were found by would be read whole.
        return {**super().__getstate__(), "_page": None}

    # How it is read

    def explain(self, *, format: str | None = None, **options: Any) -> str:
        """As Django's, of the statement that gives the results, which for a page is that of its run."""
        page = self._page_as_asked()
        run = None if page is None else self._run_of(page)
        if page is None or run is None:
            return super().explain(format=format, **options)
        return self._read_by(page, run).explain(format=format, **options)

    def explain_plan(self, method: str | None = None) -> ChosenPlan:
        """Return how the metrics of the queryset are found, or those of ``"get_standing"`` on it.

        It sends no statement. Raises ``ValueError`` for another method.
        """
        if method is None and self._page_as_asked() is not None:
            return plan_of_run(self.query)
        return super().explain_plan(method)

    def _rows_at_once(self) -> list[Any] | None:
        rows = super()._rows_at_once()
        return self._rows_of_page() if rows is None else rows

    def _rows_of_page(self) -> list[Any] | None:
        """Return the results where they are a page as it was asked for, read by a run; otherwise None."""
        page = self._page_as_asked()
        if page is None:
            return None
        before: Run | None = None
        for trial in range(TRIES):
            run = self._run_of(page, again=trial > 0)
            if run is None:
                # At a position there is nobody; an entry that has gone is looked for by one statement.
                return [] if page.key is None else None
            if before is not None and run.place.row == before.place.row:
                # Nothing has moved, so hardly any of the entries there counts.
                run = replace(run, gathers=True)
            before = run
            rows = list(self._read_by(page, run))
            if rows:
                if page.later is None or page.key is None:
                    return rows
                # The entry that it begins beside was read to see that it still stands there.
                return rows[1:] if page.later else rows[:-1]
        return None

    def _page_as_asked(self) -> Page | None:
        """Return the page that this is, and nothing else, with metrics of its board; otherwise None."""
        page, query = self._page, self.query
        if page is None or page.view is None or query.run is not None or not is_plain(query):
            return None
        columns = query.used_columns().values()
        given = self.order_terms
        is_asked = (
            all(column.ranking == page.ranking for column in columns)
            and len(given) == len(page.order)
            and all(own is term for own, term in zip(given, page.order, strict=True))
            and not is_turned(query)
            and any(own is page.condition for own in query.conditions())
            and query.shows_all_rows_of([*page.known, page.condition])
            and not self._has_many_rows
            and page.location is not None
            and can_be_run(self.model, page.ranking)
        )
        return page if is_asked else None

    def _read_by(self, page: Page, run: Run) -> Self:
        clone = self._copied()
        clone.query.run = run, [*page.known, page.condition]
        return clone

    def _run_of(self, page: Page, *, again: bool = False) -> Run | None:
        """Return the run that a page is at this moment; None where there is none."""
        if page.key is None and page.later is not None:
            side = self._view_of(page)._beyond(page.order, page.mark, later=page.later)
            first = self._place_at(page, side, 1)
            return None if first is None else Run(place=first, later=page.later, count=page.size)
        if page.key is None:
            first = self._place_at_position(page)
            if first is None:
                return None
            return Run(
                place=first,
                later=True,
                count=page.size,
                position=as_number(page.position),
                is_first=page.position == 1,
            )
        place = self._place_of(page) if again else page.place
        if place is None:
            return None
        if page.later is not None:
            return Run(place=place, later=page.later, count=page.size + 1)
        found = self._first_of_page(page, place)
        if found is None:
            return None
        position, first = found
        return Run(place=first, later=True, count=page.size, position=as_number(position), shown=place.key)

    def _view_of(self, page: Page) -> Any:
        return page.view.using(self.db)

    def _first_of_page(self, page: Page, place: Place) -> tuple[int, Place] | None:
        """Return the position and the place of who begins the page that the entry at ``place`` is on.

        None where it does not stand there any more.
        """
        # Who comes before it on the page is read with its position, by one statement.
        before = self._view_of(page).with_rank(RankKind.ORDINAL, prefix=POSITION)
        run = Run(place=place, later=False, count=page.size)
        rows: list[Any] = []
        for gathers in (False, True) if self.leaderboard.member_parts else (False,):
            before.query.run = replace(run, gathers=gathers), [*before.query.conditions()]
            rows = rows or list(before.all().values_list(f"{POSITION}rank", *page.location.columns))
        if not rows:
            return None
        nth, *_ = rows[-1]
        position, *row = rows[-1 - (nth - 1) % page.size]
        return position, page.location.place(page.ranking, row)

    def _place_of(self, page: Page) -> Place | None:
        """Return where the entry that the page begins beside stands; None where it is not ranked any more."""
        read = self._view_of(page).filter(pk=as_value(page.key))._place_in_view(page.location)
        return None if read is None else read[1]

    def _place_at_position(self, page: Page) -> Place | None:
        """Return where the entry stands with which a page of a board begins; None where there is none."""
        connection = connections[self.db]
        board = page.view.whole_board()
        statement = (
            first_of(self.model, page.ranking, page.location, connection)
            if page.position == 1 and board.query.is_of_one_table
            else None
        )
        if statement is None:
            return self._place_at(page, self._view_of(page), page.position)
        place: Place | None = board._place_by(statement, page.location, connection)
        return place

    def _place_by(self, statement: Statement, location: Location, connection: Any) -> Place | None:
        """Return the place that a statement reads of what meets the conditions of the queryset."""
        condition = self.query.own_condition(connection)
        row = None if condition is None else statement.first(connection, condition=condition)
        return None if row is None else location.place(self._ranking, row)

    def _place_at(self, page: Page, view: Any, position: int) -> Place | None:
        """Return where the entry at a position of a queryset in order stands; None where there is none."""
        rows = view
        if position > 1:
            # By its key, or what is passed over would be written as text too.
            keys = view[position - 1 : position].values(*key_names(self.model))
            rows = self._plain_rows().filter(pk__in=keys)
        row = next(iter(rows.values_list(*page.location.columns)[:1]), None)
        return None if row is None else page.location.place(page.ranking, row)


def as_number(number: int) -> FromText:
    return FromText(str(number), BIGINT)

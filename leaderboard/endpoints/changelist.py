"""The list of entries in Django's admin: counted no further than anybody pages, with metrics of a page only.

Where it is held to one board and sorted by the rank, it is read as a page of that board is, by the board's
index. Elsewhere entries stand on boards that may be large, and a rank takes a window over all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import F, OrderBy, Value
from django.http import HttpRequest
from django.utils.functional import cached_property

from leaderboard.endpoints.ordering import PLACES, Order
from leaderboard.endpoints.page import Pager
from leaderboard.endpoints.walks import BOOKMARK, BoardWalk
from leaderboard.standings.pins import pins_of

if TYPE_CHECKING:
    AnyPaginator = Paginator[Any]
else:
    AnyPaginator = Paginator

__all__ = ["PREFIX", "BoardChangeList", "BoundedPaginator", "ByMetric", "with_metrics"]

# Begins the names of the metrics: no field has it.
PREFIX = "_board_"
# What is found by a window over the board.
RANKED = {"rank", "percentile", "qualification"}


class ByMetric(Value):
    """What a list is sorted by where that is a metric, until it is known how the list is read."""


class Many(int):
    """At least so many, which is how it is shown."""

    def __str__(self) -> str:
        return f"≥{int(self)}"


class BoundedPaginator(AnyPaginator):
    """Pages of a queryset that is counted up to ``limit``, beyond which there are no pages."""

    def __init__(self, *args: Any, limit: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self.limit = limit

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        # Without what orders and annotates them.
        found: int = rows.order_by().values("pk")[: self.limit + 1].count()
        return found if found <= self.limit else Many(self.limit)


def with_metrics(queryset: Any, metrics: Iterable[str]) -> Any:
    """Return a queryset with some metrics, by names that begin with ``PREFIX``."""
    return Pager(metrics=[*metrics], prefix=PREFIX).with_metrics(queryset)


class BoardChangeList(ChangeList):
    """A list of entries with their metrics, for a ``LeaderboardAdmin``."""

    model_admin: Any
    # The order that is asked for, metrics included.
    asked: Sequence[Any] = ()

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        self.asked = super().get_ordering(request, queryset)
        return [term for term in self.asked if _metric_of(term) is None]

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        queryset = super().get_queryset(request, exclude_parameters)
        asked = {name for term in self.asked if (name := _metric_of(term)) is not None}
        if not asked and not _is_ranked(queryset):
            return queryset
        if asked and self._goes_back(queryset) is not None:
            return queryset
        if asked & RANKED or _is_ranked(queryset):
            # The window is there; what else it gives costs little.
            asked |= {*self.shown}
        return with_metrics(queryset, sorted(asked)).order_by(*map(_as_annotated, self.asked))

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        goes_back = self._goes_back(self.queryset)
        if goes_back is not None:
            self.result_list = self._page_of_board(goes_back)
        elif self.shown and not _is_ranked(self.queryset):
            self._complete(self.result_list)

    @cached_property
    def shown(self) -> Sequence[str]:
        """The metrics in the columns."""
        names: Sequence[str] = self.model_admin.metrics_in(self.list_display)
        return names

    def _goes_back(self, queryset: Any) -> bool | None:
        """Return whether the list is a board read backwards; None where it is not in the order of one."""
        first, *_ = self.asked
        name = _metric_of(first)
        # What is edited in a list has to be a queryset.
        if name is None or name not in PLACES or self.list_editable:
            return None
        if len(self.get_ordering_field_columns()) > 1:
            return None
        board = queryset.leaderboard
        if board.within.keys() - pins_of(queryset.query, board).keys():
            return None
        return bool(first.descending != PLACES[name])

    def _page_of_board(self, goes_back: bool) -> Sequence[Any]:
        """Return the entries of the page in the order of the board, after whom come those not ranked."""
        is_all = not self.multi_page or (self.show_all and self.can_show_all)
        size = max(self.result_count, 1) if is_all else self.list_per_page
        begin = 0 if is_all else (self.page_num - 1) * size
        order = Order(text="rank", board=self.queryset.leaderboard, is_reversed=goes_back)
        place = None
        if begin:
            rows = self.queryset.with_bookmarks(BOOKMARK).ranked()
            rows = (rows.reverse() if goes_back else rows).values_list(BOOKMARK, flat=True)
            place = next(iter(rows[begin - 1 : begin]), None)
        is_ranked = place is not None or not begin
        walk = BoardWalk(with_metrics(self.queryset, self.shown), order)
        entries = walk.ahead(size, place) if is_ranked else []
        if len(entries) < size:
            ranked = begin + len(entries) if is_ranked else self.queryset.ranked().count()
            others = with_metrics(self.queryset, {*self.shown, "rank"}).filter(**{f"{PREFIX}rank": None})
            after = begin + len(entries) - ranked
            entries += others.order_by("-pk")[after : after + size - len(entries)]
        return entries

    def _complete(self, entries: Iterable[Any]) -> None:
        """Give entries the metrics of the columns; None where the boards that they are on are too large."""
        keys = [entry.pk for entry in entries]
        own = self.queryset.whole_board()
        rows = own.filter(pk__in=keys)
        metrics = [*self.shown]
        if keys and RANKED & {*metrics} and self._are_large(own, rows):
            metrics = [name for name in metrics if name not in RANKED]
        values: dict[Any, Sequence[Any]] = {}
        if keys and metrics:
            names = [f"{PREFIX}{name}" for name in metrics]
            values = {key: found for key, *found in with_metrics(rows, metrics).values_list("pk", *names)}
        for entry in entries:
            found = dict(zip(metrics, values.get(entry.pk, ()), strict=False))
            for name in self.shown:
                setattr(entry, f"{PREFIX}{name}", found.get(name))

    def _are_large(self, entries: Any, rows: Any) -> bool:
        """Return whether the boards of some rows have more entries than are ranked for them."""
        board = entries.leaderboard
        pins = pins_of(entries.query, board)
        for number, part in enumerate(part for name, part in board.within.items() if name not in pins):
            name = f"{PREFIX}{number}"
            boards = rows.order_by().values(**{name: part})
            entries = entries.alias(**{name: part}).filter(**{f"{name}__in": boards})
        limit = self.model_admin.ranked_limit
        return bool(entries.order_by().values("pk")[: limit + 1].count() > limit)


def _metric_of(term: Any) -> str | None:
    """Return the metric that a term of an order is; None for any other term."""
    by = getattr(term, "expression", None)
    return by.value if isinstance(by, ByMetric) else None


def _as_annotated(term: Any) -> Any:
    name = _metric_of(term)
    return term if name is None else OrderBy(F(f"{PREFIX}{name}"), term.descending, nulls_last=True)


def _is_ranked(queryset: Any) -> bool:
    """Return whether a queryset has metrics of ours that need a window, as where it is filtered by one."""
    return any(queryset.has_annotation(f"{PREFIX}{name}") for name in RANKED)

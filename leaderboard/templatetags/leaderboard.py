"""Tags that show boards as tables, without any JavaScript: ``{% load leaderboard %}``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.template import Context, Library

from leaderboard.endpoints import formats
from leaderboard.endpoints.links import links_of
from leaderboard.endpoints.page import Page
from leaderboard.endpoints.tables import table_of

__all__ = ["leaderboard", "leaderboard_pages", "percentile", "register", "time_taken"]

register = Library()


@register.inclusion_tag("leaderboard/board.html", takes_context=True)
def leaderboard(
    context: Context,
    board: Any,
    *,
    caption: str = "",
    fields: str | Sequence[str] | Mapping[str, str] = (),
    metrics: str | Sequence[str] | None = None,
    prefix: str = "",
    own: Any = None,
    by: str = "pk",
    empty: str = "",
) -> dict[str, Any]:
    """Return what ``leaderboard/board.html`` shows of a page, a queryset or a list of entries.

    ``caption`` is the title of the table, and ``empty`` what there is to read where nobody is ranked; the
    others are as for :func:`~leaderboard.endpoints.tables.table_of`, which says what is raised.
    """
    entries = board.entries if isinstance(board, Page) else board
    # Undefined or None, as where a view has no page.
    entries = [*entries] if entries else []
    table = table_of(entries, fields=fields, metrics=metrics, prefix=prefix, own=own, by=by)
    if not caption and entries:
        caption = entries[0]._meta.verbose_name_plural
    return {"table": table, "caption": caption, "empty": empty, **leaderboard_pages(context, board, caption)}


@register.inclusion_tag("leaderboard/pages.html", takes_context=True)
def leaderboard_pages(context: Context, board: Any, caption: str = "") -> dict[str, Any]:
    """Return what ``leaderboard/pages.html`` shows: the links from a page; without a page, none."""
    request = getattr(context, "request", None) or context.get("request")
    links = links_of(board, getattr(request, "GET", None)) if isinstance(board, Page) else []
    return {"links": links, "caption": caption}


@register.filter
def percentile(value: Any) -> Any:
    """Return a percentile with one decimal place, cut off; nothing for None, and for what is not there."""
    return "" if value in (None, "") else formats.percentile(value)


@register.filter
def time_taken(value: Any) -> str:
    """Return a duration as ``0:30:00``; nothing for None, and for what is not there."""
    return "" if value in (None, "") else formats.time_taken(value)

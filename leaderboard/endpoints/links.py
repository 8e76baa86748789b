"""Links from a page to those beside it, which keep what else was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from leaderboard.endpoints.page import Page

__all__ = ["Link", "links_of", "others_in", "query_to", "urls_of"]

# What says which page it is, beside ``member`` and its fields.
PLACES = {"cursor", "rank", "page"}


@dataclass(frozen=True, slots=True)
class Link:
    """Where another page is: ``rel`` is ``first``, ``prev``, ``next`` or ``last``."""

    rel: str
    url: str


def links_of(page: Page, given: QueryDict | None = None) -> Sequence[Link]:
    """Return the links from a page that a request asked for, without those that lead nowhere."""
    given = QueryDict() if given is None else given
    links: list[tuple[str, str]] = []
    if page.previous is not None:
        links += [("first", query_to(given, page="first")), ("prev", query_to(given, cursor=page.previous))]
    if page.next is not None:
        links += [("next", query_to(given, cursor=page.next)), ("last", query_to(given, page="last"))]
    return [Link(rel, f"?{query}") for rel, query in links]


def urls_of(request: Any, page: Page) -> dict[str, str | None]:
    """Return the URLs of the ``next``, ``previous``, ``first`` and ``last`` page; None where nobody is."""

    def url(**place: str | None) -> str | None:
        if None in place.values():
            return None
        return str(request.build_absolute_uri(f"{request.path}?{query_to(request.GET, **place)}"))

    return {
        "next": url(cursor=page.next),
        "previous": url(cursor=page.previous),
        "first": url(page="first"),
        "last": url(page="last"),
    }


def query_to(given: QueryDict, **place: Any) -> str:
    """Return the query string of a page elsewhere on the board that the parameters of a request are about."""
    query = _elsewhere(given)
    query.update(place)
    return query.urlencode()


def others_in(given: QueryDict, *besides: str) -> str:
    """Return what parameters say of a view: all but those of pages, and ``besides``, as one text."""
    unsaid = {"size", "ordering", *besides}
    return repr(sorted((name, values) for name, values in _elsewhere(given).lists() if name not in unsaid))


def _elsewhere(given: QueryDict) -> QueryDict:
    query = given.copy()
    for name in [*query]:
        if name in PLACES or name == "member" or name.startswith("member."):
            query.pop(name)
    return query

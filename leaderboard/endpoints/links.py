"""Links from a page to those beside it, as query strings that keep what else was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from leaderboard.endpoints.page import Page

__all__ = ["Link", "links_of", "query_to"]

PLACES = ("cursor", "rank", "page")


@dataclass(frozen=True, slots=True)
class Link:
    """Where another page is: ``rel`` is ``first``, ``prev``, ``next`` or ``last``."""

    rel: str
    url: str


def query_to(given: QueryDict, **place: str) -> str:
    """Return the query string of a page elsewhere on the board that the parameters of a request are about."""
    query = given.copy()
    for name in (*PLACES, *(name for name in given if name.startswith("member"))):
        query.pop(name, None)
    query.update(place)
    return query.urlencode()


def links_of(page: Page, given: QueryDict | None = None) -> Sequence[Link]:
    """Return the links from a page that a request asked for, without those that lead nowhere."""
    given = QueryDict() if given is None else given
    links: list[tuple[str, str]] = []
    if page.previous is not None:
        links += [("first", query_to(given, page="first")), ("prev", query_to(given, cursor=page.previous))]
    if page.next is not None:
        links += [("next", query_to(given, cursor=page.next)), ("last", query_to(given, page="last"))]
    return [Link(rel, f"?{query}") for rel, query in links]

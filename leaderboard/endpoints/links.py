"""Where the pages beside one are, as URLs that keep what else was asked for."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from leaderboard.endpoints.page import Page

__all__ = ["links_of", "others_in"]

# What says which page it is, beside ``member`` and its fields.
PLACES = {"cursor", "rank", "page"}


def links_of(request: Any, page: Page) -> dict[str, str | None]:
    """Return the URLs of the ``next``, ``previous``, ``first`` and ``last`` page; None where nobody is."""

    def link(**place: str) -> str:
        query = _elsewhere(request.GET)
        query.update(place)
        url: str = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
        return url

    return {
        "next": None if page.next is None else link(cursor=page.next),
        "previous": None if page.previous is None else link(cursor=page.previous),
        "first": link(page="first"),
        "last": link(page="last"),
    }


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

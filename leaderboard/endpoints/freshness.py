"""Whether a client has what a board shows already: by a tag of the content, and by when it was first shown.

PostgreSQL keeps no time at which a row was changed, and one that is deleted leaves none. So a board was last
modified when what it shows now was first asked for, which is kept in Django's cache.
"""

from __future__ import annotations

from hashlib import sha256
from time import time

from django.core.cache import BaseCache
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, parse_http_date_safe

__all__ = ["conditional"]

WEEK = 7 * 24 * 60 * 60


def conditional(request: HttpRequest, response: HttpResponse, cache: BaseCache, scope: str) -> HttpResponse:
    """Return a response with its ETag and Last-Modified, or one of status 304 where the client has it.

    ``scope`` tells apart what may differ: whose view it is, in which format.
    """
    tag = f'"{sha256(response.content).hexdigest()[:32]}"'
    modified = _first_shown(cache, f"leaderboard.endpoints:{sha256(scope.encode()).hexdigest()}", tag)
    response["ETag"] = tag
    response["Last-Modified"] = http_date(modified)
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    # Processes that share no cache have seen the same content at different times, so that later is not newer:
    # only the very time that was sent with the content stands for it.
    known = modified if since in (None, modified) else None
    return get_conditional_response(request, tag, known, response) or response


def _first_shown(cache: BaseCache, key: str, tag: str) -> int:
    """Return the second in which the content of a tag was first shown since there was other content."""
    now = int(time())
    last = cache.get(key)
    if last is not None and last[0] == tag:
        return int(last[1])
    # A date of HTTP has whole seconds, and two contents must not have one.
    modified = now if last is None else max(now, last[1] + 1)
    cache.set(key, (tag, modified), WEEK)
    return modified

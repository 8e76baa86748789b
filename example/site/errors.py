"""Pages that say what is wrong."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls.exceptions import Resolver404

__all__ = ["bad_request", "not_found"]


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return the page of status 400."""
    return _page(request, 400, "That cannot be asked for", str(exception))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return the page of status 404."""
    # Of a URL that is none, Django tells all that there are.
    reason = "There is no such page." if isinstance(exception, Resolver404) else str(exception)
    return _page(request, 404, "That is not here", reason)


def _page(request: Any, status: int, title: str, reason: str) -> HttpResponse:
    template = "site/error_fragment.html" if request.htmx else "site/error.html"
    return render(request, template, {"title": title, "reason": reason, "status": status}, status=status)

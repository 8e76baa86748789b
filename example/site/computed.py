"""How a page was computed: the statements that it made, their plans and times."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers

from example.site.statements import indented

__all__ = ["PLACE", "Computed", "Statement", "tell_plan"]

# Where a page has the panel: it can be written only when the page is, which may make statements itself.
PLACE = b"<!-- computed -->"
EXPLAINED = ("SELECT", "WITH")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a page, as it was sent, and what it took in milliseconds."""

    sent: str
    took: float

    @property
    def sql(self) -> str:
        """The statement with a line for each clause."""
        return indented(self.sent)

    @property
    def plan(self) -> str:
        """What PostgreSQL plans for it, where it reads."""
        if not self.sent.lstrip(" (").upper().startswith(EXPLAINED):
            return ""
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {self.sent}")
            return "\n".join(line for (line,) in cursor.fetchall())


def tell_plan(request: Any, name: str, plan: Any) -> None:
    """Let the panel of the page show a plan of the library, by what it is for."""
    request.chosen = {**getattr(request, "chosen", {}), name: plan}


class Recorder:
    """Remembers the statements that go through a connection."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        result = execute(sql, params, many, context)
        took = (time.perf_counter() - began) * 1000
        sent = context["connection"].ops.last_executed_query(context["cursor"], sql, params)
        self.statements.append(Statement(sent or sql, took))
        return result


class Computed:
    """Middleware that writes the panel into pages that have a place for it, and into parts that htmx swaps.

    Not for what is to be fast: it has every statement explained. Plans of the library are
    those that ``tell_plan()`` was given.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        recorder = Recorder()
        is_part = bool(getattr(request, "htmx", False))
        if is_part:
            # A part has another panel than its page, at the same URL: neither may stand for the other.
            for condition in ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"):
                request.META.pop(condition, None)
        with connection.execute_wrapper(recorder):
            response = self.get_response(request)
        if response.streaming or PLACE not in response.content:
            return response
        patch_vary_headers(response, ["HX-Request"])
        if is_part:
            for validator in ("ETag", "Last-Modified"):
                del response[validator]
        found = {
            "statements": recorder.statements,
            "took": sum(statement.took for statement in recorder.statements),
            "chosen": getattr(request, "chosen", {}),
        }
        panel = render_to_string("site/computed.html", found, request)
        response.content = response.content.replace(PLACE, panel.encode(), 1)
        return response

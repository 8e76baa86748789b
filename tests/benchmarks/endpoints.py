"""What pages and files over HTTP cost on one large board, against the same endpoint as experts write it.

That has a window and an OFFSET, by Django's querysets or by SQL tuned for the index. Endpoints are called in
this process, and asked for by clients in another one, of gunicorn. Files are in ``exporting.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from inspect import isfunction
from itertools import chain
from statistics import median, quantiles
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.core.management import call_command
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from tests.benchmarks.covering import cover
from tests.benchmarks.exporting import exports
from tests.benchmarks.figures import Figure, clock, paired
from tests.benchmarks.paging import execute, shown
from tests.benchmarks.querysets import load
from tests.benchmarks.serving import WORKERS, asked, served
from tests.benchmarks.urls import SIZE, Board, Ranks, by_sql, by_window
from tests.testapp.models import Attempt, Candidate, Comment, Test

__all__ = ["run"]

# Of 1,000,000 entries 900,000 are ranked.
SHARE = 0.01
CLIENTS = 4
CROWD = 16
# So many requests of the library's, and for each of these so many times fewer of the other endpoint's.
REQUESTS = 160
FEWER = 10
# Windows over a million rows, by several clients at once, take minutes.
RUNS = 3


def run(*, rows: int, runs: int, parts: Sequence[str] = ()) -> int:
    """Print every figure with its limit; return 1 where one is short."""
    measured: dict[str, Callable[[int, int, int, list[str]], Iterator[Figure]]] = {
        "pages": _pages,
        "served": _served,
        "export": exports,
    }
    notes: list[str] = []
    is_short = False
    call_command("migrate", run_syncdb=True, verbosity=0)
    try:
        test = load(rows).pk
        cover()
        for part in parts or measured:
            for figure in measured[part](test, rows, runs, notes):
                figure.print()
                is_short |= figure.is_short
    finally:
        tables = ", ".join(model._meta.db_table for model in (Comment, Attempt, Candidate, Test))
        execute(f"DROP TABLE {tables} CASCADE")
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        (version,) = cursor.fetchone()
    print(f"\n{rows} rows, {runs} runs, at most {RUNS} of what is long; {version}", *notes, sep="\n")
    return int(is_short)


class Pages:
    """The first page of a board, and a deep one: page 10,000 of a million rows."""

    def __init__(self, test: int, rows: int) -> None:
        self.test = test
        self.number = max(2, round(rows * SHARE))
        self.begin = SIZE * (self.number - 1) + 1

    def answer(self, view: Any, **parameters: Any) -> Any:
        """Return what an endpoint answers."""
        if not isfunction(view):
            view = view.as_view()
        # A cursor is bound to the path as well.
        response = view(RequestFactory().get(f"/board/{self.test}/", parameters), test=self.test)
        assert response.status_code == 200, response.content
        return response

    def entries(self, view: Any, **parameters: Any) -> Any:
        """Return the entries that an endpoint answers with."""
        return json.loads(self.answer(view, **parameters).content)["entries"]

    def cursor(self, view: Any) -> str:
        """Return the cursor of the deep page, as the page before it gives it."""
        before = json.loads(self.answer(view, rank=self.begin - SIZE).content)
        return parse_qs(urlsplit(str(before["next"])).query)["cursor"][0]


def _pages(test: int, rows: int, runs: int, notes: list[str]) -> Iterator[Figure]:
    """Pages that are asked for in this process."""
    pages = Pages(test, rows)

    def measure(view: Any, **parameters: Any) -> Callable[[], float]:
        return partial(clock, partial(pages.answer, view, **parameters))

    deep = {view: measure(view, cursor=pages.cursor(view)) for view in (Board, Ranks)}
    for number, page, limit in ((1, measure(Board), 0.05), (pages.number, deep[Board], 0.125)):
        given = {} if number == 1 else {"cursor": pages.cursor(Board)}
        expected = pages.entries(Board, **given)
        assert expected == pages.entries(by_window, page=number) == pages.entries(by_sql, page=number)
        sides = [page, measure(by_sql, page=number), measure(by_window, page=number)]
        times, ratios = paired(sides, runs)
        name = "page-1" if number == 1 else "page-deep"
        yield Figure(f"{name}/window-offset", ratios[0], limit)
        notes.append(
            f"page {number}, by SQL tuned for the index, and by Django's windows: {shown(times)}; "
            f"{times[0] / times[1]:.3f} of the SQL"
        )
    times, ratios = paired([deep[Ranks], measure(Ranks), measure(Board)], runs)
    yield Figure("page-deep-rank/page-1", ratios[0], 1.5)
    notes.append(f"page {pages.number} with ranks only, page 1 so, and page 1 with all: {shown(times)}")
    times, _ = paired([measure(Board, rank=pages.begin), deep[Board]], runs)
    notes.append(f"page {pages.number} by rank=, and by its cursor: {shown(times)}")
    notes += _statements(pages)


def _statements(pages: Pages) -> Iterator[str]:
    """Yield the plans of what takes longest for the deep page, of each of the endpoints."""
    sides: dict[Any, dict[str, Any]] = {
        Board: {"cursor": pages.cursor(Board)},
        by_sql: {"page": pages.number},
        by_window: {"page": pages.number},
    }
    for view, parameters in sides.items():
        with CaptureQueriesContext(connection) as captured:
            pages.answer(view, **parameters)
        sql = max(captured.captured_queries, key=lambda query: float(query["time"]))["sql"]
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {sql}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        yield f"\n{view.__name__}, {len(captured)} statements, of which the longest:\n{plan}"


def _served(test: int, rows: int, runs: int, notes: list[str]) -> Iterator[Figure]:
    """Pages that clients ask for, all at once, of gunicorn."""
    pages = Pages(test, rows)
    ours = [f"/board/{test}/", f"/board/{test}/?{urlencode({'cursor': pages.cursor(Board)})}"]
    theirs = [f"/window/{test}/?page={number}" for number in (1, pages.number)]
    with served() as port:

        def seconds(paths: Sequence[str], clients: int, requests: int) -> list[float]:
            # Of a board so small that it shows nothing, some.
            return asked(port, paths, clients=clients, requests=min(requests, rows // 200))

        def typical(path: str, requests: int) -> Callable[[], float]:
            return lambda: median(seconds([path], CLIENTS, requests))

        for name, limit, own, other in zip(("page-1", "page-deep"), (0.05, 0.125), ours, theirs, strict=True):
            sides = [typical(own, REQUESTS // 2), typical(other, 2 * CLIENTS)]
            times, ratios = paired(sides, min(runs, RUNS))
            yield Figure(f"{name}-served/window-offset", ratios[0], limit)
            notes.append(f"{name} by gunicorn for {CLIENTS} clients, and the window: {shown(times)}")
        # Both pages, half of the requests each.
        taken = [
            (seconds(ours, CROWD, REQUESTS), seconds(theirs, CROWD, REQUESTS // FEWER * 2))
            for _ in range(min(runs, RUNS))
        ]
        tails = [_tail([*chain(*side)]) for side in zip(*taken, strict=True)]
        yield Figure(f"p95-{CROWD}-clients/window-offset", tails[0] / tails[1], 0.125)
        notes.append(f"p95 of {CROWD} clients, {WORKERS} workers, and with the window: {shown(tails)}")


def _tail(seconds: Sequence[float]) -> float:
    """Return what 95 of 100 requests take at most."""
    return quantiles(seconds, n=20, method="inclusive")[-1]

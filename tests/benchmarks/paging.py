"""What pages of a board and a report of the ranked cost, against windows with an offset and by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from django.db import connection

from tests.benchmarks.figures import Figure, clock, paired
from tests.benchmarks.querysets import load
from tests.testapp.models import Attempt

__all__ = ["by_window", "execute", "pages", "report", "shown"]

SIZE = 50
LIMITS = {"top": (0.0, 0.01), "middle": (0.5, 0.1), "bottom": (1.0, 0.45)}
# What finds the neighbours is one statement more, and twice as much of Django.
AROUND = {"top": 0.03, "middle": 0.15, "bottom": 0.45}
# As one would write it for this very board: the unranked are dropped first.
BY_HAND = """
SELECT c.*, rank() OVER (ORDER BY score DESC, taken)
FROM (
    SELECT DISTINCT ON (candidate_id) a.*, finished_at - started_at AS taken FROM testapp_attempt a
    WHERE test_id = {test} AND NOT disqualified AND score IS NOT NULL AND finished_at - started_at IS NOT NULL
        AND candidate_id IS NOT NULL
    ORDER BY candidate_id, score DESC, finished_at - started_at, id
) c
"""
BY_HAND_ALL = """
SELECT a.*, rank() OVER (ORDER BY score DESC, finished_at - started_at) FROM testapp_attempt a
WHERE test_id = {test} AND NOT disqualified AND score IS NOT NULL AND finished_at - started_at IS NOT NULL
"""


def pages(rows: int, runs: int, notes: list[str]) -> Iterator[Figure]:
    """Pages with ranks against a window with an offset, and pages without ranks against the first page.

    By the rank, as it is mostly written: then the whole board is read for any page.
    """
    test = load(rows)
    for name in ("overall", "members"):
        view = Attempt.objects.board(name).on_board(test=test).with_rank()
        last = view.ranked().count() - SIZE
        for position, (share, limit) in LIMITS.items():
            start = round(last * share)
            offset = view.filter(rank__gte=1).order_by("rank")[start : start + SIZE]
            page = partial(view.page, SIZE) if start == 0 else None
            if page is None:
                before = view.ranked()[start - 1]
                page = partial(view.page, SIZE, after=before)
            assert [(e.pk, e.rank) for e in page()] == [(e.pk, e.rank) for e in offset.iterator()]
            times, ratios = paired([_evaluated(page), by_window(offset)], runs)
            yield Figure(f"page-{name}-{position}/window-offset", ratios[0], limit)
            notes.append(f"page of {SIZE} of {name} at the {position}: {shown(times)}")
            near = partial(view.around, view.ranked()[start])
            assert [(e.pk, e.rank) for e in near()] == [(e.pk, e.rank) for e in near().iterator()]
            times, ratios = paired([_evaluated(near), by_window(near())], runs)
            yield Figure(f"around-{name}-{position}/window", ratios[0], AROUND[position])
            notes.append(f"neighbours of one of {name} at the {position}: {shown(times)}")
            if start:
                first = partial(view.page, SIZE)
                times, ratios = paired([_without_ranks(page), _without_ranks(first)], runs)
                yield Figure(f"page-after-{name}-{position}/first-page", ratios[0], 1.5)
                notes.append(f"the same without ranks, and the first page: {shown(times)}")


def _evaluated(page: Callable[[], Any]) -> Callable[[], float]:
    return lambda: clock(lambda: list(page()))


def _without_ranks(page: Callable[[], Any]) -> Callable[[], float]:
    return lambda: clock(lambda: list(page().values_list("pk")))


def report(rows: int, runs: int, notes: list[str]) -> Iterator[Figure]:
    """The time of the server for a report of the ranked with their ranks."""
    test = load(rows)
    for name, sql in (("overall", BY_HAND_ALL), ("members", BY_HAND)):
        view = Attempt.objects.board(name).on_board(test=test).with_rank().filter(rank__isnull=False)
        written, params = view.query.sql_with_params()
        by_hand = sql.format(test=test.pk)
        # Statements that are nearly alike, each of a second or two, in which much else may happen.
        turns = 3 * runs
        times, ratios = paired([partial(_server, written, params), partial(_server, by_hand, ())], turns)
        yield Figure(f"report-of-ranked-{name}/by-hand", ratios[0], 1.1)
        notes.append(f"report of the ranked of {name}: {shown(times)}")


def _server(sql: str, params: Any) -> float:
    # As EXPLAIN has it, since what is fetched takes the same on both sides.
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params or None)
        ((plan,),) = cursor.fetchall()
    return float(plan[0]["Execution Time"]) / 1000


def by_window(queryset: Any) -> Callable[[], float]:
    """Return a measure of the results by one statement, with a window."""
    # Not counted, as a list of one entry would be.
    return lambda: clock(lambda: list(queryset.iterator()))


def execute(sql: str) -> Any:
    """Return the first row of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone() if cursor.description else None


def shown(times: Sequence[float]) -> str:
    return ", ".join(f"{1000 * seconds:.2f} ms" for seconds in times)

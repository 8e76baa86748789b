"""What the querysets cost, against hand-written SQL and against Python, on one board."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from django.core.management import call_command
from django.db import connection, models
from django.db.models.functions import Cast

from tests.benchmarks.building import LIMIT, building
from tests.benchmarks.sorted_set import KEY, sorted_set
from tests.testapp.models import Attempt, Test

__all__ = ["load", "run"]

HAND_WRITTEN = """
SELECT id, test_id, candidate_id, score, big, ratio, label, started_at, finished_at, disqualified, taken,
    CASE WHEN ranked THEN rank() OVER w END AS rank,
    count(*) FILTER (WHERE ranked) OVER () AS board_size,
    CASE WHEN ranked THEN (100 * (count(*) FILTER (WHERE ranked) OVER () - rank() OVER w + 1))::float8
        / nullif(count(*) FILTER (WHERE ranked) OVER (), 0) END AS percentile,
    CASE WHEN NOT eligible THEN 'excluded' WHEN score IS NULL OR taken IS NULL THEN 'pending'
        WHEN NOT ranked THEN 'superseded' WHEN score >= cut_off THEN 'qualified'
        WHEN score < cut_off THEN 'not_qualified' ELSE 'no_cut_off' END AS qualification
FROM (
    SELECT c.*, complete AND row_number() OVER (
        PARTITION BY candidate_id, complete ORDER BY score DESC, taken, id) = 1 AS ranked
    FROM (
        SELECT a.*, t.cut_off, finished_at - started_at AS taken,
            NOT disqualified AND candidate_id IS NOT NULL AS eligible,
            NOT disqualified AND candidate_id IS NOT NULL AND score IS NOT NULL
                AND finished_at - started_at IS NOT NULL AS complete
        FROM testapp_attempt a JOIN testapp_test t ON t.id = a.test_id WHERE a.test_id = %s
    ) c
) r
WINDOW w AS (PARTITION BY ranked ORDER BY score DESC, taken)
"""


def run(*, rows: int, runs: int) -> int:
    """Print every figure with its limit; return 1 where one is short."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    try:
        return _measure(load(rows), rows, runs)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(
                "DROP TABLE testapp_comment, testapp_attempt, testapp_candidate, testapp_test CASCADE"
            )


def load(rows: int) -> Test:
    """One board: 5 % ineligible, 5 % without a score, two attempts a member, ties of at most 100."""
    test = Test.objects.create(name="benchmark", cut_off=rows // 200)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO testapp_candidate (id, name, team) SELECT n, n, '' FROM generate_series(1, %s) n",
            [max(rows // 2, 1)],
        )
        cursor.execute(
            "INSERT INTO testapp_attempt"
            " (test_id, candidate_id, score, started_at, finished_at, disqualified)"
            " SELECT %s, 1 + n %% %s,"
            " CASE WHEN n %% 20 = 3 THEN NULL ELSE (n::bigint * 7919 %% %s) / 100 END,"
            " '2026-01-01Z', '2026-01-01Z'::timestamptz + interval '1 hour', n %% 20 = 7"
            " FROM generate_series(1, %s) n",
            [test.pk, max(rows // 2, 1), rows, rows],
        )
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return test


def _measure(test: Test, rows: int, runs: int) -> int:
    board = Attempt.objects.board("members").on_board(test=test)
    page = board.with_rank().with_time_taken().with_qualification().top(100)
    report = board.standings()
    read, page_plan = _rows_read(page)
    sql, params = report.query.sql_with_params()
    library, hand = _alternate(
        [lambda: _server_time(sql, params), lambda: _server_time(HAND_WRITTEN, [test.pk])], runs
    )
    names = ("pk", "rank", "board_size", "percentile", "time_taken", "qualification")
    fetched, python, first_page = _alternate(
        [
            lambda: _clock(lambda: list(report.values_list(*names))),
            lambda: _clock(lambda: _in_python(test)),
            lambda: _clock(lambda: list(page.all())),
        ],
        3,
    )
    ratios, building_times = building()
    figures = [
        ("top-100-rows-read", float(read), 1000.0),
        ("report/hand-written", library / hand, 1.10),
        ("report-fetched/python", fetched / python, 0.4),
        ("top-100-page/python", first_page / python, 0.01),
        *((name, ratio, LIMIT) for name, ratio in ratios.items()),
    ]
    for name, ratio, limit in figures:
        print(name, f"{ratio:.4g}", f"{limit:g}", "ok" if ratio <= limit else "short", sep="\t")
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        print(f"\n{rows} rows, {runs} runs; {cursor.fetchone()[0]}")
    print(
        f"seconds: report {library:.3f}, hand-written {hand:.3f}, fetched {fetched:.3f}, python {python:.3f}"
    )
    for name, seen in building_times.items():
        print(f"{name}: {seen}")
    by_rank = f"SELECT * FROM ({HAND_WRITTEN}) report ORDER BY rank LIMIT 100"
    (by_hand,) = _alternate([lambda: _server_time(by_rank, [test.pk])], 3)
    print(f"seconds: page {first_page:.5f}, by hand in the order of the rank {by_hand:.3f}")
    _print_redis(test, board, runs)
    print(page_plan, _plan(sql, params), _plan(HAND_WRITTEN, [test.pk]), sep="\n\n")
    return int(any(ratio > limit for _, ratio, limit in figures))


def _print_redis(test: Test, board: Any, runs: int) -> None:
    """Show what a sorted set takes; it holds scores only: no second term, no cut-off, no time taken."""
    ranked = board.with_rank().filter(rank__isnull=False)
    scores = ranked.values_list(Cast("candidate_id", models.TextField()), "score").iterator()
    candidate = ranked.order_by("rank")[ranked.count() // 2].candidate_id
    with sorted_set(scores) as client:
        if client is None:
            print("redis-server is not installed: no comparison with a sorted set")
            return
        page, rank, standing = _alternate(
            [
                lambda: _clock(lambda: client.zrange(KEY, 0, 99, desc=True, withscores=True)),
                lambda: _clock(lambda: client.zrevrank(KEY, str(candidate))),
                lambda: _clock(lambda: board.get_standing(member=candidate)),
            ],
            min(runs, 5),
        )
    print(f"seconds: sorted set page {page:.6f}, rank {rank:.6f}; get_standing() {standing:.3f}")


def _alternate(measures: list[Callable[[], float]], runs: int) -> list[float]:
    for measure in measures:
        measure()
    samples = [[measure() for measure in measures] for _ in range(runs)]
    return [median(column) for column in zip(*samples, strict=True)]


def _clock(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _server_time(sql: str, params: Any) -> float:
    """Seconds that the server takes to make the result, which it does not send."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params)
        (plan,) = cursor.fetchone()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return float(plan[0]["Execution Time"]) / 1000


def _plan(sql: str, params: Any) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {sql}", params)
        return "\n".join(row[0] for row in cursor.fetchall())


def _rows_read(queryset: Any) -> tuple[int, str]:
    plan = json.loads(queryset.explain(format="json", analyze=True))[0]["Plan"]

    def scanned(node: dict[str, Any]) -> float:
        rows = 0.0
        if "Scan" in node["Node Type"] and node["Node Type"] != "Subquery Scan":
            removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            rows = (node["Actual Rows"] + removed) * node["Actual Loops"]
        return rows + sum(scanned(child) for child in node.get("Plans", []))

    return round(scanned(plan)), queryset.explain(analyze=True, buffers=True)


def _in_python(test: Test) -> list[tuple[Any, ...]]:
    """The same report over model instances: what it costs without window functions."""
    attempts = list(Attempt.objects.filter(test=test).select_related("test"))
    best: dict[Any, Any] = {}
    for attempt in attempts:
        if attempt.disqualified or attempt.score is None or attempt.finished_at is None:
            continue
        key = (-attempt.score, attempt.finished_at - attempt.started_at, attempt.pk)
        if attempt.candidate_id not in best or key < best[attempt.candidate_id]:
            best[attempt.candidate_id] = key
    ranks: dict[int, int] = {}
    previous, rank = None, 0
    for position, key in enumerate(sorted(best.values()), start=1):
        if key[:2] != previous:
            previous, rank = key[:2], position
        ranks[key[2]] = rank
    size = len(ranks)
    return [
        (
            attempt.pk,
            ranks.get(attempt.pk),
            size,
            100 * (size - ranks[attempt.pk] + 1) / size if attempt.pk in ranks else None,
            attempt.finished_at - attempt.started_at,
            attempt.score is not None and attempt.score >= attempt.test.cut_off,
        )
        for attempt in attempts
    ]

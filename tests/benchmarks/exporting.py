"""``python -m tests.benchmarks.exporting TEST``: the most memory of a process that exports a board."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

from tests.benchmarks.figures import Figure, clock, paired

__all__ = ["export", "exports"]

FEW = 10_000
# A file of a million rows takes its time.
RUNS = 3
BY_HAND = """
SELECT CASE WHEN ranked THEN rank() OVER w END AS rank, count(*) FILTER (WHERE ranked) OVER () AS board_size,
    CASE WHEN ranked THEN 100 * (count(*) FILTER (WHERE ranked) OVER () - rank() OVER w + 1)::float8
        / count(*) FILTER (WHERE ranked) OVER () END AS percentile,
    CASE WHEN NOT eligible THEN 'excluded' WHEN NOT ranked THEN 'pending'
        WHEN score >= cut_off THEN 'qualified' WHEN score < cut_off THEN 'not_qualified'
        ELSE 'no_cut_off' END AS qualification,
    taken, name, score
FROM (
    SELECT a.id, a.score, finished_at - started_at AS taken, c.name, t.cut_off, NOT disqualified AS eligible,
        NOT disqualified AND score IS NOT NULL AND finished_at - started_at IS NOT NULL AS ranked
    FROM testapp_attempt a JOIN testapp_test t ON t.id = a.test_id
        LEFT JOIN testapp_candidate c ON c.id = a.candidate_id
    WHERE a.test_id = {test}
) entry
WINDOW w AS (PARTITION BY ranked ORDER BY score DESC, taken)
ORDER BY 1 NULLS LAST, id
"""


def exports(test: int, rows: int, runs: int, notes: list[str]) -> Iterator[Figure]:
    """Files of a whole board against ``COPY``, and the memory of a process that writes one."""
    from tests.benchmarks.paging import execute, shown

    copy = partial(clock, partial(_copy, test))
    for kind in ("csv", "jsonl"):
        times, ratios = paired([partial(clock, partial(export, test, kind)), copy], min(runs, RUNS))
        notes.append(f"{kind} of {rows} entries, and COPY of the same columns: {shown(times)}")
        if kind == "csv":
            yield Figure("export-csv/copy", ratios[0], 8)
    few = min(rows // 10, FEW)
    (of_few,) = execute("INSERT INTO testapp_test (name, cut_off) VALUES ('few', 50) RETURNING id")
    execute(
        "INSERT INTO testapp_attempt (test_id, candidate_id, score, started_at, finished_at, disqualified)"
        f" SELECT {of_few}, candidate_id, score, started_at, finished_at, disqualified FROM testapp_attempt"
        f" WHERE test_id = {test} LIMIT {few}"
    )
    most, least = _peak(test), _peak(of_few)
    notes.append(f"memory to export {rows} and {few} entries: {most >> 10} MB, {least >> 10} MB")
    yield Figure(f"export-memory/{few}-entries", most / least, 1.2)


def export(test: int, kind: str) -> None:
    """Export a board, and keep nothing of it."""
    from django.test import RequestFactory

    from tests.benchmarks.urls import Whole

    response: Any = Whole.as_view(action=kind)(RequestFactory().get("/"), test=test)
    for _ in response:
        pass


def _copy(test: int) -> None:
    from django.db import connection

    sql = f"COPY ({BY_HAND.format(test=test)}) TO STDOUT (FORMAT csv, HEADER)"
    with connection.cursor() as cursor:
        if hasattr(cursor.cursor, "copy_expert"):
            with open(os.devnull, "wb") as nowhere:
                cursor.copy_expert(sql, nowhere)
            return
        with cursor.copy(sql) as copy:
            for _ in copy:
                pass


def _peak(test: int) -> int:
    """Return the most kilobytes that a process has which exports a board."""
    command = [sys.executable, "-m", "tests.benchmarks.exporting", str(test)]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


if __name__ == "__main__":
    from tests.benchmarks.__main__ import set_up

    set_up(os.environ["DATABASE_URL"])
    export(int(sys.argv[1]), "csv")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

"""The server killed while others write, and a backfill killed while it builds: what drifts by that.

Writers connect again and go on. Whether the statements that were broken off have been committed they do not
know; the counters must agree with the rows in any case.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from django.apps import apps
from django.db import connection

from example.embedded import EmbeddedPostgres
from leaderboard.counters import check, state
from tests.benchmarks.counters import fill, tables
from tests.benchmarks.figures import Figure
from tests.benchmarks.online import KINDS, load_uncounted
from tests.benchmarks.writers import Written, writing

__all__ = ["run"]

POSTS = 200
BACKFILL = """
import sys, django
django.setup()
from leaderboard.counters import backfill
print("begun", flush=True)
backfill(sys.argv[1], batch_size=20)
print("done", flush=True)
"""


def run(server: EmbeddedPostgres, *, kills: int, rows: int, parts: Sequence[str] = ()) -> int:
    """Print what has drifted after so many kills of each kind; return 1 where anything has."""
    is_short = False
    notes: list[str] = []
    measured = {
        "server": _server_killed(server, kills, notes),
        "backfill": _backfill_killed(kills, rows, notes),
    }
    with tables():
        for part in parts or measured:
            for figure in measured[part]:
                figure.print()
                is_short |= figure.is_short
    print("", *notes, sep="\n")
    return int(is_short)


def _server_killed(server: EmbeddedPostgres, kills: int, notes: list[str]) -> Iterator[Figure]:
    chance = random.Random(kills)
    drifted, seconds = 0, 0.0
    for kind in KINDS:
        fill(kind, POSTS)
    with ExitStack() as stack:
        written = [stack.enter_context(writing(server.url, kind, writers=2, posts=POSTS)) for kind in KINDS]
        for _ in range(kills):
            time.sleep(chance.uniform(0.2, 1.2))
            connection.close()
            began = time.perf_counter()
            server.crash()
            seconds += time.perf_counter() - began
            # Writers go on meanwhile: each batch is compared within one snapshot.
            drifted += _drifted()
    drifted += _drifted()
    errors = [error for each in written for error in each.errors]
    yield Figure("server-killed-drift", drifted + len(errors), 0)
    notes.append(
        f"server killed {kills} times, back in {seconds / max(kills, 1):.2f} s; {_sum(written)}; "
        f"{sorted(set(errors))[:3] or 'no errors'}"
    )


def _backfill_killed(kills: int, rows: int, notes: list[str]) -> Iterator[Figure]:
    chance = random.Random(kills)
    drifted = killed = finished = 0
    written = []
    while killed < kills:
        kind = list(KINDS)[finished % len(KINDS)]
        label = apps.get_model("benchmarks", f"{kind}post")._meta.label
        load_uncounted(kind, rows, POSTS)
        with writing(os.environ["DATABASE_URL"], kind, writers=2, posts=POSTS) as each:
            written.append(each)
            for is_last in [*[False] * min(5, kills - killed), True]:
                killed += not _backfilled(label, None if is_last else chance.uniform(0, 0.3))
        finished += 1
        claims = {f"{label}.{name}" for name in ("comment_count",)}
        drifted += len(claims - state.built(connection).keys())
        drifted += _drifted(label)
    errors = [error for each in written for error in each.errors]
    yield Figure("backfill-killed-drift", drifted + len(errors), 0)
    notes.append(
        f"backfills of {rows} rows killed {killed} times, {finished} built in the end; {_sum(written)}; "
        f"{sorted(set(errors))[:3] or 'no errors'}"
    )


def _backfilled(label: str, seconds: float | None) -> bool:
    """Backfill in a process of its own, which is killed after so many seconds; tell whether it was done."""
    with subprocess.Popen(
        [sys.executable, "-c", BACKFILL, label], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        if seconds is not None:
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)
        return process.stdout.readline() == "done\n"


def _drifted(*labels: str) -> int:
    reports = check(*(labels or (apps.get_model("benchmarks", f"{kind}post")._meta.label for kind in KINDS)))
    for report in reports:
        for drift in report.drifts[:3]:
            print(f"DRIFT: {drift}")
    return sum(report.wrong + report.left_over for report in reports)


def _sum(written: list[Written]) -> str:
    statements = sum(each.statements for each in written)
    return f"{statements} statements, {sum(each.broken for each in written)} broken off"

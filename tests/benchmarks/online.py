"""Building and repairing counters while others write: half of the rows are on one post.

Latencies are those of single statements that commit by themselves, as their client sees them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence

from django.apps import apps
from django.db import connection

from leaderboard.counters import backfill, check, ignore, repair
from leaderboard.counters.state import STATE_TABLE, forget
from tests.benchmarks.counters import execute, insert, tables
from tests.benchmarks.figures import Figure
from tests.benchmarks.writers import Written, writing

__all__ = ["KINDS", "load_uncounted", "run"]

WAIT = 0.1
KINDS = {"counted": "inline", "journal": "journal", "many": "with-an-extreme"}


def run(*, rows: int, posts: int = 10_000, writers: int = 4, parts: Sequence[str] = ()) -> int:
    """Print how long writers waited at most; return 1 where it was too long, or a counter has drifted."""
    is_short = False
    posts = min(posts, max(rows // 20, 2))
    notes: list[str] = []
    with tables():
        for kind in parts or KINDS:
            for figure in _measured(kind, rows, posts, writers, notes):
                figure.print()
                is_short |= figure.is_short
        with connection.cursor() as cursor:
            cursor.execute("SELECT version()")
            (version,) = cursor.fetchone()
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(
        f"\n{rows} rows, {posts} posts, {writers} writers; load {load} on {os.cpu_count()} cores; {version}"
    )
    print(*notes, sep="\n")
    return int(is_short)


def _measured(kind: str, rows: int, posts: int, writers: int, notes: list[str]) -> Iterator[Figure]:
    label = apps.get_model("benchmarks", f"{kind}post")._meta.label
    load_uncounted(kind, rows, posts)
    spans: dict[str, tuple[float, float]] = {}

    def timed(name: str, action: Callable[[], object]) -> None:
        began = time.time()
        action()
        spans[name] = began, time.time()

    url = os.environ["DATABASE_URL"]
    with writing(url, kind, writers=writers, posts=posts) as written:
        timed("before", lambda: time.sleep(min(2, rows / 50_000)))
        timed("backfill", lambda: backfill(label))
        _spoil(kind)
        timed("repair", lambda: repair(label))
    wrong = sum(report.wrong + report.left_over for report in check(label))
    yield Figure(f"online-{KINDS[kind]}-drift", wrong + len(written.errors), 0)
    for name in ("backfill", "repair"):
        yield Figure(f"online-{KINDS[kind]}-{name}-longest-wait", written.longest(*spans[name]), WAIT)
    notes.append(f"{kind}: {_described(written, spans)}")
    notes.extend(sorted(set(written.errors))[:3])


def load_uncounted(kind: str, rows: int, posts: int) -> None:
    """Leave rows that no trigger has seen, as a migration finds them that adds a counter."""
    execute(f"TRUNCATE benchmarks_{kind}post, benchmarks_{kind}comment RESTART IDENTITY")
    execute(
        f"INSERT INTO benchmarks_{kind}post (id, title) "
        f"SELECT n, 'Post ' || n FROM generate_series(1, {posts}) n"
    )
    execute(f"ALTER TABLE benchmarks_{kind}comment DISABLE TRIGGER USER")
    insert(kind, 1, rows // 2)
    insert(kind, posts, rows - rows // 2)
    execute(f"ALTER TABLE benchmarks_{kind}comment ENABLE TRIGGER USER")
    execute(f"DELETE FROM {STATE_TABLE} WHERE name LIKE 'benchmarks.%'")
    forget()
    execute(f"VACUUM ANALYZE benchmarks_{kind}post, benchmarks_{kind}comment")


def _spoil(kind: str) -> None:
    """Let counters be wrong, of which one in ten."""
    with ignore():
        execute(f"UPDATE benchmarks_{kind}post SET comment_count = comment_count + 5 WHERE id % 10 = 1")


def _described(written: Written, spans: dict[str, tuple[float, float]]) -> str:
    parts = [
        f"{name} {until - since:.1f} s, longest wait {1000 * written.longest(since, until):.0f} ms"
        for name, (since, until) in spans.items()
    ]
    return f"{written.statements} statements; {'; '.join(parts)}"

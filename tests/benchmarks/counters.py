"""What counters cost in writes and save in reads, against the same tables without triggers of ours.

Rows are sent one a statement as psycopg2 sends them, unprepared, and committed as the server is set to. The
naive trigger is FOR EACH ROW UPDATE … SET n = n + 1, which is what one writes first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Count, Q

from leaderboard.counters import check, fold_journals
from tests.benchmarks.figures import Figure, clock, paired
from tests.benchmarks.models import CountedPost, JournalPost
from tests.benchmarks.writing import transactions_a_second

__all__ = ["run", "tables"]

POSTS, PARENTS, WAITING = 50, 1000, 64
BODY = "It is well said, and might have been said shorter. " * 2
NAIVE = """
CREATE OR REPLACE FUNCTION benchmarks_naive() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE benchmarks_naivepost SET comment_count = comment_count + 1
    WHERE id = NEW.post_id AND NEW.is_public;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER naive AFTER INSERT ON benchmarks_naivecomment
FOR EACH ROW EXECUTE FUNCTION benchmarks_naive();
"""


def run(*, rows: int, runs: int, seconds: float, parts: Sequence[str] = ()) -> int:
    """Print every figure with its limit; return 1 where one is short, or a counter has drifted."""
    measured: dict[str, Callable[[list[str]], Iterator[Figure]]] = {
        "reading": partial(_reading, rows),
        "bulk": partial(_bulk, rows // 10, runs),
        "single": partial(_single, runs, seconds),
        "one-parent": partial(_one_parent, runs, seconds),
        "many-parents": partial(_many_parents, runs, seconds),
    }
    notes: list[str] = []
    is_short = False
    with tables():
        execute(NAIVE)
        for part in parts or measured:
            for figure in measured[part](notes):
                figure.print()
                is_short |= figure.is_short
        drifted = [report for report in check() if report.wrong or report.left_over]
        with connection.cursor() as cursor:
            cursor.execute("SELECT version()")
            (version,) = cursor.fetchone()
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"\n{rows} rows, {runs} runs, {seconds:g} s; load {load} on {os.cpu_count()} cores; {version}")
    print(*notes, sep="\n")
    print(*(f"DRIFT: {report}" for report in drifted), sep="\n")
    return int(is_short or bool(drifted))


@contextmanager
def tables() -> Iterator[None]:
    """Make the tables, and drop them at the end."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    try:
        yield
    finally:
        models = apps.get_app_config("benchmarks").get_models()
        names = [model._meta.db_table for model in models if not model._meta.proxy]
        execute(f"DROP TABLE {', '.join(names)} CASCADE")


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def fill(kind: str, posts: int, comments: int = 0) -> None:
    """Leave a pair of tables with so many posts, and comments that are spread over them in turn."""
    execute(f"TRUNCATE benchmarks_{kind}post, benchmarks_{kind}comment")
    execute(
        f"INSERT INTO benchmarks_{kind}post (id, title) "
        f"SELECT n, 'Post ' || n FROM generate_series(1, {posts}) n"
    )
    if comments:
        insert(kind, posts, comments)
    execute(f"VACUUM ANALYZE benchmarks_{kind}post, benchmarks_{kind}comment")


def insert(kind: str, posts: int, comments: int) -> None:
    execute(
        f"INSERT INTO benchmarks_{kind}comment (post_id, is_public, votes, body) "
        f"SELECT 1 + n % {posts}, true, n % 7, '{BODY}' FROM generate_series(1, {comments}) n"
    )


def writer(kind: str, parents: int, pause: str = "") -> str:
    """Return a script of pgbench that writes a comment, and commits after a pause if there is one."""
    insert = (
        f"INSERT INTO benchmarks_{kind}comment (post_id, is_public, votes, body) "
        f"VALUES (:post, true, 1, '{BODY}');\n"
    )
    pick = f"\\set post random(1, {parents})\n"
    return f"{pick}BEGIN;\n{insert}\\sleep {pause}\nCOMMIT;\n" if pause else f"{pick}{insert}"


def _reading(rows: int, notes: list[str]) -> Iterator[Figure]:
    fill("counted", POSTS, rows)
    fill("journal", POSTS)
    # At REPEATABLE READ nothing is folded.
    with transaction.atomic():
        execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for _ in range(WAITING):
            insert("journal", POSTS, POSTS)
    execute("ANALYZE benchmarks_journalpost_comments_journal")
    public = Count("comments", filter=Q(comments__is_public=True))
    kept = CountedPost._base_manager.values_list("pk", "title", "comment_count")
    counted = CountedPost._base_manager.annotate(n=public).values_list("pk", "title", "n")
    journal = JournalPost._base_manager.values_list("pk", "title", "comment_count")
    assert sorted(kept) == sorted(counted)
    assert {count for *_, count in journal} == {WAITING}
    times, ratios = paired([_fetched(kept, 20), _fetched(counted)], 5)
    yield Figure("read-50-posts/annotate", ratios[0], 1 / 500)
    notes.append(f"read 50 posts: {1000 * times[0]:.2f} ms, annotate {1000 * times[1]:.1f} ms")
    times, ratios = paired([_fetched(journal.filter(pk=7)), _fetched(kept.filter(pk=7))], 500)
    yield Figure(f"read-journal-with-{WAITING}-waiting/inline", ratios[0], 2)
    notes.append(f"read one post: journal {1000 * times[0]:.3f} ms, inline {1000 * times[1]:.3f} ms")
    times, ratios = paired([_fetched(journal), _fetched(kept)], 100)
    notes.append(
        f"read 50 posts with {WAITING} waiting rows each: journal {1000 * times[0]:.3f} ms, "
        f"inline {1000 * times[1]:.3f} ms, {ratios[0]:.2f}"
    )
    fold_journals("benchmarks.JournalPost")


def _fetched(queryset: Any, times: int = 1) -> Callable[[], float]:
    return lambda: clock(lambda: [list(queryset.all()) for _ in range(times)]) / times


def _bulk(rows: int, runs: int, notes: list[str]) -> Iterator[Figure]:
    def measure(kind: str) -> float:
        fill(kind, PARENTS)
        return clock(lambda: insert(kind, PARENTS, rows))

    kinds = ["counted", "journal", "many", "naive", "plain"]
    times, ratios = paired([partial(measure, kind) for kind in kinds], runs)
    yield Figure("bulk/no-trigger", ratios[0], 1.4)
    yield Figure("bulk-journal/no-trigger", ratios[1], 1.4)
    notes.append(f"{rows} rows in bulk: {_listed(kinds, times, ratios, 's')}")


def _single(runs: int, seconds: float, notes: list[str]) -> Iterator[Figure]:
    kinds = ["counted", "journal", "many", "naive", "plain"]
    for mode in ("simple", "prepared"):
        _, shares = _rates(kinds, runs, seconds, notes, clients=1, mode=mode)
        if mode == "simple":
            yield Figure("single-insert/no-trigger", 1 / shares[0], 1.6)
            yield Figure("single-insert-journal/no-trigger", 1 / shares[1], 1.6)


def _one_parent(runs: int, seconds: float, notes: list[str]) -> Iterator[Figure]:
    for clients, least in ((16, 0.95), (64, 0.75)):
        kinds = ["journal", "counted", "naive", "plain"]
        rates, shares = _rates(kinds, runs, seconds, notes, clients=clients, parents=1, pause="5 ms")
        yield Figure(f"{clients}-writers-journal/no-trigger", shares[0], least, at_least=True)
        yield Figure(f"{clients}-writers-journal/naive", rates[0] / rates[2], 10, at_least=True)


def _many_parents(runs: int, seconds: float, notes: list[str]) -> Iterator[Figure]:
    kinds = ["counted", "journal", "naive", "plain"]
    _, shares = _rates(kinds, runs, seconds, notes, clients=16)
    yield Figure("16-writers-1000-parents/no-trigger", shares[0], 0.6, at_least=True)
    yield Figure("16-writers-1000-parents-journal/no-trigger", shares[1], 0.6, at_least=True)


def _rates(
    kinds: list[str],
    runs: int,
    seconds: float,
    notes: list[str],
    *,
    clients: int,
    parents: int = PARENTS,
    mode: str = "simple",
    pause: str = "",
) -> tuple[list[float], list[float]]:
    """Return how many comments a second are written to each pair of tables, and as a share of the last."""
    for kind in kinds:
        fill(kind, PARENTS)
    measures = [
        partial(
            transactions_a_second, writer(kind, parents, pause), clients=clients, seconds=seconds, mode=mode
        )
        for kind in kinds
    ]
    rates, shares = paired(measures, runs)
    listed = _listed(kinds, rates, shares, "a second")
    notes.append(f"{clients} clients, {parents} parents, {pause or 'no pause'}, {mode}: {listed}")
    return rates, shares


def _listed(kinds: list[str], values: list[float], ratios: list[float], unit: str) -> str:
    return ", ".join(
        f"{kind} {value:.4g} {unit} ({ratio:.3f})"
        for kind, value, ratio in zip(kinds, values, ratios, strict=True)
    )

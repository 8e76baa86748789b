"""What one entry, the number of entries and the first of every board cost, against windows and by hand.

The window is the library's own, which ``iterator()`` asks for; by hand is what an expert would write for the
very question, with its literals in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from django.core.management import call_command
from django.db import connection

from leaderboard import Leaderboard
from tests.benchmarks.figures import Figure, clock, paired
from tests.benchmarks.querysets import load
from tests.testapp.models import Attempt, Candidate, Comment, Test

__all__ = ["run"]

POSITIONS = {"top": 0.0, "1-percent": 0.01, "middle": 0.5, "bottom": 1.0}
LIMITS = {"top": 0.004, "1-percent": 0.015, "middle": 0.1, "bottom": 0.45}
# What a read by hand takes at least, for the cost of the ORM not to be what is compared.
LEAST_SECONDS = 0.005
BOARDS = 100
POPULATION = (
    "test_id = {test} AND NOT disqualified AND score IS NOT NULL AND finished_at - started_at IS NOT NULL"
)
BETTER = " AND score >= {score} AND (score > {score} OR finished_at - started_at < '{taken}'::interval)"


def run(*, rows: int, runs: int, parts: Sequence[str] = ()) -> int:
    """Print every figure with its limit; return 1 where one is short."""
    measured: dict[str, Callable[[int, int, list[str]], Iterator[Figure]]] = {
        "one": _one,
        "each": _each,
    }
    notes: list[str] = []
    is_short = False
    tables = ", ".join(model._meta.db_table for model in (Comment, Attempt, Candidate, Test))
    call_command("migrate", run_syncdb=True, verbosity=0)
    try:
        for part in parts or measured:
            _execute(f"TRUNCATE {tables}")
            for figure in measured[part](rows, runs, notes):
                figure.print()
                is_short |= figure.is_short
    finally:
        _execute(f"DROP TABLE {tables} CASCADE")
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        (version,) = cursor.fetchone()
    print(f"\n{rows} rows, {runs} runs; {version}", *notes, sep="\n")
    return int(is_short)


def _execute(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone() if cursor.description else None


def _one(rows: int, runs: int, notes: list[str]) -> Iterator[Figure]:
    test = load(rows)
    for name in ("overall", "members"):
        view = Attempt.objects.board(name).on_board(test=test)
        yield from _ranks(name, view, test, runs, notes)
        yield from _sizes(name, view, test, runs, notes)
    members = Attempt.objects.board("members")._declaration
    with connection.schema_editor() as editor:
        editor.add_index(Attempt, members.indexes("covering", covering=True)[0])
        editor.add_index(Attempt, members.indexes("covering", covering=True)[1])
    _execute("VACUUM ANALYZE testapp_attempt")
    for name in ("overall", "members"):
        view = Attempt.objects.board(name).on_board(test=test)
        for position, entry in _entries(view).items():
            one = partial(clock, partial(view.get_standing, pk=entry.pk))
            times, ratios = paired([one, _by_window(view.standings().filter(pk=entry.pk))], runs)
            yield Figure(f"standing-{name}-{position}-covering/window", ratios[0], 0.1)
            notes.append(f"standing of {name} at the {position}, covering index: {_shown(times)}")


def _entries(view: Any) -> dict[str, Any]:
    ranked = view.ranked()
    last = ranked.count() - 1
    return {position: ranked[round(last * share)] for position, share in POSITIONS.items()}


def _ranks(name: str, view: Any, test: Any, runs: int, notes: list[str]) -> Iterator[Figure]:
    shown = view.with_rank()
    number = "count(DISTINCT candidate_id)" if name == "members" else "count(*)"
    for position, entry in _entries(view).items():
        where = POPULATION.format(test=test.pk) + BETTER.format(
            score=entry.score, taken=entry.finished_at - entry.started_at
        )
        sql = f"SELECT {number} + 1 FROM testapp_attempt WHERE {where}"
        (rank,) = _execute(sql)
        assert shown.get(pk=entry.pk).rank == rank == next(shown.filter(pk=entry.pk).iterator()).rank
        counted = partial(clock, partial(shown.get, pk=entry.pk))
        times, ratios = paired([counted, _by_window(shown.filter(pk=entry.pk))], runs)
        yield Figure(f"rank-{name}-{position}/window", ratios[0], LIMITS[position])
        notes.append(f"rank of {name} at the {position}: {_shown(times)}")
        times, ratios = paired([counted, partial(clock, partial(_execute, sql))], runs)
        if times[1] > LEAST_SECONDS:
            yield Figure(f"rank-{name}-{position}/by-hand", ratios[0], 1.3)
            notes.append(f"rank of {name} at the {position} by hand: {_shown(times)}")


def _sizes(name: str, view: Any, test: Any, runs: int, notes: list[str]) -> Iterator[Figure]:
    where = POPULATION.format(test=test.pk)
    sql = f"SELECT count(*) FROM testapp_attempt WHERE {where}"
    if name == "members":
        sql = f"SELECT count(*) FROM (SELECT DISTINCT candidate_id FROM testapp_attempt WHERE {where}) m"
    assert (view.ranked().count(),) == _execute(sql)
    ranked = partial(clock, view.ranked().count)
    times, ratios = paired([ranked, partial(clock, partial(_execute, sql))], runs)
    yield Figure(f"ranked-count-{name}/by-hand", ratios[0], 1.1)
    notes.append(f"ranked().count() of {name}: {_shown(times)}")


def _each(rows: int, runs: int, notes: list[str]) -> Iterator[Figure]:
    load(rows)
    _execute(f"INSERT INTO testapp_test (name) SELECT n FROM generate_series(1, {BOARDS}) n")
    _execute(
        "UPDATE testapp_attempt a SET test_id = t.id FROM (SELECT id, row_number() OVER () - 1 AS n "
        f"FROM testapp_test WHERE name <> 'benchmark') t WHERE a.id % {BOARDS} = t.n"
    )
    _execute("VACUUM FULL ANALYZE testapp_attempt")
    for name in ("overall", "members"):
        queryset = Attempt.objects.board(name)
        board: Leaderboard = queryset._declaration
        first = queryset.with_leaderboard(board).top_of_each(3)
        window = queryset.with_rank("ordinal", prefix="nth_").filter(nth_rank__lte=3)
        assert {entry.pk for entry in first} == {entry.pk for entry in window}
        times, ratios = paired([_by_window(first), _by_window(window)], runs)
        yield Figure(f"top-of-each-{name}/window", ratios[0], 0.02)
        notes.append(f"top_of_each(3) of {BOARDS} boards, {name}: {_shown(times)}")


def _by_window(queryset: Any) -> Callable[[], float]:
    # Not counted, as a list of one entry would be.
    return lambda: clock(lambda: list(queryset.iterator()))


def _shown(times: Sequence[float]) -> str:
    return ", ".join(f"{1000 * seconds:.2f} ms" for seconds in times)

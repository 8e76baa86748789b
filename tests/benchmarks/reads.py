"""What one entry, the number of entries and the first of every board cost, against windows and by hand.

Pages and reports are in ``paging.py``. The window is the library's own, which ``iterator()`` asks for; by
hand is what an expert would write for the very question, with its literals in it. Who is given a key only has
to fetch those first, which is shown beside it: inside the count they would cost a hundred times as much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.db.models import TextField
from django.db.models.functions import Cast

from leaderboard import Leaderboard
from tests.attempts import START
from tests.benchmarks.covering import CoveredAttempt, cover, uncover
from tests.benchmarks.figures import Figure, clock, paired
from tests.benchmarks.paging import by_window, execute, pages, report, shown
from tests.benchmarks.querysets import load
from tests.benchmarks.sorted_set import KEY, sorted_set
from tests.testapp.models import Attempt, Candidate, Comment, Test

__all__ = ["run"]

POSITIONS = {"top": 0.0, "1-percent": 0.01, "middle": 0.5, "bottom": 1.0}
LIMITS = {"top": 0.004, "1-percent": 0.015, "middle": 0.1, "bottom": 0.45}
# What a read by hand takes at least, for the cost of the ORM not to be what is compared.
LEAST_SECONDS = 0.005
BOARDS = 100
REPEATS = 200
POPULATION = (
    "test_id = {test} AND NOT disqualified AND score IS NOT NULL AND finished_at - started_at IS NOT NULL"
)
BETTER = " AND score >= {score} AND (score > {score} OR finished_at - started_at < '{taken}'::interval)"


def run(*, rows: int, runs: int, parts: Sequence[str] = ()) -> int:
    """Print every figure with its limit; return 1 where one is short."""
    measured: dict[str, Callable[[int, int, list[str]], Iterator[Figure]]] = {
        "one": _one,
        "pages": pages,
        "report": report,
        "boards": _boards,
        "each": _each,
    }
    notes: list[str] = []
    is_short = False
    tables = ", ".join(model._meta.db_table for model in (Comment, Attempt, Candidate, Test))
    call_command("migrate", run_syncdb=True, verbosity=0)
    try:
        for part in parts or measured:
            execute(f"TRUNCATE {tables}")
            uncover()
            for figure in measured[part](rows, runs, notes):
                figure.print()
                is_short |= figure.is_short
    finally:
        execute(f"DROP TABLE {tables} CASCADE")
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        (version,) = cursor.fetchone()
    print(f"\n{rows} rows, {runs} runs; {version}", *notes, sep="\n")
    return int(is_short)


def _one(rows: int, runs: int, notes: list[str]) -> Iterator[Figure]:
    test = load(rows)
    for name in ("overall", "members"):
        view = Attempt.objects.board(name).on_board(test=test)
        yield from _ranks(name, view, test, runs, notes)
        yield from _sizes(name, view, test, runs, notes)
    cover()
    for name in ("overall", "members"):
        view = CoveredAttempt.objects.board(name).on_board(test=test)
        for position, entry in _entries(view).items():
            yield _standing(name, view, position, entry, runs, notes, 0.1)
    yield from _cost(notes)
    _note_redis(test, runs, notes)


def _standing(
    name: str, view: Any, position: str, entry: Any, runs: int, notes: list[str], limit: float
) -> Figure:
    one = partial(clock, partial(view.get_standing, pk=entry.pk))
    times, ratios = paired([one, by_window(view.standings().filter(pk=entry.pk))], runs)
    notes.append(f"standing of {name} at the {position}, covering index: {shown(times)}")
    return Figure(f"standing-{name}-{position}-covering/window", ratios[0], limit)


def _cost(notes: list[str]) -> Iterator[Figure]:
    """What Django does for a standing, with no server: on a board so small that it answers at once.

    Python that has waited for a million entries to be counted finds its caches cold.
    """
    test = Test.objects.create(name="small", cut_off=50)
    candidates = Candidate.objects.order_by("pk")[:100]
    Attempt.objects.bulk_create(
        Attempt(test=test, candidate=candidate, score=score, started_at=START, finished_at=START)
        for score, candidate in enumerate(candidates)
    )
    execute("VACUUM ANALYZE testapp_attempt")
    view = Attempt.objects.board("overall").on_board(test=test)
    entry = view.top(1).get()
    standing = partial(view.get_standing, pk=entry.pk)
    fetch = partial(Attempt.objects.get, pk=entry.pk)
    spent = []
    for ask in (standing, fetch):
        spent.append(median([_without_server(ask) for _ in range(REPEATS)]))
    yield Figure("django-standing/get", spent[0] / spent[1], 4)
    notes.append(f"get_standing(pk=…) and get(pk=…) without the server: {shown(spent)}")


def _without_server(ask: Callable[[], object]) -> float:
    """Return the seconds that a call takes but for those in which statements run."""
    waited = 0.0

    def execute(run: Any, *arguments: Any) -> Any:
        nonlocal waited
        begun = perf_counter()
        try:
            return run(*arguments)
        finally:
            waited += perf_counter() - begun

    with connection.execute_wrapper(execute):
        return clock(ask) - waited


def _note_redis(test: Test, runs: int, notes: list[str]) -> None:
    view = Attempt.objects.board("overall").on_board(test=test)
    scores = view.ranked().values_list(Cast("pk", TextField()), "score").iterator()
    entry = _entries(view)["middle"]
    with sorted_set(scores) as client:
        if client is None:
            notes.append("redis-server is not installed: no comparison with a sorted set")
            return
        rank = partial(clock, partial(client.zrevrank, KEY, str(entry.pk)))
        times, _ = paired([partial(clock, partial(view.with_rank().get, pk=entry.pk)), rank], runs)
        notes.append(f"rank in the middle, and ZREVRANK of a sorted set: {shown(times)}")


def _boards(rows: int, runs: int, notes: list[str]) -> Iterator[Figure]:
    """One entry of a board of a hundredth of the rows, beside others as large."""
    _spread(rows)
    test = Test.objects.exclude(name="benchmark")[0]
    for covering in (False, True):
        if covering:
            cover()
        model = CoveredAttempt if covering else Attempt
        for name in ("overall", "members"):
            view = model.objects.board(name).on_board(test=test)
            for position, entry in _entries(view).items():
                if covering:
                    figure = _standing(name, view, position, entry, runs, notes, 0.3)
                    yield replace(figure, name=f"boards-{figure.name}")
                    continue
                one = partial(clock, partial(view.with_rank().get, pk=entry.pk))
                times, ratios = paired([one, by_window(view.with_rank().filter(pk=entry.pk))], runs)
                limit = 0.25 if position == "top" else 0.8
                yield Figure(f"boards-rank-{name}-{position}/window", ratios[0], limit)
                notes.append(f"rank of {name} at the {position} of 1 of {BOARDS} boards: {shown(times)}")


def _entries(view: Any) -> dict[str, Any]:
    ranked = view.ranked()
    last = ranked.count() - 1
    return {position: ranked[round(last * share)] for position, share in POSITIONS.items()}


def _ranks(name: str, view: Any, test: Any, runs: int, notes: list[str]) -> Iterator[Figure]:
    ranks = view.with_rank()
    number = "count(DISTINCT candidate_id)" if name == "members" else "count(*)"
    for position, entry in _entries(view).items():
        (rank,) = _count_better(number, entry)
        assert ranks.get(pk=entry.pk).rank == rank == next(ranks.filter(pk=entry.pk).iterator()).rank
        counted = partial(clock, partial(ranks.get, pk=entry.pk))
        times, ratios = paired([counted, by_window(ranks.filter(pk=entry.pk))], runs)
        yield Figure(f"rank-{name}-{position}/window", ratios[0], LIMITS[position])
        notes.append(f"rank of {name} at the {position}: {shown(times)}")
        if name == "members":
            own = ranks.filter(candidate=entry.candidate_id)
            assert {*own.values_list("pk", "rank")} == {*own.values_list("pk", "rank").iterator()}
            of_member = partial(clock, partial(_read, own))
            times, ratios = paired([of_member, by_window(own)], runs)
            yield Figure(f"ranks-of-a-member-{position}/window", ratios[0], LIMITS[position])
            notes.append(f"the entries of a member at the {position}: {shown(times)}")
        count = partial(clock, partial(_count_better, number, entry))
        by_hand = partial(clock, partial(_rank_by_hand, number, entry.pk))
        # Some take a few milliseconds, of which a few turns tell little.
        times, ratios = paired([counted, by_hand, count], 5 * runs)
        if times[-1] > LEAST_SECONDS:
            yield Figure(f"rank-{name}-{position}/by-hand", ratios[0], 1.3)
            notes.append(
                f"rank of {name} at the {position}, by hand with the entry that is fetched, and its count: "
                f"{shown(times)}; {ratios[0] / ratios[1]:.2f} of what fetches the entry"
            )


def _count_better(number: str, entry: Any) -> Any:
    where = POPULATION.format(test=entry.test_id) + BETTER.format(
        score=entry.score, taken=entry.finished_at - entry.started_at
    )
    return execute(f"SELECT {number} + 1 FROM testapp_attempt WHERE {where}")


def _rank_by_hand(number: str, pk: int) -> Any:
    return _count_better(number, Attempt.objects.get(pk=pk))


def _read(rows: Any) -> list[Any]:
    # Of a copy, as a queryset keeps what it has read.
    return list(rows.all())


def _sizes(name: str, view: Any, test: Any, runs: int, notes: list[str]) -> Iterator[Figure]:
    where = POPULATION.format(test=test.pk)
    sql = f"SELECT count(*) FROM testapp_attempt WHERE {where}"
    if name == "members":
        sql = f"SELECT count(*) FROM (SELECT DISTINCT candidate_id FROM testapp_attempt WHERE {where}) m"
    assert (view.ranked().count(),) == execute(sql)
    ranked = partial(clock, view.ranked().count)
    times, ratios = paired([ranked, partial(clock, partial(execute, sql))], runs)
    yield Figure(f"ranked-count-{name}/by-hand", ratios[0], 1.1)
    notes.append(f"ranked().count() of {name}: {shown(times)}")


def _spread(rows: int) -> None:
    """Store the rows on many boards, in no order; of each board as many are ranked as of the one."""
    load(rows)
    execute(f"INSERT INTO testapp_test (name) SELECT n FROM generate_series(1, {BOARDS}) n")
    # One further each time, since what is not ranked comes up every so many rows: it would be all of a board.
    execute(
        "UPDATE testapp_attempt a SET test_id = t.id FROM (SELECT id, row_number() OVER () - 1 AS n "
        f"FROM testapp_test WHERE name <> 'benchmark') t WHERE (a.id + a.id / {BOARDS}) % {BOARDS} = t.n"
    )
    execute("VACUUM FULL ANALYZE testapp_attempt")


def _each(rows: int, runs: int, notes: list[str]) -> Iterator[Figure]:
    """The first of many boards, and of as many where nobody of every twentieth board is eligible.

    Such a board is read to its end by an index that has them.
    """
    _spread(rows)
    yield from _first_of_each("", runs, notes)
    boards = Test.objects.exclude(name="benchmark").order_by("pk")
    Attempt.objects.filter(test__in=[*boards.values_list("pk", flat=True)[::20]]).update(disqualified=True)
    cover()
    yield from _first_of_each("-some-empty-covering", runs, notes, CoveredAttempt)


def _first_of_each(
    which: str, runs: int, notes: list[str], model: type[Attempt] = Attempt
) -> Iterator[Figure]:
    for name in ("overall", "members"):
        queryset = model.objects.board(name)
        board: Leaderboard = queryset.leaderboard
        first = queryset.with_leaderboard(board).top_of_each(3)
        window = queryset.with_rank("ordinal", prefix="nth_").filter(nth_rank__lte=3)
        assert {entry.pk for entry in first} == {entry.pk for entry in window}
        times, ratios = paired([by_window(first), by_window(window)], runs)
        yield Figure(f"top-of-each-{name}{which}/window", ratios[0], 0.02)
        notes.append(f"top_of_each(3) of {BOARDS} boards, {name}{which}: {shown(times)}")

"""The demo: real results and a large synthetic race."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlparse
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from example.progress import Progress
from example.races.loading import count_lines, load_results
from example.races.models import QualifyingStandard, Race, Result
from example.races.standards import YEAR, load_standards
from leaderboard import Qualification

EXTRACT = Path(__file__).parent / "data" / "boston_2014_extract.csv"
REAL = "Boston Marathon 2014 (extract)"
SYNTHETIC = "Synthetic marathon"
STARTS_AT = datetime(2014, 4, 21, 14, 0, tzinfo=UTC)
BATCH = 10_000
MOVED_BY = timedelta(minutes=10)

# Ages 16 to 85, so that some have no standard; three in a hundred have not arrived.
SYNTHESISE = """
    INSERT INTO races_result (race_id, bib, gender, age, started_at, finished_at, standard_id)
    SELECT %(race)s, runner.n, runner.gender, runner.age, runner.start,
           CASE WHEN random() >= 0.03 THEN runner.start + make_interval(secs => runner.seconds) END,
           standard.id
      FROM (SELECT n,
                   CASE WHEN random() < 0.55 THEN 'M' ELSE 'F' END AS gender,
                   (16 + floor(70 * random() * random()))::int AS age,
                   %(start)s + make_interval(secs => floor(1800 * random())) AS start,
                   floor(7600 + 3600 * (random() + random() + random() + random())) AS seconds
              FROM generate_series(%(first)s, %(last)s) AS n) AS runner
      LEFT JOIN races_qualifyingstandard AS standard
        ON standard.year = %(year)s AND standard.gender = runner.gender
       AND runner.age >= standard.age_from AND (runner.age <= standard.age_to OR standard.age_to IS NULL)
"""


def new_race(name: str) -> Race:
    """Return a race without results, in place of one of the same name."""
    Race.objects.filter(name=name).delete()
    return Race.objects.create(name=name, starts_at=STARTS_AT)


def run_demo(rows: int) -> None:
    """Load both races and print what the library derives from them."""
    with transaction.atomic():
        real = new_race(REAL)
        report = load_results(real, EXTRACT, progress=Progress(REAL, count_lines(EXTRACT)))
    print(f"{REAL}: {report.loaded:,} results loaded, {len(report.broken)} broken lines.")
    for broken in report.broken:
        print(f"  {broken}")
    large = new_race(SYNTHETIC)
    _synthesise(large, rows)
    print(f"{SYNTHETIC}: {rows:,} results.")
    for race in (real, large):
        _show_top(race)
    _show_runner(real)
    _move_cut_off(large)
    _show_sql(large)


def _synthesise(race: Race, rows: int) -> None:
    load_standards()
    progress = Progress(SYNTHETIC, rows)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.42)")
        for first in range(1, rows + 1, BATCH):
            last = min(first + BATCH - 1, rows)
            cursor.execute(
                SYNTHESISE,
                {"race": race.pk, "start": race.starts_at, "year": YEAR, "first": first, "last": last},
            )
            progress(last)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE races_result")


def _print_rows(rows: Iterable[Any], marked: Result | None = None) -> None:
    print("    rank  bib     standard      time taken  percentile  qualification")
    for row in rows:
        mark = "->" if marked is not None and row.pk == marked.pk else "  "
        print(
            f" {mark}{row.rank:>5}  {row.bib:<6}  {_standard(row):<12}  {row.time_taken!s:>10}  "
            f"{row.percentile:>10.3f}  {row.qualification.label}"
        )


def _standard(result: Result) -> str:
    return str(result.standard or f"{result.gender} {result.age}: none")


def _show_top(race: Race) -> None:
    print(f"\nThe first ten, {race.name}; who must meet which standard goes by gender and age")
    began = time.perf_counter()
    rows = list(Result.objects.on_board(race=race).standings().select_related("standard").top(10))
    took = time.perf_counter() - began
    _print_rows(rows)
    print(f"    ({took * 1000:.0f} ms, with the percentile, which counts the whole board)")


def _show_runner(race: Race) -> None:
    board = Result.objects.on_board(race=race)
    ranked = board.with_rank().filter(rank__isnull=False).order_by("rank", "pk")
    runner = ranked[ranked.count() // 2]
    print(f"\nOne runner, bib {runner.bib}, with neighbours, and the standing on each board")
    _print_rows(board.standings().select_related("standard").around(runner, before=3, after=3), runner)
    for name in ("overall", "by_gender", "by_division"):
        standing = Result.objects.board(name).get_standing(runner)
        print(
            f"    {name:<12} rank {standing.rank} of {standing.board_size}, percentile "
            f"{standing.percentile or 0:.3f}, {standing.time_taken}, {standing.qualification.label}"
        )


def _show_qualified(race: Race, standard: QualifyingStandard) -> None:
    under = Result.objects.on_board(race=race).with_qualification().filter(standard=standard)
    qualified = under.filter(qualification=Qualification.QUALIFIED).count()
    print(f"    {standard} within {standard.limit}: {qualified:,} of {under.count():,} qualified")


def _move_cut_off(race: Race) -> None:
    print(f"\nMoving a cut-off, {race.name}")
    standard = QualifyingStandard.objects.get(year=YEAR, gender="M", age_from=18)
    with transaction.atomic():
        _show_qualified(race, standard)
        standard.limit -= MOVED_BY
        standard.save(update_fields=["limit"])
        _show_qualified(race, standard)
        # The table stays as it was for the next run on the same database.
        transaction.set_rollback(True)


def _show_sql(race: Race) -> None:
    queryset = Result.objects.on_board(race=race).with_rank().with_time_taken().with_qualification().top(10)
    print("\nSQL of top(10) with rank, time taken and qualification\n")
    with CaptureQueriesContext(connection) as captured:
        len(queryset)
    print(sqlparse.format(captured[0]["sql"], reindent=True))
    print("\nIts plan\n")
    print(queryset.explain(analyze=True))

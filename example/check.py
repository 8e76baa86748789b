"""The check: do the ranks agree with published places?"""

from __future__ import annotations

import sys
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.db import transaction

from example.demo import new_race
from example.progress import Progress
from example.races.loading import BrokenFile, count_lines, load_results
from example.races.models import Result

# The published column, and the rank of the board that it is compared with.
PLACES = {"overall_place": "rank", "gender_place": "gender_rank", "division_place": "division_rank"}
BOARDS = {
    "overall_place": (),
    "gender_place": ("gender",),
    "division_place": ("gender", "division"),
}
SHOWN = 30


def run_check(path: Path) -> int:
    """Load ``path``, print where its places contradict the ranks, and return 1 if they do anywhere.

    A file whose header is broken, or without a place to compare with, gives 2.
    """
    published: dict[str, dict[str, str]] = {}
    try:
        with transaction.atomic():
            race = new_race(f"Check of {path.name}"[:100])
            report = load_results(
                race,
                path,
                progress=Progress(path.name, count_lines(path)),
                each=lambda row: published.update({row["bib"]: row}),
            )
    except BrokenFile as error:
        print(f"{path}: {error}", file=sys.stderr)
        return 2
    print(f"{report.loaded:,} loaded, {report.left_out:,} left out, {len(report.broken):,} broken lines.")
    for broken in report.broken:
        print(f"  {broken}")
    # Three boards in one row.
    queryset = Result.objects.filter(race=race).standings()
    queryset = queryset.board("by_gender").standings(prefix="gender_")
    queryset = queryset.board("by_division").standings(prefix="division_")
    names = ("bib", "gender", "division", "time_taken", *PLACES.values())
    rows: list[dict[str, Any]] = list(queryset.values(*names))
    wrong = sum(
        row["time_taken"] != timedelta(seconds=int(published[row["bib"]]["official_seconds"])) for row in rows
    )
    print(f"{wrong} of {len(rows):,} times taken differ from the official time.")
    compared = [place for place in PLACES if any(row.get(place) for row in published.values())]
    if not compared:
        print(f"{path}: no results with a place to compare with ({', '.join(PLACES)}).", file=sys.stderr)
        return 2
    contradictions = sum(_inversions(place, rows, published) for place in compared)
    return 1 if contradictions or wrong else 0


def _inversions(place: str, rows: list[dict[str, Any]], published: dict[str, dict[str, str]]) -> int:
    """Print and count the neighbours by published place of whom the later one has the better rank.

    Two who share a place and differ in rank contradict it as well.
    """
    boards: dict[tuple[object, ...], list[tuple[int, int, str]]] = {}
    for row in rows:
        rank, value = row[PLACES[place]], published[row["bib"]].get(place, "")
        if rank is not None and value.isascii() and value.isdigit():
            board = tuple(row[name] for name in BOARDS[place])
            boards.setdefault(board, []).append((int(value), rank, row["bib"]))
    found = 0
    for entries in boards.values():
        entries.sort(key=lambda entry: (entry[0], -entry[1]))
        for before, after in pairwise(entries):
            if after[1] < before[1]:
                found += 1
                if found <= SHOWN:
                    print(
                        f"  {place} {after[0]} (bib {after[2]}) ranks {after[1]}, after "
                        f"{place} {before[0]} (bib {before[2]}) with rank {before[1]}"
                    )
    count = sum(map(len, boards.values()))
    print(f"{place}: {count:,} entries on {len(boards)} boards, {found} inversions.")
    return found

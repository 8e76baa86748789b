"""Loading of published results from a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from pathlib import Path

from django.db import transaction

from example.races.models import Gender, QualifyingStandard, Race, Result
from example.races.standards import load_standards, standard_for

COLUMNS = ("bib", "category", "gender", "age", "official_seconds")
BATCH = 2000
MAX_BIB = 12
MAX_AGE = 120
MAX_SECONDS = 7 * 24 * 3600
# Starts were not published: each runner gets one within the first half hour.
SPREAD_SECONDS = 1800


@dataclass(frozen=True)
class BrokenLine:
    """A line that was not loaded; the header is line 1."""

    number: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.reason}"


@dataclass
class LoadReport:
    """What became of a file: results loaded, lines of other categories left out, lines broken."""

    lines: int = 0
    loaded: int = 0
    left_out: int = 0
    broken: list[BrokenLine] = field(default_factory=list)


class BrokenFile(ValueError):
    """Raised for a file whose header lacks a column."""


def count_lines(path: Path) -> int:
    """Return the number of lines after the header."""
    with path.open("rb") as lines:
        return max(sum(1 for _ in lines) - 1, 0)


def load_results(
    race: Race,
    path: Path,
    *,
    category: str = "open",
    progress: Callable[[int], None] | None = None,
    each: Callable[[dict[str, str]], None] | None = None,
) -> LoadReport:
    """Load the results of ``category`` in one transaction; broken lines are reported and the others load.

    ``progress`` is called with the number of lines read so far, ``each`` with every row that loads. Raises
    ``BrokenFile``, having loaded nothing, where a column of ``COLUMNS`` is missing.
    """
    report = LoadReport()
    with path.open(encoding="utf-8-sig", errors="replace", newline="\n") as lines, transaction.atomic():
        results = _results(race, lines, category, report, each)
        shown = 0
        while batch := list(islice(results, BATCH)):
            Result.objects.bulk_create(batch)
            report.loaded += len(batch)
            if progress is not None:
                shown = report.lines
                progress(shown)
        if progress is not None and report.lines != shown:
            progress(report.lines)
    return report


def _results(
    race: Race,
    lines: Iterable[str],
    category: str,
    report: LoadReport,
    each: Callable[[dict[str, str]], None] | None,
) -> Iterator[Result]:
    numbered = enumerate(lines, start=1)
    try:
        header = _split(next(numbered, (1, ""))[1])
    except ValueError as error:
        raise BrokenFile(f"The header (line 1) cannot be read: {error}") from None
    if missing := [name for name in COLUMNS if name not in header]:
        raise BrokenFile(f"The header (line 1) has no column {', '.join(map(repr, missing))}.")
    standards = load_standards()
    taken = set(Result.objects.filter(race=race).values_list("bib", flat=True))
    for number, line in numbered:
        report.lines += 1
        if not line.strip():
            continue
        try:
            row = _row(header, line)
            if row["category"] != category:
                report.left_out += 1
                continue
            result = _result(race, row, standards)
            if result.bib in taken:
                raise ValueError(f"bib {result.bib!r} has a result already.")
        except ValueError as error:
            report.broken.append(BrokenLine(number, str(error)))
            continue
        taken.add(result.bib)
        if each is not None:
            each(row)
        yield result


def _split(line: str) -> list[str]:
    # Line by line, so that a quotation mark left open spoils one line and not the rest of the file.
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error as error:
        raise ValueError(f"{error}.") from None


def _row(header: list[str], line: str) -> dict[str, str]:
    values = _split(line)
    if len(values) != len(header):
        raise ValueError(f"{len(values)} values where the header has {len(header)}.")
    return dict(zip(header, values, strict=True))


def _result(race: Race, row: dict[str, str], standards: list[QualifyingStandard]) -> Result:
    bib, gender = row["bib"], row["gender"]
    if not (bib.isascii() and bib.isalnum() and len(bib) <= MAX_BIB):
        raise ValueError(f"bib {bib!r} is not made of 1 to {MAX_BIB} letters and digits.")
    if gender not in Gender.values:
        raise ValueError(f"gender {gender!r} is none of {', '.join(Gender.values)}.")
    age = _number(row, "age", MAX_AGE)
    seconds = _number(row, "official_seconds", MAX_SECONDS)
    offset = int.from_bytes(bib.encode()) % SPREAD_SECONDS
    started_at = race.starts_at + timedelta(seconds=offset)
    return Result(
        race=race,
        bib=bib,
        gender=gender,
        age=age,
        started_at=started_at,
        finished_at=started_at + timedelta(seconds=seconds),
        standard=standard_for(standards, gender, age),
    )


def _number(row: dict[str, str], name: str, most: int) -> int:
    text = row[name]
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and 0 < int(text) <= most):
        raise ValueError(f"{name} {text!r} is not a whole number from 1 to {most}.")
    return int(text)

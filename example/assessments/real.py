"""Real results: an extract of the Boston Marathon 2014, and the 46th ICPC World Finals."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

from example.assessments.models import Attempt, Candidate, Test
from example.races.loading import load_results
from example.races.models import Race, Result

__all__ = ["BOSTON", "ICPC", "load_boston", "load_icpc"]

DATA = Path(__file__).parent.parent / "data"
BOSTON = "Boston Marathon 2014"
ICPC = "46th ICPC World Finals"
BOSTON_STARTS_AT = datetime(2014, 4, 21, 14, 0, tzinfo=UTC)
ICPC_STARTS_AT = datetime(2024, 4, 18, 8, 0, tzinfo=UTC)


def load_boston() -> Test:
    """Add the race, whose runners have limits of their own: the qualifying standards by age and gender."""
    race = Race.objects.create(name=BOSTON, starts_at=BOSTON_STARTS_AT)
    load_results(race, DATA / "boston_2014_extract.csv")
    test = Test.objects.create(
        name=BOSTON,
        about="400 of the 31,931 runners. Who qualifies for the next race goes by age and gender.",
        source="github llimllib/bostonmarathon, MIT licence; facts only",
        board=Test.Board.TIMED,
        scale_from=130,
        scale_to=360,
        scale_step=10,
    )
    results = list(Result.objects.filter(race=race).select_related("standard").order_by("pk"))
    Candidate.objects.bulk_create(
        Candidate(code=f"B{result.bib}", name=f"Runner {result.bib}") for result in results
    )
    Attempt.objects.bulk_create(
        Attempt(
            test=test,
            candidate_id=f"B{result.bib}",
            started_at=result.started_at,
            finished_at=result.finished_at,
            limit=result.standard and result.standard.limit,
            note=f"Standard of {result.standard}" if result.standard else "There is no standard of that age.",
        )
        for result in results
    )
    return test


def load_icpc() -> Test:
    """Add the contest: a point for each problem, and the time is that of the solutions with the penalties."""
    test = Test.objects.create(
        name=ICPC,
        about="Problems solved in five hours; the time is that of all solutions, with the penalties.",
        source="github xcpcio/board-data, MIT licence; facts only",
        least_score=7,
        scale_from=0,
        scale_to=11,
        scale_step=1,
    )
    with (DATA / "icpc_wf46.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    Candidate.objects.bulk_create(
        Candidate(code=f"T{row['team']}", name=f"Team {row['team']}") for row in rows
    )
    Attempt.objects.bulk_create(
        Attempt(
            test=test,
            candidate_id=f"T{row['team']}",
            score=int(row["solved"]),
            started_at=ICPC_STARTS_AT,
            finished_at=ICPC_STARTS_AT + timedelta(minutes=int(row["minutes"])),
            penalty=timedelta(minutes=20 * int(row["rejected"])),
            note=f"{row['rejected']} rejected runs of what was solved, at 20 minutes each.",
        )
        for row in rows
    )
    return test

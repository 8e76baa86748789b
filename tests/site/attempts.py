"""Tests with attempts that tie, are retaken, not finished or unofficial."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from example.assessments.models import Attempt, Candidate, Test

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def scored(candidates: int, *, prefix: str = "C") -> Test:
    """Return a test of which every fifth candidate has a second attempt, and every seventh does not count."""
    test = Test.objects.create(name=f"Test of {candidates} {prefix}", least_score=50)
    _fill(test, candidates, prefix)
    return test


def timed(candidates: int, *, prefix: str = "R") -> Test:
    """Return a race, where every third runner has a limit and the others have that of the race."""
    test = Test.objects.create(
        name=f"Race of {candidates} {prefix}",
        board=Test.Board.TIMED,
        most_time=minutes(30),
        scale_from=10,
        scale_to=70,
        scale_step=10,
    )
    _fill(test, candidates, prefix)
    return test


def _fill(test: Test, candidates: int, prefix: str) -> None:
    taking = Candidate.objects.bulk_create(
        Candidate(code=f"{prefix}{n}", name=f"Name {n % 17} {n}") for n in range(1, candidates + 1)
    )
    attempts = []
    for n, candidate in enumerate(taking, start=1):
        for again in range(1 + (n % 5 == 0)):
            attempt = Attempt(test=test, candidate=candidate, score=(n * 7 + 3 * again) % 11 * 10)
            attempt.started_at = START + minutes(n)
            attempt.finished_at = attempt.started_at + minutes(10 + 10 * ((n * 3 + again) % 6))
            attempt.paused = minutes(5) if n % 11 == 0 else None
            attempt.limit = minutes(25) if n % 3 == 0 else None
            attempt.official = n % 7 != 0
            if n % 13 == 0:
                attempt.score = attempt.finished_at = None
            attempts.append(attempt)
    Attempt.objects.bulk_create(attempts)

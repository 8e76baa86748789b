"""The attempts that querysets are tried on: ties, members with several, and every kind of unranked one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.testapp.models import Attempt, Candidate, Comment, Test

START = datetime(2026, 3, 31, 23, 59, tzinfo=UTC)

# Test, candidate, score, seconds taken, disqualified, texts of comments.
ATTEMPTS: list[tuple[int, int | None, int | None, int | None, bool | None, str]] = [
    (0, 0, 90, 30, False, "aab"),
    (0, 0, 90, 30, False, "b"),
    (0, 0, 40, 10, False, ""),
    (0, 1, 90, 30, False, "a"),
    (0, 1, 95, 60, True, "aa"),
    (0, 2, 70, 20, False, "ac"),
    (0, 2, 70, None, False, "c"),
    (0, 3, 70, 20, False, ""),
    (0, 3, None, 5, False, "a"),
    (0, 4, 10, 90, None, "b"),
    (0, None, 85, 15, False, "aaa"),
    (0, 5, 50, 15, False, ""),
    (0, 5, 50, 16, False, "bb"),
    (1, 0, 20, 40, False, "a"),
    (1, 1, 20, 40, False, "ab"),
    (1, 1, 60, 41, False, ""),
    (1, 2, 60, 41, False, "c"),
    (1, 3, None, None, False, "aa"),
    (1, 4, 99, 1, True, ""),
    (1, None, 60, 41, False, "b"),
    (1, 5, 5, 5, False, "abc"),
    (2, 0, 70, 8, True, "a"),
    (2, 1, None, 8, False, ""),
    (2, 4, 70, 8, None, "bb"),
]
TEAMS = ["red", "blue", "red", "", "blue", "red"]


def store() -> None:
    tests = Test.objects.bulk_create(
        Test(name=f"test {n}", cut_off=cut_off) for n, cut_off in enumerate([70, None, 5])
    )
    candidates = Candidate.objects.bulk_create(
        Candidate(name=f"candidate {n}", team=team) for n, team in enumerate(TEAMS)
    )
    attempts = Attempt.objects.bulk_create(
        Attempt(
            test=tests[test],
            candidate=None if candidate is None else candidates[candidate],
            score=score,
            label=None if score is None else "high" if score > 60 else "low",
            started_at=START,
            finished_at=None if seconds is None else START + timedelta(seconds=seconds),
            disqualified=disqualified,
        )
        for test, candidate, score, seconds, disqualified, _ in ATTEMPTS
    )
    Comment.objects.bulk_create(
        Comment(attempt=attempt, text=text)
        for attempt, entry in zip(attempts, ATTEMPTS, strict=True)
        for text in entry[-1]
    )

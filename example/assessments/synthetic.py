"""Tests that nobody took, the same in every run, with ties, breaks, retakes, and some that do not count."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from example.assessments.models import Attempt, Candidate, Test
from example.assessments.names import full_names

__all__ = ["CANDIDATES", "load_synthetic"]

SEED = 42
CANDIDATES = 1500
OPENS_AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BREAK = timedelta(minutes=10)


@dataclass(frozen=True)
class Plan:
    """What a test is like; of ten candidates ``retakes`` try again, and so many again a third time."""

    name: str
    about: str
    cut_off: int
    candidates: int
    mean: float
    minutes: int
    retakes: int = 0


PLANS = (
    Plan(
        "Data structures",
        "Ninety minutes, up to 100 points. Of several attempts the best one counts.",
        cut_off=60,
        candidates=CANDIDATES,
        mean=58,
        minutes=90,
        retakes=4,
    ),
    Plan(
        "Logical reasoning",
        "Forty minutes and one attempt each. Many tie on points, and the time taken decides.",
        cut_off=75,
        candidates=1200,
        mean=68,
        minutes=40,
    ),
    Plan(
        "Database design",
        "A small group of two hundred, for a single position.",
        cut_off=80,
        candidates=200,
        mean=63,
        minutes=120,
        retakes=2,
    ),
)


def load_synthetic() -> None:
    """Add the tests, their candidates and all attempts."""
    chance = random.Random(SEED)
    names = full_names()
    chance.shuffle(names)
    candidates = Candidate.objects.bulk_create(
        Candidate(code=f"C{number:04}", name=name) for number, name in enumerate(names[:CANDIDATES], start=1)
    )
    for plan in PLANS:
        test = Test.objects.create(name=plan.name, about=plan.about, least_score=plan.cut_off)
        taking = chance.sample(candidates, plan.candidates)
        Attempt.objects.bulk_create(
            attempt for candidate in taking for attempt in _attempts(test, plan, candidate, chance)
        )
    Test.objects.create(
        name="Operating systems", about="Opens next month: nobody has taken it yet.", least_score=50
    )


def _attempts(test: Test, plan: Plan, candidate: Candidate, chance: random.Random) -> Iterator[Attempt]:
    skill = chance.gauss(plan.mean, 15)
    opens_at = OPENS_AT + timedelta(minutes=chance.randrange(14 * 24 * 60))
    while True:
        yield _attempt(test, plan, candidate, chance, opens_at, skill)
        if chance.random() * 10 >= plan.retakes:
            return
        skill += chance.gauss(4, 6)
        opens_at += timedelta(days=chance.randint(1, 7))


def _attempt(
    test: Test, plan: Plan, candidate: Candidate, chance: random.Random, starts_at: datetime, skill: float
) -> Attempt:
    score = min(max(round(skill + chance.gauss(0, 4)), 0), 100)
    # Whole half minutes, so that some tie on both.
    halves = round(plan.minutes * 2 * min(max(chance.gauss(0.8, 0.12), 0.3), 1))
    attempt = Attempt(test=test, candidate=candidate, score=score, started_at=starts_at)
    attempt.finished_at = starts_at + timedelta(seconds=30 * halves)
    kind = chance.random()
    if kind < 0.03:
        attempt.score = attempt.finished_at = None
        attempt.note = "Not finished."
    elif kind < 0.05:
        attempt.official = False
        attempt.note = "Unofficial: taken outside of the room."
    elif kind < 0.07:
        attempt.started_at += timedelta(minutes=3)
        attempt.note = "The start was corrected by three minutes: the room opened late."
    elif kind < 0.10:
        attempt.paused = BREAK
        attempt.finished_at += BREAK
        attempt.note = "A break of ten minutes does not count."
    return attempt

"""Tests, candidates and attempts, on a board by score or, where everything is about time, on one by time."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from leaderboard import AtLeast, AtMost, Leaderboard, LeaderboardManager, TimeTaken

__all__ = ["BOARDS", "SCORED", "TIMED", "TIME_TAKEN", "Attempt", "Candidate", "Test"]

TIME_TAKEN = TimeTaken("started_at", "finished_at", paused="paused", penalty="penalty")

SCORED = Leaderboard(
    within=["test"],
    member="candidate",
    order_by=["-score", TIME_TAKEN],
    eligible=Q(official=True),
    time_taken=TIME_TAKEN,
    cut_off=AtLeast("score", F("test__least_score")),
)
TIMED = SCORED.replace(
    order_by={"time": TIME_TAKEN},
    # A runner's own limit goes by age and gender.
    cut_off=AtMost(TIME_TAKEN, Coalesce(F("limit"), F("test__most_time"))),
)
BOARDS = {"scored": SCORED, "timed": TIMED}


class Test(models.Model):
    """A test, with what qualifies; ``scale_…`` are the cut-offs that one may try, in points or minutes."""

    class Board(models.TextChoices):
        """The board that ranks its attempts, of those that :class:`Attempt` declares."""

        SCORED = "scored", "by score, then time"
        TIMED = "timed", "by time"

    name = models.CharField(max_length=100, unique=True)
    about = models.TextField(blank=True)
    source = models.CharField(max_length=200, blank=True)
    board = models.CharField(max_length=10, choices=Board.choices, default=Board.SCORED)
    least_score = models.IntegerField(null=True)
    most_time = models.DurationField(null=True)
    scale_from = models.PositiveSmallIntegerField(default=0)
    scale_to = models.PositiveSmallIntegerField(default=100)
    scale_step = models.PositiveSmallIntegerField(default=5, validators=[MinValueValidator(1)])

    objects: ClassVar[models.Manager[Test]] = models.Manager()

    __test__ = False

    def __str__(self) -> str:
        return self.name

    @property
    def is_timed(self) -> bool:
        """Whether only the time decides."""
        return self.board == self.Board.TIMED


class Candidate(models.Model):
    """Who takes tests, and goes by a code."""

    code = models.CharField(max_length=12, primary_key=True)
    name = models.CharField(max_length=100)

    objects: ClassVar[models.Manager[Candidate]] = models.Manager()

    def __str__(self) -> str:
        return self.name


class Attempt(models.Model):
    """One candidate's attempt at a test; without ``finished_at`` it is not finished."""

    test = models.ForeignKey(Test, models.CASCADE, related_name="attempts")
    candidate = models.ForeignKey(Candidate, models.CASCADE, related_name="attempts")
    score = models.IntegerField(null=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    paused = models.DurationField(null=True, help_text="Breaks, which do not count.")
    penalty = models.DurationField(null=True, help_text="Time added by the rules.")
    limit = models.DurationField(null=True, help_text="One's own time limit, where it is not the test's.")
    official = models.BooleanField(default=True)
    note = models.CharField(max_length=200, blank=True)

    objects: ClassVar[LeaderboardManager] = LeaderboardManager(**BOARDS)

    class Meta:
        indexes: ClassVar = [
            *SCORED.indexes("attempt_scored", covering=True),
            *TIMED.indexes("attempt_timed", covering=True),
        ]

    def __str__(self) -> str:
        return f"attempt {self.pk}"

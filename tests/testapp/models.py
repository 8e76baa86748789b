from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import TruncMonth

from leaderboard import AtLeast, Leaderboard, LeaderboardManager, TimeTaken

MEMBERS = Leaderboard(
    within=["test"],
    member="candidate",
    order_by=["-score", TimeTaken("started_at", "finished_at")],
    eligible=Q(disqualified=False),
    time_taken=TimeTaken("started_at", "finished_at"),
    cut_off=AtLeast("score", F("test__cut_off")),
)


class Test(models.Model):
    __test__ = False  # not a test case

    name = models.CharField(max_length=50)
    cut_off = models.IntegerField(null=True)
    held_on = models.DateField(null=True)
    pause = models.DurationField(null=True)


class Candidate(models.Model):
    name = models.CharField(max_length=50)
    team = models.CharField(max_length=50, blank=True)
    allowance = models.DurationField(null=True)


class Attempt(models.Model):
    test = models.ForeignKey(Test, models.CASCADE, related_name="attempts")
    candidate = models.ForeignKey(Candidate, models.CASCADE, null=True, related_name="attempts")
    score = models.IntegerField(null=True)
    big = models.DecimalField(max_digits=40, decimal_places=4, null=True)
    ratio = models.FloatField(null=True)
    label = models.CharField(max_length=20, null=True)  # noqa: DJ001 - a NULL term is what is tested
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    disqualified = models.BooleanField(default=False, null=True)

    objects = LeaderboardManager(
        overall=Leaderboard(
            within=["test"],
            order_by=["-score", TimeTaken("started_at", "finished_at")],
            eligible=Q(disqualified=False),
            time_taken=TimeTaken("started_at", "finished_at"),
            cut_off=AtLeast("score", F("test__cut_off")),
        ),
        members=MEMBERS,
        everything=Leaderboard(order_by=["-score"]),
        monthly=Leaderboard(within={"test": "test", "month": TruncMonth("finished_at")}, order_by=["-score"]),
    )

    class Meta:
        indexes = MEMBERS.indexes("attempt")


class Comment(models.Model):
    attempt = models.ForeignKey(Attempt, models.CASCADE, related_name="comments")
    text = models.CharField(max_length=50)

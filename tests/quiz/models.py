"""An app as a user would write it; it knows the public API only."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from leaderboard import AtLeast, First, Leaderboard, LeaderboardManager, PercentileAtLeast, TimeTaken


class Quiz(models.Model):
    title = models.CharField(max_length=40)
    pass_mark = models.PositiveSmallIntegerField(null=True)


class Answer(models.Model):
    quiz = models.ForeignKey(Quiz, models.CASCADE, related_name="answers")
    player = models.CharField(max_length=20)
    points = models.PositiveSmallIntegerField(null=True)
    opened_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    interruption = models.DurationField(null=True)
    withdrawn = models.BooleanField(default=False)

    objects = LeaderboardManager(
        fastest=Leaderboard(
            within=["quiz"],
            member="player",
            counting=First("opened_at"),
            order_by=["-points", TimeTaken("opened_at", "sent_at", paused="interruption")],
            eligible=Q(withdrawn=False),
            time_taken=TimeTaken("opened_at", "sent_at", paused="interruption", running=True),
            cut_off=AtLeast("points", F("quiz__pass_mark")) | PercentileAtLeast(90),
        ),
        hall_of_fame=Leaderboard(order_by=["-points"], rank_kind="dense", percentile_kind="mean"),
    )

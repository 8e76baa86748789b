"""Races, their results, and the standards that qualify a runner by gender and age."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Case, F, Value, When
from django.db.models.functions import Least

from leaderboard import AtMost, Leaderboard, LeaderboardManager, TimeTaken

TIME_TAKEN = TimeTaken("started_at", "finished_at")
CUT_OFF = AtMost(TimeTaken("started_at", "finished_at"), F("standard__limit"))


def _board(*within: str) -> Leaderboard:
    return Leaderboard(within=within, order_by=[TIME_TAKEN], time_taken=TIME_TAKEN, cut_off=CUT_OFF)


OVERALL = _board("race")
BY_GENDER = _board("race", "gender")
BY_DIVISION = _board("race", "gender", "division")


class Gender(models.TextChoices):
    """The fields of a race."""

    MEN = "M"
    WOMEN = "F"


class Race(models.Model):
    """A race; every runner of it has a start of their own."""

    name = models.CharField(max_length=100, unique=True)
    starts_at = models.DateTimeField()

    objects: ClassVar[models.Manager[Race]] = models.Manager()

    def __str__(self) -> str:
        return self.name


class QualifyingStandard(models.Model):
    """The time that a runner of one gender and age group must not exceed; edit a row to move it."""

    year = models.PositiveSmallIntegerField()
    gender = models.CharField(max_length=1, choices=Gender.choices)
    age_from = models.PositiveSmallIntegerField()
    age_to = models.PositiveSmallIntegerField(null=True, help_text="Empty: no upper bound.")
    limit = models.DurationField()
    source = models.CharField(max_length=200)

    objects: ClassVar[models.Manager[QualifyingStandard]] = models.Manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["year", "gender", "age_from"], name="one_standard_per_group"),
        ]

    def __str__(self) -> str:
        ages = f"{self.age_from}+" if self.age_to is None else f"{self.age_from}-{self.age_to}"
        return f"{self.gender} {ages}"


class Result(models.Model):
    """One runner's race; without ``finished_at`` the runner has not arrived."""

    race = models.ForeignKey(Race, models.CASCADE, related_name="results")
    bib = models.CharField(max_length=12)
    gender = models.CharField(max_length=1, choices=Gender.choices)
    age = models.PositiveSmallIntegerField()
    division = models.GeneratedField(
        # The first age of the marathon's divisions: 18 to 39, then every five years, and 80 and above.
        expression=Case(When(age__lt=40, then=Value(18)), default=Least(F("age") - F("age") % 5, Value(80))),
        output_field=models.PositiveSmallIntegerField(),
        db_persist=True,
    )
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    standard = models.ForeignKey(QualifyingStandard, models.PROTECT, null=True, related_name="results")

    objects = LeaderboardManager(overall=OVERALL, by_gender=BY_GENDER, by_division=BY_DIVISION)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["race", "bib"], name="one_result_per_bib"),
        ]
        indexes: ClassVar = [
            *OVERALL.indexes("result_overall"),
            *BY_GENDER.indexes("result_gender"),
            *BY_DIVISION.indexes("result_division"),
        ]

    def __str__(self) -> str:
        return f"bib {self.bib}"

"""Models whose tables, columns, keys and managers are not the usual ones."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from leaderboard import AtLeast, Leaderboard, LeaderboardManager, PercentOf

if TYPE_CHECKING:
    AnyField = models.Field[Any, Any]
    FloatField = models.FloatField[Any, Any]
else:
    AnyField, FloatField = models.Field, models.FloatField

BY_SCORE = Leaderboard(order_by=["-score"])
BY_SCORE_OF_ESSAYS = Leaderboard(order_by=["-points"])


class Season(models.Model):
    code = models.CharField(max_length=20, unique=True)


class OddColumns(models.Model):
    season = models.ForeignKey(Season, models.CASCADE, to_field="code", null=True, db_column="Season Code")
    score = models.IntegerField(db_column="_term0", null=True)
    place = models.IntegerField(db_column="rank", null=True)
    other = models.IntegerField(db_column="_nth0", null=True)
    who = models.CharField(max_length=10, db_column="Entry")

    objects = LeaderboardManager(
        overall=Leaderboard(within=["season"], order_by=["-score"]),
        members=Leaderboard(within=["season"], order_by=["-score"], member="who"),
    )


class NamedLikeMetrics(models.Model):
    score = models.IntegerField()
    rank = models.IntegerField(default=0)
    who = models.CharField(max_length=10)

    objects = LeaderboardManager(overall=Leaderboard(order_by=["-score"], member="who"))


class InSchema(models.Model):
    score = models.IntegerField()

    objects = LeaderboardManager(overall=BY_SCORE)

    class Meta:
        db_table = 'public"."in_a_schema'


class Place(models.Model):
    name = models.CharField(max_length=20)
    score = models.IntegerField(null=True)
    season = models.ForeignKey(Season, models.CASCADE, null=True)

    objects: ClassVar[LeaderboardManager] = LeaderboardManager(
        overall=Leaderboard(within=["season"], order_by=["-score", "name"])
    )


class Restaurant(Place):
    stars = models.IntegerField(default=0)

    objects: ClassVar[LeaderboardManager] = LeaderboardManager(
        mine=Leaderboard(within=["season"], order_by=["-score", "-stars"], member="name")
    )


class ProxyPlace(Place):
    class Meta:
        proxy = True


class One(models.Model):
    one_id = models.AutoField(primary_key=True)
    score = models.IntegerField()


class Two(models.Model):
    two_id = models.AutoField(primary_key=True)
    points = models.IntegerField()

    two = LeaderboardManager(two=Leaderboard(order_by=["-points"]))


class Both(One, Two):
    objects: ClassVar[LeaderboardManager] = LeaderboardManager(both=BY_SCORE)


class Node(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    score = models.IntegerField(null=True)

    objects = LeaderboardManager(siblings=Leaderboard(within=["parent"], order_by=["-score"]))


class Cents(AnyField):
    """Decimals stored as whole cents; preparing a value twice spoils it."""

    def db_type(self, connection: Any) -> str:
        return "integer"

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else int(value * 100)

    def from_db_value(self, value: Any, *_: object) -> Any:
        return None if value is None else Decimal(value) / 100


class Real(FloatField):
    """A float of four bytes, which is another number as one of eight."""

    def db_type(self, connection: Any) -> str:
        return "real"


class Custom(models.Model):
    price = Cents(default=0)
    real = Real(default=0)
    tags = ArrayField(models.CharField(max_length=10), default=list)
    data = models.JSONField(default=dict)
    code = models.CharField(max_length=10, default="")
    lower = models.GeneratedField(
        expression=Lower("code"), output_field=models.CharField(max_length=10), db_persist=True
    )
    day = models.DateField(null=True)
    end = models.DateField(null=True)
    score = models.IntegerField(default=0)

    objects = LeaderboardManager(
        by_price=Leaderboard(order_by=["-price"], cut_off=AtLeast("price", Decimal(10))),
        by_data=Leaderboard(order_by=["-data__s"], cut_off=AtLeast("data__s", 4)),
        shares=Leaderboard(order_by=["-price"], cut_off=PercentOf("price", Decimal(10), 50)),
    )


class Tag(models.Model):
    name = models.CharField(max_length=10)


class Post(models.Model):
    votes = models.IntegerField()
    tags = models.ManyToManyField(Tag, related_name="posts")

    objects = LeaderboardManager(overall=Leaderboard(order_by=["-votes"]))


class Shown(models.Manager["Hidden"]):
    def get_queryset(self) -> models.QuerySet[Hidden]:
        return super().get_queryset().filter(hidden=False)


class Hidden(models.Model):
    score = models.IntegerField()
    hidden = models.BooleanField(default=False)

    objects = LeaderboardManager(overall=BY_SCORE)
    shown = Shown()

    class Meta:
        base_manager_name = "shown"


class Club(models.Model):
    name = models.CharField(max_length=10)


class Player(models.Model):
    club = models.ForeignKey(Club, models.CASCADE, related_name="players")
    name = models.CharField(max_length=10)
    score = models.IntegerField()
    points = models.IntegerField()

    objects = LeaderboardManager(scores=BY_SCORE)
    others = LeaderboardManager(points=Leaderboard(order_by=["-points"]))

    class Meta:
        default_manager_name = "others"


class Ban(models.Model):
    player = models.ForeignKey(Player, models.CASCADE)

    class Meta:
        db_table = "rival"  # the alias of a level of the derived table


def unreported() -> Leaderboard:
    reports = Report.objects.filter(essay=models.OuterRef("pk"))
    return Leaderboard(order_by=["-points"], eligible=models.Q(~models.Exists(reports)), member="author")


class Essay(models.Model):
    author = models.CharField(max_length=10)
    points = models.IntegerField()

    # A manager that makes the query here finds no models yet.
    objects = LeaderboardManager(unreported=unreported, all=BY_SCORE_OF_ESSAYS)


class Report(models.Model):
    essay = models.ForeignKey("Essay", models.CASCADE, related_name="reports")

    objects: ClassVar[models.Manager[Report]] = models.Manager()

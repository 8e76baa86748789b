"""Models with boards, each with its mirror, which stores what is derived of the other one."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from leaderboard import LeaderboardManager
from tests.fuzz.boards import BOARDS
from tests.fuzz.querysets import MirrorQuerySet

# Composite primary keys need Django 5.2 or newer, as everything here does.
COMPOSITE_KEYS = True


class Group(models.Model):
    name = models.CharField(max_length=10)
    level = models.IntegerField(null=True)


class Timed(models.Model):
    score = models.IntegerField(null=True)
    made = models.IntegerField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class Placed(models.Model):
    # Without a constraint: to flush, Django truncates the tables that refer to another one but not those in
    # a schema.
    grp = models.ForeignKey(
        Group, models.CASCADE, null=True, related_name="%(class)s_set", db_constraint=False
    )
    who = models.CharField(max_length=10, null=True)  # noqa: DJ001 - a NULL member is what is tested
    laps = models.IntegerField(default=0)
    flagged = models.BooleanField(null=True)

    class Meta:
        abstract = True


class Entry(Timed, Placed):
    objects = LeaderboardManager(**BOARDS)

    class Meta:
        abstract = True


class Metrics(models.Model):
    """The columns of a mirror; ``place`` is the competition rank, which ``top(ties=True)`` goes by."""

    rank = models.BigIntegerField(null=True)
    board_size = models.BigIntegerField(null=True)
    percentile = models.FloatField(null=True)
    qualification = models.CharField(max_length=20, null=True)  # noqa: DJ001
    time_taken = models.DurationField(null=True)
    place = models.BigIntegerField(null=True)
    o_rank = models.BigIntegerField(null=True)
    o_board_size = models.BigIntegerField(null=True)
    o_percentile = models.FloatField(null=True)
    o_qualification = models.CharField(max_length=20, null=True)  # noqa: DJ001
    o_time_taken = models.DurationField(null=True)
    o_place = models.BigIntegerField(null=True)
    f_rank = models.DecimalField(max_digits=20, decimal_places=1, null=True)

    objects = MirrorQuerySet.as_manager()

    class Meta:
        abstract = True


class Mirror(Metrics, Timed, Placed):
    class Meta:
        abstract = True


class Note(models.Model):
    """One of the many rows that point to an entry."""

    entry: Any
    points = models.IntegerField()

    class Meta:
        abstract = True


class Plain(Entry):
    class Meta:
        indexes = BOARDS["members"].indexes("fuzz_plain")


class PlainMirror(Mirror):
    pass


class PlainNote(Note):
    entry = models.ForeignKey(Plain, models.CASCADE, related_name="notes")


class PlainMirrorNote(Note):
    entry = models.ForeignKey(PlainMirror, models.CASCADE, related_name="notes")


class InSchema(Entry):
    class Meta:
        db_table = 'sch"."results'
        indexes = BOARDS["members"].indexes("fuzz_schema")


class InSchemaMirror(Mirror):
    class Meta:
        db_table = 'sch"."mirror'


class InSchemaNote(Note):
    entry = models.ForeignKey(InSchema, models.CASCADE, related_name="notes")


class InSchemaMirrorNote(Note):
    entry = models.ForeignKey(InSchemaMirror, models.CASCADE, related_name="notes")


class TextKey(Entry):
    code = models.CharField(max_length=10, primary_key=True)


class TextKeyMirror(Mirror):
    code = models.CharField(max_length=10, primary_key=True)


class TextKeyNote(Note):
    entry = models.ForeignKey(TextKey, models.CASCADE, related_name="notes")


class TextKeyMirrorNote(Note):
    entry = models.ForeignKey(TextKeyMirror, models.CASCADE, related_name="notes")


class Numbered(models.Model):
    pk = models.CompositePrimaryKey("season", "number")
    season = models.IntegerField()
    number = models.IntegerField()

    class Meta:
        abstract = True


class Composite(Numbered, Timed, Placed):
    objects = LeaderboardManager(**BOARDS if COMPOSITE_KEYS else {})


class CompositeMirror(Numbered, Mirror):
    pass


class CompositeNote(Note):
    season = models.IntegerField()
    number = models.IntegerField()
    # Django has no foreign key of several columns.
    entry = models.ForeignObject(
        Composite,
        models.CASCADE,
        from_fields=["season", "number"],
        to_fields=["season", "number"],
        related_name="notes",
    )


class CompositeMirrorNote(Note):
    season = models.IntegerField()
    number = models.IntegerField()
    entry = models.ForeignObject(
        CompositeMirror,
        models.CASCADE,
        from_fields=["season", "number"],
        to_fields=["season", "number"],
        related_name="notes",
    )


class Result(Timed):
    pass


class Inheriting(Result, Placed):
    objects: ClassVar[Any] = LeaderboardManager(**BOARDS)


class ResultMirror(Timed):
    pass


class InheritingMirror(Metrics, ResultMirror, Placed):
    objects: ClassVar[Any] = MirrorQuerySet.as_manager()


class InheritingNote(Note):
    entry = models.ForeignKey(Inheriting, models.CASCADE, related_name="notes")


class InheritingMirrorNote(Note):
    entry = models.ForeignKey(InheritingMirror, models.CASCADE, related_name="notes")

"""Posts and comments, alike but for what counts the comments."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Count, Max, Q, Sum

from leaderboard import CounterField, Journal

__all__ = [
    "CountedComment",
    "CountedPost",
    "JournalComment",
    "JournalPost",
    "ManyComment",
    "ManyPost",
    "NaiveComment",
    "NaivePost",
    "PlainComment",
    "PlainPost",
]


class AbstractPost(models.Model):
    title = models.CharField(max_length=50)

    class Meta:
        abstract = True


class AbstractComment(models.Model):
    is_public = models.BooleanField(default=True)
    votes = models.IntegerField(default=0)
    body = models.CharField(max_length=200)

    class Meta:
        abstract = True


class PlainPost(AbstractPost):
    """Counted by nobody."""

    comment_count = models.BigIntegerField(default=0, db_default=0)


class PlainComment(AbstractComment):
    post = models.ForeignKey(PlainPost, models.CASCADE, related_name="comments")


class NaivePost(AbstractPost):
    """Counted by a trigger for each row, which the benchmark makes."""

    comment_count = models.BigIntegerField(default=0, db_default=0)


class NaiveComment(AbstractComment):
    post = models.ForeignKey(NaivePost, models.CASCADE, related_name="comments")


class CountedPost(AbstractPost):
    comment_count = CounterField(Count("comments", filter=Q(comments__is_public=True)))


class CountedComment(AbstractComment):
    post = models.ForeignKey(CountedPost, models.CASCADE, related_name="comments")


class JournalPost(AbstractPost):
    comment_count = CounterField(Count("comments", filter=Q(comments__is_public=True)), storage=Journal())


class JournalComment(AbstractComment):
    post = models.ForeignKey(JournalPost, models.CASCADE, related_name="comments")


class ManyPost(AbstractPost):
    """All kinds of counters at once."""

    comment_count = CounterField(Count("comments", filter=Q(comments__is_public=True)))
    karma = CounterField(Sum("comments__votes", default=0), storage=Journal())
    most_votes = CounterField(Max("comments__votes"))


class ManyComment(AbstractComment):
    post = models.ForeignKey(ManyPost, models.CASCADE, related_name="comments")

    class Meta:
        # Of a post with many comments the most votes are looked up whenever one of them goes.
        indexes: ClassVar = [models.Index(fields=["post", "votes"])]

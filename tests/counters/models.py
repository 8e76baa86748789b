"""Models with counters of every kind, over every kind of relation."""

from __future__ import annotations

import uuid

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.db import models
from django.db.models import Avg, Count, F, Max, Min, Q, Sum

from leaderboard import CounterField, CounterManager, Journal


class Site(models.Model):
    name = models.CharField(max_length=50)
    comment_count = CounterField(Sum("blogs__comment_count", default=0))


class Blog(models.Model):
    site = models.ForeignKey(Site, models.CASCADE, null=True, related_name="blogs")
    name = models.CharField(max_length=50)
    comment_count = CounterField(Sum("posts__comment_count", default=0))


class Author(models.Model):
    name = models.CharField(max_length=50)
    comment_count = CounterField(Count("comments"))


class Tag(models.Model):
    name = models.CharField(max_length=50)
    post_count = CounterField(Count("posts"))


class Post(models.Model):
    blog = models.ForeignKey(Blog, models.CASCADE, null=True, related_name="posts")
    title = models.CharField(max_length=50)
    slug = models.CharField(max_length=50, unique=True, null=True)  # noqa: DJ001
    tags = models.ManyToManyField(Tag, related_name="posts")
    votes_cast = GenericRelation("Vote", related_query_name="post")

    comment_count = CounterField(Count("comments", filter=Q(comments__is_public=True)))
    karma = CounterField(Sum("comments__votes", default=0), storage=Journal())
    spent = CounterField(Sum(F("comments__price") * 2, default=0))
    last_comment_at = CounterField(Max("comments__written_at"))
    fewest_votes = CounterField(Min("comments__votes", filter=~Q(comments__author=None)))
    tag_count = CounterField(Count("tags"))
    vote_count = CounterField(Count("votes_cast"), storage=Journal(fold_every=4))
    rating = CounterField(Avg("reviews__stars"))
    heaviest_mention = CounterField(Max("mentions__weight"))

    objects = CounterManager()


class Comment(models.Model):
    post = models.ForeignKey(Post, models.CASCADE, null=True, related_name="comments")
    author = models.ForeignKey(Author, models.SET_NULL, null=True, related_name="comments")
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="replies")
    is_public = models.BooleanField(default=True, null=True)
    votes = models.IntegerField(default=0)
    price = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    written_at = models.DateTimeField(null=True)

    reply_count = CounterField(Count("replies"))


class Review(models.Model):
    post = models.ForeignKey(Post, models.CASCADE, related_name="reviews")
    stars = models.IntegerField(null=True)


class Vote(models.Model):
    content_type = models.ForeignKey("contenttypes.ContentType", models.CASCADE)
    object_id = models.BigIntegerField()
    content_object = GenericForeignKey("content_type", "object_id")


class Mention(models.Model):
    """Of a post by its slug, which may change and may be missing; counted by extremes only."""

    post = models.ForeignKey(
        Post, models.CASCADE, null=True, to_field="slug", db_column="slug", related_name="mentions"
    )
    weight = models.IntegerField(default=0)


class Venue(models.Model):
    name = models.CharField(max_length=50)


class Stage(Venue):
    """Inherits by a table of its own: its rows are referred to themselves, and by way of their venue."""

    show_count = CounterField(Count("shows"))
    visitors = CounterField(Sum("visits__persons", default=0), storage=Journal())


class Show(models.Model):
    stage = models.ForeignKey(Stage, models.CASCADE, related_name="shows")


class Visit(models.Model):
    venue = models.ForeignKey(Venue, models.CASCADE, related_name="visits")
    persons = models.IntegerField(default=1)


class Sensor(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    reading_count = CounterField(Count("readings"))
    total = CounterField(Sum("readings__value", default=0), storage=Journal(fold_every=1))
    highest = CounterField(Max("readings__value"))


class Reading(models.Model):
    """A test makes its table anew, in partitions by year."""

    sensor = models.ForeignKey(Sensor, models.CASCADE, null=True, related_name="readings")
    year = models.IntegerField(default=2026)
    value = models.IntegerField(default=1)

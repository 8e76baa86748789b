"""Models with counters of every kind, over every kind of relation."""

from __future__ import annotations

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.db import models
from django.db.models import Avg, Count, F, Max, Min, Q, Sum

from leaderboard import CounterField, CounterManager, Journal


class Blog(models.Model):
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

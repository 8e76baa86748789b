"""Blogs, posts and comments, with a counter, a sum of votes in a journal, and a chain up to the blog."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Count, Q, Sum

from leaderboard import CounterField, CounterManager, Journal


class Blog(models.Model):
    """A blog; its comments are those of its posts."""

    name = models.CharField(max_length=100, unique=True)
    comment_count = CounterField(Sum("posts__comment_count", default=0))

    objects: ClassVar[models.Manager[Blog]] = models.Manager()

    def __str__(self) -> str:
        return self.name


class Post(models.Model):
    """A post; many may vote on its comments at once, so the votes are kept in a journal."""

    blog = models.ForeignKey(Blog, models.CASCADE, related_name="posts")
    title = models.CharField(max_length=100)
    comment_count = CounterField(Count("comments", filter=Q(comments__is_public=True)))
    karma = CounterField(Sum("comments__votes", default=0), storage=Journal())

    objects: ClassVar[CounterManager] = CounterManager()

    def __str__(self) -> str:
        return self.title


class Comment(models.Model):
    """What somebody said about a post."""

    post = models.ForeignKey(Post, models.CASCADE, related_name="comments")
    text = models.TextField(blank=True)
    is_public = models.BooleanField(default=True)
    votes = models.IntegerField(default=0)

    objects: ClassVar[models.Manager[Comment]] = models.Manager()

    def __str__(self) -> str:
        return self.text[:50]

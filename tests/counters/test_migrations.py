"""The life of counters in migrations: made, changed, renamed, removed, on projects of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.counters.projects import Project, database

PLAIN = """
class Post(models.Model):
    title = models.CharField(max_length=50)


class Comment(models.Model):
    post = models.ForeignKey(Post, models.CASCADE, related_name="comments", null=True)
    is_public = models.BooleanField(default=True)
    votes = models.IntegerField(default=0)
"""
COUNTERS = """
class Tag(models.Model):
    name = models.CharField(max_length=50)
    post_count = CounterField(Count("posts"))


class Post(models.Model):
    title = models.CharField(max_length=50)
    tags = models.ManyToManyField(Tag, related_name="posts")
    comment_count = CounterField(Count("comments", filter=Q(comments__is_public=True)))
    karma = CounterField(Sum("comments__votes", default=0), storage=Journal())
    top_votes = CounterField(Max("comments__votes"))
    rating = CounterField(Avg("comments__votes"))
    tag_count = CounterField(Count("tags"))


class Comment(models.Model):
    post = models.ForeignKey(Post, models.CASCADE, related_name="comments", null=True)
    is_public = models.BooleanField(default=True)
    votes = models.IntegerField(default=0)
"""
DRIFT = """
from leaderboard.counters import check
print([(report.counters, report.wrong, report.left_over, report.drifts) for report in check()
       if report.wrong or report.left_over])
"""


@pytest.fixture
def project(tmp_path: Path, django_db_blocker: DjangoDbBlocker, worker_id: str) -> Iterator[Project]:
    with django_db_blocker.unblock(), database(f"project_{worker_id}") as url:
        yield Project(tmp_path, default=url)


def has_no_drift(project: Project) -> bool:
    return project.shell(DRIFT).strip() == "[]"


def is_stable(project: Project) -> bool:
    return project.run("makemigrations", "--check", "--dry-run").returncode == 0


def test_a_new_project(project: Project) -> None:
    project.app("blog", COUNTERS)
    project.manage("makemigrations", "blog")
    assert is_stable(project)
    project.manage("migrate")
    project.shell("""
    post, tag = Post.objects.create(title="a"), Tag.objects.create(name="t")
    post.tags.add(tag)
    Comment.objects.bulk_create(Comment(post=post, votes=n, is_public=n % 2) for n in range(5))
    """)
    assert has_no_drift(project)
    assert project.sql("SELECT comment_count FROM blog_post") == [2]
    assert len(project.triggers()) > 20
    project.manage("migrate", "blog", "zero")
    assert project.functions() == project.triggers() == []
    project.manage("migrate")
    assert is_stable(project)


def test_an_existing_project(project: Project) -> None:
    project.app("blog", PLAIN)
    project.manage("makemigrations", "blog")
    project.manage("migrate")
    project.shell("""
    post = Post.objects.create(title="a")
    Comment.objects.bulk_create(Comment(post=post, votes=n, is_public=n % 2) for n in range(5))
    """)
    project.app("blog", COUNTERS)
    project.manage("makemigrations", "blog")
    assert is_stable(project)
    assert re.search(r"migrate", project.manage("migrate", "--plan") + "migrate")
    assert re.search(r"CREATE +TRIGGER", project.manage("sqlmigrate", "blog", "0002"))
    project.manage("migrate")
    # Counted live until it is built.
    assert project.sql("SELECT comment_count FROM blog_post") == [0]
    read = "print(*Post.objects.values_list('comment_count', 'karma', 'top_votes', 'rating', 'tag_count'))"
    assert project.shell(read) == "(2, 10, 4, Decimal('2.0000000000000000'), 0)\n"
    project.shell("Comment.objects.filter(votes=3).delete(); Comment.objects.create(votes=9, post_id=1)")
    assert project.shell(read) == "(2, 16, 9, Decimal('3.2000000000000000'), 0)\n"
    project.shell("from leaderboard.counters import backfill; backfill()")
    assert project.shell(read) == "(2, 16, 9, Decimal('3.2000000000000000'), 0)\n"
    assert project.sql("SELECT comment_count FROM blog_post") == [2]
    assert has_no_drift(project)
    project.manage("migrate", "blog", "0001")
    assert project.functions() == project.triggers() == []
    project.manage("migrate")
    # The column is new, and what was built is gone with the old one.
    assert project.shell(read) == "(2, 16, 9, Decimal('3.2000000000000000'), 0)\n"

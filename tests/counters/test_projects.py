"""Counters in projects of several apps, databases and schemas, in test databases, on models that inherit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.counters.projects import DRIFT, Project, database

BLOG = """
class Tag(models.Model):
    person_count = CounterField(Count("people"))


class Post(models.Model):
    title = models.CharField(max_length=50)
    comment_count = CounterField(Count("comments", filter=Q(comments__is_public=True)))
    karma = CounterField(Sum("comments__votes", default=0), storage=Journal())
"""
PEOPLE = """
class Person(models.Model):
    tags = models.ManyToManyField("blog.Tag", related_name="people")


class Comment(models.Model):
    post = models.ForeignKey("blog.Post", models.CASCADE, related_name="comments", null=True)
    is_public = models.BooleanField(default=True)
    votes = models.IntegerField(default=0)
"""
ROWS = """
post, tag = Post.objects.create(title="a"), Tag.objects.create()
Comment.objects.bulk_create(Comment(post=post, votes=n, is_public=n > 1) for n in range(5))
Person.objects.create().tags.add(tag)
"""
ALL = ("makemigrations", "makemigrations --check", "migrate")


@pytest.fixture
def project(tmp_path: Path, django_db_blocker: DjangoDbBlocker, worker_id: str) -> Iterator[Project]:
    with django_db_blocker.unblock(), database(f"project_{worker_id}") as url:
        yield Project(tmp_path, default=url)


def without_counters(models: str) -> str:
    return "\n".join(line for line in models.splitlines() if "CounterField" not in line).replace(
        "class Tag(models.Model):", "class Tag(models.Model):\n    pass"
    )


@pytest.mark.parametrize("apps", [("blog", "people"), ("people", "blog")])
@pytest.mark.parametrize("is_new", [True, False])
def test_rows_of_another_app(project: Project, apps: tuple[str, ...], is_new: bool) -> None:
    for app in apps:
        project.app(app, {"blog": BLOG if is_new else without_counters(BLOG), "people": PEOPLE}[app])
    project.manage_all(*ALL)
    if not is_new:
        project.app("blog", BLOG)
        project.manage_all(*ALL)
    # The migrations of the other app are not ours to write.
    assert project.migrations("people") == ["0001_initial"]
    assert "trigger" not in project.text("people", "0001").lower()
    assert "('people', '0001_initial')" in project.text("blog", project.migrations("blog")[-1])
    assert project.shell(ROWS + DRIFT) == "[]\n"
    assert project.sql("SELECT comment_count FROM blog_post") == [3]
    assert project.sql("SELECT person_count FROM blog_tag") == [1]
    project.manage("migrate", "blog", "zero")
    assert project.functions() == project.triggers() == []
    project.manage("migrate")
    project.app("blog", without_counters(BLOG))
    project.manage_all(*ALL)
    assert project.functions() == project.triggers() == []


def test_an_app_without_counters_is_migrated_alone(project: Project) -> None:
    project.app("people", PEOPLE)
    project.app("blog", BLOG)
    project.manage("makemigrations")
    project.manage("migrate", "blog")
    project.shell(ROWS)
    # Without the app's own table everything is counted.
    assert project.shell("print(*Post.objects.values_list('comment_count', 'karma'))") == "(3, 10)\n"
    project.manage("migrate")
    assert project.shell(DRIFT) == "[]\n"
    assert project.shell("print(*Post.objects.values_list('comment_count', 'karma'))") == "(3, 10)\n"


ROUTER = """
class Router:
    def db_for_read(self, model, **hints):
        return "other" if model._meta.app_label in ("blog", "people") else None

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return db == "other" if app_label in ("blog", "people") else None


DATABASE_ROUTERS = ["project_settings.Router"]
"""


def test_another_database(tmp_path: Path, django_db_blocker: DjangoDbBlocker, worker_id: str) -> None:
    with (
        django_db_blocker.unblock(),
        database(f"project_{worker_id}") as url,
        database(f"project_{worker_id}_other") as other,
    ):
        project = Project(tmp_path, default=url, other=other)
        project.settings = ROUTER
        project.app("blog", BLOG)
        project.app("people", PEOPLE)
        project.manage_all("makemigrations", "migrate", "migrate --database other")
        assert project.functions() == []
        assert len(project.functions("other")) > 10
        project.shell(ROWS)
        read = "print(*Post.objects.values_list('comment_count', 'karma'))"
        assert project.shell(read) == "(3, 10)\n"
        assert project.sql("SELECT count(*) FROM leaderboard_counterstate", "other") == [3]
        assert project.sql("SELECT comment_count FROM blog_post", "other") == [3]
        assert (
            project.shell(
                "from leaderboard.counters import check\nprint([r.wrong for r in check(using='other')])"
            )
            == "[0, 0]\n"
        )
        # Of models that the router keeps from a database there is nothing to be done there.
        assert project.shell("from leaderboard.counters import check\nprint(check())") == "[]\n"


def test_another_schema(project: Project) -> None:
    project.sql("CREATE SCHEMA sch")
    models = BLOG.replace("    karma", "    class Meta:\n        db_table = 'sch\".\"posts'\n\n    karma")
    comments = PEOPLE + "\n    class Meta:\n        db_table = 'sch\".\"comments'\n"
    project.app("blog", models)
    project.app("people", comments)
    project.manage_all(*ALL)
    assert project.shell(ROWS + DRIFT) == "[]\n"
    assert project.sql("SELECT comment_count FROM sch.posts") == [3]
    assert project.sql("SELECT count(*) FROM sch.posts_comments_journal") != [0]
    project.shell("Comment.objects.filter(votes=4).delete(); Post.objects.update(comment_count=9)")
    assert project.sql("SELECT comment_count FROM sch.posts") == [2]
    project.manage("migrate", "blog", "zero")
    assert project.functions() == project.triggers() == []


TESTS = """
from django.test import TestCase, TransactionTestCase

from blog.models import Post, Tag
from people.models import Comment, Person


class Rows:
    def test_one(self):
        {rows}
        self.assertEqual(list(Post.objects.values_list("comment_count", "karma")), [(3, 10)])

    def test_two(self):
        self.test_one()

    def test_built(self):
        from django.db import connection
        from leaderboard.counters import state

        state.forget()
        self.assertEqual(len(state.built(connection)), 3)


class InTransactions(Rows, TestCase):
    pass


class Flushed(Rows, TransactionTestCase):
    pass


class Serialized(Rows, TransactionTestCase):
    serialized_rollback = True
"""


@pytest.mark.parametrize("migrations", ["", 'MIGRATION_MODULES = {"blog": None, "people": None}'])
def test_databases_of_tests(project: Project, migrations: str) -> None:
    project.settings = migrations
    project.app("blog", BLOG)
    project.app("people", PEOPLE)
    if not migrations:
        project.manage("makemigrations")
    (project.folder / "test_rows.py").write_text(TESTS.format(rows="; ".join(ROWS.strip().splitlines())))
    assert "Ran 9 tests" in project.manage("test", "--noinput")


INHERITED = """
class Counted(models.Model):
    comment_count = CounterField(Count("comments"))
    karma = CounterField(Sum("comments__votes", default=0), storage=Journal())

    class Meta:
        abstract = True


class Post(Counted):
    title = models.CharField(max_length=50)


class Item(Counted):
    name = models.CharField(max_length=50)


class Film(Item):
    length = models.IntegerField(default=0)
    review_count = CounterField(Count("reviews"))


class Shown(Film):
    class Meta:
        proxy = True


class Comment(models.Model):
    post = models.ForeignKey(Post, models.CASCADE, related_name="comments")
    votes = models.IntegerField(default=1)


class Note(models.Model):
    item = models.ForeignKey(Item, models.CASCADE, related_name="comments")
    votes = models.IntegerField(default=1)


class Review(models.Model):
    film = models.ForeignKey(Film, models.CASCADE, related_name="reviews")


class Long(Review):
    text = models.TextField()
"""

INHERITED_ROWS = """
post, film, shown = Post.objects.create(), Film.objects.create(), Shown.objects.create()
for _ in range(2):
    Comment.objects.create(post=post)
    Note.objects.create(item=film)
    Note.objects.create(item_id=shown.pk)
    Long.objects.create(film=film)
Review.objects.create(film=shown)
for model in (Post, Item):
    print(*model.objects.order_by("pk").values_list("comment_count", "karma"))
for model in (Film, Shown):
    print(*model.objects.order_by("pk").values_list("comment_count", "karma", "review_count"))
"""


def test_models_that_inherit(project: Project) -> None:
    project.app("blog", INHERITED)
    project.manage_all(*ALL)
    values = project.shell(INHERITED_ROWS + DRIFT)
    assert values == "(2, 2)\n(2, 2) (2, 2)\n(2, 2, 2) (2, 2, 1)\n(2, 2, 2) (2, 2, 1)\n[]\n"

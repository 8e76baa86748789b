"""The life of counters in migrations: made, changed, renamed, removed, on projects of their own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.counters.projects import DRIFT, Project, database

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
    project.manage_all("makemigrations blog", "makemigrations --check", "migrate")
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
    project.manage_all("makemigrations blog", "makemigrations --check", "migrate")
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


# Changes


def built_project(project: Project) -> None:
    """Write and migrate the counters, and give them rows."""
    project.app("blog", COUNTERS)
    project.manage_all("makemigrations blog", "makemigrations --check", "migrate")
    project.shell(ROWS)


def changed(project: Project, models: str, answers: str = "") -> str:
    """Write other models, migrate to them, and return the text of the migration."""
    project.app("blog", models)
    project.manage_all("makemigrations blog", "makemigrations --check", "migrate", answers=answers)
    return project.text("blog", project.migrations("blog")[-1])


READ = "print(*Post.objects.order_by('pk').values_list('comment_count', 'karma', 'top_votes', 'rating_sum'))"
ROWS = """
posts = [Post.objects.create(title=title) for title in "ab"]
Comment.objects.bulk_create(Comment(post=posts[n % 2], votes=n, is_public=n % 3 > 0) for n in range(10))
posts[0].tags.add(Tag.objects.create(name="t"))
"""
VALUES = "(3, 20, 8, 20) (3, 25, 9, 25)\n"
WITHOUT_LAST = "(3, 20, 8, 20) (3, 16, 7, 16)\n"
BUILT = """
from leaderboard.counters import state
from django.db import connection
print(sorted(name.rpartition(".")[2] for name in state.built(connection)))
"""


def built(project: Project) -> list[str]:
    return list(ast.literal_eval(project.shell(BUILT)))


def backfill(project: Project) -> None:
    project.shell("from leaderboard.counters import backfill; backfill()")


def test_a_counter_is_removed(project: Project) -> None:
    built_project(project)
    line = '    karma = CounterField(Sum("comments__votes", default=0), storage=Journal())\n'
    assert line in COUNTERS
    changed(project, COUNTERS.replace(line, ""))
    assert "karma" not in project.columns("blog_post") + project.columns("blog_post_comments_journal")
    # The others have been kept all along.
    assert {"comment_count", "top_votes", "rating_sum", "tag_count"} <= {*built(project)}
    assert has_no_drift(project)
    project.shell("Comment.objects.filter(votes__gt=5).delete()")
    assert has_no_drift(project)
    changed(project, COUNTERS.replace(line, line))
    # Its column is new.
    assert "karma" not in built(project)
    assert project.shell(READ) == "(2, 6, 4, 6) (2, 9, 5, 9)\n"
    changed(project, re.sub("    .*CounterField.*\n", "", COUNTERS))
    assert project.functions() == project.triggers() == []
    assert project.sql("SELECT name FROM leaderboard_counterstate") == []


def test_a_counter_that_is_added_leaves_the_others_built(project: Project) -> None:
    built_project(project)
    known = built(project)
    changed(project, f"{COUNTERS}    reply_count = CounterField(Count('replies'))\n" + REPLIES)
    assert built(project) == known
    more = '    least = CounterField(Min("comments__votes"))\n    tag_count'
    changed(
        project,
        f"{COUNTERS}    reply_count = CounterField(Count('replies'))\n{REPLIES}".replace(
            "    tag_count", more
        ),
    )
    assert built(project) == known
    assert project.shell(READ) == VALUES
    assert has_no_drift(project)


REPLIES = """
class Reply(models.Model):
    comment = models.ForeignKey(Comment, models.CASCADE, related_name="replies")
"""


def test_a_field_of_the_counted_rows_is_renamed(project: Project) -> None:
    built_project(project)
    renamed = COUNTERS.replace("comments__votes", "comments__points").replace("    votes =", "    points =")
    assert changed(project, renamed, answers="y\n" * 9).count("RenameField") == 1
    assert project.shell(READ) == VALUES
    project.shell("Comment.objects.filter(points=9).delete()")
    backfill(project)
    assert project.shell(READ) == WITHOUT_LAST
    assert has_no_drift(project)


def test_a_counter_is_renamed(project: Project) -> None:
    built_project(project)
    changed(project, COUNTERS.replace("karma", "score"), answers="y\n" * 9)
    read = READ.replace("karma", "score")
    assert project.shell(read) == VALUES
    backfill(project)
    project.shell("Comment.objects.filter(votes=9).delete()")
    assert project.shell(read) == WITHOUT_LAST
    assert has_no_drift(project)


@pytest.mark.parametrize(("old", "new"), [("Comment", "Answer"), ("Post", "Article")])
def test_a_model_is_renamed(project: Project, old: str, new: str) -> None:
    built_project(project)
    functions = project.functions()
    changed(project, COUNTERS.replace(old, new), answers="y\n" * 9)
    read = READ.replace(old, new)
    assert project.shell(read) == VALUES
    project.shell(f"{'Answer' if new == 'Answer' else 'Comment'}.objects.filter(votes=9).delete()")
    assert project.shell(read) == WITHOUT_LAST
    backfill(project)
    assert project.shell(read) == WITHOUT_LAST
    assert has_no_drift(project)
    assert len(project.functions()) == len(functions)
    project.app("blog", COUNTERS)
    project.manage("migrate", "blog", "0001")
    assert project.shell(READ) == WITHOUT_LAST
    project.manage("migrate", "blog", "zero")
    assert project.functions() == []


def test_the_filter_changes(project: Project) -> None:
    built_project(project)
    text = COUNTERS.replace("is_public=True)))", "is_public=False)))")
    changed(project, text)
    assert "comment_count" not in built(project)
    assert {"karma", "top_votes"} <= {*built(project)}
    assert project.shell(READ) == "(2, 20, 8, 20) (2, 25, 9, 25)\n"
    project.shell("Comment.objects.create(post_id=1, is_public=False)")
    # Back again before it was built: the triggers have added by another filter meanwhile.
    project.manage("migrate", "blog", "0001")
    project.app("blog", COUNTERS)
    assert "comment_count" not in built(project)
    assert project.shell(READ) == VALUES
    backfill(project)
    assert "comment_count" in built(project)
    assert project.shell(READ) == VALUES
    assert has_no_drift(project)


def test_migrations_are_squashed(project: Project) -> None:
    project.app("blog", PLAIN)
    project.manage("makemigrations", "blog")
    project.app("blog", COUNTERS)
    project.manage_all("makemigrations blog", "makemigrations --check", "migrate")
    project.shell(ROWS)
    project.manage("squashmigrations", "blog", "0001", "0002", "--no-input")
    assert is_stable(project)
    project.manage("migrate")
    assert project.shell(READ) == VALUES
    project.manage("migrate", "blog", "zero")
    assert project.functions() == []
    project.manage("migrate")
    project.shell(ROWS)
    assert "comment_count" in built(project)
    assert project.shell(READ) == VALUES


def test_storage_changes_either_way_while_writers_go_on(project: Project) -> None:
    project.app("blog", COUNTERS)
    project.manage_all("makemigrations blog", "makemigrations --check", "migrate")
    project.shell(ROWS)
    inline = COUNTERS.replace(", storage=Journal()", "")
    waiting = "SELECT count(*) FROM blog_post_comments_journal"
    with project.writer("""
        while True:
            Comment.objects.create(post_id=1, votes=1)
            Comment.objects.create(post_id=2, votes=2)
    """):
        for models in (inline, COUNTERS, inline):
            changed(project, models)
            for _ in range(2):
                project.shell(EXACT)
            assert "karma" in built(project)
    assert has_no_drift(project)
    assert project.sql(waiting) == [0]
    assert project.sql("SELECT sum(karma) FROM blog_post") == project.sql(
        "SELECT sum(votes) FROM blog_comment"
    )


EXACT = """
from leaderboard.counters.querysets import CounterQuerySet
for _ in range(20):
    for kept, live in CounterQuerySet(Post).with_live_counters("karma").values_list("karma", "live_karma"):
        assert kept == live, (kept, live)
"""


def test_what_waits_is_not_lost_where_nobody_folds_it(project: Project) -> None:
    """The storage changes by a migration whose handlers never run, as when another one fails after it."""
    built_project(project)
    assert project.sql("SELECT count(*) FROM blog_post_comments_journal") != [0]
    project.app("blog", COUNTERS.replace(", storage=Journal()", ""))
    project.manage("makemigrations", "blog")
    project.shell("""
    from django.db.migrations.executor import MigrationExecutor
    from django.db import connection
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    """)
    assert project.sql("SELECT count(*) FROM blog_post_comments_journal") != [0]
    assert "karma" in built(project)
    assert project.shell(READ) == VALUES
    project.manage("migrate")
    assert project.sql("SELECT count(*) FROM blog_post_comments_journal") == [0]
    assert project.sql("SELECT karma FROM blog_post ORDER BY id") == [20, 25]
    assert project.shell(READ) == VALUES


def test_a_migration_reads_counters_as_they_are(project: Project) -> None:
    built_project(project)
    (project.folder / "blog" / "migrations" / "0002_read.py").write_text("""
from django.db import migrations


def read(apps, editor):
    posts = apps.get_model("blog", "Post").objects.order_by("pk")
    print(*posts.values_list("comment_count", "karma", "top_votes", "rating"))


class Migration(migrations.Migration):
    dependencies = [("blog", "0001_initial")]
    operations = [migrations.RunPython(read, migrations.RunPython.noop)]
""")
    printed = project.manage("migrate")
    assert re.search(r"\(3, 20, 8, Decimal\('4.0+'\)\) \(3, 25, 9, Decimal\('5.0+'\)\)", printed)

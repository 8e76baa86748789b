"""``manage.py leaderboard``: what it prints, and what it ends with."""

from __future__ import annotations

import io
import json
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import settings
from pytest_django import DjangoDbBlocker

from leaderboard import ignore
from leaderboard.counters import overview, state
from leaderboard.management import bars
from leaderboard.management.bars import Bars
from tests.counters.models import Comment, Post, Review
from tests.counters.projects import DRIFT, Project, database

pytestmark = pytest.mark.django_db
COUNTER = "counters.Post.comment_count"


def run(*arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("leaderboard", *arguments, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


@pytest.fixture
def post() -> Post:
    post: Post = Post.objects.create(title="a")
    Comment.objects.bulk_create(Comment(post=post, votes=2) for _ in range(3))
    Review.objects.create(post=post, stars=4)
    return post


def corrupt() -> None:
    with ignore():
        Post.objects.update(comment_count=99)


def unbuild() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {state.STATE_TABLE}")
    state.forget()


def test_counters_are_listed(post: Post) -> None:
    head, *lines = run("counters").splitlines()
    assert head.split() == ["counter", "state", "storage", "over", "waiting", "dirty", "triggers"]
    (karma,) = (line for line in lines if line.startswith("counters.Post.karma "))
    assert karma.split() == [
        "counters.Post.karma",
        "built",
        "Journal",
        "counters.Comment",
        "by",
        "comments",
        "1",
        "0",
        "installed",
    ]
    (rating,) = (line for line in lines if line.startswith("counters.Post.rating "))
    assert rating.split()[1:3] == ["built", "Inline"]
    unbuild()
    (average,) = (each for each in overview("counters.Post.rating") if each.name.endswith("rating"))
    assert average.state == "not built"


def test_counters_are_listed_as_json(post: Post) -> None:
    corrupt()
    listed = json.loads(run("counters", COUNTER, "--json"))
    assert {each["relation"] for each in listed} == {"counters.Comment by comments"}
    (counter,) = (each for each in listed if each["name"] == COUNTER)
    assert (counter["state"], counter["storage"], counter["dirty"], counter["amiss"]) == (
        "built",
        "Inline",
        1,
        [],
    )


def test_a_trigger_that_is_disabled_is_listed() -> None:
    Post.objects.create(title="a")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE counters_comment DISABLE TRIGGER USER")
    lines = run("counters", "counters.Post.comment_count").splitlines()
    assert "amiss" in lines[1]
    assert any(line.startswith("The trigger ") and line.endswith("is disabled.") for line in lines)
    unbuild()
    with pytest.raises(CommandError, match=r"is disabled\. Run migrate; enable what was disabled") as raised:
        run("backfill")
    assert raised.value.returncode == 2


def test_check_ends_with_one_where_something_is_wrong(post: Post) -> None:
    assert "1 rows seen, 0 values wrong" in run("check", COUNTER)
    corrupt()
    out = io.StringIO()
    with pytest.raises(CommandError, match="Something is wrong") as raised:
        call_command("leaderboard", "check", stdout=out)
    assert raised.value.returncode == 1
    assert f"{COUNTER} of {post.pk} is 99, and should be 3" in out.getvalue()
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("leaderboard", "check", "counters.Post", "--json", stdout=out)
    (drift,) = (drift for report in json.loads(out.getvalue()) for drift in report["drifts"])
    assert drift == {"counter": COUNTER, "key": post.pk, "stored": 99, "counted": 3}


def test_repair(post: Post) -> None:
    corrupt()
    assert "1 mended" in run("repair", "--only-dirty", "--batch-size", "10")
    run("check")
    assert sum(report["rows"] for report in json.loads(run("repair", "--only-dirty", "--json"))) == 0


def test_backfill_and_what_is_not_built(post: Post) -> None:
    unbuild()
    assert f"not built, and counted on every read: {COUNTER}" in run("check", COUNTER)
    assert "built, 1 rows seen" in run("backfill", "counters.Post")
    assert {each.state for each in overview("counters.Post")} == {"built"}
    assert run("backfill", "counters.Post") == "All counters are built.\n"


def test_fold(post: Post) -> None:
    Comment.objects.create(post=post, votes=5)
    assert json.loads(run("fold", "counters.Post", "--json"))["counters.Post.comments"] == 1
    assert "counters.Post.comments: 0 rows had several waiting." in run("fold", "counters.Post")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "counters.Post.coment_count"], f"is no counter, .*There is {COUNTER}"),
        (["fold", "--database", "nope"], "There is no database 'nope'; there is default"),
        (["fold", "--batch-size", "0"], "argument --batch-size: '0' is not a whole number from 1 up"),
        ([], "the following arguments are required"),
        (["mend"], "invalid choice: 'mend'"),
    ],
)
def test_what_cannot_be_done(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*arguments)


def test_another_database_than_postgresql(post: Post) -> None:
    with (
        mock.patch.object(connection, "vendor", "sqlite"),
        pytest.raises(CommandError, match="Counters need PostgreSQL; 'default' is sqlite") as raised,
    ):
        run("counters")
    assert raised.value.returncode == 2


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    drawn = Bars(terminal, {"a, b": 100})
    drawn("a, b", 50)
    drawn("a, b", 120)
    drawn("c", 7)
    drawn.close()
    assert "a, b" in terminal.getvalue()
    assert "120/120" in terminal.getvalue()
    assert "7 rows" in terminal.getvalue()
    for stream, library in ((Terminal(), None), (io.StringIO(), bars.tqdm)):
        monkeypatch.setattr(bars, "tqdm", library)
        lines = Bars(stream, {})
        lines("a, b", 1000)
        monkeypatch.setattr(bars, "SECONDS_BETWEEN_LINES", 0)
        lines("a, b", 2000)
        lines.close()
        assert stream.getvalue() == "a, b: 2,000 rows\n"
        monkeypatch.undo()


KILLED = """
class Post(models.Model):
    title = models.CharField(max_length=50)
    comment_count = CounterField(Count("comments"))
    karma = CounterField(Sum("comments__votes", default=0), storage=Journal())
    best = CounterField(Max("comments__votes"))


class Comment(models.Model):
    post = models.ForeignKey(Post, models.CASCADE, related_name="comments")
    votes = models.IntegerField(default=0)
"""

# As many as the thorough profile makes, or some.
KILLS = 20 if settings().max_examples > 200 else 5


def test_a_backfill_that_is_killed_goes_on(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker, worker_id: str
) -> None:
    with django_db_blocker.unblock(), database(f"killed_{worker_id}") as url:
        project = Project(tmp_path, default=url)
        project.app("blog", "\n".join(line for line in KILLED.splitlines() if "CounterField" not in line))
        project.manage_all("makemigrations blog", "migrate")
        project.sql("INSERT INTO blog_post (title) SELECT 'p' FROM generate_series(1, 5000)")
        project.sql(
            "INSERT INTO blog_comment (post_id, votes) "
            "SELECT 1 + n % 5000, n % 7 FROM generate_series(1, 20000) n"
        )
        project.app("blog", KILLED)
        project.manage_all("makemigrations blog", "migrate")
        killed, seed = 0, random.Random(10)
        progress = "SELECT COALESCE(max(built_to::int), 0) FROM leaderboard_counterstate"
        reached = [0]
        for _ in range(KILLS):
            backfill = subprocess.Popen(
                project.command("leaderboard", "backfill", "--batch-size", "2"),
                cwd=project.folder,
                env=project.environment(),
                stdout=subprocess.PIPE,
            )
            started = project.sql(progress)
            deadline = time.monotonic() + 60
            while project.sql(progress) == started and backfill.poll() is None:
                assert time.monotonic() < deadline
                project.sql("INSERT INTO blog_comment (post_id, votes) VALUES (1, 1), (4999, 9)")
            time.sleep(seed.random() / 4)
            backfill.send_signal(signal.SIGKILL)
            code = backfill.wait()
            assert backfill.stdout is not None
            backfill.stdout.close()
            if code != -signal.SIGKILL:
                break
            killed += 1
            # It goes on where it was.
            reached += project.sql(progress)
            assert reached[-2] <= reached[-1]
        assert killed >= 2
        project.manage("leaderboard", "backfill")
        project.manage("leaderboard", "check")
        assert project.shell(DRIFT) == "[]\n"
        assert (
            project.shell(
                "print(*{each.state for each in __import__('leaderboard.counters').counters.overview()})"
            )
            == "built\n"
        )

"""What waits in side tables beside other writers: merged at commits, folded, and never waited for."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from leaderboard.counters import fold_journals, ignore, repair
from tests.counters.models import Comment, Post, Reading, Review, Sensor, Vote
from tests.counters.rows import Rows, values
from tests.counters.sessions import REPEATABLE_READ, Session, execute, settled

pytestmark = pytest.mark.usefixtures("committing")


@pytest.fixture
def rows(committed_rows: Rows) -> Rows:
    return committed_rows


def test_a_fold_waits_for_nobody(rows: Rows, two: list[Session]) -> None:
    one, other = two
    one.begin()
    one.execute("SELECT FROM counters_post WHERE id = %s FOR UPDATE", [rows.one.pk])
    other.run(lambda: Vote.objects.bulk_create([Vote(content_object=rows.one) for _ in range(64)]))
    other.run(fold_journals)
    assert settled(*two) == []
    assert execute("SELECT vote_count FROM counters_post WHERE id = %s", [rows.one.pk]) == [(0,)]
    one.commit()
    fold_journals()
    assert execute("SELECT vote_count FROM counters_post WHERE id = %s", [rows.one.pk]) == [(64,)]


@pytest.mark.parametrize("together", [1, 2])
def test_a_write_now_and_then_merges_at_its_commit(rows: Rows, together: int) -> None:
    """One in four does. That none of 64 is chosen happens once in a hundred million runs."""
    posts = [rows.one, rows.two][:together]
    versions = execute("SELECT id, ctid FROM counters_post ORDER BY id")
    for _ in range(64):
        Vote.objects.bulk_create([Vote(content_object=post) for post in posts])
    ((waiting, total),) = execute("SELECT count(*), sum(vote_count) FROM counters_post_votes_cast_journal")
    assert waiting < 64 * together == total
    assert execute("SELECT id, ctid FROM counters_post ORDER BY id") == versions


def test_a_merge_of_what_adds_up_to_nothing_leaves_no_row(rows: Rows) -> None:
    sensor = Sensor.objects.create()
    with transaction.atomic():
        Reading.objects.create(sensor=sensor, value=7)
        Reading.objects.create(sensor=sensor, value=-7)
    assert execute("SELECT count(*) FROM counters_sensor_readings_journal") == [(0,)]
    assert Sensor.objects.values_list("reading_count", "total").get() == (2, 0)


def test_a_merge_leaves_what_says_that_a_write_was_not_recorded(rows: Rows) -> None:
    sensor = Sensor.objects.create()
    with ignore():
        Reading.objects.create(sensor=sensor, value=7)
    Reading.objects.create(sensor=sensor, value=5)
    assert Sensor.objects.values_list("reading_count", "total").get() == (1, 5)
    repair(Sensor, only_dirty=True)
    assert Sensor.objects.values_list("reading_count", "total", "highest").get() == (2, 12, 7)


def test_merges_and_folds_pass_over_what_another_has_merged(rows: Rows, two: list[Session]) -> None:
    """As a transaction does that is prepared to commit, and may stay so for long."""
    one, other = two

    def cast(number: int) -> None:
        for _ in range(number):
            Vote.objects.create(content_object=rows.one)

    one.begin(REPEATABLE_READ)
    one.run(lambda: cast(3))
    one.commit()
    one.begin()
    one.execute("SET CONSTRAINTS ALL IMMEDIATE")
    one.run(lambda: cast(64))
    ((waiting,),) = one.execute("SELECT count(*) FROM counters_post_votes_cast_journal")
    assert waiting < 64
    other.run(lambda: cast(64))
    other.run(fold_journals)
    assert settled(*two) == []
    one.commit()
    assert execute("SELECT vote_count FROM counters_post WHERE id = %s", [rows.one.pk]) == [(64,)]
    assert values("vote_count") == [131, 0]
    fold_journals()
    assert execute("SELECT vote_count FROM counters_post WHERE id = %s", [rows.one.pk]) == [(131,)]


def test_two_folds_of_one_key(rows: Rows, two: list[Session]) -> None:
    """The rows that another fold has taken are not added again."""
    Vote.objects.bulk_create([Vote(content_object=rows.one) for _ in range(3)])
    one, other = two
    one.begin()
    one.run(fold_journals)
    other.run(lambda: Vote.objects.bulk_create([Vote(content_object=rows.one) for _ in range(64)]))
    other.run(fold_journals)
    one.commit()
    other.run(fold_journals)
    assert execute("SELECT vote_count FROM counters_post WHERE id = %s", [rows.one.pk]) == [(67,)]


@pytest.mark.parametrize("meanwhile", ["fold", "leave", "rekey", "arrive"])
def test_truncate_while_a_journal_is_moved(rows: Rows, two: list[Session], meanwhile: str) -> None:
    """What another has moved to a column, or left behind, and not committed, is zeroed too."""
    one, other = two
    key, late = rows.one.pk, 999
    # At this level nothing is folded.
    other.begin(REPEATABLE_READ)
    other.run(lambda: Vote.objects.bulk_create([Vote(content_object=Post(pk=pk)) for pk in (key, late)]))
    other.commit()
    if meanwhile in ("leave", "rekey"):
        fold_journals()
    moves: dict[str, Any] = {
        "fold": fold_journals,
        "leave": lambda: execute("DELETE FROM counters_post WHERE id = %s", [key]),
        "rekey": lambda: execute("UPDATE counters_post SET id = 77 WHERE id = %s", [key]),
        "arrive": lambda: Post.objects.create(pk=late, title="late", blog=rows.blog),
    }
    Comment.objects.all().delete()
    Review.objects.all().delete()
    one.begin()
    one.run(moves[meanwhile])
    waiting = other.start(lambda: execute("TRUNCATE counters_vote"))
    assert settled(*two) == [other]
    one.commit()
    waiting.result()
    for pk in (key, late):
        Post.objects.get_or_create(pk=pk, defaults={"title": "again", "blog": rows.blog})
    assert set(values("vote_count")) == {0}


def test_a_reader_of_an_older_snapshot_while_a_journal_is_folded(rows: Rows, two: list[Session]) -> None:
    Vote.objects.create(content_object=rows.one)
    one, other = two
    one.begin(REPEATABLE_READ)
    assert one.run(lambda: values("vote_count")) == [1, 0]
    other.run(lambda: Vote.objects.bulk_create([Vote(content_object=rows.one) for _ in range(64)]))
    other.run(fold_journals)
    assert one.run(lambda: values("vote_count")) == [1, 0]
    one.commit()


def test_a_merge_leaves_an_orphan_to_its_own_row(rows: Rows, two: list[Session]) -> None:
    """Every write to this journal merges, before it is seen that the extreme must be looked up too."""
    one, other = two
    sensor = Sensor(pk=uuid4())
    one.begin()
    one.run(lambda: Reading.objects.create(sensor=sensor, value=7))
    one.run(lambda: Reading.objects.create(sensor=sensor, value=5))
    other.run(lambda: sensor.save(force_insert=True))
    one.commit()
    assert Sensor.objects.values_list("reading_count", "total", "highest").get() == (2, 12, 7)


def test_a_fold_of_what_was_left_over_looks_the_extreme_up(rows: Rows) -> None:
    """As where neither the child nor its parent saw the other, and nothing refuses that."""
    sensor = Sensor.objects.create()
    Reading.objects.create(sensor=sensor, value=7)
    fold_journals()
    with transaction.atomic():
        execute("SET LOCAL session_replication_role = replica")
        execute("UPDATE counters_sensor SET reading_count = 0, total = 0, highest = NULL")
        execute(
            "INSERT INTO counters_sensor_readings_journal (key, reason, reading_count, total) "
            "VALUES (%s, 1, 1, 7)",
            [sensor.pk],
        )
    fold_journals()
    assert Sensor.objects.values_list("reading_count", "total", "highest").get() == (1, 7, 7)

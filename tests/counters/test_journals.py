"""What waits in side tables beside other writers: merged at commits, folded, and never waited for."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, transaction
from django.db.models import CharField
from django.db.models.functions import Cast

from leaderboard.counters import fold_journals, ignore, repair
from tests.counters.models import Comment, Post, Reading, Review, Sensor, Vote
from tests.counters.rows import Rows, move_all, values
from tests.counters.sessions import REPEATABLE_READ, SERIALIZABLE, Session, execute, settled

pytestmark = pytest.mark.usefixtures("committing")


@pytest.fixture
def rows(committed_rows: Rows) -> Rows:
    return committed_rows


WAITING = "SELECT vote_count FROM counters_post_votes_cast_journal ORDER BY vote_count"


def cast(post: Post, number: int = 1) -> None:
    """Cast votes, none of which is merged: at this level none is."""
    for _ in range(number):
        with transaction.atomic():
            execute(f"SET TRANSACTION ISOLATION LEVEL {REPEATABLE_READ}")
            Vote.objects.create(content_object=post)


def test_a_fold_waits_for_nobody(rows: Rows, two: list[Session]) -> None:
    one, other = two
    cast(rows.one, 64)
    one.begin()
    one.execute("SELECT FROM counters_post WHERE id = %s FOR UPDATE", [rows.one.pk])
    one.execute(f"{WAITING} LIMIT 4 FOR UPDATE")
    other.run(fold_journals)
    assert settled(*two) == []
    assert execute(WAITING) == [(1,)] * 4 + [(60,)]
    one.commit()
    assert fold_journals()["counters.Post.votes_cast"] == 1
    assert execute(WAITING) == [(64,)]
    assert fold_journals()["counters.Post.votes_cast"] == 0


@pytest.mark.parametrize(
    "read",
    [
        lambda: Post.objects.select_for_update().get(title="one").vote_count,
        lambda: 3 * Post.objects.filter(vote_count=3).update(title="three"),
        lambda: 3 * Post.objects.filter(title="one").update(title=Cast("vote_count", CharField())),
    ],
    ids=["lock", "condition", "value"],
)
@pytest.mark.parametrize("moves", [fold_journals, repair])
def test_who_waits_for_a_row_reads_right_beside_a_fold(
    read: Any, moves: Any, rows: Rows, two: list[Session]
) -> None:
    """PostgreSQL gives him the row as it has become, and other tables as they were when he began."""
    one, other = two
    cast(rows.one, 3)
    one.begin()
    one.run(moves)
    one.execute("UPDATE counters_post SET spent = spent WHERE id = %s", [rows.one.pk])
    waiting = other.start(transaction.atomic(read))
    assert settled(*two) == [other]
    one.commit()
    assert waiting.result() == 3
    assert Post.objects.filter(pk=rows.one.pk, title__in=["one", "three", "3"], vote_count=3).exists()


def test_folds_beside_voters_and_those_who_lock(rows: Rows, three: list[Session]) -> None:
    voter, folder, reader = three
    cast(rows.one, 100)
    ends = threading.Event()

    def vote() -> None:
        while not ends.is_set():
            vote = Vote.objects.create(content_object=rows.one)
            Vote.objects.filter(pk=vote.pk).delete()

    def fold() -> None:
        while not ends.is_set():
            fold_journals(Post)

    def read() -> set[int]:
        found = set()
        for _ in range(150):
            with transaction.atomic():
                found.add(Post.objects.select_for_update().get(pk=rows.one.pk).vote_count)
        return found

    others = [voter.start(vote), folder.start(fold)]
    try:
        assert reader.run(read) <= {100, 101}
    finally:
        ends.set()
    for other in others:
        other.result()


def test_a_transaction_that_has_come_to_be_read_only_commits(rows: Rows) -> None:
    """What is due is left to another: nothing can be written any more."""
    sensor = Sensor.objects.create()
    Reading.objects.create(sensor=sensor, value=5)
    reading = Reading.objects.create(sensor=sensor, value=7)
    with transaction.atomic():
        reading.delete()
        execute("SET TRANSACTION READ ONLY")
    assert execute("SELECT count(*) FROM counters_sensor_readings_journal") == [(2,)]
    assert Sensor.objects.values_list("reading_count", "total").get() == (1, 5)


def test_the_side_table_is_altered_in_the_transaction_of_a_write(rows: Rows) -> None:
    """What is due at the commit keeps a table from being altered, unless it is done before."""
    sensor = Sensor.objects.create()
    alter = "ALTER TABLE counters_sensor_readings_journal ADD COLUMN more int"
    with pytest.raises(OperationalError, match="pending trigger events"), transaction.atomic():
        Reading.objects.create(sensor=sensor, value=5)
        execute(alter)
    with transaction.atomic():
        Reading.objects.create(sensor=sensor, value=5)
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        execute(alter)
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("isolation", "waiting"),
    [("READ UNCOMMITTED", 1), ("READ COMMITTED", 1), (REPEATABLE_READ, 2), (SERIALIZABLE, 2)],
)
def test_where_rows_are_merged(rows: Rows, isolation: str, waiting: int) -> None:
    sensor = Sensor.objects.create()
    Reading.objects.create(sensor=sensor, value=5)
    with transaction.atomic():
        execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}")
        Reading.objects.create(sensor=sensor, value=7)
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        # What is due reads nothing at the level where that could make another fail.
        held = execute(
            "SELECT count(*) FROM pg_locks WHERE mode = 'SIReadLock' "
            "AND relation::regclass::text LIKE 'counters_sensor_readings_journal%'"
        )
        assert held == [(0,)]
    assert execute("SELECT count(*) FROM counters_sensor_readings_journal") == [(waiting,)]
    assert Sensor.objects.values_list("reading_count", "total").get() == (2, 12)


def test_children_before_their_parents_settle_in_the_order_of_keys(rows: Rows) -> None:
    """In one statement each, so that two of them lock parents in one order."""
    keys = [*range(1000, 1300)]
    with transaction.atomic():
        execute(
            "INSERT INTO counters_comment (post_id, is_public, votes, written_at) "
            "SELECT k, true, 1, now() FROM unnest(%s::bigint[]) k",
            [keys[::-1]],
        )
        settling = execute("SELECT key FROM counters_post_comments_journal WHERE due ORDER BY id")
        Post.objects.bulk_create(Post(pk=key, title="late") for key in keys)
    assert [key for (key,) in settling] == keys
    assert set(Post.objects.filter(pk__in=keys).values_list("comment_count", flat=True)) == {1}


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

    def vote() -> None:
        for _ in range(64):
            Vote.objects.create(content_object=rows.one)

    cast(rows.one, 3)
    one.begin()
    one.execute("SET CONSTRAINTS ALL IMMEDIATE")
    one.run(vote)
    ((waiting,),) = one.execute("SELECT count(*) FROM counters_post_votes_cast_journal")
    assert waiting < 64
    other.run(vote)
    other.run(fold_journals)
    assert settled(*two) == []
    assert other.execute(f"{WAITING} DESC LIMIT 1") == [(64,)]
    one.commit()
    assert values("vote_count") == [131, 0]
    fold_journals()
    assert execute(WAITING) == [(131,)]


def test_two_folds_of_one_key(rows: Rows, two: list[Session]) -> None:
    """The rows that another fold has taken are not added again."""
    cast(rows.one, 3)
    one, other = two
    one.begin()
    one.run(fold_journals)
    other.run(lambda: cast(rows.one, 64))
    other.run(fold_journals)
    one.commit()
    other.run(fold_journals)
    assert execute(WAITING) == [(67,)]


@pytest.mark.parametrize("meanwhile", ["fold", "leave", "rekey", "arrive"])
def test_truncate_while_a_journal_is_moved(rows: Rows, two: list[Session], meanwhile: str) -> None:
    """What another has moved to a column, or left behind, and not committed, is zeroed too."""
    one, other = two
    key, late = rows.one.pk, 999
    for pk in (key, late):
        cast(Post(pk=pk), 2)
    if meanwhile in ("leave", "rekey"):
        move_all()
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
    move_all()
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


def test_a_fold_of_what_was_left_over_waits_for_nobody(rows: Rows, two: list[Session]) -> None:
    """Though it looks an extreme up, too."""
    one, other = two
    sensors = [Sensor.objects.create() for _ in range(2)]
    with transaction.atomic():
        execute("SET LOCAL session_replication_role = replica")
        for sensor in sensors:
            Reading.objects.create(sensor=sensor, value=7)
            execute(
                "INSERT INTO counters_sensor_readings_journal (key, reason, reading_count, total) "
                "VALUES (%s, 1, 1, 7)",
                [sensor.pk],
            )
    one.begin()
    one.execute("SELECT FROM counters_sensor WHERE id = %s FOR UPDATE", [sensors[0].pk])
    other.run(fold_journals)
    assert settled(*two) == []
    read = ("reading_count", "total", "highest")
    assert Sensor.objects.values_list(*read).get(pk=sensors[1].pk) == (1, 7, 7)
    one.commit()
    fold_journals()
    assert set(Sensor.objects.values_list(*read)) == {(1, 7, 7)}

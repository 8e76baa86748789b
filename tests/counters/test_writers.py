"""Writers at once leave counters exact at each isolation level: each on a connection, in a given order."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import OperationalError, connection

from leaderboard.counters import backfill, fold_journals, ignore, repair
from leaderboard.testing import assert_no_drift
from tests.counters.models import Author, Blog, Comment, Post, Review, Vote
from tests.counters.rows import Rows, moment, values
from tests.counters.sessions import REPEATABLE_READ, SERIALIZABLE, Session, execute, settled

pytestmark = pytest.mark.usefixtures("committing")


@pytest.fixture
def rows(committed_rows: Rows) -> Rows:
    return committed_rows


def comment(post: Post, votes: int = 1, **fields: Any) -> Any:
    return lambda: Comment.objects.create(post=post, votes=votes, **fields)


def test_two_writers_at_read_committed(rows: Rows, two: list[Session]) -> None:
    one, other = two
    one.begin()
    one.run(comment(rows.one, 10))
    other.begin()
    waiting = other.start(comment(rows.one, 100))
    assert settled(*two) == [other]
    one.commit()
    waiting.result()
    other.commit()
    assert values("comment_count", "karma") == [(4, 118), (1, 7)]


def test_two_writers_of_many_rows(rows: Rows, two: list[Session]) -> None:
    """Who waited for one parent adds to what the other has left, in the same statement."""
    one, other = two
    one.begin()
    one.run(lambda: Comment.objects.filter(votes__in=[1, 7]).update(votes=10, is_public=False))
    waiting = other.start(
        lambda: Comment.objects.bulk_create(
            [Comment(post=p, votes=1) for p in (rows.two, rows.one, rows.two)]
        )
    )
    assert settled(*two) == [other]
    one.commit()
    waiting.result()
    assert values("comment_count", "karma") == [(2, 18), (2, 12)]


def test_a_writer_waits_for_one_that_rolls_back(rows: Rows, two: list[Session]) -> None:
    one, other = two
    one.begin()
    one.run(lambda: Comment.objects.all().delete())
    waiting = other.start(comment(rows.one, 100))
    assert settled(*two) == [other]
    one.rollback()
    waiting.result()
    assert values("comment_count", "karma") == [(3, 108), (1, 7)]


@pytest.mark.parametrize("isolation", [REPEATABLE_READ, SERIALIZABLE])
def test_an_older_snapshot_fails_where_it_would_overlook_a_write(
    rows: Rows, two: list[Session], isolation: str
) -> None:
    one, other = two
    one.begin(isolation)
    assert one.run(Comment.objects.count) == 4
    other.run(comment(rows.one, 100, written_at=moment(1)))
    with pytest.raises(OperationalError, match="could not serialize"):
        one.run(comment(rows.one, 10))
    one.rollback()
    assert values("comment_count", "karma") == [(3, 108), (1, 7)]


def test_older_snapshots_write_to_different_parents(rows: Rows, two: list[Session]) -> None:
    # Not at SERIALIZABLE, where PostgreSQL may see a conflict between any two readers of a small table.
    for session, post in zip(two, (rows.one, rows.two), strict=True):
        session.begin(REPEATABLE_READ)
        session.run(comment(post, 10))
    for session in two:
        session.commit()
    assert values("comment_count", "karma") == [(3, 18), (2, 17)]


@pytest.mark.parametrize("isolation", [REPEATABLE_READ, SERIALIZABLE])
def test_older_snapshots_write_to_one_journal(rows: Rows, two: list[Session], isolation: str) -> None:
    for session in two:
        session.begin(isolation)
        session.run(lambda: Vote.objects.bulk_create([Vote(content_object=rows.one) for _ in range(3)]))
    for session in two:
        session.commit()
    assert values("vote_count") == [6, 0]


def test_truncate_is_refused_where_its_snapshot_may_be_older(rows: Rows, two: list[Session]) -> None:
    one, _ = two
    one.begin(REPEATABLE_READ)
    with pytest.raises(Exception, match="TRUNCATE of a table with counters needs READ COMMITTED"):
        one.execute("TRUNCATE counters_comment")
    one.rollback()


# Extremes: what two overlook together


def test_an_extreme_goes_while_another_row_comes(rows: Rows, two: list[Session]) -> None:
    """A row that changes no value itself: 9 is deleted while 8 comes, and 8 is found."""
    Comment.objects.create(post=rows.one, votes=0, is_public=False, written_at=moment(9))
    one, other = two
    one.begin()
    one.run(comment(rows.one, 0, is_public=False, written_at=moment(8)))
    other.begin()
    waiting = other.start(lambda: Comment.objects.filter(written_at=moment(9)).delete())
    assert settled(*two) == [other]
    one.commit()
    waiting.result()
    other.commit()
    assert values("last_comment_at") == [moment(8), moment(7)]


def test_an_extreme_goes_before_another_row_comes(rows: Rows, two: list[Session]) -> None:
    Comment.objects.create(post=rows.one, votes=0, is_public=False, written_at=moment(9))
    one, other = two
    one.begin()
    one.run(lambda: Comment.objects.filter(written_at=moment(9)).delete())
    waiting = other.start(comment(rows.one, 0, is_public=False, written_at=moment(8)))
    assert settled(*two) == [other]
    one.commit()
    waiting.result()
    assert values("last_comment_at") == [moment(8), moment(7)]


def test_an_extreme_goes_in_an_older_snapshot(rows: Rows, two: list[Session]) -> None:
    Comment.objects.create(post=rows.one, votes=0, is_public=False, written_at=moment(9))
    one, other = two
    one.begin(REPEATABLE_READ)
    one.run(Comment.objects.count)
    other.run(comment(rows.one, 0, is_public=False, written_at=moment(8)))
    with pytest.raises(OperationalError, match="could not serialize"):
        one.run(lambda: Comment.objects.filter(written_at=moment(9)).delete())
    one.rollback()


# Locks


def test_opposite_orders_in_one_statement_each(rows: Rows, three: list[Session]) -> None:
    """Whoever waits for the first parent holds no other, whatever the order of the rows."""
    holder, one, other = three
    first, last = rows.one, rows.two
    holder.begin()
    holder.run(comment(first))
    # The first waits for the first parent; one that had begun with the last parent would now hold that.
    waiting = [
        one.start(lambda: Comment.objects.filter(votes__in=[1, 7]).update(votes=20)),
        other.start(lambda: Comment.objects.bulk_create([Comment(post=post) for post in (last, first)])),
    ]
    assert settled(*three) == [one, other]
    holder.commit()
    for future in waiting:
        future.result()
    assert values("comment_count") == [4, 2]


def test_a_journal_takes_opposite_orders_across_statements(rows: Rows, two: list[Session]) -> None:
    one, other = two
    for session in two:
        session.begin()
    for session, order in [(one, (rows.one, rows.two)), (other, (rows.two, rows.one))]:
        for post in order:
            session.start(lambda post=post: Vote.objects.create(content_object=post))  # type: ignore[misc]
            assert settled(*two) == []
    for session in two:
        session.commit()
    assert values("vote_count") == [2, 2]


def test_inline_counters_in_opposite_orders_across_statements_may_deadlock(
    rows: Rows, two: list[Session]
) -> None:
    """As the documentation says: PostgreSQL ends one of them, and nothing drifts."""
    one, other = two
    for session, post in [(one, rows.one), (other, rows.two)]:
        session.begin()
        session.run(comment(post, 10))
    waiting = one.start(comment(rows.two, 10))
    assert settled(*two) == [one]
    failed = other.start(comment(rows.one, 10))
    assert settled(*two) == []
    ended = [
        session for session, future in [(one, waiting), (other, failed)] if future.exception() is not None
    ]
    assert len(ended) == 1
    for session in two:
        if session in ended:
            session.rollback()
        else:
            session.commit()
    assert values("comment_count", "karma") == [(3, 18), (2, 17)]


# Parents that come, go and change


def test_a_parent_comes_while_its_child_waits(rows: Rows, two: list[Session]) -> None:
    """The child was written first and commits last: neither could see the other before."""
    one, other = two
    one.begin()
    one.run(lambda: Comment.objects.create(post_id=999, votes=5, written_at=moment(3)))
    one.run(lambda: Review.objects.create(post_id=999, stars=4))
    other.run(lambda: Post.objects.create(pk=999, title="late", blog=rows.blog))
    assert values("comment_count")[2] == 0
    one.commit()
    assert values("comment_count", "karma", "last_comment_at", "rating")[2] == (1, 5, moment(3), 4)
    assert values("comment_count", model=Blog) == [3, 1]


def test_the_key_of_a_parent_changes_while_a_child_is_written(rows: Rows, two: list[Session]) -> None:
    one, other = two
    one.begin()
    one.run(lambda: execute("UPDATE counters_post SET id = 999 WHERE id = %s", [rows.one.pk]))
    one.run(lambda: execute("UPDATE counters_comment SET post_id = 999 WHERE post_id = %s", [rows.one.pk]))
    waiting = other.start(
        lambda: execute("UPDATE counters_comment SET votes = 101 WHERE id = %s", [rows.comments[0].pk])
    )
    assert settled(*two) == [other]
    one.commit()
    waiting.result()
    assert values("comment_count", "karma") == [(1, 7), (2, 108)]


def test_what_waits_for_an_absent_row_is_repaired_while_that_comes(rows: Rows, two: list[Session]) -> None:
    Vote.objects.bulk_create([Vote(content_object=Post(pk=999)) for _ in range(3)])
    one, other = two
    one.begin()
    one.run(lambda: Post.objects.create(pk=999, title="late"))
    waiting = other.start(repair)
    settled(*two)
    one.commit()
    waiting.result()
    fold_journals()
    assert Post.objects.get(pk=999).vote_count == 3


@pytest.mark.parametrize("mend", [repair, backfill])
def test_a_repair_while_others_write(rows: Rows, two: list[Session], mend: Any) -> None:
    """What others had not committed when it counted is added by themselves, once."""
    execute("DELETE FROM leaderboard_counterstate")
    execute("SET session_replication_role = replica")
    execute("UPDATE counters_post SET comment_count = 50, karma = 50, spent = 50, last_comment_at = NULL")
    execute("RESET session_replication_role")
    one, other = two
    one.begin()
    one.run(comment(rows.one, 10, written_at=moment(9)))
    waiting = other.start(mend)
    assert settled(*two) == [other]
    one.commit()
    waiting.result()
    assert values("comment_count", "karma", "last_comment_at") == [(3, 18, moment(9)), (1, 7, moment(7))]


@pytest.mark.parametrize("mend", [repair, backfill])
@pytest.mark.parametrize("other_mend", [repair, backfill])
def test_two_repairs_at_once(rows: Rows, three: list[Session], mend: Any, other_mend: Any) -> None:
    """What one has added, the other does not add again, though both have waited for the row."""
    execute("DELETE FROM leaderboard_counterstate")
    with ignore():
        Vote.objects.create(content_object=rows.one)
        Vote.objects.create(object_id=999, content_type=ContentType.objects.get_for_model(Post))
        comment(rows.one, 10, written_at=moment(9))()
    holder, one, other = three
    holder.begin()
    holder.execute("SELECT FROM counters_post WHERE id = %s FOR UPDATE", [rows.one.pk])
    waiting = [one.start(mend), other.start(other_mend)]
    assert settled(*three) == [one, other]
    holder.commit()
    for each in waiting:
        each.result()
    assert values("comment_count", "karma", "vote_count") == [(3, 18, 1), (1, 7, 0)]
    assert_no_drift()
    Post.objects.create(pk=999, title="late")
    assert Post.objects.get(pk=999).vote_count == 1


@pytest.mark.parametrize("mend", [repair, backfill])
@pytest.mark.parametrize("order", [1, -1])
def test_a_repair_that_waits_holds_no_row(rows: Rows, three: list[Session], mend: Any, order: int) -> None:
    """Who holds a row for long keeps others from nothing but that row, be it the first or the last."""
    held, free = [rows.one, rows.two][::order]
    execute("DELETE FROM leaderboard_counterstate")
    execute("SET session_replication_role = replica")
    execute("UPDATE counters_post SET comment_count = 50, karma = 50, last_comment_at = NULL")
    execute("RESET session_replication_role")
    one, other, third = three
    one.begin()
    one.run(comment(held, 10, written_at=moment(9)))
    waiting = other.start(mend)
    assert settled(*three) == [other]
    third.run(comment(free, 100, written_at=moment(8)))
    one.commit()
    waiting.result()
    added = [(10, moment(9)), (100, moment(8))][::order]
    assert values("comment_count", "karma", "last_comment_at") == [
        (3, 8 + added[0][0], added[0][1]),
        (2, 7 + added[1][0], added[1][1]),
    ]


# Prepared transactions


@pytest.fixture
def prepared() -> None:
    if execute("SHOW max_prepared_transactions") == [("0",)]:
        pytest.skip("the server takes no prepared transactions (max_prepared_transactions is 0)")


def prepare(session: Session) -> None:
    session.begin()
    session.run(lambda: Comment.objects.create(post_id=999, votes=5, written_at=moment(3)))
    session.run(lambda: Post.objects.create(pk=999, title="late"))
    session.run(lambda: Comment.objects.filter(votes=1).delete())
    session.execute("PREPARE TRANSACTION 'counters'")
    session.run(lambda: session.leave(rolls_back=True))


def test_a_prepared_transaction_committed(prepared: None, rows: Rows, two: list[Session]) -> None:
    one, other = two
    prepare(one)
    waiting = other.start(comment(rows.one, 100))
    assert settled(*two) == [other]
    execute("COMMIT PREPARED 'counters'")
    waiting.result()
    assert values("comment_count", "karma") == [(2, 107), (1, 7), (1, 5)]


def test_a_prepared_transaction_rolled_back(prepared: None, rows: Rows, two: list[Session]) -> None:
    one, other = two
    prepare(one)
    waiting = other.start(comment(rows.one, 100))
    execute("ROLLBACK PREPARED 'counters'")
    waiting.result()
    assert values("comment_count", "karma") == [(3, 108), (1, 7)]
    assert connection.get_autocommit()


def test_truncate_waits_for_writers(rows: Rows, two: list[Session]) -> None:
    one, other = two
    one.begin()
    one.run(comment(rows.one, 10))
    waiting = other.start(lambda: execute("TRUNCATE counters_comment"))
    assert settled(*two) == [other]
    one.commit()
    waiting.result()
    assert values("comment_count", "karma", "last_comment_at") == [(0, 0, None), (0, 0, None)]
    assert values("comment_count", model=Author) == [0]

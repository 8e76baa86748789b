"""What is done to a database from outside: dumps, roles, policies, and writes that are not recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pgtrigger
import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.utils import DatabaseError

from leaderboard.counters import check, ignore, repair
from leaderboard.testing import assert_no_drift
from tests.counters.models import Author, Blog, Comment, Post, Tag, Vote
from tests.counters.rows import Rows, assert_exact, settle, values
from tests.counters.sessions import execute

pytestmark = pytest.mark.django_db
COUNTERS = ("comment_count", "karma", "tag_count", "vote_count")


# Dumps


def test_dumpdata_and_loaddata(rows: Rows, tmp_path: Path) -> None:
    rows.one.tags.add(Tag.objects.create(name="t"))
    Vote.objects.create(content_object=rows.one)
    expected = values(*COUNTERS)
    dump = tmp_path / "dump.json"
    call_command("dumpdata", "counters", output=str(dump), verbosity=0)
    # Onto the rows that are there, and in place of them.
    call_command("loaddata", str(dump), verbosity=0)
    assert values(*COUNTERS) == expected
    assert_exact()
    execute("TRUNCATE counters_blog, counters_site, counters_author, counters_tag, counters_vote CASCADE")
    assert values(*COUNTERS) == []
    call_command("loaddata", str(dump), verbosity=0)
    assert values(*COUNTERS) == expected


# Rights


@pytest.fixture
def role() -> Iterator[str]:
    """A role that may write comments and votes, and nothing else."""
    execute("CREATE ROLE leaderboard_writer")
    execute("GRANT USAGE ON SCHEMA public TO leaderboard_writer")
    execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON counters_comment, counters_vote "
        "TO leaderboard_writer"
    )
    execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO leaderboard_writer")
    yield "leaderboard_writer"


def as_role(role: str, *statements: str) -> None:
    execute(f"SET ROLE {role}")
    for statement in statements:
        execute(statement)
    settle()
    execute("RESET ROLE")


def test_a_role_that_may_write_the_child_only(rows: Rows, role: str) -> None:
    settle()
    insert = "INSERT INTO counters_comment (post_id, votes, is_public) VALUES"
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        as_role(role, "UPDATE counters_post SET title = 't'")
    as_role(
        role,
        f"{insert} ({rows.one.pk}, 10, true), ({rows.two.pk}, 20, true)",
        "DELETE FROM counters_comment WHERE votes = 1",
    )
    assert values("comment_count", "karma") == [(2, 17), (2, 27)]


def test_a_role_cannot_slip_in_a_table_of_its_own(rows: Rows, role: str) -> None:
    settle()
    execute(
        f"GRANT TEMPORARY ON DATABASE {connection.ops.quote_name(connection.settings_dict['NAME'])} TO {role}"
    )
    execute(f"GRANT SELECT ON counters_post TO {role}")
    as_role(
        role,
        "CREATE TEMPORARY TABLE counters_post (LIKE counters_post)",
        "SET LOCAL search_path = pg_temp, public",
        f"INSERT INTO counters_comment (post_id, votes, is_public) VALUES ({rows.one.pk}, 10, true)",
        "SET LOCAL search_path = public",
    )
    execute("DROP TABLE pg_temp.counters_post")
    assert values("comment_count", "karma") == [(3, 18), (1, 7)]


def test_row_level_security_on_the_parent(rows: Rows, role: str) -> None:
    settle()
    execute("ALTER TABLE counters_post ENABLE ROW LEVEL SECURITY")
    execute(f"GRANT SELECT, UPDATE ON counters_post TO {role}")
    as_role(
        role, f"INSERT INTO counters_comment (post_id, votes, is_public) VALUES ({rows.one.pk}, 10, true)"
    )
    assert values("comment_count", "karma") == [(3, 18), (1, 7)]


def test_row_level_security_that_binds_the_owner_is_no_silent_drift(rows: Rows, role: str) -> None:
    settle()
    execute("ALTER TABLE counters_post ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    execute(f"GRANT SELECT, UPDATE ON counters_post TO {role}")
    execute(f"GRANT CREATE ON SCHEMA public TO {role}")
    owned = execute(
        "SELECT oid::regprocedure::text FROM pg_proc WHERE proname ~ 'counter_insert_post_comments'"
    )
    for table in ("counters_post", "counters_post_comments_journal"):
        execute(f"ALTER TABLE {table} OWNER TO {role}")
    execute(f"ALTER FUNCTION {owned[0][0]} OWNER TO {role}")
    with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
        execute(
            "INSERT INTO counters_comment (post_id, votes, is_public) VALUES (%s, 10, true)", [rows.one.pk]
        )


# What is not recorded


def test_session_replication_role_replica(rows: Rows) -> None:
    """No trigger sees it: a check finds what it left, and a repair mends it."""
    settle()
    execute("SET session_replication_role = replica")
    execute("UPDATE counters_comment SET post_id = %s, votes = votes * 2", [rows.two.pk])
    execute("UPDATE counters_post SET comment_count = 99 WHERE id = %s", [rows.one.pk])
    execute("SET session_replication_role = DEFAULT")
    reports = check(Post)
    assert sum(report.wrong for report in reports) == 9
    repair()
    assert values("comment_count", "karma") == [(0, 0), (3, 30)]
    assert values("comment_count", model=Blog) == [0, 3]


@pytest.mark.skipif(
    bool(connection.settings_dict["OPTIONS"].get("server_side_binding")),
    reason="pgtrigger.ignore() sends two statements at once, which binding by the server does not take",
)
def test_pgtrigger_ignore_does_not_reach_counters(rows: Rows) -> None:
    with pgtrigger.ignore():
        Comment.objects.create(post=rows.one, votes=10)
        Comment.objects.filter(votes=7).delete()
    assert values("comment_count", "karma") == [(3, 18), (0, 0)]


def test_ignored_writes_are_known_as_dirty_and_only_they_are_mended(rows: Rows) -> None:
    with ignore():
        Comment.objects.create(post=rows.one, votes=10, author=rows.author)
        Post.objects.filter(pk=rows.one.pk).update(tag_count=5)
    assert values("comment_count", "karma", "tag_count") == [(2, 8, 5), (1, 7, 0)]
    with pytest.raises(AssertionError, match="is 2, and 3 is counted"):
        assert_no_drift()
    settle()
    # Of a row that is not known as dirty: it stays, as only what is dirty is looked at.
    execute("SET session_replication_role = replica")
    execute("UPDATE counters_post SET comment_count = 99 WHERE id = %s", [rows.two.pk])
    execute("SET session_replication_role = DEFAULT")
    repair(only_dirty=True)
    assert values("comment_count", "karma", "tag_count") == [(3, 18, 0), (99, 7, 0)]
    assert values("comment_count", model=Author) == [5]
    assert values("comment_count", model=Blog)[0] == 3
    repair()


def test_an_ignored_write_to_a_row_without_a_key_is_not_stored(rows: Rows) -> None:
    """It could not be known as dirty, as nothing refers to the row."""
    Post.objects.filter(pk=rows.two.pk).update(slug=None)
    with ignore():
        Post.objects.update(heaviest_mention=9)
    assert values("heaviest_mention") == [9, None]
    repair(only_dirty=True)


def test_rows_that_leave_while_writes_are_ignored(rows: Rows) -> None:
    key = rows.one.pk
    with ignore():
        rows.one.delete()
    repair(only_dirty=True)
    Post.objects.create(pk=key, title="again")
    assert values("comment_count", "karma") == [(0, 0), (1, 7)]

"""Rows to write to, and what is written by COPY."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any, NamedTuple

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connection

from leaderboard.counters.chosen import chosen_batches
from leaderboard.counters.upkeep import activate_empty
from leaderboard.testing import assert_no_drift
from tests.counters.models import Author, Blog, Comment, Post, Site
from tests.counters.sessions import execute

__all__ = [
    "ACTIONS",
    "Rows",
    "act_by_database",
    "assert_exact",
    "copy",
    "make_rows",
    "moment",
    "move_all",
    "settle",
    "sweep",
    "values",
]


# What the database itself can do with rows that refer to others.
ACTIONS = [
    ("counters_comment", "post_id", "ON DELETE CASCADE ON UPDATE CASCADE"),
    ("counters_comment", "parent_id", "ON DELETE CASCADE ON UPDATE CASCADE"),
    ("counters_comment", "author_id", "ON DELETE SET NULL"),
    ("counters_review", "post_id", "ON DELETE CASCADE ON UPDATE CASCADE"),
    ("counters_mention", "slug", "ON DELETE CASCADE ON UPDATE CASCADE"),
    ("counters_post_tags", "post_id", "ON DELETE CASCADE ON UPDATE CASCADE"),
    ("counters_post", "blog_id", "ON DELETE CASCADE"),
]


class Rows(NamedTuple):
    site: Site
    blog: Blog
    other_blog: Blog
    one: Post
    two: Post
    author: Author
    comments: list[Comment]


def moment(hour: int) -> datetime:
    return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hour)


def make_rows() -> Rows:
    """Make two blogs, a post of each, and four comments: three of the first post, one of them not public."""
    site = Site.objects.create(name="s")
    blog, other = Blog.objects.create(name="b", site=site), Blog.objects.create(name="o", site=site)
    one = Post.objects.create(title="one", slug="one", blog=blog)
    two = Post.objects.create(title="two", slug="two", blog=other)
    author = Author.objects.create(name="a")
    comments = [
        Comment.objects.create(
            post=post, votes=votes, is_public=is_public, author=author, price="1.50", written_at=moment(votes)
        )
        for post, votes, is_public in [(one, 1, True), (one, 2, False), (one, 5, True), (two, 7, True)]
    ]
    return Rows(site, blog, other, one, two, author, comments)


def assert_exact() -> None:
    """Assert that no counter differs from its rows, with all that is left to the commit done."""
    if connection.in_atomic_block:
        settle()
    assert_no_drift()


def settle() -> None:
    """Do what is left to the commit."""
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("SET CONSTRAINTS ALL DEFERRED")


def values(*names: str, model: Any = Post) -> list[Any]:
    """Return what counters are read as, in the order of the keys."""
    return list(model.objects.order_by("pk").values_list(*names, flat=len(names) == 1))


def copy(table: str, columns: str, rows: Iterable[Iterable[Any]]) -> None:
    """Write rows by COPY; None is NULL."""
    lines = ["\t".join("\\N" if value is None else str(value) for value in row) + "\n" for row in rows]
    with connection.cursor() as cursor, connection.wrap_database_errors, _copying(cursor.cursor) as write:
        write(f"COPY {table} ({columns}) FROM STDIN", "".join(lines))


@contextmanager
def _copying(cursor: Any) -> Iterator[Any]:
    if hasattr(cursor, "copy_expert"):
        yield lambda sql, text: cursor.copy_expert(sql, StringIO(text))
        return

    def write(sql: str, text: str) -> None:
        with cursor.copy(sql) as target:
            target.write(text)

    yield write


def move_all() -> None:
    """Move all that waits into columns, as where a counter has no journal any more."""
    for batches in chosen_batches((), DEFAULT_DB_ALIAS):
        batches.fold(1000, wait=True)


def sweep() -> None:
    """Delete all rows of this app, and let numbers begin anew: what is random shall be so again."""
    tables = [model._meta.db_table for model in apps.get_app_config("counters").get_models(True)]
    deletions = "; ".join(f"DELETE FROM {table}" for table in tables)
    execute(f"SET session_replication_role = replica; {deletions}; RESET session_replication_role")
    execute(
        "SELECT setval(pg_get_serial_sequence(name, 'id'), 1, false) FROM unnest(%s::text[]) name "
        "WHERE EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = name::regclass AND a.attname = 'id')",
        [tables],
    )
    activate_empty("default")


def act_by_database(table: str, column: str, action: str) -> None:
    """Give a foreign key an action of the database, or take it away again by an empty one."""
    ((name, definition),) = execute(
        "SELECT conname, pg_get_constraintdef(c.oid) FROM pg_constraint c JOIN pg_attribute a "
        "ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) WHERE contype = 'f' "
        "AND c.conrelid = %s::regclass AND a.attname = %s",
        [table, column],
    )
    reference, _, _ = definition.partition(")")
    references, _, _ = definition[len(reference) + 1 :].partition(")")
    execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    execute(
        f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {reference}){references}) {action} '
        "DEFERRABLE INITIALLY DEFERRED"
    )

"""Writes of every kind, each by three small numbers, for programs that are made at random.

Keys come from a few, so that writes meet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Case, F, Value, When

from leaderboard.counters import fold_journals, ignore, repair
from tests.counters.models import Author, Blog, Comment, Mention, Post, Review, Tag, Vote
from tests.counters.rows import copy, moment
from tests.counters.sessions import execute

__all__ = ["OPERATIONS", "UNRECORDED", "Operation", "make"]

Operation = Callable[[int, int, int], Any]
OPERATIONS: dict[str, Operation] = {}
# What leaves counters dirty.
UNRECORDED: dict[str, Operation] = {}

POSTS, COMMENTS = 4, 8


def operation(action: Operation) -> Operation:
    OPERATIONS[action.__name__] = action
    return action


def make() -> None:
    """Insert the rows that a program begins with."""
    execute("""
        INSERT INTO counters_site (id, name) VALUES (1, 's'), (2, 's');
        INSERT INTO counters_blog (id, name, site_id) VALUES (1, 'b', 1), (2, 'b', 2);
        INSERT INTO counters_author (id, name) VALUES (1, 'a'), (2, 'a');
        INSERT INTO counters_tag (id, name) VALUES (1, 't'), (2, 't');
        INSERT INTO counters_post (id, title, slug, blog_id) VALUES (1, 'p', 's1', 1), (2, 'p', 's2', 2),
        (3, 'p', NULL, NULL), (4, 'p', 's4', 1);
        INSERT INTO counters_comment (id, post_id, author_id, parent_id, is_public, votes, written_at) VALUES
        (1, 1, 1, NULL, true, 1, '2026-03-01 09:00+00'), (2, 1, NULL, 1, false, 0, '2026-03-01 03:00+00'),
        (3, 2, 2, 1, NULL, 2, NULL), (4, NULL, 1, NULL, true, 3, '2026-03-01 01:00+00');
        INSERT INTO counters_review (post_id, stars) VALUES (1, 3), (1, 5), (2, NULL);
        INSERT INTO counters_mention (slug, weight) VALUES ('s1', 3), ('s1', 9), (NULL, 1);
        INSERT INTO counters_post_tags (post_id, tag_id) VALUES (1, 1), (2, 1);
        SELECT setval(pg_get_serial_sequence('counters_comment', 'id'), 20)
    """)


def post_key(n: int) -> int | None:
    """Return the key of a post, or None; rarely one that may be missing."""
    return [1, 2, 3, POSTS, None, 2, POSTS + 1][n]


def one_comment(a: int, b: int, c: int) -> Comment:
    return Comment(
        pk=a % COMMENTS + 1,
        post_id=post_key(b),
        author_id=[None, 1, 2][c % 3],
        is_public=[False, True, None][(a + c) % 3],
        votes=c % 4 - 1 if c else 0,
        price=None if c % 2 else "1.25",
        written_at=None if c == 5 else moment((a * 7 + c) % 10),
    )


def some_comments(a: int, b: int, c: int) -> list[Comment]:
    return [one_comment(a + n, (b + n * c) % 6, c + n) for n in range(3)]


def chosen(a: int, b: int) -> Any:
    return Comment.objects.filter(pk__in=[a % COMMENTS + 1, (a + b) % COMMENTS + 1])


def of_post(n: int) -> Any:
    key = post_key(n)
    return (
        Comment.objects.filter(post_id__isnull=True) if key is None else Comment.objects.filter(post_id=key)
    )


# By Django


@operation
def save(a: int, b: int, c: int) -> None:
    one_comment(a, b, c).save()


@operation
def reply(a: int, b: int, c: int) -> None:
    chosen(a, b).exclude(pk=c + 1).update(parent_id=c + 1)


@operation
def bulk_create(a: int, b: int, c: int) -> None:
    Comment.objects.bulk_create(some_comments(a, b, c), ignore_conflicts=True)


@operation
def bulk_upsert(a: int, b: int, c: int) -> None:
    Comment.objects.bulk_create(
        some_comments(a, b, c),
        update_conflicts=True,
        update_fields=["post", "votes", "is_public", "written_at"],
        unique_fields=["id"],
    )


@operation
def bulk_update(a: int, b: int, c: int) -> None:
    Comment.objects.bulk_update(some_comments(a, b, c), ["post", "votes", "author"])


@operation
def update_values(a: int, b: int, c: int) -> None:
    of_post(b).update(votes=F("votes") + c - 2, written_at=moment(a))


@operation
def publish(a: int, b: int, c: int) -> None:
    chosen(a, b).update(
        is_public=Case(When(is_public=True, then=Value(None)), default=Value(True)), author_id=c % 2 + 1
    )


@operation
def move(a: int, b: int, c: int) -> None:
    chosen(a, c).update(post_id=post_key(b))


@operation
def delete(a: int, b: int, c: int) -> None:
    chosen(a, b).delete()


@operation
def delete_of_a_post(a: int, b: int, c: int) -> None:
    of_post(a).delete()


@operation
def delete_post(a: int, b: int, c: int) -> None:
    Post.objects.filter(pk=a + 1).delete()


@operation
def delete_blog(a: int, b: int, c: int) -> None:
    Blog.objects.filter(pk=a % 2 + 1).delete()


@operation
def stale_save(a: int, b: int, c: int) -> None:
    Post(
        pk=a % POSTS + 1, title="stale", slug=None, blog_id=[None, 1, 2][b % 3], karma=c, comment_count=50
    ).save()


@operation
def bulk_update_of_counters(a: int, b: int, c: int) -> None:
    Post.objects.filter(pk=a + 1).update(comment_count=c, tag_count=b, rating=1, last_comment_at=None)


@operation
def move_post(a: int, b: int, c: int) -> None:
    Post.objects.filter(pk=a + 1).update(blog_id=[None, 1, 2][b % 3])


@operation
def move_blog(a: int, b: int, c: int) -> None:
    Blog.objects.filter(pk=a % 2 + 1).update(site_id=[None, 1, 2][b % 3])


@operation
def tags_set(a: int, b: int, c: int) -> None:
    Post(pk=a % 3 + 1).tags.set([1, 2][b % 2 : c % 3])


@operation
def tag_posts_add(a: int, b: int, c: int) -> None:
    Tag(pk=a % 2 + 1).posts.add(b % 3 + 1, c % 3 + 1)


@operation
def review(a: int, b: int, c: int) -> None:
    Review.objects.bulk_create([Review(post_id=a % 3 + 1, stars=b), Review(post_id=b % 3 + 1, stars=None)])


@operation
def vote(a: int, b: int, c: int) -> None:
    targets = [Post(pk=a + 1), Author(pk=b % 2 + 1), Post(pk=c + 1)]
    Vote.objects.bulk_create([Vote(content_object=target) for target in targets])


@operation
def upsert_author(a: int, b: int, c: int) -> None:
    Author.objects.update_or_create(pk=a % 3 + 1, defaults={"name": "n", "comment_count": b})


# By SQL


@operation
def insert_opposed(a: int, b: int, c: int) -> None:
    order = "DESC" if c % 2 else "ASC"
    execute(
        "INSERT INTO counters_comment (id, post_id, votes, is_public) SELECT nextval("
        "pg_get_serial_sequence('counters_comment', 'id')), n, 1, true "
        f"FROM generate_series(1, 3) n WHERE n <> %s ORDER BY n {order}",
        [a],
    )


@operation
def copy_in(a: int, b: int, c: int) -> None:
    execute("DELETE FROM counters_comment WHERE id = %s", [a + 1])
    copy(
        "counters_comment",
        "id, post_id, votes, is_public, written_at",
        [
            (a + 1, post_key(b), c, "t", "2026-03-01 09:00+00"),
            (100 + a * 36 + b * 6 + c, post_key(c), b, "f", None),
        ],
    )


@operation
def merge(a: int, b: int, c: int) -> None:
    execute(
        """MERGE INTO counters_comment c USING (VALUES (%s, %s), (%s, %s), (%s, 0)) s (id, n) ON c.id = s.id
        WHEN MATCHED AND s.n = 0 THEN DELETE
        WHEN MATCHED THEN UPDATE SET votes = s.n, post_id = %s
        WHEN NOT MATCHED THEN INSERT (id, post_id, votes, is_public) VALUES (s.id, %s, s.n, true)""",
        [a + 1, b, 7, c, 8, post_key(b), post_key(c)],
    )


@operation
def writable_cte(a: int, b: int, c: int) -> None:
    execute(
        """WITH gone AS (DELETE FROM counters_comment WHERE post_id = %s RETURNING id, votes),
        changed AS (UPDATE counters_comment SET votes = votes + 1 WHERE author_id = %s AND post_id <> %s)
        INSERT INTO counters_comment (id, post_id, votes, is_public)
        SELECT id + 1000, %s, votes, true FROM gone ON CONFLICT DO NOTHING""",
        [post_key(a), c % 2 + 1, post_key(a), post_key(b)],
    )


@operation
def rekey_comments(a: int, b: int, c: int) -> None:
    execute(
        "UPDATE counters_comment SET id = id + 500, post_id = %s WHERE id BETWEEN %s AND 8", [post_key(b), a]
    )


@operation
def insert_post(a: int, b: int, c: int) -> None:
    execute(
        "INSERT INTO counters_post (id, title, slug, blog_id, comment_count, karma) "
        "VALUES (%s, 'new', %s, %s, 9, 9) ON CONFLICT DO NOTHING",
        [a + 1, f"s{b}", [None, 1, 2][c % 3]],
    )


@operation
def child_before_parent(a: int, b: int, c: int) -> None:
    one_comment(a, 6, c).save()
    execute(
        "INSERT INTO counters_post (id, title, blog_id) VALUES (%s, 'late', 1) ON CONFLICT DO NOTHING",
        [POSTS + 1],
    )


@operation
def delete_post_by_database(a: int, b: int, c: int) -> None:
    execute("DELETE FROM counters_post WHERE id IN (%s, %s)", [a + 1, b + 1])


@operation
def delete_author_by_database(a: int, b: int, c: int) -> None:
    execute("DELETE FROM counters_author WHERE id = %s", [a % 2 + 1])


@operation
def rekey_post(a: int, b: int, c: int) -> None:
    execute(
        "UPDATE counters_post SET id = %s WHERE id = %s AND NOT EXISTS "
        "(SELECT FROM counters_post WHERE id = %s)",
        [b + 1, a + 1, b + 1],
    )


@operation
def rename_slug(a: int, b: int, c: int) -> None:
    execute(
        "UPDATE counters_post SET slug = %s WHERE id = %s AND NOT EXISTS "
        "(SELECT FROM counters_post WHERE slug = %s)",
        [None if b == 5 else f"s{b}", a + 1, f"s{b}"],
    )


@operation
def mention(a: int, b: int, c: int) -> None:
    if c < 2:
        execute("DELETE FROM counters_mention WHERE weight = (SELECT max(weight) FROM counters_mention)")
    else:
        Mention.objects.bulk_create([Mention(post_id=None if a == 5 else f"s{a % 2 + 1}", weight=b + c)])


@operation
def change_rows_of_others(a: int, b: int, c: int) -> None:
    execute("UPDATE counters_review SET stars = NULLIF(stars + %s, 4), post_id = post_id", [b - 2])
    execute("DELETE FROM counters_vote WHERE id %% 3 = %s", [a % 3])
    execute("UPDATE counters_vote SET object_id = %s WHERE object_id = %s", [b + 1, c + 1])


@operation
def truncate(a: int, b: int, c: int) -> None:
    what = ["comment CASCADE", "vote, counters_review", "blog CASCADE", "mention", "post_tags", "vote"][a]
    if b < 2:
        execute(f"TRUNCATE counters_{what}")


# From outside


@operation
def fold(a: int, b: int, c: int) -> None:
    fold_journals()


@operation
def repair_all(a: int, b: int, c: int) -> None:
    repair()


def ignored(a: int, b: int, c: int) -> None:
    with ignore():
        one_comment(a, b, c).save()
        Post.objects.filter(pk=b + 1).update(karma=c, comment_count=a)


UNRECORDED["ignored"] = ignored

"""Every write that one connection can make leaves counters exact: a test for each, which bears its name."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Case, F, Value, When

from tests.counters.models import (
    Author,
    Blog,
    Comment,
    Mention,
    Post,
    Review,
    Site,
    Tag,
    Vote,
)
from tests.counters.rows import (
    Rows,
    assert_exact,
    copy,
    moment,
    settle,
    values,
)
from tests.counters.sessions import execute

pytestmark = pytest.mark.django_db


def test_insert(rows: Rows) -> None:
    assert values("comment_count", "karma", "spent", "last_comment_at", "fewest_votes") == [
        (2, 8, Decimal("9.00"), moment(5), 1),
        (1, 7, Decimal("3.00"), moment(7), 7),
    ]
    assert values("comment_count", model=Author) == [4]


def test_insert_of_many_rows(rows: Rows) -> None:
    execute(
        "INSERT INTO counters_comment (post_id, votes, is_public) VALUES (%s, 1, true), (%s, 2, true), "
        "(NULL, 4, true), (%s, 8, NULL)",
        [rows.two.pk, rows.one.pk, rows.one.pk],
    )
    assert values("comment_count", "karma") == [(3, 18), (2, 8)]


def test_update(rows: Rows) -> None:
    Comment.objects.filter(post=rows.one).update(votes=F("votes") * 10)
    assert values("karma", "fewest_votes") == [(80, 10), (7, 7)]


def test_delete(rows: Rows) -> None:
    rows.comments[2].delete()
    assert values("comment_count", "karma", "last_comment_at") == [(1, 3, moment(2)), (1, 7, moment(7))]


def test_writes_of_no_rows(rows: Rows) -> None:
    none = Comment.objects.filter(votes=999)
    none.update(votes=1)
    none.delete()
    execute("INSERT INTO counters_comment (post_id) SELECT post_id FROM counters_comment WHERE false")
    assert values("comment_count") == [2, 1]


def test_copy(rows: Rows) -> None:
    copy(
        "counters_comment",
        "post_id, votes, is_public",
        [(rows.one.pk, 1, "t"), (rows.two.pk, 2, "t"), (rows.two.pk, 3, "f"), (None, 4, "t")],
    )
    assert values("comment_count", "karma") == [(3, 9), (2, 12)]


def test_merge(rows: Rows) -> None:
    first, second, *_ = rows.comments
    execute(
        """MERGE INTO counters_comment c
        USING (VALUES (%s, 10), (%s, -1), (-1, 3)) s (id, votes) ON c.id = s.id
        WHEN MATCHED AND s.votes < 0 THEN DELETE
        WHEN MATCHED THEN UPDATE SET votes = s.votes, post_id = %s
        WHEN NOT MATCHED THEN INSERT (post_id, votes, is_public) VALUES (%s, s.votes, true)""",
        [first.pk, second.pk, rows.two.pk, rows.one.pk],
    )
    assert values("comment_count", "karma") == [(2, 8), (2, 17)]


def test_on_conflict_do_nothing(rows: Rows) -> None:
    Comment.objects.bulk_create(
        [
            Comment(pk=rows.comments[0].pk, post=rows.two, votes=100),
            Comment(pk=10**6, post=rows.two, votes=1),
        ],
        ignore_conflicts=True,
    )
    assert values("comment_count", "karma") == [(2, 8), (2, 8)]


def test_on_conflict_do_update(rows: Rows) -> None:
    Comment.objects.bulk_create(
        [
            Comment(pk=rows.comments[0].pk, post=rows.two, votes=100),
            Comment(pk=10**6, post=rows.two, votes=1),
        ],
        update_conflicts=True,
        update_fields=["post", "votes"],
        unique_fields=["id"],
    )
    assert values("comment_count", "karma") == [(1, 7), (3, 108)]


def test_writable_cte(rows: Rows) -> None:
    execute(
        """WITH gone AS (DELETE FROM counters_comment WHERE post_id = %s RETURNING votes),
        changed AS (UPDATE counters_comment SET votes = votes + 1 WHERE post_id = %s)
        INSERT INTO counters_comment (post_id, votes, is_public) SELECT %s, votes, true FROM gone""",
        [rows.one.pk, rows.two.pk, rows.two.pk],
    )
    assert values("comment_count", "karma") == [(0, 0), (4, 16)]


def test_bulk_create(rows: Rows) -> None:
    Comment.objects.bulk_create(
        [Comment(post=[rows.two, rows.one, None][n % 3], votes=n) for n in range(9)], batch_size=4
    )
    assert values("comment_count", "karma") == [(5, 20), (4, 16)]


def test_bulk_update(rows: Rows) -> None:
    for comment in rows.comments:
        comment.post, comment.votes, comment.is_public = rows.two, 3, True
    Comment.objects.bulk_update(rows.comments, ["post", "votes", "is_public"])
    assert values("comment_count", "karma", "last_comment_at") == [(0, 0, None), (4, 12, moment(7))]


def test_cascade_by_django(rows: Rows) -> None:
    rows.blog.delete()
    assert values("comment_count") == [1]
    assert values("comment_count", model=Author) == [1]
    assert values("comment_count", model=Site) == [1]


def test_cascade_of_replies(rows: Rows) -> None:
    first, *_ = rows.comments
    reply = Comment.objects.create(post=rows.two, parent=first, votes=1)
    Comment.objects.create(post=rows.one, parent=reply, votes=1)
    assert values("reply_count", model=Comment) == [1, 0, 0, 0, 1, 0]
    first.delete()
    assert values("comment_count", "karma") == [(1, 7), (1, 7)]


def test_cascade_by_the_database(rows: Rows, cascades: None) -> None:
    first, *_ = rows.comments
    Comment.objects.create(post=rows.two, parent=first, votes=1)
    Review.objects.create(post=rows.one, stars=3)
    rows.one.tags.add(Tag.objects.create(name="t"))
    Mention.objects.create(post=rows.one, weight=3)
    execute("DELETE FROM counters_blog WHERE id = %s", [rows.blog.pk])
    assert values("comment_count", "karma") == [(1, 7)]
    assert values("post_count", model=Tag) == [0]
    assert values("comment_count", model=Author) == [1]
    assert_exact()
    assert execute("SELECT count(*) FROM counters_post_comments_journal WHERE key = %s", [rows.one.pk]) == [
        (0,)
    ]


def test_set_null_by_django(rows: Rows) -> None:
    rows.author.delete()
    assert values("fewest_votes") == [None, None]


def test_set_null_by_the_database(rows: Rows, cascades: None) -> None:
    other = Author.objects.create(name="b")
    Comment.objects.create(post=rows.one, author=other, votes=4)
    execute("DELETE FROM counters_author WHERE id = %s", [rows.author.pk])
    assert values("fewest_votes") == [4, None]


def test_moved_to_another_parent(rows: Rows) -> None:
    Comment.objects.filter(votes=5).update(post=rows.two)
    assert values("comment_count", "karma", "last_comment_at") == [(1, 3, moment(2)), (2, 12, moment(7))]


def test_moved_to_null_and_from_null(rows: Rows) -> None:
    Comment.objects.filter(votes=5).update(post=None)
    assert values("comment_count", "karma") == [(1, 3), (1, 7)]
    Comment.objects.filter(votes=5).update(post=rows.two)
    assert values("comment_count", "karma") == [(1, 3), (2, 12)]


def test_a_row_starts_and_stops_matching_the_filter(rows: Rows) -> None:
    Comment.objects.update(
        is_public=Case(When(is_public=True, then=Value(None)), default=Value(True)), author=None
    )
    assert values("comment_count", "fewest_votes") == [(1, None), (0, None)]
    Comment.objects.update(author=rows.author)
    assert values("fewest_votes") == [1, 7]


def test_the_key_of_a_row_changed(rows: Rows) -> None:
    execute("UPDATE counters_comment SET id = id + 1000")
    execute("UPDATE counters_comment SET id = id + 1000, post_id = %s", [rows.two.pk])
    assert values("comment_count", "karma") == [(0, 0), (3, 15)]


def test_child_inserted_before_its_parent(rows: Rows) -> None:
    with transaction.atomic():
        Comment.objects.create(post_id=999, votes=5, written_at=moment(1), author=rows.author)
        Comment.objects.bulk_create([Comment(post_id=999, votes=2), Comment(post=rows.one, votes=3)])
        Review.objects.create(post_id=999, stars=4)
        Mention.objects.create(post_id="late", weight=6)
        Post.objects.create(pk=999, title="late", slug="late", blog=rows.blog)
        assert values(
            "comment_count", "karma", "last_comment_at", "fewest_votes", "rating", "heaviest_mention"
        )[2] == (2, 7, moment(1), 5, 4, 6)
    assert values("comment_count", model=Blog) == [5, 1]


def test_a_child_without_a_parent_is_refused_as_ever() -> None:
    Comment.objects.create(post_id=999, votes=5)
    with pytest.raises(IntegrityError), transaction.atomic():
        connection.check_constraints()
    Comment.objects.all().delete()
    assert_exact()
    assert execute("SELECT count(*) FROM counters_post_comments_journal") == [(0,)]


def test_the_key_of_a_parent_changed(rows: Rows) -> None:
    Review.objects.create(post=rows.one, stars=4)
    execute("UPDATE counters_post SET id = 999 WHERE id = %s", [rows.one.pk])
    for table in ("comment", "review"):
        execute(f"UPDATE counters_{table} SET post_id = 999 WHERE post_id = %s", [rows.one.pk])
    expected = (2, 8, Decimal("9.00"), moment(5), 1, 4)
    assert (
        values("comment_count", "karma", "spent", "last_comment_at", "fewest_votes", "rating")[1] == expected
    )
    assert values("comment_count", model=Blog) == [2, 1]


def test_the_key_of_a_parent_changed_with_on_update_cascade(rows: Rows, cascades: None) -> None:
    execute("UPDATE counters_post SET id = id + 1000")
    assert values("comment_count", "karma", "last_comment_at") == [(2, 8, moment(5)), (1, 7, moment(7))]


def test_the_key_of_a_parent_changed_that_is_no_primary_key(rows: Rows, cascades: None) -> None:
    for weight in (1, 5):
        Mention.objects.create(post=rows.one, weight=weight)
    Post.objects.filter(pk=rows.one.pk).update(slug="uno")
    assert values("heaviest_mention") == [5, None]
    Post.objects.filter(pk=rows.two.pk).update(slug=None)
    Post.objects.filter(pk=rows.two.pk).update(slug="dos")
    Mention.objects.filter(weight=5).update(post_id="dos")
    assert values("heaviest_mention") == [1, 5]


def test_two_parents_swap_their_keys(rows: Rows) -> None:
    one, two = rows.one.pk, rows.two.pk
    for old, new in [(one, 10**6), (two, one), (10**6, two)]:
        execute("UPDATE counters_post SET id = %s WHERE id = %s", [new, old])
    # What refers to a key has not moved.
    assert values("comment_count", "karma") == [(2, 8), (1, 7)]
    assert values("title") == ["two", "one"]


def test_a_savepoint_rolled_back(rows: Rows) -> None:
    with transaction.atomic():
        Comment.objects.create(post=rows.one, votes=1)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Comment.objects.create(post=rows.one, votes=10)
            Comment.objects.all().delete()
            raise ZeroDivisionError
        Comment.objects.create(post=rows.one, votes=100)
    assert values("comment_count", "karma") == [(4, 109), (1, 7)]


def test_truncate(rows: Rows) -> None:
    rows.one.tags.add(Tag.objects.create(name="t"))
    Vote.objects.create(content_object=rows.one)
    settle()
    execute("TRUNCATE counters_comment")
    assert values("comment_count", "karma", "last_comment_at", "tag_count") == [
        (0, 0, None, 1),
        (0, 0, None, 0),
    ]
    assert values("comment_count", model=Blog) == [0, 0]
    assert values("comment_count", model=Author) == [0]
    settle()
    execute("TRUNCATE counters_post_tags, counters_vote")
    assert values("tag_count", "vote_count") == [(0, 0), (0, 0)]


def test_truncate_cascade(rows: Rows) -> None:
    rows.one.tags.add(Tag.objects.create(name="t"))
    Vote.objects.create(content_object=rows.one)
    settle()
    execute("TRUNCATE counters_blog CASCADE")
    assert values("comment_count", model=Author) == [0]
    assert values("post_count", model=Tag) == [0]
    assert values("comment_count", model=Site) == [0]
    assert_exact()
    # The vote is there still, and counted for a post that comes to have that key.
    Post.objects.create(pk=rows.one.pk, title="new")
    assert values("vote_count", "comment_count") == [(1, 0)]


def test_truncate_of_a_side_table(rows: Rows) -> None:
    Vote.objects.create(content_object=rows.one)
    settle()
    execute("TRUNCATE counters_post_comments_journal, counters_post_votes_cast_journal")
    assert values("karma", "vote_count") == [(8, 1), (7, 0)]
    assert execute("SELECT count(*) FROM counters_post_comments_journal") == [(0,)]


def test_a_side_table_is_not_written_to(rows: Rows) -> None:
    execute("UPDATE counters_post_comments_journal SET karma = 100")
    execute("DELETE FROM counters_post_comments_journal")
    execute("INSERT INTO counters_post_comments_journal (key, karma) VALUES (%s, 5)", [rows.one.pk])
    copy("counters_post_comments_journal", "key, karma", [(rows.one.pk, 5)])
    assert values("karma") == [8, 7]


def test_a_stale_save(rows: Rows) -> None:
    stale = Post.objects.get(pk=rows.one.pk)
    Comment.objects.create(post=rows.one, votes=1)
    stale.title = "new"
    stale.karma = stale.tag_count = 100
    stale.save()
    assert values("title", "comment_count", "karma", "tag_count")[0] == ("new", 3, 9, 0)


def test_update_naming_the_counter(rows: Rows) -> None:
    Post.objects.update(comment_count=F("comment_count") + 1, karma=0, last_comment_at=None, rating=3)
    assert values("comment_count", "karma", "last_comment_at", "rating")[0] == (2, 8, moment(5), None)


def test_bulk_update_naming_the_counter(rows: Rows) -> None:
    posts = list(Post.objects.all())
    for post in posts:
        post.comment_count = 50
        post.title = "t"
    Post.objects.bulk_update(posts, ["comment_count", "title"])
    assert values("comment_count", "title") == [(2, "t"), (1, "t")]


def test_upsert_of_a_parent_that_names_the_counter(rows: Rows) -> None:
    Post.objects.bulk_create(
        [Post(pk=rows.one.pk, title="t", comment_count=50), Post(pk=10**6, title="t", comment_count=50)],
        update_conflicts=True,
        update_fields=["title", "comment_count"],
        unique_fields=["id"],
    )
    assert values("comment_count", "title") == [(2, "t"), (1, "two"), (0, "t")]


def test_insert_of_a_parent_that_sets_the_counter(rows: Rows) -> None:
    post = Post.objects.create(title="t", comment_count=9, karma=9, last_comment_at=moment(1), rating=1)
    copy("counters_post", "id, title, comment_count, karma", [(10**6, "t", 9, 9)])
    Comment.objects.create(post=post, votes=1)
    names = ("comment_count", "karma", "last_comment_at", "rating", "rating_count")
    assert values(*names)[2:] == [(1, 1, None, None, 0), (0, 0, None, None, 0)]

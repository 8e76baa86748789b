"""A counter is read like any column, whatever is stored where."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.db import connection
from django.db.models import Count, Exists, F, Max, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Cast, Concat
from django.test.utils import CaptureQueriesContext

from leaderboard import CounterField, Leaderboard, LeaderboardQuerySet
from leaderboard.counters import backfill, check, state
from tests.counters.models import Author, Blog, Comment, Post, Review, Tag

pytestmark = pytest.mark.django_db
# Of posts a, b and c; what waits in the journal is never folded, since the tests do not commit.
KARMA = [12, 5, 0]
COMMENTS = [3, 1, 0]


@pytest.fixture(params=["built", "building"])
def posts(request: pytest.FixtureRequest) -> Iterator[list[Post]]:
    blog = Blog.objects.create(name="blog")
    posts = [Post.objects.create(title=title, blog=blog) for title in "abc"]
    author = Author.objects.create(name="Ada")
    Comment.objects.bulk_create(Comment(post=posts[0], votes=4, price=2, author=author) for _ in range(3))
    Comment.objects.create(post=posts[1], votes=5)
    Comment.objects.create(post=posts[2], votes=0, is_public=False)
    for stars in (2, 3, 5):
        Review.objects.create(post=posts[0], stars=stars)
    if request.param == "building":
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {state.STATE_TABLE}")
        state.forget()
    yield posts
    state.forget()


@pytest.fixture
def stored(posts: list[Post], request: pytest.FixtureRequest) -> None:
    """Make what is stored wrong where it must not be read."""
    if request.node.callspec.params["posts"] == "building":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('leaderboard.upkeep', 'on', true)")
            cursor.execute("UPDATE counters_post SET comment_count = 1000, karma = 1000, rating = 1000")
            cursor.execute("SELECT set_config('leaderboard.upkeep', '', true)")


def ordered() -> Any:
    return Post.objects.order_by("title")


@pytest.mark.usefixtures("stored")
class TestReading:
    def test_an_instance_has_the_values(self) -> None:
        assert [post.karma for post in ordered()] == KARMA
        assert [post.comment_count for post in ordered()] == COMMENTS
        assert [post.rating for post in ordered()] == [Decimal("3.3333333333333333"), None, None]

    def test_filters(self) -> None:
        assert [post.title for post in ordered().filter(karma__gt=4)] == ["a", "b"]
        assert [post.title for post in ordered().filter(karma__in=[0, 5])] == ["b", "c"]
        assert [post.title for post in ordered().exclude(comment_count=1)] == ["a", "c"]
        assert [post.title for post in ordered().filter(Q(karma=F("comment_count") * 4))] == ["a", "c"]
        assert ordered().filter(rating__isnull=True).count() == 2

    def test_orders(self) -> None:
        assert [post.title for post in Post.objects.order_by("karma")] == ["c", "b", "a"]
        assert [post.title for post in Post.objects.order_by(F("karma").desc())] == ["a", "b", "c"]

    def test_values(self) -> None:
        assert list(ordered().values_list("karma", flat=True)) == KARMA
        assert ordered().values("title", "karma")[0] == {"title": "a", "karma": 12}

    def test_annotations_and_aggregates(self) -> None:
        assert list(ordered().annotate(twice=F("karma") * 2).values_list("twice", flat=True)) == [24, 10, 0]
        assert Post.objects.aggregate(m=Max("karma"), s=Sum("comment_count")) == {"m": 12, "s": 4}
        assert ordered()[:2].aggregate(m=Sum("karma")) == {"m": 17}
        grouped = Post.objects.values("karma").annotate(n=Count("pk")).order_by("karma")
        assert list(grouped) == [{"karma": 0, "n": 1}, {"karma": 5, "n": 1}, {"karma": 12, "n": 1}]
        counted = ordered().annotate(n=Count("comments")).values_list("karma", "n")
        assert list(counted) == [(12, 3), (5, 1), (0, 1)]
        label = Concat("title", Value(" "), Cast("karma", Post._meta.get_field("title")))
        assert ordered().annotate(label=label).values_list("label", flat=True)[0] == "a 12"

    def test_through_relations(self) -> None:
        assert Comment.objects.filter(post__karma=12).count() == 3
        assert set(Comment.objects.values_list("post__karma", flat=True)) == {12, 5, 0}
        related = Comment.objects.select_related("post").order_by("post__title", "pk").first()
        assert related is not None and related.post is not None and related.post.karma == 12
        assert Blog.objects.annotate(s=Sum("posts__karma")).get().s == 17
        assert Tag.objects.filter(posts__karma=1).count() == 0

    def test_in_subqueries(self) -> None:
        karma = Subquery(Post.objects.filter(pk=OuterRef("post")).values("karma")[:1])
        assert set(Comment.objects.annotate(k=karma).values_list("k", flat=True)) == {12, 5, 0}
        loved = Post.objects.filter(pk=OuterRef("post"), karma__gt=10)
        assert Comment.objects.filter(Exists(loved)).count() == 3
        assert Comment.objects.filter(post__in=Post.objects.filter(karma=5)).count() == 1
        above = Post.objects.filter(karma__gt=OuterRef("karma"))
        assert [post.title for post in ordered().filter(~Exists(above))] == ["a"]

    def test_sets(self) -> None:
        union = (
            Post.objects.filter(karma=5)
            .values_list("karma")
            .union(Post.objects.filter(karma=12).values_list("karma"))
        )
        assert sorted(union) == [(5,), (12,)]
        assert [p.karma for p in Post.objects.filter(title="a") | Post.objects.filter(karma=0)].count(12) == 1
        assert list(ordered().distinct("title").values_list("karma", flat=True)) == KARMA

    def test_deferred_and_refreshed(self, posts: list[Post]) -> None:
        post = Post.objects.defer("karma").get(title="a")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert post.karma == 12
        assert len(queries) == 1
        assert Post.objects.only("karma").get(title="a").karma == 12
        posts[0].refresh_from_db()
        assert posts[0].karma == 12
        posts[0].refresh_from_db(fields=["comment_count"])
        assert posts[0].comment_count == 3

    def test_written_from(self) -> None:
        Post.objects.update(title=Cast("karma", Post._meta.get_field("title")))
        assert set(Post.objects.values_list("title", flat=True)) == {"12", "5", "0"}

    def test_on_a_leaderboard(self) -> None:
        board = Leaderboard(order_by=["-karma", "title"])
        ranked = LeaderboardQuerySet(Post).with_leaderboard(board).standings()
        rows: Any = ranked.order_by("rank").values_list("title", "rank", "karma")
        assert list(rows) == [("a", 1, 12), ("b", 2, 5), ("c", 3, 0)]
        assert [post.title for post in ranked.top(2)] == ["a", "b"]

    def test_beside_what_is_counted_now(self) -> None:
        counted = ordered().with_live_counters().get(title="a")
        assert (counted.live_karma, counted.live_comment_count) == (12, 3)
        assert counted.live_rating == counted.rating
        assert ordered().with_live_counters("karma").values_list("live_karma", flat=True)[1] == 5
        with pytest.raises(ValueError, match=r"with_live_counters\('title'\): counters\.Post has"):
            Post.objects.with_live_counters("title")


@pytest.mark.parametrize("posts", ["built"], indirect=True)
def test_reading_asks_for_no_other_queries(posts: list[Post]) -> None:
    state.forget()
    with CaptureQueriesContext(connection) as queries:
        assert [post.karma for post in ordered()] == KARMA
    assert len(queries) == 1


@pytest.mark.parametrize("posts", ["building"], indirect=True)
def test_a_backfill_builds(posts: list[Post], stored: None) -> None:
    assert "1000" not in str(list(ordered().values()))
    reports = backfill(batch_size=2)
    assert sum(report.wrong for report in reports) > 0
    assert [post.karma for post in ordered()] == KARMA
    assert 'FROM "counters_comment"' not in str(ordered().query)
    assert all(report.wrong == report.left_over == 0 for report in check())
    assert backfill() == []


def test_values_of_a_chain_while_what_it_is_made_of_is_not_built() -> None:
    blog = Blog.objects.create(name="blog")
    Comment.objects.create(post=Post.objects.create(title="a", blog=blog))
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {state.STATE_TABLE}")
    state.forget()
    sql = str(Blog.objects.values("comment_count").query)
    assert "counters_comment" in sql
    assert Blog.objects.get().comment_count == 1
    backfill()
    assert "counters_comment" not in str(Blog.objects.values("comment_count").query)
    state.forget()


def test_a_counter_has_the_type_of_its_values() -> None:
    types = {
        field.name: field.target_field.get_internal_type()
        for field in Post._meta.fields
        if isinstance(field, CounterField)
    }
    assert types == {
        "comment_count": "BigIntegerField",
        "karma": "BigIntegerField",
        "spent": "DecimalField",
        "last_comment_at": "DateTimeField",
        "fewest_votes": "IntegerField",
        "tag_count": "BigIntegerField",
        "vote_count": "BigIntegerField",
        "heaviest_mention": "IntegerField",
        "rating": "DecimalField",
        "rating_sum": "BigIntegerField",
        "rating_count": "BigIntegerField",
    }
    with pytest.raises(FieldError, match="Unsupported lookup 'nothing' for BigIntegerField"):
        list(Post.objects.filter(karma__nothing=1))

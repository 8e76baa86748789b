"""Counters over every kind of relation, in chains, and of values that are no numbers."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pytest
from django.db import DataError, transaction

from leaderboard.counters import ignore, repair
from leaderboard.testing import assert_no_drift
from tests.counters.models import (
    Blog,
    Comment,
    Post,
    Reading,
    Sensor,
    Show,
    Site,
    Stage,
    Tag,
    Visit,
    Vote,
)
from tests.counters.rows import (
    Rows,
    assert_exact,
    values,
)
from tests.counters.sessions import execute

pytestmark = pytest.mark.django_db


def test_chains_three_deep_while_rows_move(rows: Rows) -> None:
    other = Site.objects.create(name="other")
    Comment.objects.filter(votes=1).update(post=rows.two)
    assert values("comment_count", model=Blog) == [1, 2]
    rows.other_blog.site = other
    rows.other_blog.save()
    assert values("comment_count", model=Site) == [1, 2]
    Post.objects.filter(pk=rows.one.pk).update(blog=rows.other_blog)
    assert values("comment_count", model=Site) == [0, 3]
    Blog.objects.filter(pk=rows.other_blog.pk).update(site=None)
    Comment.objects.create(post=rows.one)
    Blog.objects.filter(pk=rows.other_blog.pk).update(site=rows.site)
    assert values("comment_count", model=Site) == [4, 0]
    execute("DELETE FROM counters_comment")
    assert values("comment_count", model=Site) == [0, 0]


def test_many_to_many(rows: Rows) -> None:
    tags = [Tag.objects.create(name=name) for name in "abc"]
    rows.one.tags.add(*tags)
    rows.two.tags.set(tags[:2])
    rows.two.tags.set(tags[1:])
    rows.one.tags.remove(tags[0])
    assert values("tag_count") == [2, 2]
    assert values("post_count", model=Tag) == [0, 2, 2]
    tags[1].delete()
    assert values("tag_count") == [1, 1]
    rows.one.tags.clear()
    assert values("tag_count") == [0, 1]


def test_generic_relation(rows: Rows) -> None:
    # Of another model, with the same key.
    Vote.objects.bulk_create([Vote(content_object=each) for each in (rows.one, rows.two, rows.author) * 5])
    assert values("vote_count") == [5, 5]
    votes = Vote.objects.filter(object_id=rows.one.pk)
    vote = votes.first()
    assert vote is not None
    vote.content_object = rows.author
    vote.save()
    assert values("vote_count") == [4, 5]
    rows.two.delete()
    assert values("vote_count") == [4]


def test_a_generic_relation_outlives_its_target(rows: Rows) -> None:
    Vote.objects.bulk_create([Vote(content_object=rows.two) for _ in range(3)])
    Vote.objects.create(content_object=Post(pk=10**6))
    execute("UPDATE counters_comment SET post_id = NULL")
    execute("DELETE FROM counters_post WHERE id = %s", [rows.two.pk])
    assert_exact()
    Vote.objects.first().delete()  # type: ignore[union-attr]
    assert_exact()
    Post.objects.bulk_create([Post(pk=rows.two.pk, title="again"), Post(pk=10**6, title="late")])
    assert values("vote_count") == [0, 2, 1]


def test_multi_table_inheritance(rows: Rows) -> None:
    one, two = Stage.objects.create(name="one"), Stage.objects.create(name="two")
    Show.objects.bulk_create([Show(stage=stage) for stage in (one, two, one)])
    Visit.objects.bulk_create([Visit(venue_id=stage.pk, persons=3) for stage in (two, one, two)])
    assert values("show_count", "visitors", model=Stage) == [(2, 3), (1, 6)]
    Visit.objects.update(persons=4, venue_id=one.pk)
    assert values("show_count", "visitors", model=Stage) == [(2, 12), (1, 0)]
    one.visitors = 1
    one.name = "x"
    one.save()
    two.delete()
    assert values("name", "show_count", "visitors", model=Stage) == [("x", 2, 12)]


def test_a_key_that_is_a_uuid() -> None:
    sensors = [Sensor.objects.create(pk=uuid.UUID(int=n)) for n in (1, 2)]
    Reading.objects.bulk_create([Reading(sensor=sensors[n % 2], value=n) for n in range(5)])
    Reading.objects.filter(value=4).update(sensor=sensors[1])
    Reading.objects.create(sensor=sensors[1], value=9).delete()
    assert values("reading_count", "total", "highest", model=Sensor) == [(2, 2, 2), (3, 8, 4)]
    assert_exact()


def test_no_sum_takes_nan_which_it_could_not_lose_again(rows: Rows) -> None:
    with pytest.raises(DataError, match="NaN or Infinity"), transaction.atomic():
        execute("INSERT INTO counters_comment (post_id, votes, price) VALUES (%s, 1, 'NaN')", [rows.one.pk])
    with pytest.raises(DataError, match=r"leaderboard\.ignore"), transaction.atomic():
        execute("UPDATE counters_comment SET price = 'NaN'")
    assert values("spent") == [Decimal("9.00"), Decimal("3.00")]


def test_a_sum_of_nan_is_refused_by_a_repair_and_mended_without_it(rows: Rows) -> None:
    with ignore():
        execute("UPDATE counters_comment SET price = 'NaN' WHERE id = %s", [rows.comments[0].pk])
    with pytest.raises(AssertionError, match="NaN"):
        assert_no_drift(Post)
    with pytest.raises(ValueError, match="NaN or Infinity"):
        repair(only_dirty=True)
    with ignore():
        Comment.objects.filter(pk=rows.comments[0].pk).delete()
    repair(only_dirty=True)
    assert values("spent") == [Decimal("6.00"), Decimal("3.00")]


def test_pgbouncer_in_transaction_mode(rows: Rows) -> None:
    """Nothing depends on the session: all that is set ends with the transaction, or is not read at all."""
    with ignore():
        pass
    repair()
    assert execute("SELECT current_setting('leaderboard.ignore', true)") in ([("",)], [(None,)])
    assert execute("SELECT current_setting('leaderboard.upkeep', true)") in ([("",)], [(None,)])
    execute("DISCARD SEQUENCES")
    execute("SET search_path = pg_catalog")
    execute("SET TimeZone = 'Asia/Tokyo'")
    execute("SET DateStyle = 'German'")
    execute(
        "INSERT INTO public.counters_comment (post_id, votes, is_public) VALUES (%s, 1, true)", [rows.one.pk]
    )
    for name in ("search_path", "TimeZone", "DateStyle"):
        execute(f"SET {name} TO DEFAULT")
    assert values("comment_count", "karma") == [(3, 9), (1, 7)]

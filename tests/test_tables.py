"""Boards on tables that are not plain: in another schema, with a composite key, beside the parent's table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import django
import pytest
from django.db import NotSupportedError, connection, models
from django.db.models import Count, Exists, F, Max, OuterRef, Window
from django.test.utils import isolate_apps

from leaderboard import AtLeast, Latest, Leaderboard, LeaderboardManager, RankKind
from leaderboard.testing import assert_matches_reference

pytestmark = pytest.mark.django_db

SCORES = [5, 5, 4, 3, 2, 2, None]
BOARD = Leaderboard(within=["cup"], order_by=["-score"], cut_off=AtLeast("score", 3))


@pytest.fixture
def made() -> Iterator[Callable[..., None]]:
    """Make the tables of models, which are gone after the test."""

    def make(*made_of: type[models.Model]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA elsewhere")
        with connection.schema_editor() as editor:
            for model in made_of:
                editor.create_model(model)

    with isolate_apps("tests.testapp"):
        yield make


def in_another_schema() -> list[type[models.Model]]:
    class Group(models.Model):
        name = models.CharField(max_length=9)

        class Meta:
            app_label = "testapp"
            db_table = 'elsewhere"."groups'

    class Result(models.Model):
        cup = models.IntegerField()
        score = models.IntegerField(null=True)
        who = models.IntegerField(default=0)
        group = models.ForeignKey(Group, models.CASCADE, null=True)

        objects = LeaderboardManager(cup=BOARD)

        class Meta:
            app_label = "testapp"
            db_table = 'elsewhere"."results'

    return [Group, Result]


def with_a_composite_key() -> list[type[models.Model]]:
    class Group(models.Model):
        name = models.CharField(max_length=9)

        class Meta:
            app_label = "testapp"

    class Result(models.Model):
        pk = models.CompositePrimaryKey("cup", "place")
        cup = models.IntegerField()
        place = models.IntegerField()
        score = models.IntegerField(null=True)
        who = models.IntegerField(default=0)
        group = models.ForeignKey(Group, models.CASCADE, null=True)

        objects = LeaderboardManager(cup=BOARD)

        class Meta:
            app_label = "testapp"

    return [Group, Result]


def beside_a_parent() -> list[type[models.Model]]:
    class Group(models.Model):
        name = models.CharField(max_length=9)

        class Meta:
            app_label = "testapp"

    class Item(models.Model):
        cup = models.IntegerField()
        group = models.ForeignKey(Group, models.CASCADE, null=True)

        class Meta:
            app_label = "testapp"

    class Result(Item):
        score = models.IntegerField(null=True)
        who = models.IntegerField(default=0)

        objects = LeaderboardManager(cup=BOARD)

        class Meta:
            app_label = "testapp"

    return [Group, Item, Result]


KINDS = [in_another_schema, with_a_composite_key, beside_a_parent]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def results(request: pytest.FixtureRequest, made: Callable[..., None]) -> Any:
    tables = request.param()
    made(*tables)
    group, model = tables[0], tables[-1]
    red = group._default_manager.create(name="red")
    for cup in (1, 2):
        for place, score in enumerate(SCORES, start=1):
            values = {"cup": cup, "score": score, "who": place % 3, "group": red if place % 2 else None}
            if hasattr(model, "place"):
                values["place"] = place
            model._default_manager.create(**values)
    return model._default_manager


def ranks(queryset: Any) -> list[Any]:
    return list(queryset.values_list("rank", flat=True))


def test_standings(results: Any) -> None:
    for board in (
        BOARD,
        BOARD.replace(member="who"),
        BOARD.replace(member="who", counting=Latest("score"), within=()),
        BOARD.replace(rank_kind=RankKind.ORDINAL),
    ):
        chosen = results.with_leaderboard(board)
        assert_matches_reference(chosen)
        assert_matches_reference(chosen.filter(group__name="red").as_population())


def test_views(results: Any) -> None:
    standings = results.on_board(cup=1).standings()
    assert ranks(standings.filter(group__name="red").order_by("rank")) == [1, 3, 5, None]
    assert list(standings.values("group__name").annotate(best=Max("rank")).order_by("best")) == [
        {"group__name": "red", "best": 5},
        {"group__name": None, "best": 5},
    ] or standings.count() == len(SCORES)
    assert standings.aggregate(Max("rank")) == {"rank__max": 5}
    assert standings[:1].count() == 1
    assert ranks(results.on_board(cup=1).top(3)) == [1, 1, 3]
    assert ranks(standings.select_related("group").order_by("-rank")) == [5, 5, 4, 3, 1, 1, None]
    assert "Sort" in standings.order_by("rank").explain()


def test_places(results: Any) -> None:
    board = results.on_board(cup=1)
    third = board.top(3)[2]
    assert board.get_standing(third).rank == board.get_standing(pk=third.pk).rank == 3
    around = board.around(third, before=1, after=2)
    assert [(entry.score, entry.rank) for entry in around] == [(5, 1), (4, 3), (3, 4), (2, 5)]
    assert [entry.pk for entry in board.around(pk=third.pk, before=1, after=2)] == [e.pk for e in around]


def test_writes_by_rank(results: Any) -> None:
    first = results.on_board(cup=1).with_rank().filter(rank=1)
    assert first.update(who=9) == 2
    assert results.filter(who=9).count() == 2
    assert first.delete()[0] >= 2
    assert ranks(results.on_board(cup=1).top(2)) == [1, 2]


def test_rows_that_tie(results: Any) -> None:
    standings = results.on_board(cup=1).standings()
    tied = Exists(
        results.on_board(cup=1).standings().filter(rank=OuterRef("rank")).exclude(pk=OuterRef("pk"))
    )
    assert standings.filter(tied).count() == 4
    assert standings.aggregate(tied=Count("score", filter=tied)) == {"tied": 4}


def test_views_by_a_window(results: Any) -> None:
    """Where a window is filtered by, Django selects one column only of what it knows as "pk"."""
    alike = Window(Count("score"), partition_by=["score", "who"])
    board = results.on_board(cup=1).standings().annotate(n=alike)
    view = board.filter(n=1)
    assert sorted(ranks(view)) == [1, 1, 3, 4, 5, 5]
    third = view.get(rank=3)
    assert view.get_standing(third).rank == 3
    with pytest.raises(NotSupportedError, match="after a window"):
        view.around(third)
    shown = results.on_board(cup=1).with_rank().filter(pk__in=[entry.pk for entry in view])
    assert [entry.rank for entry in shown.around(third, before=1, after=1)] == [1, 3, 4]
    assert sorted(ranks(view.exclude(score=5).as_population().with_rank())) == [1, 2, 3, 3]
    assert len(view.order_by("rank")[:1] | results.on_board(cup=1).standings().filter(score=3)) == 2
    assert view.update(who=9) == 6
    assert results.filter(who=9).count() == 6
    assert board.filter(n=0).delete()[0] >= 1
    assert not results.filter(cup=1, score=None).exists()


def test_keys_beside_a_count(results: Any) -> None:
    standings = results.on_board(cup=1).standings().annotate(same=Count("group"))
    found = standings.values_list("pk", F("rank") + 1)
    assert sorted(rank for _, rank in found if rank is not None) == [2, 2, 4, 5, 6, 6]
    assert sorted(standings.exclude(rank=None).values_list("pk", "rank").values_list("rank", flat=True)) == [
        1,
        1,
        3,
        4,
        5,
        5,
    ]
    assert len(standings.values("pk", "rank")) == len(SCORES)
    assert len(standings.values("pk", "rank").annotate(n=Count("who"))) == len(SCORES)
    assert len(standings.values("pk", twice=F("rank") * 2).distinct()) == len(SCORES)


def test_what_subqueries_select(results: Any) -> None:
    """Django 6.1 takes what values() selects of annotations for a primary key, be they ours or its own."""
    standings = results.on_board(cup=1).standings()
    annotated = results.filter(cup=1).annotate(rank=F("score") * 1)
    miscounts = django.VERSION >= (6, 1) and len(results.model._meta.pk_fields) > 1
    for queryset, right in ((standings, {1, 3}), (annotated, {5, 4})):
        inner = queryset.filter(score__gte=4)
        for name in ("values", "values_list"):
            selected = getattr(inner, name)("rank")
            if miscounts:
                with pytest.raises(ValueError, match="must have 1 selected fields"):
                    queryset.filter(rank__in=selected)
                with pytest.raises(ValueError, match="must have 1 selected fields"):
                    queryset.filter(rank=selected[:1])
            else:
                assert {*ranks(queryset.filter(rank__in=selected))} == right
                assert {*ranks(queryset.filter(rank=selected.order_by("-score")[:1]))} < right
        # The same in other words.
        assert {*ranks(queryset.filter(Exists(inner.filter(rank=OuterRef("rank")))))} == right
        assert {*ranks(queryset.filter(pk__in=inner.values("pk")))} == right

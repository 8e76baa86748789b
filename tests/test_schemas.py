"""Boards on models whose tables, columns, keys and managers are not the usual ones."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Count, Exists, OuterRef, Prefetch, Q
from django.db.models.functions import Lower

from leaderboard import Leaderboard, TimeTaken
from leaderboard.reference import time_taken
from leaderboard.testing import assert_matches_reference
from tests.schemas.models import (
    Ban,
    Both,
    Club,
    Custom,
    Essay,
    Hidden,
    InSchema,
    NamedLikeMetrics,
    Node,
    OddColumns,
    Place,
    Player,
    Post,
    ProxyPlace,
    Restaurant,
    Season,
    Tag,
    Two,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("name", "ranked"), [("overall", 3), ("members", 2)])
def test_columns_named_like_ours(name: str, ranked: int) -> None:
    season, other = Season.objects.create(code='a "B"'), Season.objects.create(code="t%s")
    rows = [(season, 5, "a"), (season, 5, "b"), (season, 3, "a"), (season, None, "c"), (other, 1, "a")]
    for shown_in, score, who in [*rows, (None, 9, "a")]:
        OddColumns.objects.create(season=shown_in, score=score, who=who, place=1, other=2)
    boards = OddColumns.objects.board(name)
    assert_matches_reference(boards)
    board = boards.on_board(season=season)
    assert_matches_reference(board)
    first, *_ = board.top(5)
    assert len(board.top(5)) == len(board.around(first)) == ranked
    assert board.get_standing(first).rank == 1
    assert board.rank_if(first).rank == board.rank_if(score=5, who="d").rank == 1
    assert len(boards.on_board(season="t%s").top(5)) == 1


def test_fields_named_like_metrics() -> None:
    entry = NamedLikeMetrics.objects.create(score=3, rank=7, who="a")
    assert NamedLikeMetrics.objects.get_standing(entry).rank == 1
    assert NamedLikeMetrics.objects.get_standing(member="a").rank == 1
    assert [row.rank for row in NamedLikeMetrics.objects.top(3)] == [7]
    assert [row.my_rank for row in NamedLikeMetrics.objects.standings("my_").around(entry)] == [1]


def test_a_table_in_a_schema() -> None:
    entry = InSchema.objects.create(score=1)
    assert_matches_reference(InSchema.objects.filter(score=1))
    assert [row.rank for row in InSchema.objects.top(3).filter()] == [1]
    assert InSchema.objects.get_standing(entry).rank == 1
    first = Q(pk__in=InSchema.objects.order_by("pk")[:1].values("pk"))
    assert InSchema.objects.ranked().aggregate(n=Count("pk", filter=first)) == {"n": 1}
    for ranked in (InSchema.objects.ranked(), InSchema.objects.filter(score=1).around(entry)):
        assert (ranked.count(), ranked.exists(), [row.rank for row in ranked.reverse()]) == (1, True, [1])
    assert InSchema.objects.standings().order_by("-rank").filter(rank=1).count() == 1


def test_inherited_tables() -> None:
    season = Season.objects.create(code="s")
    place = Place.objects.create(name="p", score=9, season=season)
    low = Restaurant.objects.create(name="r", score=5, stars=2, season=season)
    Restaurant.objects.create(name="r", score=4, stars=2, season=season)
    high = Restaurant.objects.create(name="é", score=5, stars=3, season=season)
    for model in (Place, ProxyPlace, Restaurant):
        assert_matches_reference(model.objects.all())
    assert ProxyPlace.objects.get_standing(place).rank == 1
    assert Place.objects.get_standing(low).rank == 2
    board = Restaurant.objects.on_board(season=season)
    assert [row.pk for row in board.top(5)] == [row.pk for row in board.around(low)] == [high.pk, low.pk]
    assert Restaurant.objects.standings().filter(rank=1).update(name="x", stars=5) == 1
    assert Restaurant.objects.get(pk=high.pk).name == "x"


def test_an_instance_that_inherits_twice() -> None:
    Two.two.create(points=100)
    both = Both.objects.create(score=1, points=1)
    assert both.pk != both.two_id
    assert Two.two.get_standing(both).rank == 2
    assert [row.pk for row in Two.two.around(both, before=0)] == [both.two_id]


def test_uuids_and_a_table_that_refers_to_itself() -> None:
    root = Node.objects.create(score=3)
    children = [Node.objects.create(score=3, parent=root) for _ in range(2)]
    Node.objects.create(score=3, parent=children[0])
    assert_matches_reference(Node.objects.all())
    assert_matches_reference(Node.objects.filter(children__score=3))
    assert len(root.children.top(3)) == len(root.children.around(children[1])) == 2
    assert len(Node.objects.on_board(parent=str(root.pk)).top(3)) == 2


def test_values_stored_in_a_form_of_their_own() -> None:
    cheap, dear = (Custom.objects.create(price=Decimal(price), score=1) for price in ("1.50", "20"))
    board = Custom.objects.board("by_price")
    assert board.get_standing(dear).qualification == "qualified"
    assert board.get_standing(cheap).qualification == "not_qualified"
    priced = Custom.objects.with_leaderboard(Leaderboard(within=["price"], order_by=["-score"]))
    assert priced.on_board(price=Decimal(20)).get_standing(dear).rank == 1


def test_a_share_of_json() -> None:
    for score in (3, 4):
        Custom.objects.create(data={"s": score})
    found = Custom.objects.board("by_data").standings().order_by("rank")
    assert list(found.values_list("rank", "qualification")) == [(1, "qualified"), (2, "not_qualified")]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("tags", [["a"], ["B"], ["c"]]),
        ("real", [0.1, 0.2, 0.3]),
        ("code", ["a", "B", "c"]),
        ("lower", [None, None, None]),
        ("data", [1, "x", {"a": 1}]),
        ("day", [date(2020, 1, 1), date(2021, 1, 1), date(2022, 1, 1)]),
    ],
)
def test_neighbours_by_terms_of_other_types(name: str, values: list[Any]) -> None:
    for value in values:
        Custom.objects.create(**({"code": str(len(name))} if value is None else {name: value}))
    board = Custom.objects.with_leaderboard(Leaderboard(order_by=[name]))
    top = list(board.top(5))
    for position, entry in enumerate(top):
        found = list(board.around(entry, before=1, after=1))
        assert found == top[max(0, position - 1) : position + 2]


def test_generated_text_sorts_by_code_point() -> None:
    for code in ("a", "B", "c"):
        Custom.objects.create(code=code)
    board = Custom.objects.with_leaderboard(Leaderboard(order_by=["lower"]))
    assert 'COLLATE "C"' in str(board.top(3).query)
    assert_matches_reference(board)


def test_days_taken() -> None:
    Custom.objects.create(day=date(2020, 1, 1), end=date(2020, 1, 4))
    taken = TimeTaken("day", "end")
    assert_matches_reference(Custom.objects.with_leaderboard(Leaderboard(order_by=[taken], time_taken=taken)))


def test_many_to_many_relations(django_assert_num_queries: Any) -> None:
    tag = Tag.objects.create(name="t")
    posts = [Post.objects.create(votes=votes) for votes in range(3)]
    tag.posts.set(posts[:2])
    assert [row.rank for row in tag.posts.standings().order_by("rank")] == [2, 3]
    assert [row.rank for row in tag.posts.as_population().standings().order_by("rank")] == [1, 2]
    with pytest.raises(Post.DoesNotExist):
        tag.posts.around(posts[2])
    with django_assert_num_queries(2):
        (found,) = Tag.objects.prefetch_related(Prefetch("posts", Post.objects.standings().order_by("rank")))
        assert [row.rank for row in found.posts.all()] == [2, 3]


def test_rows_outside_of_the_base_manager_are_excluded() -> None:
    seen, hidden = Hidden.objects.create(score=1), Hidden.objects.create(score=2, hidden=True)
    assert_matches_reference(Hidden.objects.all())
    assert Hidden.objects.get_standing(seen).rank == 1
    assert Hidden.objects.get_standing(hidden).qualification == "excluded"
    assert [row.pk for row in Hidden.objects.top(5)] == [seen.pk]


def test_an_expression_of_the_qualification() -> None:
    Post.objects.create(votes=1)
    found = Post.objects.standings().annotate(lower=Lower("qualification"))
    assert found[0].lower == "no_cut_off"


def players() -> list[Player]:
    club = Club.objects.create(name="a")
    rows = [("a", 10, 1), ("a", 9, 2), ("b", 8, 3), ("b", 7, 4), ("c", 6, 5)]
    return [Player.objects.create(club=club, name=n, score=s, points=p) for n, s, p in rows]


def test_a_subquery_on_a_table_named_like_a_level() -> None:
    first, second, third, _, last = players()
    for banned in (first, third):
        Ban.objects.create(player=banned)
    allowed = ~Exists(Ban.objects.filter(player=OuterRef("pk")))
    board = Leaderboard(order_by="-score", member="name", eligible=allowed)
    queryset = Player.objects.with_leaderboard(board)
    assert [(row.rank, row.score) for row in queryset.top(3)] == [(1, 9), (2, 7), (3, 6)]
    assert list(queryset.around(last, before=9)) == list(queryset.top(3))
    assert queryset.get_standing(second).rank == 1
    assert_matches_reference(queryset)


def test_related_managers_have_the_boards_of_the_default_manager() -> None:
    player = players()[0]
    assert Player._default_manager.get_standing(player).rank == 5
    assert player.club.players.get_standing(player).rank == 5
    assert player.club.players.board("scores").get_standing(player).rank == 1
    assert Player.objects.get_standing(player).rank == 1


def test_a_share_of_a_literal_of_a_field_that_converts() -> None:
    for price in (4, 5, 6):
        Custom.objects.create(price=Decimal(price))
    shares = Custom.objects.board("shares")
    assert_matches_reference(shares)
    assert [row.qualification for row in shares.standings().order_by("price")] == [
        "not_qualified",
        "qualified",
        "qualified",
    ]


def test_the_reference_takes_times_of_day() -> None:
    assert time_taken(time(9, 30), time(10)) == timedelta(minutes=30)


def test_a_board_that_needs_models_declared_later() -> None:
    essays = [Essay.objects.create(author=author, points=n) for n, author in enumerate("abab")]
    essays[3].reports.create()
    queryset = Essay.objects.all()
    assert list(queryset.top(5)) == [essays[2], essays[1]]
    assert_matches_reference(queryset)
    assert_matches_reference(queryset.board("all"))
    # The function is called once, so that the two are of one board.
    assert (queryset.standings() | Essay.objects.standings()).filter(rank=1).get() == essays[2]
    assert Essay.objects.boards is Essay.objects.boards

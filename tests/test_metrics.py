"""The names of metrics, and expressions of them."""

from __future__ import annotations

from collections import Counter
from typing import Any, Self

import pytest
from django.db.models import BooleanField, F
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower

from leaderboard import LeaderboardQuerySet
from tests.boards import Boards
from tests.testapp.models import Attempt, Test

pytestmark = pytest.mark.django_db


def test_raw_sql_may_name_a_metric(boards: Boards) -> None:
    first = RawSQL(f"testapp_attempt.{boards.rank} <= %s", [2], output_field=BooleanField())
    found = boards.view.filter(first)
    expected = boards.pks(lambda r: r.rank is not None and r.rank <= 2)
    boards.check(found, expected)
    assert found.count() == len(expected)
    assert sorted(found.values_list("pk", flat=True)) == expected
    twice = f"testapp_attempt.{boards.rank} * 2"
    ranks = Counter(row.rank and row.rank * 2 for row in boards.rows)
    assert Counter(boards.view.annotate(z=RawSQL(twice, [])).values_list("z", flat=True)) == ranks
    assert Counter(boards.view.extra(select={"z": twice}).values_list("z", flat=True)) == ranks


def test_a_prefix_with_two_underscores(data: None) -> None:
    found = Attempt.objects.board("overall").standings("my__").order_by("my__rank", "pk")
    assert found.values_list("pk", flat=True).count() == Attempt.objects.count()
    assert found[0].my__rank == 1


def test_expressions_of_the_qualification(boards: Boards) -> None:
    for row in boards.view.annotate(lower=Lower(boards.qualification)):
        assert row.lower == getattr(row, boards.qualification)


def test_the_rank_is_there_beside_other_metrics(data: None) -> None:
    test = Test.objects.get(name="test 0")
    board = Attempt.objects.board("overall").on_board(test=test)
    assert board.with_percentile().top(1)[0].rank == 1
    assert board.with_rank("dense").top(4)[3].rank == 2


def test_a_metric_replaces_another_of_its_name(data: None) -> None:
    queryset = Attempt.objects.standings().board("members").standings()
    assert list(queryset.values("pk", "rank", "time_taken")) == list(
        Attempt.objects.board("members").standings().values("pk", "rank", "time_taken")
    )


class Replaced(LeaderboardQuerySet):
    """Has methods of its own in place of those for single metrics."""

    def with_rank(self, kind: Any = None, *, prefix: str = "") -> Self:
        ranked = super().with_rank(kind or "dense", prefix=prefix)
        return ranked.annotate(**{f"{prefix}medal": F(f"{prefix}rank")})

    def with_percentile(self, kind: Any = None, *, prefix: str = "") -> Self:
        return super().with_percentile(kind or "strict", prefix=prefix)

    def with_board_size(self, *, prefix: str = "") -> Self:
        return super().with_board_size(prefix=f"{prefix}whole_")

    def with_qualification(self, *, prefix: str = "") -> Self:
        return super().with_qualification(prefix=f"{prefix}my_")

    def with_time_taken(self, *, prefix: str = "") -> Self:
        return super().with_time_taken(prefix=f"{prefix}my_")


def test_standings_are_made_by_the_methods_for_single_metrics(data: None) -> None:
    by_hand = Attempt.objects.board("overall").with_rank("dense").with_percentile("strict").order_by("pk")
    found = Replaced(Attempt).board("overall").standings("x_").order_by("pk")
    names = [
        "x_rank",
        "x_medal",
        "x_whole_board_size",
        "x_percentile",
        "x_my_qualification",
        "x_my_time_taken",
    ]
    assert list(found.query.annotations) == names
    assert list(found.values_list("x_rank", "x_percentile")) == list(
        by_hand.values_list("rank", "percentile")
    )
    assert list(found.values_list("x_medal", flat=True)) == list(found.values_list("x_rank", flat=True))

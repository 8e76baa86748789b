"""The population that standings are of, where it is not every entry."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import NotSupportedError
from django.db.models import Count

from leaderboard.testing import assert_matches_reference, reference_standings
from tests.boards import Boards
from tests.testapp.models import Attempt

pytestmark = pytest.mark.django_db


def test_as_population(boards: Boards) -> None:
    members = Attempt.objects.board(boards.name).filter(candidate__team="red")
    population = {row.entry.pk for row in boards.rows if row.team == "red"}
    expected = reference_standings(Attempt.objects.board(boards.name), population=population)
    found = members.as_population().standings(boards.prefix)
    for queryset, pks in [
        (found, population),
        (found.filter(boards.q(rank=1)), {pk for pk in population if expected[pk].rank == 1}),
        (found.exclude(boards.q(rank=1)), {pk for pk in population if expected[pk].rank != 1}),
        # Which PostgreSQL 15 and 16 do not plan where the count is a column of its own.
        *(
            (found.filter(boards.q(board_size=n)), {pk for pk in population if expected[pk].board_size == n})
            for n in {expected[pk].board_size for pk in population}
        ),
    ]:
        assert pks
        assert dict(queryset.values_list("pk", boards.rank)) == {pk: expected[pk].rank for pk in pks}
        assert dict(queryset.values_list("pk", boards.percentile)) == {
            pk: expected[pk].percentile for pk in pks
        }
    assert {pk: expected[pk].rank for pk in population} != {
        pk: boards.expected[boards.prefix][pk].rank for pk in population
    }
    with pytest.raises(NotSupportedError, match="slice"):
        members[:3].as_population()


def test_as_population_of_a_join_that_multiplies(boards: Boards) -> None:
    population = {row.entry.pk for row in boards.rows if "a" in row.comments}
    expected = reference_standings(Attempt.objects.board(boards.name), population=population)
    view = Attempt.objects.board(boards.name).filter(comments__text="a").as_population().standings()
    assert Counter(view.values_list("pk", "rank", "board_size")) == Counter(
        (row.entry.pk, expected[row.entry.pk].rank, expected[row.entry.pk].board_size)
        for row in boards.rows
        for _ in range(row.comments.count("a"))
    )


def test_the_population_of_a_distinct_view(boards: Boards) -> None:
    view = Attempt.objects.board(boards.name).order_by("test", "-pk").distinct("test")
    pks = set(view.values_list("pk", flat=True))
    expected = reference_standings(Attempt.objects.board(boards.name), population=pks)
    found = {row.pk: row.rank for row in view.as_population().standings()}
    assert found == {pk: expected[pk].rank for pk in pks}
    discussed = Attempt.objects.board(boards.name).alias(n=Count("comments")).filter(n__gte=2)
    assert_matches_reference(discussed.as_population())


def test_a_board_is_chosen_within_the_population(data: None) -> None:
    view = Attempt.objects.filter(score__gte=60)
    keys = set(view.values_list("pk", flat=True))
    chosen = view.as_population().board("members")
    before = view.board("members").as_population()
    assert 0 < len(keys) < Attempt.objects.count()
    assert list(chosen.standings().values("pk", "rank", "board_size")) == list(
        before.standings().values("pk", "rank", "board_size")
    )
    expected = reference_standings(Attempt.objects.board("members"), population=keys)
    assert {entry.pk: entry.rank for entry in chosen.with_rank()} == {key: expected[key].rank for key in keys}

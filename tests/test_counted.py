"""The standing of one entry by counting: as the window and the reference have it."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from django.db.models import F
from django.utils.timezone import now
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from leaderboard import Leaderboard, PercentileKind, RankKind, TimeTaken
from leaderboard.querysets.counted import CountedQuerySet
from leaderboard.standings.located import location_of
from leaderboard.testing import reference_standings
from tests.test_properties import boards, load, rows
from tests.testapp.models import Attempt

pytestmark = pytest.mark.django_db

ties = st.sampled_from([None, ["label"], ["-big", "label"], [F("ratio").desc()]])


def windows_refused() -> Any:
    """Return a patch by which no standing is found but by counting."""
    return mock.patch("leaderboard.standings.query.plan", side_effect=AssertionError("a window"))


class Properties(HypothesisTestCase):
    @given(rows=rows, board=boards(), ties=ties)
    def test_every_standing_equals_the_reference(
        self, rows: list[dict[str, Any]], board: Leaderboard, ties: Any
    ) -> None:
        load(rows)
        queryset = Attempt.objects.with_leaderboard(board.replace(ties_by=ties))
        self._compare(queryset, queryset)

    @given(rows=rows, board=boards(st.just(["test"])))
    def test_every_standing_among_a_view_equals_the_reference(
        self, rows: list[dict[str, Any]], board: Leaderboard
    ) -> None:
        tests = load(rows)
        view = Attempt.objects.with_leaderboard(board).filter(candidate__name__in=["0", "1"]).as_population()
        self._compare(view, view.on_board(test=tests[0]), population={*view.values_list("pk", flat=True)})

    def _compare(self, queryset: Any, view: Any, population: Any = None) -> None:
        expected = reference_standings(queryset, population=population, now=now())
        keys = list(view.values_list("pk", flat=True))
        is_steady = location_of(Attempt, view._ranking) is not None
        for key in keys[:: len(keys) // 12 + 1]:
            with mock.patch.object(
                CountedQuerySet, "_counted_at", autospec=True, side_effect=CountedQuerySet._counted_at
            ) as counted:
                found = view.get_standing(pk=key)
            assert counted.call_count <= 1
            assert is_steady or not counted.called
            of = expected[key]
            assert (found.rank, found.board_size, found.percentile, found.qualification) == (
                of.rank,
                of.board_size,
                of.percentile,
                of.qualification,
            ), key

    @given(rows=rows, board=boards(st.just(["test"])))
    def test_every_member_is_counted_as_ranked(self, rows: list[dict[str, Any]], board: Leaderboard) -> None:
        tests = load(rows)
        # A clock that runs on would tell two statements apart.
        board = board.replace(member="candidate", time_taken=TimeTaken("started_at", "finished_at"))
        view = Attempt.objects.with_leaderboard(board).on_board(test=tests[0])
        for member in {*view.exclude(candidate=None).values_list("candidate", flat=True)}:
            found = view.get_standing(member=member)
            with mock.patch("leaderboard.querysets.counted.location_of", return_value=None):
                assert view.get_standing(member=member) == found


@pytest.mark.parametrize("kind", RankKind)
@pytest.mark.parametrize("name", ["overall", "members"])
def test_no_window_is_asked(kind: RankKind, name: str, data: None) -> None:
    board = Attempt.objects.board(name)._declaration.replace(
        rank_kind=kind, percentile_kind=PercentileKind.MEAN
    )
    view = Attempt.objects.with_leaderboard(board)
    ranked = {entry.pk: entry for entry in view.standings()}
    assert len({entry.qualification for entry in ranked.values()}) > 3
    with windows_refused():
        for key, entry in ranked.items():
            found = view.get_standing(pk=key)
            assert (found.rank, found.percentile, found.board_size) == (
                entry.rank,
                entry.percentile,
                entry.board_size,
            )

"""Arguments that querysets, and what compares them with the reference, refuse."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import F

from leaderboard import Leaderboard, TimeTaken
from leaderboard.testing import assert_matches_reference, reference_standings
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda q: q.board(Leaderboard(order_by=["-score"])), TypeError, "for others use with_leaderboard"),
        (lambda q: q.on_board(test="abc"), ValueError, r"on_board\(test='abc'\): .*expected a number"),
        (lambda q: q.on_board(test=Candidate(pk=1)), ValueError, r"on_board\(test=<Candidate"),
        (lambda q: q.on_board(test=[1]), ValueError, r"on_board\(test=\[1\]\): "),
        (lambda q: q.standings(5), TypeError, "prefix=5 must be a text"),
        (lambda q: q.with_time_taken(prefix=None), TypeError, "prefix=None must be a text"),
        (lambda q: q.get_standing(member=None), TypeError, "one of them and not None"),
        (lambda q: q.board("members").get_standing(member=F("candidate")), TypeError, "must be a value"),
        (lambda q: q.board("members").get_standing(member="abc"), ValueError, "member='abc': .*a number"),
        (lambda q: q.board("everything").around(member=1), ValueError, "declares no member"),
        (lambda q: q.board("everything").around(before="3"), TypeError, "before='3' must be a whole number"),
        (lambda q: q.board("everything").around(after=-1), ValueError, "after=-1 must be at least 0"),
        (lambda q: q.board("everything").top(True), TypeError, "n=True must be a whole number"),
        (
            lambda q: q.annotate(time_taken=TimeTaken("started_at", "finished_at")).standings(),
            ValueError,
            "'time_taken' conflicts with an annotation of this queryset",
        ),
        (
            lambda q: q.annotate(rank=F("score")).standings(),
            ValueError,
            "'rank' conflicts with an annotation",
        ),
        (
            lambda q: q.annotate(time_taken=F("started_at")).with_time_taken(),
            ValueError,
            "'time_taken' conflicts with an annotation of this queryset",
        ),
    ],
)
def test_arguments_that_are_refused(call: Any, error: Any, message: str, data: None) -> None:
    with pytest.raises(error, match=message):
        call(Attempt.objects.all())


@pytest.mark.parametrize("compare", [assert_matches_reference, reference_standings])
def test_what_is_compared_is_a_queryset_of_rows(compare: Any, data: None) -> None:
    for queryset in (Attempt, Attempt.objects, Test.objects.all(), Attempt.objects.values("pk")):
        with pytest.raises(TypeError, match=r"queryset=.* must be a queryset of a LeaderboardManager"):
            compare(queryset)


def test_a_population_is_of_primary_keys(data: None) -> None:
    with pytest.raises(TypeError, match="give primary keys"):
        reference_standings(Attempt.objects.all(), population=Attempt.objects.all())

"""Histograms: every entry in one range, whatever its value."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from math import isfinite
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from leaderboard import Leaderboard, TimeTaken
from leaderboard.endpoints import InvalidParameter, Orderings, Pager
from leaderboard.endpoints.histogram import Histogram, histogram_of
from tests.attempts import START
from tests.schemas.models import Custom
from tests.test_properties import load, rows
from tests.testapp.models import Attempt, Test

pytestmark = pytest.mark.django_db

FEWER = settings(max_examples=settings().max_examples // 4)
BOARD = Leaderboard(
    within=["test"], order_by={"score": "-score"}, time_taken=TimeTaken("started_at", "finished_at")
)
OTHERS = {
    "big": "big",
    "ratio": "ratio",
    "double": F("score") * 2,
    "label": "label",
    "allowance": "candidate__allowance",
}
VALUES: dict[str, Any] = {
    "score": lambda entry: entry.score,
    "time_taken": lambda entry: (
        entry.finished_at and entry.started_at and entry.finished_at - entry.started_at
    ),
    "big": lambda entry: entry.big,
    "ratio": lambda entry: entry.ratio,
    "double": lambda entry: 2 * entry.score,
    "allowance": lambda entry: entry.candidate and entry.candidate.allowance,
}


def asked(view: Any, **parameters: str) -> Histogram:
    return histogram_of(view, parameters, Orderings(Attempt, view.leaderboard, OTHERS))


class Properties(HypothesisTestCase):
    @FEWER
    @given(
        rows=rows,
        of=st.sampled_from([*VALUES]),
        bins=st.integers(1, 30),
        member=st.sampled_from([None, "candidate"]),
    )
    def test_every_value_is_in_its_range(
        self, rows: list[dict[str, Any]], of: str, bins: int, member: str | None
    ) -> None:
        (test, *_) = load([{**row, "score": row["score"] and row["score"] % 100} for row in rows])
        view = Attempt.objects.with_leaderboard(BOARD.replace(member=member)).on_board(test=test)
        found = asked(view, of=of, bins=str(bins)).ranges
        values = [VALUES[of](entry) for entry in view.ranked().select_related("candidate")]
        known = [v for v in values if v is not None and (not isinstance(v, float) or isfinite(v))]
        assert sum(part.count for part in found) == len(known)
        assert len(found) <= bins
        assert bool(found) == bool(known)
        assert all(part.high == other.low for part, other in pairwise(found))
        if known:
            assert _near(found[0].low, min(known))
            assert found[-1].high > max(known) or _near(found[-1].high, max(known))
        if of in ("score", "double"):
            for position, part in enumerate(found):
                assert part.count == sum(part.low <= value < part.high for value in known), position


def _near(one: Any, other: Any) -> bool:
    if isinstance(one, timedelta):
        return bool(abs(one - other) <= timedelta(microseconds=1))
    return abs(float(one) - float(other)) <= 1e-9 * max(1.0, abs(float(other)))


def test_ranges_of_whole_numbers_have_whole_bounds(data: None) -> None:
    view = Attempt.objects.on_board(test=Test.objects.get(name="test 0"))
    found = asked(view, bins="4")
    assert found.of == "score"
    assert [(part.low, part.high) for part in found.ranges] == [(40, 53), (53, 66), (66, 79), (79, 92)]
    (one,) = asked(view.filter(score=90)).ranges
    assert (one.low, one.high, one.count) == (90, 91, view.ranked().filter(score=90).count())


def test_values_that_are_all_the_same(data: None) -> None:
    Attempt.objects.update(big=Decimal("0.5"), ratio=float("nan"))
    view = Attempt.objects.on_board(test=Test.objects.get(name="test 0"))
    (one,) = asked(view, of="big").ranges
    assert (one.low, one.high, one.count) == (0.5, 0.5, view.ranked().count())
    assert asked(view, of="ratio").ranges == []


def test_an_entry_is_counted_once_however_it_is_found(data: None) -> None:
    view = Attempt.objects.on_board(test=Test.objects.get(name="test 0"))
    double = view.filter(comments__text="a")
    assert sum(part.count for part in asked(double).ranges) == double.ranked().distinct().count()


def test_what_there_is_no_histogram_of(data: None) -> None:
    view = Attempt.objects.on_board(test=Test.objects.get(name="test 0"))
    for of in ("label", "rank", "nothing"):
        with pytest.raises(
            InvalidParameter, match=f"^of: '{of}' is none of score, time_taken, big, ratio, double"
        ):
            asked(view, of=of)
    for bins in ("0", "201", "x"):
        with pytest.raises(InvalidParameter, match=r"^bins: .* is no whole number from 1 to 200"):
            asked(view, bins=bins)
    board = Leaderboard(order_by=["label"])
    with pytest.raises(InvalidParameter, match="nothing of the board is a number or a duration"):
        histogram_of(Attempt.objects.with_leaderboard(board), {}, Orderings(Attempt, board))
    by_price = Custom.objects.board("by_price")
    with pytest.raises(InvalidParameter, match="nothing of the board"):
        histogram_of(by_price, {}, Pager().orderings(by_price))


def test_the_view_gives_one(data: None, django_assert_num_queries: Any) -> None:
    test = Test.objects.get(name="test 0")
    with django_assert_num_queries(2):
        found = Client().get(f"/tests/{test.pk}/histogram/?bins=2").json()
    assert (found["of"], [part["count"] for part in found["bins"]]) == ("score", [3, 2])
    assert found["bins"][0] == {"low": 50, "high": 71, "count": 3}
    taken = Client().get(f"/tests/{test.pk}/histogram/?of=time_taken&bins=3&team=red").json()
    assert taken["bins"][0]["low"] == "P0DT00H00M15S"
    assert Client().get(f"/tests/{test.pk}/histogram/?of=password").status_code == 400
    assert Client().get("/tests/0/histogram/").status_code == 404
    empty = Test.objects.create(name="empty")
    assert Client().get(f"/tests/{empty.pk}/histogram/").json() == {"of": "score", "bins": []}
    Attempt.objects.create(test=empty, score=1, started_at=START, finished_at=START, disqualified=False)
    assert Client().get(f"/tests/{empty.pk}/histogram/").json()["bins"] == []

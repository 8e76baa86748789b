"""Cut-offs, compared by their exact values."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from leaderboard import AtLeast, AtMost, Leaderboard, PercentOf, TopCount
from leaderboard.testing import assert_matches_reference
from tests.testapp.models import Attempt

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("rule", [AtLeast, AtMost])
@pytest.mark.parametrize(
    ("field", "literal"),
    [
        ("big", 2**53),
        ("big", 2**62),
        ("big", 2**70),
        ("big", 0.1),
        ("big", float(2**53)),
        ("big", float("inf")),
        ("score", 2**31),
        ("score", -(2**40)),
        ("score", 0.5),
        ("ratio", 0.1),
        ("ratio", float("nan")),
        ("ratio", 1),
    ],
)
def test_literals_of_cut_offs_are_exact(rule: Any, field: str, literal: Any, data: None) -> None:
    values = [Decimal(2**53 + n) for n in (-1, 0, 1)] + [Decimal("0.1"), Decimal("0.1001")]
    ratios = [0.1, 0.1 + 2**-56, float("inf"), float("nan"), 1.0, -0.5]
    for attempt, big, ratio in zip(Attempt.objects.order_by("pk"), values, ratios, strict=False):
        Attempt.objects.filter(pk=attempt.pk).update(big=big, ratio=ratio)
    board = Leaderboard(order_by=["pk"], cut_off=rule(field, literal))
    assert_matches_reference(Attempt.objects.with_leaderboard(board))


def test_counts_and_shares_beyond_four_bytes(data: None) -> None:
    for cut_off in (TopCount(2**32), TopCount(2**70), PercentOf("score", 2**40, Decimal("1e-9"))):
        queryset = Attempt.objects.with_leaderboard(Leaderboard(order_by=["-score"], cut_off=cut_off))
        assert_matches_reference(queryset)
        assert queryset.standings().filter(qualification="qualified").exists()


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Chicago"])
def test_a_date_among_times_is_the_first_moment_of_the_day(zone: str, data: None, settings: Any) -> None:
    settings.TIME_ZONE = zone
    begins = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone))
    attempts = list(Attempt.objects.all()[:3])
    for attempt, seconds in zip(attempts, (-1, 0, 1), strict=True):
        attempt.started_at = begins + timedelta(seconds=seconds)
        attempt.save()
    for rule, lookup in ((AtLeast, "gte"), (AtMost, "lte")):
        board = Leaderboard(order_by=["pk"], cut_off=rule("started_at", begins.date()))
        view = Attempt.objects.filter(pk__in=[attempt.pk for attempt in attempts])
        qualified = view.with_leaderboard(board).with_qualification().filter(qualification="qualified")
        # Django warns of a date where it takes a time, and then takes it for the same moment.
        expected = view.filter(**{f"started_at__{lookup}": begins})
        assert set(qualified) == set(expected)
        assert len(qualified) == 2

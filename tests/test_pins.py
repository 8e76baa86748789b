"""What pins a board, and what does not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import ExtractYear, TruncDate, TruncMonth
from django.utils import timezone

from leaderboard import BoardNotPinned, Leaderboard
from leaderboard.testing import assert_matches_reference
from tests.boards import Boards
from tests.testapp.models import Attempt, Test

pytestmark = pytest.mark.django_db


def test_a_board_must_be_pinned(boards: Boards) -> None:
    row = boards.ranked()[0]
    with pytest.raises(BoardNotPinned):
        boards.view.top(3)
    with pytest.raises(BoardNotPinned):
        boards.view.around(row.entry)
    with pytest.raises(BoardNotPinned):
        boards.view.filter(Q(test=row.entry.test_id) | Q(score=20)).top(3)
    with pytest.raises(BoardNotPinned):
        boards.view.exclude(test=row.entry.test_id).top(3)
    with pytest.raises(BoardNotPinned):
        Attempt.objects.board("members").get_standing(member=row.entry.candidate_id or 1)


def test_raw_sql_pins_no_board(boards: Boards) -> None:
    boards.check(boards.view.filter(test=RawSQL("test_id", [])), boards.pks())


def test_a_board_of_a_year_in_a_zone(data: None) -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    test = Test.objects.get(name="test 0")
    times = datetime(2030, 12, 31, 20, tzinfo=UTC), datetime(2030, 6, 1, tzinfo=UTC)
    late, early = (
        Attempt.objects.create(test=test, score=n, finished_at=time) for n, time in enumerate(times)
    )
    queryset = Attempt.objects.with_leaderboard(
        Leaderboard(within={"year": ExtractYear("finished_at", tzinfo=tokyo)}, order_by=["-score"])
    )
    with timezone.override(UTC):
        found = queryset.filter(pk__in=[late.pk, early.pk]).standings()
        assert set(found.values_list("pk", "rank")) == {(late.pk, 1), (early.pk, 1)}
        assert [row.pk for row in queryset.on_board(year=2030).top(5)] == [early.pk]
        assert_matches_reference(queryset.filter(finished_at__year=2030))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Chicago"])
def test_a_month_that_was_read_finds_its_board(zone: str, data: None) -> None:
    with timezone.override(ZoneInfo(zone)):
        queryset = Attempt.objects.board("monthly")
        months = queryset.annotate(month=queryset.leaderboard.within["month"]).exclude(month=None)
        for test, month in months.values_list("test", "month").distinct():
            shown = queryset.on_board(test=test, month=month)
            assert shown.exists()
            assert list(queryset.on_board(test=test, month=month.date())) == list(shown)
            assert list(queryset.on_board(test=test, month=month.replace(tzinfo=None))) == list(shown)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Chicago"])
def test_a_month_may_be_a_text(zone: str, data: None) -> None:
    Attempt.objects.update(finished_at=datetime(2026, 1, 15, tzinfo=UTC))
    board = Leaderboard(within={"month": TruncMonth("finished_at")}, order_by=["-score"])
    queryset = Attempt.objects.with_leaderboard(board)
    with timezone.override(zone):
        first = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone))
        months: list[Any] = [first, first.date(), "2026-01-01", "2026-01-01 00:00", first.isoformat()]
        # Any moment of it names the month.
        months += [
            datetime(2026, 1, 31, 23, 59, tzinfo=ZoneInfo(zone)),
            date(2026, 1, 15),
            "2026-01-31 23:59",
        ]
        for month in months:
            assert queryset.on_board(month=month).count() == Attempt.objects.count() > 0
        assert queryset.on_board(month="2026-02-01").count() == 0
        for month, message in (("soon", "invalid format"), (1, "neither a time nor a date")):
            with pytest.raises(ValueError, match=rf"on_board\(month={month!r}\): .*{message}"):
                queryset.on_board(month=month)


def test_a_day_that_is_none(data: None) -> None:
    board = Leaderboard(within={"day": TruncDate("finished_at")}, order_by=["-score"])
    with pytest.raises(ValueError, match=r"on_board\(day='soon'\): .*invalid date format"):
        Attempt.objects.with_leaderboard(board).on_board(day="soon")

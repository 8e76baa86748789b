from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from example.assessments.models import Attempt, Test
from tests.site.attempts import minutes, scored, timed
from tests.site.pages import get
from tests.site.test_boards import expected, shown, url
from tests.site.test_reports import page_of


def taken(attempt: Attempt) -> timedelta:
    assert attempt.finished_at is not None
    return attempt.finished_at - attempt.started_at - (attempt.paused or timedelta(0))


def counting(test: Test) -> list[Attempt]:
    """The attempts that count, best first."""
    codes = [code for _, code, *_ in expected(test)]

    def best(code: str) -> Attempt:
        attempts = Attempt.objects.filter(test=test, candidate=code, finished_at__isnull=False)
        found: Attempt
        if test.is_timed:
            found = min(attempts, key=taken)
        else:
            found = max(attempts, key=lambda attempt: (attempt.score or 0, -taken(attempt)))
        return found

    return [best(code) for code in codes]


@pytest.mark.parametrize("value", [0, 45, 50, 51, 70, 100])
def test_a_cut_off_tells_who_would_qualify(value: int) -> None:
    test = scored(60)
    entries = counting(test)
    passes = [(attempt.score or 0) >= value for attempt in entries]
    now = [(attempt.score or 0) >= 50 for attempt in entries]
    gained = sum(then and not before for then, before in zip(passes, now, strict=True))
    lost = sum(before and not then for then, before in zip(passes, now, strict=True))
    page = get(url(test, "cut-off/"), cut_off=value)
    assert f"By at least {value}, {sum(passes)} of {len(entries)} qualify" in page.text
    if gained or lost:
        assert f": {gained} more than now, {lost} no longer." in page.text
    else:
        assert ", the same as now." in page.text
    beside = shown(page_of(page, 1))
    statuses = {code: status for _, code, _, status in beside}
    for attempt, is_in in zip(entries, passes, strict=True):
        if attempt.candidate.code in statuses:
            assert statuses[attempt.candidate.code] == ("Qualified" if is_in else "Not qualified")
    # Both sides are there, where there are both.
    assert {*statuses.values()} == {"Qualified" if one else "Not qualified" for one in passes}
    assert [one[:3] for one in beside] == [one[:3] for one in expected(test) if one[1] in statuses]


@pytest.mark.parametrize("value", [10, 25, 33, 70])
def test_a_limit_in_minutes_is_one_for_all(value: int) -> None:
    race = timed(60)
    entries = counting(race)
    passes = sum(taken(attempt) <= minutes(value) for attempt in entries)
    now = sum(taken(attempt) <= (attempt.limit or minutes(30)) for attempt in entries)
    page = get(url(race, "cut-off/"), cut_off=value)
    hours, rest = divmod(value, 60)
    assert f"By at most {hours}:{rest:02}:00, {passes} of {len(entries)} qualify" in page.text
    assert f"now {now} qualify." in page.text


def test_the_table_has_how_many_there_are_at_each_value() -> None:
    test = scored(60)
    scores = [attempt.score or 0 for attempt in counting(test)]
    now = sum(score >= 50 for score in scores)
    page = get(url(test, "cut-off/"), cut_off=72)
    for row in page.tables[0]:
        value, count, more = row.cells
        qualified = sum(score >= int(value) for score in scores)
        assert int(count) == qualified
        assert int(more.replace("−", "-")) == qualified - now
        assert row.is_own == (value == "70")
    assert [row.cells[0] for row in page.tables[0]] == [str(value) for value in range(0, 101, 5)]
    assert page.html.count("<rect ") == 21


def test_the_table_has_how_many_there_are_within_each_limit() -> None:
    race = timed(60)
    times = [taken(attempt) for attempt in counting(race)]
    page = get(url(race, "cut-off/"))
    for row, value in zip(page.tables[0], range(10, 71, 10), strict=True):
        assert int(row.cells[1]) == sum(time <= minutes(value) for time in times)
    # Some are exactly at a limit.
    assert {minutes(value) for value in range(10, 71, 10)} & {*times}


def test_a_page_begins_with_the_cut_off_of_the_test() -> None:
    assert 'value="50"' in get(url(scored(20), "cut-off/")).html
    # In the middle of the scale, where everybody has a limit of their own.
    assert 'value="40"' in get(url(timed(20), "cut-off/")).html


def test_pages_lead_to_all_who_qualify() -> None:
    test = scored(60)
    page = get(url(test, "cut-off/"), cut_off=70)
    found = []
    page = get(url(test, "cut-off/") + page.links["first"])
    while True:
        found += shown(page_of(page, 1))
        if "next" not in page.links:
            break
        page = get(url(test, "cut-off/") + page.links["next"])
        assert "By at least 70," in page.text
    assert [one[:3] for one in found] == [one[:3] for one in expected(test)]
    scores = [attempt.score or 0 for attempt in counting(test)]
    assert [one[3] == "Qualified" for one in found] == [score >= 70 for score in scores]


def test_htmx_gets_the_part_that_moves() -> None:
    test = scored(20)
    part = get(url(test, "cut-off/"), htmx=True, cut_off=30)
    whole = get(url(test, "cut-off/"), cut_off=30)
    assert part.tables == whole.tables
    assert "<!doctype" not in part.html and "<form" not in part.html
    moved, _, computed = part.html.partition("<!-- computed -->")
    assert moved.strip() in whole.html and not computed.strip()
    assert 'aria-live="polite"' in part.html
    # Or a browser that goes back would show the part alone.
    assert "HX-Request" in Client().get(url(test, "cut-off/")).headers["Vary"]


def test_nothing_is_stored() -> None:
    test = scored(20)
    get(url(test, "cut-off/"), cut_off=90)
    test.refresh_from_db()
    assert test.least_score == 50


def test_a_test_that_nobody_took() -> None:
    test = Test.objects.create(name="Empty", least_score=50)
    page = get(url(test, "cut-off/"))
    assert "0 of 0 qualify, the same as now." in page.text
    assert "Nobody is ranked yet." in page.text
    assert "<svg" not in page.html


def test_it_makes_as_many_statements_whatever_the_number_of_rows() -> None:
    asked: list[dict[str, Any]] = [{}, {"cut_off": 80}, {"page": "last"}]
    counts: list[list[int]] = []
    for candidates, prefix in ((40, "C"), (1000, "D")):
        test = scored(candidates, prefix=prefix)
        counts.append([])
        for given in asked:
            with CaptureQueriesContext(connection) as captured:
                assert get(url(test, "cut-off/"), **given).status == 200
            counts[-1].append(len(captured))
    assert counts[0] == counts[1]
    assert max(counts[1]) <= 6

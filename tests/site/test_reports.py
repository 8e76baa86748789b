from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from example.assessments.models import Attempt, Candidate, Test
from tests.site.attempts import START, minutes, scored, timed
from tests.site.pages import Page, get
from tests.site.test_boards import expected, shown, url


def report(test: Test, code: str) -> Page:
    return get(url(test, f"candidates/{code}/"))


def chart(page: Page) -> list[tuple[str, str]]:
    """The bars: how each is marked, and how high."""
    return re.findall(r'<rect class="bar (\w*)" [^>]*height="([\d.]+)"', page.html)


@pytest.mark.parametrize("make", [scored, timed])
def test_a_report_shows_where_a_candidate_stands(make: Any) -> None:
    test = make(60)
    everybody = expected(test)
    for position in (0, 25, len(everybody) - 1):
        rank, code, percent, qualification = everybody[position]
        page = report(test, code)
        assert page.status == 200
        assert f"Rank {rank} of {len(everybody)} Percentile {percent}" in page.text
        near = everybody[max(position - 3, 0) : position + 4]
        assert shown(page_of(page, 1)) == near
        assert [row.cells[0] for row in page.tables[1] if row.is_own] == [rank]
        assert [mark for mark, _ in chart(page)].count("own") == 1
        assert f">{qualification}</span>" in page.html


def page_of(page: Page, table: int) -> Page:
    return Page(page.status, page.html, page.text, page.tables[table:])


def one(test: Test, code: str, **values: Any) -> Attempt:
    candidate, _ = Candidate.objects.get_or_create(code=code, name=f"Name {code}")
    given = {"started_at": START, "finished_at": START + minutes(20), **values}
    attempt: Attempt = Attempt.objects.create(test=test, candidate=candidate, **given)
    return attempt


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (61, "1 point above the cut-off of 60 points."),
        (60, "Exactly at the cut-off of 60 points."),
        (48, "12 points below the cut-off of 60 points."),
    ],
)
def test_the_margin_is_in_points(score: int, words: str) -> None:
    test = Test.objects.create(name="Margins", least_score=60)
    one(test, "C1", score=score)
    page = report(test, "C1")
    assert words in page.text
    assert ("Not qualified" in page.text) == (score < 60)


@pytest.mark.parametrize(
    ("taken", "own", "words"),
    [
        (20, None, "0:10:00 within the limit of 0:30:00."),
        (30, None, "0:00:00 within the limit of 0:30:00."),
        (31, None, "0:01:00 over the limit of 0:30:00."),
        (31, 40, "0:09:00 within the limit of 0:40:00."),
    ],
)
def test_the_margin_is_in_time(taken: int, own: int | None, words: str) -> None:
    race = Test.objects.create(name="Margins", board=Test.Board.TIMED, most_time=minutes(30))
    limit = None if own is None else minutes(own)
    one(race, "R1", finished_at=START + minutes(taken), limit=limit)
    page = report(race, "R1")
    assert words in page.text
    assert ("Not qualified" in page.text) == ("over" in words)


def test_bars_beyond_the_cut_off_are_marked() -> None:
    test = Test.objects.create(name="Bars", least_score=3)
    for number, score in enumerate([1, 2, 2, 3, 4]):
        one(test, f"C{number}", score=score)
    assert chart(report(test, "C4")) == [
        ("short", "50.00"),
        ("short", "100.00"),
        ("", "50.00"),
        ("own", "50.00"),
    ]
    assert chart(report(test, "C1"))[1] == ("own", "100.00")


def test_a_chart_has_its_numbers_as_a_text_and_as_a_table() -> None:
    test = scored(40)
    _, code, *_ = expected(test)[10]
    page = report(test, code)
    title, words = re.findall(r"<(?:title|desc) id=\"[\w-]+\">([^<]+)<", page.html)
    assert title == "How many have which score"
    assert f"is among the {next(r.cells[1] for r in page.tables[0] if r.is_own)} at" in words
    assert sum(int(row.cells[1]) for row in page.tables[0]) == len(expected(test))


@pytest.mark.parametrize(
    ("values", "status", "words"),
    [
        ({"official": False, "score": 90}, "Excluded", "does not count"),
        ({"score": None, "finished_at": None}, "Pending", "not finished"),
    ],
)
def test_who_is_not_ranked_has_a_report_that_says_why(
    values: dict[str, Any], status: str, words: str
) -> None:
    test = scored(20)
    one(test, "X1", note="A note of it.", **values)
    page = report(test, "X1")
    assert page.status == 200
    assert "Rank –" in page.text
    assert f">{status}</span>" in page.html
    assert words in page.text
    assert "A note of it." in page.text
    assert "Neighbours" not in page.text
    assert "own" not in [mark for mark, _ in chart(page)]


def test_of_several_attempts_the_best_one_counts() -> None:
    test = scored(20)
    one(test, "X1", score=40)
    one(test, "X1", score=70)
    page = report(test, "X1")
    assert "All 2 attempts" in page.text
    assert "Score 70" in page.text
    assert [row.cells[3] for row in page.tables[-1]] == ["Superseded", "Qualified"]


def test_the_only_one_who_took_a_test_has_a_report() -> None:
    test = Test.objects.create(name="Lonely")
    one(test, "C1", score=7)
    page = report(test, "C1")
    assert "Rank 1 of 1 Percentile 100.0" in page.text
    assert "No cut-off" in page.text
    assert chart(page) == [("own", "100.00")]


def test_a_report_makes_as_many_statements_whatever_the_number_of_rows() -> None:
    counts = set()
    for candidates, prefix in ((40, "C"), (1000, "D")):
        test = scored(candidates, prefix=prefix)
        with CaptureQueriesContext(connection) as captured:
            assert report(test, f"{prefix}10").status == 200
        counts.add(len(captured))
    assert counts == {6}

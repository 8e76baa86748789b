from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from example.site import settings as site
from example.site.computed import Recorder
from example.site.statements import indented
from leaderboard import PlanKind
from tests.site.attempts import scored
from tests.site.pages import get


@pytest.fixture(autouse=True)
def _computed(settings: Any) -> None:
    settings.MIDDLEWARE = site.MIDDLEWARE


@pytest.mark.parametrize("rest", ["", "?search=name&ordering=name", "candidates/C10/", "cut-off/", "?size=0"])
def test_a_page_shows_its_statements_with_plans_and_times(rest: str, settings: Any) -> None:
    test = scored(40)
    page = get(f"/tests/{test.pk}/{rest}")
    settings.MIDDLEWARE = [name for name in site.MIDDLEWARE if not name.endswith(".Computed")]
    with CaptureQueriesContext(connection) as captured:
        get(f"/tests/{test.pk}/{rest}")
    assert page.html.count('<pre tabindex="0" aria-label="SQL of') == len(captured)
    assert page.html.count('<pre class="plan"') == len(captured)
    assert f"How it was computed {len(captured)} statement" in page.text
    assert len(re.findall(r"Statement \d+ [\d.]+ ms", page.text)) == len(captured)
    assert ("(cost=" in page.text) == bool(captured)


def test_a_page_tells_the_plans_of_the_library() -> None:
    test = scored(40)
    url = f"/tests/{test.pk}/"
    run, window, counted = (kind.label for kind in (PlanKind.PAGE, PlanKind.WINDOW, PlanKind.COUNTED))
    assert f"This page {run}: " in get(url).text
    assert f"This page {run}: " in get(url, ordering="-rank").text
    assert f"This page {window}: " in get(url, search="name").text
    assert f"This page {window}: " in get(url, ordering="name").text
    text = get(f"{url}candidates/C10/").text
    assert f"The own attempts {counted}: " in text
    assert f"The neighbours {run}: " in text
    assert f"Both sides of the cut-off {run}: " in get(f"{url}cut-off/").text


@pytest.mark.parametrize("part", ["", "cut-off/"])
def test_a_part_of_a_page_has_what_the_panel_shows_by_then(part: str) -> None:
    test = scored(40)
    page = get(f"/tests/{test.pk}/{part}", htmx=True)
    assert "How it was computed" in page.text
    assert '<div hx-swap-oob="innerHTML:#computed">' in page.html
    # What is open stays open: the element itself is not replaced.
    assert 'id="computed"' not in page.html


def test_a_page_and_its_part_do_not_stand_for_each_other_in_a_cache() -> None:
    test = scored(40)
    whole, part = {"Accept": "text/html"}, {"Accept": "text/html", "HX-Request": "true"}
    page = Client().get(f"/tests/{test.pk}/", headers=whole)
    known = {"If-None-Match": page["ETag"], "If-Modified-Since": page["Last-Modified"]}
    assert Client().get(f"/tests/{test.pk}/", headers={**whole, **known}).status_code == 304
    answer = Client().get(f"/tests/{test.pk}/", headers={**part, **known})
    assert answer.status_code == 200
    assert "HX-Request" in page["Vary"] and "HX-Request" in answer["Vary"]
    assert not {"ETag", "Last-Modified"} & {*answer.headers}


def test_a_part_that_is_asked_for_again_and_again_has_no_panel() -> None:
    assert "How it was computed" not in get("/posts/", htmx=True).text


def test_statements_are_recorded_as_they_were_sent() -> None:
    recorder = Recorder()
    with connection.execute_wrapper(recorder), connection.cursor() as cursor:
        cursor.execute("SELECT %s, '%%'", ["it's"])
    (statement,) = recorder.statements
    assert statement.sent == "SELECT 'it''s', '%'"
    assert statement.took > 0
    assert "Result" in statement.plan


def test_clauses_are_on_lines_of_their_own() -> None:
    sql = (
        """SELECT "a"."FROM", 'SELECT', EXTRACT(epoch FROM x), RANK() OVER (ORDER BY "x") """
        """FROM (SELECT 1 FROM t ORDER BY y) "a" INNER JOIN "b" ON (a = b) WHERE a IN (1, 2) LIMIT 21"""
    )
    assert indented(sql).split("\n") == [
        """SELECT "a"."FROM", 'SELECT', EXTRACT(epoch FROM x), RANK() OVER (ORDER BY "x")""",
        "FROM (",
        "    SELECT 1",
        "    FROM t",
        "    ORDER BY y",
        ') "a"',
        'INNER JOIN "b" ON (a = b)',
        "WHERE a IN (1, 2)",
        "LIMIT 21",
    ]
    assert indented(sql).split() == indented(indented(sql)).split()

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from example.assessments.models import Attempt, Candidate, Test
from example.site.boards import ORDERS
from leaderboard.endpoints.formats import percentile
from leaderboard.testing import reference_standings
from tests.site.attempts import scored, timed
from tests.site.pages import Page, get


def url(test: Test, rest: str = "") -> str:
    return f"/{'races' if test.is_timed else 'tests'}/{test.pk}/{rest}"


def expected(test: Test) -> list[tuple[str, str, str, str]]:
    """Who is ranked, by the reference: rank, code, percentile, qualification."""
    board = Attempt.objects.board(test.board).on_board(test=test)
    standings = reference_standings(board)
    found = []
    for attempt in board.select_related("candidate"):
        standing = standings[attempt.pk]
        if standing.rank is not None:
            shown = str(percentile(standing.percentile or 0))
            found.append(
                (standing.rank, attempt.pk, attempt.candidate_id, shown, standing.qualification.label)
            )
    return [(str(rank), code, shown, str(label)) for rank, _, code, shown, label in sorted(found)]


def shown(page: Page) -> list[tuple[str, str, str, str]]:
    found = []
    for row in page.board:
        rank, candidate, _, percent, _, qualification = row.cells
        found.append((rank, candidate.rpartition(" ")[2], percent, qualification))
    return found


@pytest.mark.parametrize("make", [scored, timed])
def test_pages_walk_over_the_board_with_the_ranks_of_the_reference(make: Any) -> None:
    test = make(60)
    everybody = expected(test)
    assert len({rank for rank, *_ in everybody}) < len(everybody)
    page = get(url(test), size=7)
    forward = shown(page)
    while "next" in page.links:
        page = get(url(test) + page.links["next"])
        forward += shown(page)
    assert forward == everybody
    backward = shown(page)
    while "prev" in page.links:
        page = get(url(test) + page.links["prev"])
        backward = shown(page) + backward
    assert backward == everybody
    assert shown(get(url(test) + get(url(test), size=7).links["last"])) == everybody[-7:]


@pytest.mark.parametrize("ordering", ORDERS)
def test_every_order_that_is_offered_shows_the_ranks_of_the_board(ordering: str) -> None:
    test = scored(60)
    page = get(url(test), ordering=ordering, size=100)
    assert sorted(shown(page)) == sorted(expected(test))
    assert f'<option value="{ordering}" selected>' in page.html


def test_a_search_shows_global_ranks() -> None:
    test = scored(60)
    found = shown(get(url(test), search="name 3"))
    codes = {
        attempt.candidate_id for attempt in Attempt.objects.filter(candidate__name__icontains="name 3")
    } & {code for _, code, *_ in expected(test)}
    assert {code for _, code, *_ in found} >= {"C3", "C20"} & codes
    assert found
    assert set(found) < set(expected(test))
    assert shown(get(url(test), search="C41")) == [one for one in expected(test) if one[1] == "C41"]
    assert "Nobody is shown here." in get(url(test), search="nobody").text


def test_find_me_shows_the_page_of_a_candidate_and_marks_the_row() -> None:
    test = scored(60)
    rank, code, *_ = expected(test)[20]
    page = get(url(test), member=code, size=8)
    assert shown(page) == expected(test)[16:24]
    (own,) = [row for row in page.board if row.is_own]
    assert own.cells[0] == rank
    assert 'id="own"' in page.html
    assert f'href="{url(test)}candidates/{code}/"' in page.html


def test_a_board_without_anybody_says_so() -> None:
    test = Test.objects.create(name="Empty")
    page = get(url(test))
    assert page.status == 200
    assert "Nobody is shown here." in page.text
    assert "Qualifies: none." in page.text


def test_the_index_shows_every_test_with_its_sizes() -> None:
    scored(30)
    timed(10)
    Test.objects.create(name="Empty")
    page = get("/")
    assert "Candidates 30 Attempts 36 Qualifies at least 50 points" in page.text
    assert "Candidates 10 Attempts 12 Qualifies at most 0:30:00" in page.text
    assert "Candidates 0 Attempts 0 Qualifies none" in page.text


def test_programs_get_json_and_files() -> None:
    test = scored(20)
    found = Client().get(url(test), {"size": 2}).json()
    assert [entry["code"] for entry in found["entries"]] == [code for _, code, *_ in expected(test)[:2]]
    lines = b"".join(Client().get(url(test, "export.csv"))).decode().splitlines()  # type: ignore[call-overload]
    assert len(lines) == 1 + Attempt.objects.filter(test=test).count()


@pytest.mark.parametrize(
    ("given", "most"),
    [
        ({}, 2),
        ({"member": "C40"}, 3),
        ({"rank": "8"}, 3),
        ({"page": "last"}, 3),
        ({"search": "name"}, 3),
        ({"ordering": "name"}, 3),
        ({"ordering": "-rank"}, 3),
        ({"cursor": None}, 3),
    ],
)
def test_a_page_makes_as_many_statements_whatever_the_number_of_rows(
    given: dict[str, str | None], most: int
) -> None:
    counts = set()
    for candidates in (40, 1000):
        test = scored(candidates, prefix="C" if candidates == 40 else "D")
        # The same codes on the larger one.
        values: dict[str, Any] = {**given}
        if "member" in given:
            values = {"member": "C40" if candidates == 40 else "D40"}
        if "cursor" in given:
            values = parse_qs(get(url(test), size=5).links["next"].lstrip("?"))
        with CaptureQueriesContext(connection) as captured:
            assert get(url(test), **{"size": 5, **values}).board
        counts.add(len(captured))
    assert len(counts) == 1
    assert counts.pop() <= most


def test_an_empty_board_makes_three_statements() -> None:
    test = Test.objects.create(name="Empty")
    with CaptureQueriesContext(connection) as captured:
        get(url(test))
    assert len(captured) <= 3


def test_names_are_escaped() -> None:
    test = scored(3)
    Candidate.objects.filter(code="C1").update(name="<script>alert(1)</script>")
    assert "<script>alert" not in get(url(test)).html
    assert "<script>alert" not in get(url(test), search="<script>alert(1)</script>").html
    assert "<script>alert" not in get(url(test, "candidates/C1/")).html

from __future__ import annotations

import pytest
from django.test import Client

from tests.site.attempts import scored, timed
from tests.site.pages import get, read


@pytest.mark.parametrize(
    ("rest", "given", "status", "reason"),
    [
        ("", {"ordering": "cost"}, 400, "ordering: 'cost' is none of rank,"),
        ("", {"size": "0"}, 400, "size: '0' is no whole number from 1 to 100."),
        ("", {"size": str(10**9)}, 400, "size: '1000000000' is no whole number"),
        ("", {"search": "a\0b"}, 400, "search: a NUL byte is in no text."),
        ("", {"search": "a " * 11}, 400, "search: it has 11 words"),
        ("", {"cursor": "made-up"}, 400, "cursor: it is not one of this board"),
        ("", {"member": "C1", "rank": "2"}, 400, "rank: cannot be given beside member."),
        ("", {"member": "C999"}, 404, "No Attempt of member='C999' is ranked"),
        ("candidates/C999/", {}, 404, "There is no attempt of 'C999' at test"),
        ("candidates/%00/", {}, 404, "is no code of a candidate."),
        ("candidates/C1.2/", {}, 404, "'C1.2' is no code of a candidate."),
        ("cut-off/", {"cut_off": "many"}, 400, "cut_off: 'many' is no whole number of points from 0 to 100."),
        ("cut-off/", {"cut_off": "101"}, 400, "cut_off: '101' is no whole number of points from 0 to 100."),
        ("cut-off/", {"cut_off": "9" * 40}, 400, "is no whole number of points from 0 to 100."),
        ("cut-off/", {"cut_off": "-1"}, 400, "cut_off: '-1' is no whole number of points from 0 to 100."),
        ("cut-off/", {"cut_off": "5\0"}, 400, "is no whole number of points from 0 to 100."),
        ("cut-off/", {"cut_off": ""}, 400, "cut_off: '' is no whole number of points from 0 to 100."),
        ("cut-off/", {"cursor": "made-up"}, 400, "cursor: it is not one of this board"),
        ("cut-off/", {"page": "second"}, 400, "page: 'second' is none of first, last."),
        ("nothing/", {}, 404, "There is no such page."),
    ],
)
@pytest.mark.parametrize("htmx", [False, True])
def test_a_page_says_what_is_wrong(
    rest: str, given: dict[str, str], status: int, reason: str, htmx: bool
) -> None:
    test = scored(10)
    page = get(f"/tests/{test.pk}/{rest}", htmx=htmx, **given)
    assert page.status == status
    assert reason in page.text
    assert ("<!doctype html>" in page.html) is not htmx
    assert ('role="alert"' in page.html) is htmx


@pytest.mark.parametrize("rest", ["", "cut-off/", "candidates/C1/"])
def test_a_test_that_does_not_exist(rest: str) -> None:
    for number in (999_999, 10**30):
        page = get(f"/tests/{number}/{rest}")
        assert page.status == 404
        assert str(number) in page.text


@pytest.mark.parametrize("rest", ["", "cut-off/", "candidates/C1/"])
def test_a_test_is_not_shown_on_the_other_board(rest: str) -> None:
    test = scored(10)
    page = get(f"/races/{test.pk}/{rest}")
    assert page.status == 404
    assert f"{test} is ranked by score, then time." in page.text
    race = timed(10)
    assert get(f"/tests/{race.pk}/{rest.replace('C1', 'R1')}").status == 404


def test_a_cursor_of_another_board_is_refused() -> None:
    tests = scored(30), scored(31, prefix="D")
    cursor = get(f"/tests/{tests[0].pk}/", size=5).links["next"]
    assert get(f"/tests/{tests[0].pk}/{cursor}").status == 200
    page = get(f"/tests/{tests[1].pk}/{cursor}")
    assert page.status == 400
    assert "cursor: it is not one of this board" in page.text


def test_forms_need_a_token() -> None:
    assert Client(enforce_csrf_checks=True).post("/posts/1/comments/", {"text": "x"}).status_code == 403


def test_every_page_has_a_policy_that_allows_nothing_inline() -> None:
    test = scored(3)
    for url in ("/", f"/tests/{test.pk}/", "/nothing/"):
        response = Client().get(url, headers={"accept": "text/html"})
        assert "script-src 'self';" in response.headers["Content-Security-Policy"]
        page = read(response)
        assert " style=" not in page.html
        assert " onclick=" not in page.html

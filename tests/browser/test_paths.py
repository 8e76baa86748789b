"""The main path through each page of the site, as people go it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, Look

BOARD = "tests/1/"
OWN = "[aria-current=true]"


def ranks(page: Page) -> list[int]:
    return [int(text) for text in page.locator("#board tbody tr td:first-child").all_inner_texts()]


def codes(page: Page) -> list[str]:
    return page.locator("#board tbody .code").all_inner_texts()


def number(text: Locator) -> int:
    return int(re.sub(r"\D", "", text.inner_text()))


def test_from_the_tests_to_a_board_and_along_it(look: Look) -> None:
    with look() as page:
        page.get_by_role("link", name="Data structures", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Data structures")
        first, seen = ranks(page), codes(page)
        page.get_by_role("link", name="Next").click()
        page.wait_for_url("**cursor=**")
        assert ranks(page)[0] in (first[-1], first[-1] + first.count(first[-1]))
        assert not {*seen} & {*codes(page)}
        page.get_by_role("link", name="Previous").click()
        expect(page.locator("#board .code").first).to_have_text(seen[0])
        assert (ranks(page), codes(page)) == (first, seen)
        page.get_by_role("link", name="Last").click()
        page.wait_for_url("**page=last**")
        assert ranks(page)[-1] > 1000
        expect(page.get_by_role("link", name="Next")).to_have_count(0)


def test_a_search_keeps_the_ranks_of_all(look: Look) -> None:
    with look(BOARD) as page:
        rank = dict(zip(codes(page), ranks(page), strict=True))
        code = codes(page)[7]
        page.get_by_label("Name or code").fill(code)
        expect(page.locator("#board tbody tr")).to_have_count(1)
        assert ranks(page) == [rank[code]]
        assert f"search={code}" in page.url
        page.go_back()
        expect(page.locator("#board tbody tr").nth(1)).to_be_visible()
        page.get_by_label("Name or code").fill("nobody at all")
        expect(page.locator("#board")).to_contain_text("Nobody is shown here.")


def test_an_order_that_is_chosen(look: Look) -> None:
    with look(BOARD) as page:
        page.get_by_label("Order").select_option(label="Last first")
        page.wait_for_url("**ordering=-rank**")
        expect(page.locator("#board tbody tr td").first).not_to_have_text("1")
        found = ranks(page)
        assert found == sorted(found, reverse=True)


def test_one_finds_oneself_and_one_s_report(look: Look) -> None:
    with look(BOARD) as page:
        code = codes(page)[-1]
        page.get_by_role("textbox", name="Find me").fill(code)
        page.get_by_role("button", name="Find").click()
        expect(page.locator(f"#board tbody tr{OWN}")).to_contain_text(code)
        rank = page.locator(f"#board tbody tr{OWN} td").first.inner_text()
        page.locator(f"#board tbody tr{OWN} a").click()
        page.wait_for_url(f"**/candidates/{code}/")
        expect(page.locator("main")).to_contain_text(code)
        expect(page.locator("main dl").first).to_contain_text(rank)
        chart = page.get_by_role("img").first
        assert chart.locator("title").text_content() and chart.locator("desc").text_content()
        neighbours = page.get_by_role("region", name="Neighbours").locator(f"tbody tr{OWN}")
        expect(neighbours).to_contain_text(code)
        bars = page.locator(f"figure ~ details tbody tr{OWN}")
        assert bars.count() == 1


@pytest.mark.parametrize("has_script", [True, False], ids=["with JavaScript", "without"])
def test_the_cut_off_is_moved(look: Look, has_script: bool) -> None:
    def answer() -> tuple[int, int]:
        shown = page.locator(".answer strong").all_inner_texts()
        return int(shown[0].split()[0]), int(shown[1])

    with look(f"{BOARD}cut-off/", java_script_enabled=has_script) as page:
        begun, before = answer()
        page.get_by_role("spinbutton").fill(str(begun + 10))
        if not has_script:
            page.get_by_role("button", name="Show").click()
        expect(page.locator(".answer strong").first).to_contain_text(str(begun + 10))
        assert answer()[1] < before
        assert f"cut_off={begun + 10}" in page.url
        if has_script:
            expect(page.get_by_role("slider")).to_have_value(str(begun + 10))
            page.get_by_role("slider").focus()
            page.keyboard.press("ArrowLeft")
            expect(page.locator(".answer strong").first).to_contain_text(str(begun + 9))
        else:
            expect(page.get_by_role("slider")).to_have_count(0)


def test_what_is_wrong_with_a_cut_off_is_said(look: Look) -> None:
    with look(f"{BOARD}cut-off/?cut_off=all", is_faulty=True) as page:
        expect(page.locator("main")).to_contain_text("'all'")


def test_comments_and_votes_are_counted_at_once(look: Look) -> None:
    with look("posts/6/") as page, look("posts/6/") as other:
        comments, votes = page.locator("#counts strong").all()
        before = number(comments), number(votes)
        page.get_by_label(re.compile("comment", re.IGNORECASE)).first.fill("<b>Well</b> asked")
        page.get_by_role("button", name=re.compile("comment|add|send", re.IGNORECASE)).first.click()
        expect(comments).to_have_text(str(before[0] + 1))
        said = page.locator("article", has_text="<b>Well</b> asked").first
        said.get_by_role("button", name="Vote for").click()
        expect(votes).to_have_text(str(before[1] + 1))
        expect(said.locator(".votes")).to_contain_text("1")
        # Without a click, where somebody else looks at it.
        expect(other.locator("#counts strong").first).to_have_text(str(before[0] + 1))


def test_it_is_told_how_a_page_was_computed(look: Look) -> None:
    with look(BOARD) as page:
        page.get_by_text("How it was computed").click()
        statements = page.locator("#computed li")
        assert 1 <= statements.count() <= 6
        expect(page.locator("#computed")).to_contain_text("SELECT")
        expect(page.locator("#computed .plan").first).to_contain_text("Scan")


def test_it_is_told_how_a_part_was_computed(look: Look) -> None:
    with look(f"{BOARD}cut-off/") as page:
        page.get_by_text("How it was computed").click()
        panel = page.locator("#computed")
        statement = panel.locator("code").nth(2)
        before = statement.inner_text()
        page.get_by_role("slider").focus()
        page.keyboard.press("ArrowLeft")
        expect(statement).not_to_have_text(before)
        # It stays open.
        expect(panel).to_have_attribute("open", "")
        expect(statement).to_be_visible()


def test_the_keyboard_is_enough(look: Look) -> None:
    with look(BOARD) as page:
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "search":
                break
        page.keyboard.type(codes(page)[0])
        page.keyboard.press("Enter")
        expect(page.locator("#board tbody tr")).to_have_count(1)


@pytest.mark.parametrize("path", ["tests/999/", "tests/1/?ordering=height", "tests/1/?size=0", "nowhere/"])
def test_what_is_wrong_is_said_on_a_page(look: Look, path: str) -> None:
    with look(path, is_faulty=True, viewport=PHONE) as page:
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".reason")).not_to_be_empty()
        page.get_by_role("link", name="All tests").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Tests")

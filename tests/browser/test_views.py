"""Each page of the site at the width of a phone and of a desk, light and dark.

Pictures of them are written to the folder ``screenshots``, or to that which ``SCREENSHOTS`` names.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import DESKTOP, PHONE, ROOT, Look

FOLDER = Path(os.environ.get("SCREENSHOTS", ROOT / "screenshots"))
PAGES = {
    "tests": "",
    "board": "tests/1/",
    "found": "tests/1/?member=C0788",
    "race": "races/5/",
    "report": "tests/1/candidates/C0788/",
    "cut-off": "tests/1/cut-off/",
    "posts": "posts/",
    "post": "posts/5/",
}
# Of which the beginning is enough.
LONG = {"board", "found", "race"}
SIZES = {"phone": PHONE, "desktop": DESKTOP}
SCHEMES: Sequence[Literal["light", "dark"]] = ("light", "dark")
WIDTHS = (320, 360, 768, 1920)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read(look: Look, name: str) -> None:
    with look(PAGES[name], reduced_motion="reduce") as page:
        FOLDER.mkdir(exist_ok=True)
        for size, viewport in SIZES.items():
            page.set_viewport_size(viewport)
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                page.screenshot(path=FOLDER / f"{name}-{size}-{scheme}.png", full_page=name not in LONG)
        page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
        for viewport, scheme in zip(SIZES.values(), SCHEMES, strict=True):
            page.set_viewport_size(viewport)
            page.emulate_media(color_scheme=scheme)
            assert serious(page) == []
        for width in WIDTHS:
            # Nothing makes a page move sideways.
            page.set_viewport_size({"width": width, "height": 640})
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def serious(page: Page) -> list[str]:
    """Return what keeps people from using a page, as axe finds it."""
    return [
        f"{each['id']}: {node['html']}"
        for each in Axe().run(page).response["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]

"""The example site, served by a process of its own, and a browser that looks at it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Protocol

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    Response,
    ViewportSize,
    sync_playwright,
)

ROOT = Path(__file__).parents[2]
SECONDS = 120
# Without a screen, sandbox or network; what it would like to fetch in the background is nothing of ours.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}


Window = AbstractContextManager[Page]


class Look(Protocol):
    """Opens a page of the site in a browser window of its own, closed after the block."""

    def __call__(self, path: str = "", *, is_faulty: bool = False, **options: Any) -> Window: ...


def chromium() -> str | None:
    """Return the path of Chromium; None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip("There is no Chromium: apt-get install chromium, or set CHROMIUM to the path of one.")
    # To be ended with the module: the loop that it runs is one, for Django, in which nothing may wait.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(browser: Browser) -> Iterator[str]:
    """The URL at which ``make serve`` serves the site, with an embedded server of its own."""
    kept = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")}
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "example", "serve", "--port", "0"],
        cwd=ROOT,
        env=kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        said: SimpleQueue[str] = SimpleQueue()

        def listen() -> None:
            for line in server.stdout or ():
                said.put(line)

        reader = Thread(target=listen, daemon=True)
        reader.start()
        lines: list[str] = []
        try:
            while not (found := re.search(r"http://[\w.:]+/", lines[-1] if lines else "")):
                try:
                    lines.append(said.get(timeout=SECONDS))
                except Empty:
                    pytest.fail(f"The site is not served: {''.join(lines)}")
            yield found[0]
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)
            reader.join()


@pytest.fixture
def look(browser: Browser, site: str) -> Look:
    @contextmanager
    def look(path: str = "", *, is_faulty: bool = False, **options: Any) -> Iterator[Page]:
        """Open a page, and see that nothing goes wrong on it but for its status, where it ``is_faulty``."""
        with browser.new_context(base_url=site, **{"viewport": DESKTOP, **options}) as context:
            page = context.new_page()
            page.set_default_timeout(10_000)
            wrong: list[str] = []

            def said(message: ConsoleMessage) -> None:
                if message.type in ("error", "warning") and not (
                    is_faulty and "status of 40" in message.text
                ):
                    wrong.append(f"console: {message.text}")

            def answered(response: Response) -> None:
                if response.status >= 400 and not is_faulty:
                    wrong.append(f"{response.status}: {response.url}")

            def failed(request: Request) -> None:
                # What a newer request of the page has made needless.
                if request.failure != "net::ERR_ABORTED":
                    wrong.append(f"{request.failure}: {request.url}")

            def raised(error: object) -> None:
                wrong.append(f"raised: {error}")

            page.on("console", said)
            page.on("response", answered)
            page.on("requestfailed", failed)
            page.on("pageerror", raised)
            page.goto(path)
            yield page
            assert wrong == []

    return look

"""The benchmark of endpoints, in small: all are asked and answer alike, and files take no more memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent.parent


def test_every_figure_is_measured() -> None:
    # On a server of its own, as a board that others write to would be another one for each endpoint.
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "endpoints", "--rows=4000", "--runs=1"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    figures = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
    assert [name for name, *_ in figures] == [
        "page-1/window-offset",
        "page-deep/window-offset",
        "page-deep-rank/page-1",
        "page-1-served/window-offset",
        "page-deep-served/window-offset",
        "p95-16-clients/window-offset",
        "export-csv/copy",
        "export-memory/400-entries",
    ], done.stdout + done.stderr
    # How long it takes says nothing of so few.
    assert figures[-1][3] == "ok"

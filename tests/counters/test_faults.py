"""The benchmarks of faults and of building online, in small: what they write is exact, whatever the load."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["faults", "--part=server", "--kills=2"], "server-killed-drift"),
        (["faults", "--part=backfill", "--kills=1", "--rows=40000"], "backfill-killed-drift"),
        (["online", "--part=many", "--rows=10000"], "online-with-an-extreme-drift"),
    ],
    ids=["server", "backfill", "online"],
)
def test_nothing_drifts(arguments: list[str], expected: str) -> None:
    # On a server of its own, which is killed.
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    figures = [line.split("\t") for line in done.stdout.splitlines() if "-drift\t" in line]
    assert figures == [[expected, "0", "0", "ok"]], done.stdout + done.stderr

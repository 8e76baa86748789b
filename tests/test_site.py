from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.test_example import ROOT, environment

FOLDER = "tests/site"
OPTIONS = [
    "--ds=tests.site.settings",
    f"--confcutdir={FOLDER}",
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
]


def test_the_site() -> None:
    """Run what is in tests/site with the settings of the site."""
    settings = {"DATABASE_URL": os.environ["DATABASE_URL"]}
    command = [sys.executable, "-m", "pytest", *OPTIONS, FOLDER]
    done = subprocess.run(command, cwd=ROOT, env=environment(**settings), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (passed,) = re.findall(r"^(\d+) passed in", done.stdout, re.MULTILINE)
    assert int(passed) > 100

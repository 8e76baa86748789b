"""Writers in processes of their own: pgbench, which comes with PostgreSQL."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from example.embedded import find_bindir

__all__ = ["transactions_a_second"]


def _pgbench() -> str:
    with suppress(RuntimeError):
        if (program := find_bindir() / "pgbench").is_file():
            return str(program)
    found = shutil.which("pgbench")
    if found is None:
        raise RuntimeError("This benchmark needs pgbench: install PostgreSQL's programs for clients.")
    return found


def transactions_a_second(script: str, *, clients: int, seconds: float, mode: str = "simple") -> float:
    """Let so many clients run a script of pgbench over and over, and return how often they did a second.

    ``mode`` is how statements are sent: ``simple`` as psycopg2 does, or ``prepared``.
    """
    with tempfile.TemporaryDirectory(prefix="pgbench-") as folder:
        path = Path(folder) / "script.sql"
        path.write_text(script)
        options = ["--no-vacuum", f"--client={clients}", f"--jobs={min(clients, os.cpu_count() or 1)}"]
        options += [f"--time={max(1, round(seconds))}", f"--protocol={mode}", f"--file={path}"]
        done = subprocess.run(
            [_pgbench(), *options, os.environ["DATABASE_URL"]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
    found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    if done.returncode != 0 or found is None:
        raise RuntimeError(f"pgbench failed: {done.stderr[-2000:]}")
    return float(found[1])

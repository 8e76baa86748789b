"""``python -m tests.benchmarks NAME [--rows N]``: one line a figure, then times and plans for people."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable

from example.embedded import EmbeddedPostgres, database_url

NAMES = ["counters", "endpoints", "faults", "online", "querysets", "reads"]
# "faults" kills its server, so that is never one that was given. Nothing is lost that was committed; syncing
# is for a machine that fails, of which only processes are killed here.
DURABLE = {"full_page_writes": "on", "synchronous_commit": "on"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", choices=[*NAMES, "all"])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=3, help="how long writers write in each run")
    parser.add_argument("--kills", type=int, default=20, help="how often to kill for the faults")
    parser.add_argument("--part", action="append", default=[], help="only this part of it")
    arguments = parser.parse_args()
    if arguments.name == "faults":
        with EmbeddedPostgres(settings=DURABLE) as server:
            set_up(server.url)
            from tests.benchmarks import faults

            return faults.run(server, kills=arguments.kills, rows=arguments.rows // 20, parts=arguments.part)
    with database_url() as url:
        set_up(url)
        from tests.benchmarks import counters, endpoints, online, querysets, reads

        runs: dict[str, Callable[[], int]] = {
            "counters": lambda: counters.run(
                rows=arguments.rows, runs=arguments.runs, seconds=arguments.seconds, parts=arguments.part
            ),
            "endpoints": lambda: endpoints.run(
                rows=arguments.rows, runs=arguments.runs, parts=arguments.part
            ),
            "online": lambda: online.run(rows=arguments.rows, parts=arguments.part),
            "querysets": lambda: querysets.run(rows=arguments.rows, runs=arguments.runs),
            "reads": lambda: reads.run(rows=arguments.rows, runs=arguments.runs, parts=arguments.part),
        }
        short = max([runs[name]() for name in runs if arguments.name in (name, "all")])
    if arguments.name == "all":
        command = [sys.executable, "-m", "tests.benchmarks", "faults", f"--kills={arguments.kills}"]
        short |= subprocess.run(command, check=False).returncode
    return short


def set_up(url: str) -> None:
    os.environ["DATABASE_URL"] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
    import django

    django.setup()


if __name__ == "__main__":
    sys.exit(main())

"""``python -m tests.benchmarks NAME [--rows N]``: one line a figure, then times and plans for people."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from example.embedded import database_url

NAMES = ["counters", "online", "querysets"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", choices=[*NAMES, "all"])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=3, help="how long writers write in each run")
    parser.add_argument("--part", action="append", default=[], help="only this part of counters or online")
    arguments = parser.parse_args()
    with database_url() as url:
        os.environ["DATABASE_URL"] = url
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
        import django

        django.setup()
        from tests.benchmarks import counters, online, querysets

        runs: dict[str, Callable[[], int]] = {
            "counters": lambda: counters.run(
                rows=arguments.rows, runs=arguments.runs, seconds=arguments.seconds, parts=arguments.part
            ),
            "online": lambda: online.run(rows=arguments.rows, parts=arguments.part),
            "querysets": lambda: querysets.run(rows=arguments.rows, runs=arguments.runs),
        }
        names = NAMES if arguments.name == "all" else [arguments.name]
        return max([runs[name]() for name in names])


if __name__ == "__main__":
    sys.exit(main())

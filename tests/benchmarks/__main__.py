"""``python -m tests.benchmarks NAME [--rows N]``: one line a figure, then times and plans for people."""

from __future__ import annotations

import argparse
import os
import sys

from example.embedded import database_url

NAMES = ["querysets"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", choices=[*NAMES, "all"])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=11)
    arguments = parser.parse_args()
    with database_url() as url:
        os.environ["DATABASE_URL"] = url
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
        import django

        django.setup()
        from tests.benchmarks import querysets

        return querysets.run(rows=arguments.rows, runs=arguments.runs)


if __name__ == "__main__":
    sys.exit(main())

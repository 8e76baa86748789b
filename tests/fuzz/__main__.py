"""``python -m tests.fuzz``: programs for each model, how many a minute, and those that fail, shrunk."""

from __future__ import annotations

import argparse
import os
import sys
import time

from example.embedded import database_url


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--programs", type=int, default=2000, help="in all, of those that find nothing new")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", help="only this one")
    arguments = parser.parse_args()
    with database_url() as url:
        os.environ["DATABASE_URL"] = url
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
        import django
        from django.test.utils import setup_databases, teardown_databases

        django.setup()
        databases = setup_databases(verbosity=0, interactive=False)
        try:
            return _fuzz(arguments)
        finally:
            teardown_databases(databases, verbosity=0)


def _fuzz(arguments: argparse.Namespace) -> int:
    from tests.fuzz.mirror import KINDS, make_groups
    from tests.fuzz.running import faults

    make_groups()
    kinds = [kind for name, kind in KINDS.items() if arguments.model in (None, name)]
    number = arguments.programs // max(len(kinds), 1)
    failed = False
    for position, kind in enumerate(kinds):
        began = time.monotonic()
        found, ran = faults(kind, number, seed=arguments.seed + position)
        rate = 60 * ran / (time.monotonic() - began)
        print(f"{kind.name}: {ran} programs, {rate:.0f} a minute, {len(found)} faults", flush=True)
        for fault in found:
            print(f"\n{fault}", flush=True)
        failed = failed or bool(found)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

"""Transactions that write to the same parents in opposite orders: none may end in a deadlock.

``python -m tests.counters.opposed 10000`` runs so many of each kind and prints what came of them.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import django
from django.db import OperationalError, connection, transaction

from example.embedded import database_url

__all__ = ["oppose"]

THREADS = 8
POSTS = 4
# To several parents, in the order of the rows.
COMMENTS = "INSERT INTO counters_comment (post_id, votes, is_public) SELECT n, 1, true FROM unnest(%s) n"
# To one parent, in a journal.
VOTE = (
    "INSERT INTO counters_vote (object_id, content_type_id) SELECT %s, id FROM django_content_type "
    "WHERE app_label = 'counters' AND model = 'post'"
)


def oppose(transactions: int, kind: str) -> Counter[str]:
    """Run transactions of one kind in threads; return how many were committed and how many deadlocked.

    ``statement``: each inserts rows of all parents in one statement, in an order of its own. ``journal``:
    each writes to one parent after the other.
    """
    barrier = Barrier(THREADS)

    def work(seed: int) -> Counter[str]:
        chance = random.Random(seed)
        outcomes: Counter[str] = Counter()
        try:
            with connection.cursor() as cursor:
                # Who waits in a circle is told at once.
                cursor.execute("SET deadlock_timeout = '20ms'")
            barrier.wait(timeout=60)
            for _ in range(transactions // THREADS):
                order = chance.sample(range(1, POSTS + 1), POSTS)
                try:
                    with transaction.atomic(), connection.cursor() as cursor:
                        _write(cursor, kind, order)
                    outcomes["committed"] += 1
                except OperationalError as error:
                    cause: Any = error.__cause__
                    if "deadlock detected" not in str(cause):
                        raise
                    outcomes["deadlocks"] += 1
        finally:
            connection.close()
        return outcomes

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(work, range(THREADS)), Counter())


def _write(cursor: Any, kind: str, order: list[int]) -> None:
    if kind == "statement":
        cursor.execute(COMMENTS, [order])
    else:
        for post in order:
            cursor.execute(VOTE, [post])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.counters.opposed", description=__doc__)
    parser.add_argument("transactions", nargs="?", type=int, default=10_000)
    transactions = parser.parse_args().transactions
    with database_url() as url:
        os.environ.update(DATABASE_URL=url, DJANGO_SETTINGS_MODULE="tests.settings")
        django.setup()
        run(transactions)


def run(transactions: int) -> None:
    from django.core.management import call_command

    from leaderboard.testing import assert_no_drift
    from tests.counters.operations import make

    call_command("migrate", run_syncdb=True, verbosity=0)
    make()
    for kind in ("statement", "journal"):
        begun = time.monotonic()
        outcomes = oppose(transactions, kind)
        seconds = time.monotonic() - begun
        print(
            f"{kind}\t{outcomes['committed']} committed\t{outcomes['deadlocks']} deadlocks\t{seconds:.1f} s"
        )
    assert_no_drift()
    connection.close()


if __name__ == "__main__":
    main()

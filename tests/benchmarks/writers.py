"""Writers that go on until they are told to stop, in processes of their own: they import no Django."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

# As Django chooses.
driver: Any = import_module("psycopg" if find_spec("psycopg") else "psycopg2")

__all__ = ["Written", "writing"]


@dataclass
class Written:
    """What the writers did: how many statements, how many broken connections, and the slowest by time.

    ``slowest`` holds when each of the slow statements began, and how long it took, both in seconds.
    """

    statements: int = 0
    broken: int = 0
    slowest: list[tuple[float, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def longest(self, since: float = 0, until: float = float("inf")) -> float:
        """Return how long the slowest statement took of those that ran at some time within a span."""
        return max(
            (took for began, took in self.slowest if began < until and began + took > since), default=0
        )


@contextmanager
def writing(url: str, kind: str, *, writers: int, posts: int, pause: float = 0.002) -> Iterator[Written]:
    """Let writers insert, change, move and delete comments meanwhile; half of them are on one post.

    They put up with a server that goes away, and write on when it is there again.
    """
    context = multiprocessing.get_context("spawn")
    begun, stop, results = context.Semaphore(0), context.Event(), context.Queue()
    arguments = (url, kind, posts, pause, begun, stop, results)
    processes = [
        context.Process(target=_write, args=(number, *arguments), daemon=True) for number in range(writers)
    ]
    for process in processes:
        process.start()
    written = Written()
    try:
        for _ in processes:
            if not begun.acquire(timeout=120):
                raise RuntimeError("No writer has written in two minutes.")
        yield written
    finally:
        stop.set()
        for _ in processes:
            done: Written = results.get(timeout=120)
            written.statements += done.statements
            written.broken += done.broken
            written.slowest += done.slowest
            written.errors += done.errors
        for process in processes:
            process.join()


def _write(
    number: int, url: str, kind: str, posts: int, pause: float, begun: Any, stop: Any, results: Any
) -> None:
    written = Written()
    connection: Any = None
    chance = random.Random(number)
    known: list[int] = []
    while not stop.is_set():
        began = time.time()
        try:
            if connection is None:
                connection = driver.connect(url)
                connection.autocommit = True
            _statement(connection, kind, posts, chance, known)
        except (driver.OperationalError, driver.InterfaceError):
            # Whether the last one was committed nobody knows.
            written.broken += connection is not None
            connection = None
            time.sleep(0.05)
            continue
        except driver.Error as error:
            written.errors.append(f"{type(error).__name__}: {error}")
            continue
        took = time.time() - began
        written.statements += 1
        if written.statements == 1:
            begun.release()
        if took > 0.005:
            written.slowest.append((began, took))
        time.sleep(pause * chance.random() * 2)
    if connection is not None:
        connection.close()
    results.put(written)


def _statement(connection: Any, kind: str, posts: int, chance: random.Random, known: list[int]) -> None:
    table = f"benchmarks_{kind}comment"
    post = 1 if chance.random() < 0.5 else chance.randint(2, posts)
    with connection.cursor() as cursor:
        what = chance.random()
        if what < 0.5 or len(known) < 10:
            cursor.execute(
                f"INSERT INTO {table} (post_id, is_public, votes, body) "
                "VALUES (%s, %s, %s, 'x') RETURNING id",
                [post, chance.random() < 0.8, chance.randint(-5, 1000)],
            )
            known.append(cursor.fetchone()[0])
        elif what < 0.52:
            cursor.execute(
                f"INSERT INTO {table} (post_id, is_public, votes, body) "
                "SELECT 1 + (n * %s) %% %s, n %% 3 > 0, n, 'x' FROM generate_series(1, 20) n",
                [chance.randint(1, posts), posts],
            )
        elif what < 0.6:
            # Whoever else has written it: the rows that were there at first, too.
            cursor.execute(
                f"UPDATE {table} SET is_public = NOT is_public WHERE id = %s", [chance.randint(1, known[-1])]
            )
        elif what < 0.7:
            cursor.execute(f"UPDATE {table} SET votes = votes + 1 WHERE id = %s", [chance.choice(known)])
        elif what < 0.8:
            cursor.execute(f"UPDATE {table} SET post_id = %s WHERE id = %s", [post, chance.choice(known)])
        else:
            cursor.execute(
                f"DELETE FROM {table} WHERE id = %s", [known.pop(chance.randrange(len(known) // 2))]
            )

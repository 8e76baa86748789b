"""Connections of their own, each in a thread, whose statements follow one another as a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import connection, transaction

__all__ = ["REPEATABLE_READ", "SERIALIZABLE", "Session", "execute", "sessions", "settled"]

REPEATABLE_READ, SERIALIZABLE = "REPEATABLE READ", "SERIALIZABLE"
# No test waits for as long, unless it fails.
TIMEOUT = 20
LOCK_TIMEOUT = "5s"


def execute(sql: str, params: Any = None) -> list[Any]:
    """Run a statement on the connection of this thread and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


class Session:
    """One connection, and the blocks of ``atomic()`` that it is in."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._blocks: list[Any] = []
        self._last: Future[Any] | None = None
        ((self.pid,),) = self.run(lambda: execute("SELECT pg_backend_pid()"))
        # Who waits in a circle is told at once.
        self.run(lambda: execute(f"SET deadlock_timeout = '10ms'; SET lock_timeout = '{LOCK_TIMEOUT}'"))

    def start(self, action: Callable[[], Any]) -> Future[Any]:
        """Run an action in the thread of this session, without waiting for its end."""
        self._last = self._pool.submit(action)
        return self._last

    def run(self, action: Callable[[], Any]) -> Any:
        return self.start(action).result(timeout=TIMEOUT)

    def execute(self, sql: str, params: Any = None) -> list[Any]:
        return self.run(lambda: execute(sql, params))  # type: ignore[no-any-return]

    # Within the thread

    def enter(self, isolation: str | None = None) -> None:
        """Begin a transaction, or a savepoint within it."""
        block = transaction.atomic()
        block.__enter__()
        self._blocks.append(block)
        if isolation is not None:
            execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}")

    def leave(self, *, rolls_back: bool = False) -> None:
        """Commit the transaction or release the savepoint, or roll it back."""
        if rolls_back:
            transaction.set_rollback(True)
        self._blocks.pop().__exit__(None, None, None)

    def abort(self, error: BaseException) -> None:
        """Roll all back after an error."""
        while self._blocks:
            self._blocks.pop().__exit__(type(error), error, error.__traceback__)

    @property
    def depth(self) -> int:
        return len(self._blocks)

    # From outside

    def begin(self, isolation: str | None = None) -> None:
        self.run(lambda: self.enter(isolation))

    def commit(self) -> None:
        self.run(self.leave)

    def rollback(self) -> None:
        self.run(lambda: self.leave(rolls_back=True))

    def blockers(self) -> set[int]:
        """Return the processes for which the last action waits; where it waits for none, it has ended."""
        while self._last is not None and not self._last.done():
            ((pids,),) = execute("SELECT pg_blocking_pids(%s)", [self.pid])
            if pids:
                return set(pids)
            wait([self._last], timeout=0.001)
        return set()

    def close(self) -> None:
        def close() -> None:
            while self._blocks:
                self.leave(rolls_back=True)
            connection.close()

        try:
            self.start(close).result(timeout=TIMEOUT)
        finally:
            self._pool.shutdown()


def settled(*among: Session) -> list[Session]:
    """Wait until each session has ended its last action or waits for a lock; return those that wait."""
    while True:
        blockers = {session: session.blockers() for session in among}
        waiting = [session for session in among if blockers[session]]
        # What one has ended may have let another go on.
        if blockers == {session: session.blockers() for session in among} and not _in_a_circle(blockers):
            return waiting


def _in_a_circle(blockers: dict[Session, set[int]]) -> bool:
    """Tell whether some wait for each other, which PostgreSQL ends in a moment."""
    waiting = {session.pid: pids for session, pids in blockers.items() if pids}
    while free := [pid for pid, pids in waiting.items() if not pids & waiting.keys()]:
        for pid in free:
            del waiting[pid]
    return bool(waiting)


@contextmanager
def sessions(count: int) -> Iterator[list[Session]]:
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            opened.append(Session())
            stack.callback(opened[-1].close)
        yield opened

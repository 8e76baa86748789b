"""``python -m tests.benchmarks.clients PORT CLIENTS REQUESTS PATH…``: the seconds of each request, as JSON.

Each client asks for one path after the other over a connection of its own, which it keeps, until all of them
together have made so many requests.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import islice
from time import perf_counter

__all__ = ["main"]


def main(port: int, clients: int, requests: int, paths: Sequence[str]) -> None:
    with ThreadPoolExecutor(clients) as pool:
        taken = pool.map(lambda number: _ask(port, _share(paths, number, clients, requests)), range(clients))
        print(json.dumps([seconds for each in taken for seconds in each]))


def _share(paths: Sequence[str], number: int, clients: int, requests: int) -> Iterator[str]:
    """Yield the paths that one of the clients asks for."""
    return (paths[nth % len(paths)] for nth in islice(range(requests), number, None, clients))


def _ask(port: int, paths: Iterator[str]) -> list[float]:
    connection = HTTPConnection("127.0.0.1", port)
    taken = []
    for path in paths:
        begun = perf_counter()
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        taken.append(perf_counter() - begun)
        if response.status != 200:
            raise RuntimeError(f"{path} has status {response.status}.")
    connection.close()
    return taken


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:4]]
    main(numbers[0], numbers[1], numbers[2], sys.argv[4:])

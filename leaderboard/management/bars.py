"""How far a long run has come: bars where tqdm is there and somebody watches, else a line now and then."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

try:
    from tqdm import tqdm
except ImportError:  # It comes with django-pgleaderboard[progress].
    tqdm = None

__all__ = ["Bars", "tqdm"]

SECONDS_BETWEEN_LINES = 5


class Bars:
    """Called with the names of counters and the rows seen so far; ``totals`` says how many there are, about.

    All of it goes to ``stream``, which should not be the one that results are printed on.
    """

    def __init__(self, stream: Any, totals: Mapping[str, int]) -> None:
        self.stream = stream
        self.totals = totals
        self.bar: Any = None
        self.names = ""
        self.last_line = time.monotonic()

    def __call__(self, names: str, rows: int) -> None:
        if tqdm is None or not self.stream.isatty():
            self._line(names, rows)
            return
        if names != self.names:
            self.close()
            total = self.totals.get(names) or None
            self.bar = tqdm(total=total, desc=names, unit=" rows", file=self.stream, dynamic_ncols=True)
            self.names = names
        # The total is what the last ANALYZE has seen.
        if self.bar.total is not None and rows > self.bar.total:
            self.bar.total = rows
        self.bar.update(rows - self.bar.n)

    def _line(self, names: str, rows: int) -> None:
        now = time.monotonic()
        if now - self.last_line >= SECONDS_BETWEEN_LINES:
            self.last_line = now
            self.stream.write(f"{names}: {rows:,} rows\n")
            self.stream.flush()

    def close(self) -> None:
        """Leave the bar that is drawn as it is."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None

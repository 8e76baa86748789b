"""A progress bar."""

from __future__ import annotations

import sys


class Progress:
    """A bar on stderr: redrawn on a terminal, elsewhere one line at the end."""

    def __init__(self, title: str, total: int) -> None:
        self.title = title
        self.total = total

    def __call__(self, done: int) -> None:
        finished = done >= self.total
        if not (finished or sys.stderr.isatty()):
            return
        share = min(done / self.total, 1) if self.total else 1.0
        bar = ("#" * round(30 * share)).ljust(30, ".")
        start, end = ("\r", "\n" if finished else "") if sys.stderr.isatty() else ("", "\n")
        print(f"{start}{self.title} [{bar}] {done:,} of {self.total:,}", end=end, file=sys.stderr, flush=True)

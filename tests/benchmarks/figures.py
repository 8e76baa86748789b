"""Figures with their limits, one a line, and the medians behind them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ["Figure", "clock", "paired"]


@dataclass(frozen=True)
class Figure:
    """A ratio that must not be above its limit, or not below it where it is ``at_least`` that."""

    name: str
    ratio: float
    limit: float
    at_least: bool = False

    @property
    def is_short(self) -> bool:
        return self.ratio < self.limit if self.at_least else self.ratio > self.limit

    def print(self) -> None:
        limit = f"{'>=' if self.at_least else ''}{self.limit:g}"
        print(self.name, f"{self.ratio:.4g}", limit, "short" if self.is_short else "ok", sep="\t", flush=True)


def paired(measures: Sequence[Callable[[], float]], runs: int) -> tuple[list[float], list[float]]:
    """Measure by turns; return the medians, and those of the ratios to the last one within a turn.

    What else the machine does in a turn slows all sides alike.
    """
    for measure in measures:
        measure()
    samples = [[measure() for measure in measures] for _ in range(runs)]
    ratios = [[value / sample[-1] for value in sample] for sample in samples]
    return [median(side) for side in zip(*samples, strict=True)], [
        median(side) for side in zip(*ratios, strict=True)
    ]


def clock(action: Callable[[], object]) -> float:
    """Return the seconds that an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start

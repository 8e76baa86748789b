"""Bars of a chart, in hundredths of its width and height; the words beside them are HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Bar", "Chart", "chart_of"]

GAP = 0.15


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it is about, how much, and how it is marked."""

    label: str
    count: int
    x: str
    y: str
    width: str
    height: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars from left to right, and the largest count."""

    bars: Sequence[Bar]
    most: int


def chart_of(values: Sequence[tuple[str, int, str]]) -> Chart:
    """Return the chart of labels, counts and marks."""
    most = max((count for _, count, _ in values), default=0)
    width = 100 / max(len(values), 1)

    def bar(number: int, label: str, count: int, mark: str) -> Bar:
        height = 100 * count / most if most else 0
        return Bar(
            label,
            count,
            x=_text((number + GAP / 2) * width),
            y=_text(100 - height),
            width=_text((1 - GAP) * width),
            height=_text(height),
            mark=mark,
        )

    return Chart([bar(number, *value) for number, value in enumerate(values)], most)


def _text(number: Any) -> str:
    return f"{number:.2f}"

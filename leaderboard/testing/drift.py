"""Counters held to their rows."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import DEFAULT_DB_ALIAS

from leaderboard.counters import Report, check
from leaderboard.counters.chosen import Chosen

__all__ = ["assert_no_drift"]

SHOWN = 20


def assert_no_drift(*chosen: Chosen, using: str = DEFAULT_DB_ALIAS) -> None:
    """Raise ``AssertionError`` where counters, all or those that are chosen, differ from their rows.

    Models are chosen, or counters by name: ``"blog.Post.comment_count"``. What a side table still holds of a
    transaction that is over is a difference too, and so is a trigger that is missing or disabled.
    """
    problems = [line for report in check(*chosen, using=using) for line in _problems(report)]
    if problems:
        shown = problems[:SHOWN]
        if len(problems) > SHOWN:
            shown.append(f"and {len(problems) - SHOWN} more")
        raise AssertionError("Counters differ from their rows:\n" + "\n".join(shown))


def _problems(report: Report) -> Iterator[str]:
    for drift in report.drifts:
        yield f"{drift.counter} of {drift.key!r} is {drift.stored!r}, and {drift.counted!r} is counted"
    if report.left_over:
        yield f"{', '.join(report.counters)}: {report.left_over} rows are left over in the side table"
    for trigger in report.unguarded:
        yield f"{', '.join(report.counters)}: no trigger on {trigger}"

"""Counters that triggers keep, and what is done to them from outside."""

from leaderboard.counters.batches import Drift, Report
from leaderboard.counters.overview import CounterStanding, overview
from leaderboard.counters.upkeep import backfill, check, fold_journals, ignore, repair

__all__ = [
    "CounterStanding",
    "Drift",
    "Report",
    "backfill",
    "check",
    "fold_journals",
    "ignore",
    "overview",
    "repair",
]

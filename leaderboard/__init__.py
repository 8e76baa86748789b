"""Derived-metrics leaderboards for Django on PostgreSQL."""

from leaderboard.board import Best, First, Latest, Leaderboard
from leaderboard.cutoffs import (
    AllOf,
    AnyOf,
    AtLeast,
    AtMost,
    CutOff,
    Not,
    PercentileAtLeast,
    PercentOf,
    QualificationWindow,
    TopCount,
    TopPercent,
)
from leaderboard.expressions import (
    PercentileWindow,
    QualificationChoices,
    QualificationField,
    RankWindow,
    TimeTaken,
)
from leaderboard.kinds import PercentileKind, Qualification, RankKind
from leaderboard.metrics import Standing
from leaderboard.query import BoardNotPinned, LeaderboardManager, LeaderboardQuerySet

__all__ = [
    "AllOf",
    "AnyOf",
    "AtLeast",
    "AtMost",
    "Best",
    "BoardNotPinned",
    "CutOff",
    "First",
    "Latest",
    "Leaderboard",
    "LeaderboardManager",
    "LeaderboardQuerySet",
    "Not",
    "PercentOf",
    "PercentileAtLeast",
    "PercentileKind",
    "PercentileWindow",
    "Qualification",
    "QualificationChoices",
    "QualificationField",
    "QualificationWindow",
    "RankKind",
    "RankWindow",
    "Standing",
    "TimeTaken",
    "TopCount",
    "TopPercent",
]

"""Derived-metrics leaderboards for Django on PostgreSQL."""

from leaderboard.counters.fields import CounterField, NumericField
from leaderboard.counters.querysets import CounterManager, CounterQuerySet
from leaderboard.counters.storage import Inline, Journal
from leaderboard.counters.upkeep import ignore
from leaderboard.declaration.counting import Best, First, Latest
from leaderboard.declaration.cut_offs import (
    AllOf,
    AnyOf,
    AtLeast,
    AtMost,
    CutOff,
    Not,
    PercentileAtLeast,
    PercentOf,
    TopCount,
    TopPercent,
)
from leaderboard.declaration.leaderboard import Leaderboard
from leaderboard.declaration.windows import QualificationWindow
from leaderboard.expressions import (
    PercentileWindow,
    QualificationChoices,
    QualificationField,
    RankWindow,
    TimeTaken,
)
from leaderboard.kinds import PercentileKind, PlanKind, Qualification, RankKind
from leaderboard.querysets.boards import BoardNotPinned
from leaderboard.querysets.manager import LeaderboardManager, LeaderboardQuerySet
from leaderboard.standings.bookmark import Bookmark
from leaderboard.standings.explained import ChosenPlan
from leaderboard.standings.standing import Standing

__all__ = [
    "AllOf",
    "AnyOf",
    "AtLeast",
    "AtMost",
    "Best",
    "BoardNotPinned",
    "Bookmark",
    "ChosenPlan",
    "CounterField",
    "CounterManager",
    "CounterQuerySet",
    "CutOff",
    "First",
    "Inline",
    "Journal",
    "Latest",
    "Leaderboard",
    "LeaderboardManager",
    "LeaderboardQuerySet",
    "Not",
    "NumericField",
    "PercentOf",
    "PercentileAtLeast",
    "PercentileKind",
    "PercentileWindow",
    "PlanKind",
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
    "ignore",
]

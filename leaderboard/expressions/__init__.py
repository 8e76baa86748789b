"""SQL over one row, or over the rows of a window; nothing here knows of a declared board."""

from leaderboard.expressions.percentiles import PercentileWindow
from leaderboard.expressions.qualification import QualificationChoices, QualificationField
from leaderboard.expressions.ranks import RankWindow
from leaderboard.expressions.times import TimeTaken

__all__ = ["PercentileWindow", "QualificationChoices", "QualificationField", "RankWindow", "TimeTaken"]

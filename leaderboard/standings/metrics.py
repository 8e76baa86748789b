"""The metrics: what a column of the derived table holds, one class each.

The formulas of ranks and percentiles are in ``expressions/ranks.py`` and ``expressions/percentiles.py``, the
order in which a qualification applies is in ``expressions/qualification.py``. A metric says which type its
values have, what it needs and how it is made of the :class:`~leaderboard.standings.population.Population`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models.lookups import IsNull

from leaderboard.declaration.leaderboard import Leaderboard
from leaderboard.expressions.fields import BIGINT, BOOLEAN, DURATION, FLOAT, UNCONVERTED, named
from leaderboard.expressions.percentiles import percentile_of
from leaderboard.expressions.qualification import QUALIFICATION, qualification_of
from leaderboard.expressions.ranks import rank_field, rank_of
from leaderboard.kinds import PercentileKind, Qualification, RankKind
from leaderboard.orm.columns import DerivedColumn, EqualWrapper
from leaderboard.orm.conditions import values_of
from leaderboard.orm.ordering import NullsLast
from leaderboard.orm.query import View
from leaderboard.orm.views import is_correlated, same_view
from leaderboard.standings.population import Population

__all__ = [
    "BoardSize",
    "IsRanked",
    "Metric",
    "MetricColumn",
    "Percentile",
    "QualificationStatus",
    "Rank",
    "Ranking",
    "TermValue",
    "TieValue",
    "TimeTakenAnnotation",
    "is_metric_annotation",
]


class Metric(ABC):
    """A figure that is derived for each entry of a ranking."""

    name: ClassVar[str]
    # Whether it is NULL, or false, for entries that are not ranked.
    is_of_ranked: ClassVar[bool] = False
    # Whether it depends on other entries of the board.
    counts_others: ClassVar[bool] = False

    def is_only_of_ranked(self, condition: Any) -> bool:
        """Tell whether a condition on it, which is not true of NULL, is true of ranked entries only."""
        return self.is_of_ranked

    def is_of_all_ranked(self, condition: Any) -> bool:
        """Tell whether such a condition is true of every ranked entry."""
        return False

    @property
    @abstractmethod
    def output_field(self) -> models.Field[Any, Any]: ...

    @abstractmethod
    def expression(self, population: Population) -> Any:
        """Return the metric as an expression of the level of standings."""

    @property
    def hidden_name(self) -> str:
        """The name of its column where it is not annotated."""
        return f"_{self.name}"

    @property
    def stops_scan(self) -> bool:
        """Whether PostgreSQL stops reading a board where an upper bound on the metric is passed."""
        return False

    def needs_board_size(self, declaration: Leaderboard) -> bool:
        """Whether it depends on the number of ranked entries, so that the whole board is read."""
        return False

    def row_values(self, declaration: Leaderboard) -> Sequence[Any]:
        """Return the expressions over the entry's own row that it is made of."""
        return ()


RANK_FIELDS = {kind: named(rank_field(kind), "rank") for kind in RankKind}
PERCENTILE = named(FLOAT, "percentile")


@dataclass(frozen=True)
class Rank(Metric):
    """The rank of ``kind``."""

    kind: RankKind

    name = "rank"
    is_of_ranked = True
    counts_others = True

    @property
    def output_field(self) -> models.Field[Any, Any]:
        return RANK_FIELDS[self.kind]

    @property
    def hidden_name(self) -> str:
        return f"_rank_{self.kind}"

    @property
    def stops_scan(self) -> bool:
        # A run condition is a comparison of the window function itself, not of what is made of it.
        return self.kind is not RankKind.FRACTIONAL

    def is_of_all_ranked(self, condition: Any) -> bool:
        # No more than that it is not NULL.
        return isinstance(condition, IsNull)

    def expression(self, population: Population) -> Any:
        return population.of_ranked(rank_of(self.kind, population.tally), self.output_field)


@dataclass(frozen=True)
class Percentile(Metric):
    """The percentile of ``kind``, 0 to 100."""

    kind: PercentileKind

    name = "percentile"
    is_of_ranked = True
    counts_others = True
    output_field = PERCENTILE

    def needs_board_size(self, declaration: Leaderboard) -> bool:
        return True

    def expression(self, population: Population) -> Any:
        return population.of_ranked(percentile_of(self.kind, population.tally), FLOAT)


@dataclass(frozen=True)
class BoardSize(Metric):
    """The number of entries ranked on the entry's board."""

    name = "board_size"
    counts_others = True
    output_field = named(BIGINT, "board_size")

    def needs_board_size(self, declaration: Leaderboard) -> bool:
        return True

    def expression(self, population: Population) -> Any:
        return population.tally.size


OF_RANKED = {Qualification.NO_CUT_OFF, Qualification.QUALIFIED, Qualification.NOT_QUALIFIED}


@dataclass(frozen=True)
class QualificationStatus(Metric):
    """What the cut-off makes of the entry: the annotation ``qualification``."""

    name = "qualification"
    counts_others = True
    output_field = named(QUALIFICATION, "qualification")

    def is_only_of_ranked(self, condition: Any) -> bool:
        values = values_of(condition)
        return values is not None and {*values} <= OF_RANKED

    def needs_board_size(self, declaration: Leaderboard) -> bool:
        return declaration.cut_off is not None and declaration.cut_off.needs_board_size

    def row_values(self, declaration: Leaderboard) -> Sequence[Any]:
        return () if declaration.cut_off is None else declaration.cut_off.row_values()

    def expression(self, population: Population) -> Any:
        rule = population.cut_off
        return qualification_of(
            excluded=population.excluded,
            pending=population.pending,
            superseded=population.superseded,
            met=None if rule is None else rule.condition(population.tally, population.row_column),
        )


@dataclass(frozen=True)
class IsRanked(Metric):
    """Whether the entry is ranked."""

    name = "ranked"
    is_of_ranked = True
    output_field = BOOLEAN

    def is_of_all_ranked(self, condition: Any) -> bool:
        return True

    def expression(self, population: Population) -> Any:
        return population.is_ranked


@dataclass(frozen=True)
class TieValue(Metric):
    """What orders ties, at ``position`` of ``ties_by``."""

    position: int

    name = "tie"
    output_field = UNCONVERTED

    @property
    def hidden_name(self) -> str:
        return f"_tie_{self.position}"

    def expression(self, population: Population) -> Any:
        return population.ties[self.position]


@dataclass(frozen=True)
class TermValue(Metric):
    """The ordering term at ``position``, read and written as PostgreSQL has it."""

    position: int

    name = "term"
    # Whatever the term's own field would make of it.
    output_field = UNCONVERTED

    @property
    def hidden_name(self) -> str:
        return f"_term_{self.position}"

    def expression(self, population: Population) -> Any:
        return population.terms[self.position]


TIME_TAKEN = named(DURATION, "time_taken")


class TimeTakenAnnotation(NullsLast, EqualWrapper):
    """The declared time taken: it depends on the entry's own row only, so it needs no derived table."""

    name = "time_taken"

    def __init__(self, time_taken: Any) -> None:
        super().__init__(time_taken, output_field=TIME_TAKEN)


def is_metric_annotation(annotation: Any) -> bool:
    """Tell whether an annotation is a metric, in whose place another one may be annotated."""
    return isinstance(annotation, DerivedColumn | TimeTakenAnnotation)


@dataclass(frozen=True, eq=False)
class Ranking:
    """A declared board, and the view that is its population where that is not the whole board.

    Two of them are equal where their boards are and their views, built alike, have the same rows.
    """

    declaration: Leaderboard
    view: View | None = None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Ranking)
            and self.declaration == other.declaration
            and same_view(self.view, other.view)
        )

    def __hash__(self) -> int:
        return hash(self.declaration)


@dataclass(frozen=True)
class MetricColumn:
    """A metric of one ranking: what a derived column holds."""

    ranking: Ranking
    metric: Metric

    @property
    def output_field(self) -> models.Field[Any, Any]:
        return self.metric.output_field

    @property
    def is_correlated(self) -> bool:
        return self.ranking.view is not None and is_correlated(self.ranking.view)

    @property
    def needs_board_size(self) -> bool:
        return self.metric.needs_board_size(self.ranking.declaration)

    def with_views(self, change: Callable[[View], View]) -> Self:
        view = self.ranking.view
        # Most refer to no query around them, so that nothing in them changes with it.
        if view is None or not is_correlated(view):
            return self
        return replace(self, ranking=replace(self.ranking, view=change(view)))

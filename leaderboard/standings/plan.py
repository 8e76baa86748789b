"""What a derived table must hold, worked out of a view before anything of the table is built."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Model

from leaderboard.declaration.coverage import finds_counting_entries
from leaderboard.orm.conditions import bounds_from_above
from leaderboard.orm.models import key_fields
from leaderboard.orm.query import DerivedQuery, View
from leaderboard.orm.trees import holds_query
from leaderboard.standings.metrics import IsRanked, Metric, MetricColumn, Ranking
from leaderboard.standings.pins import pins_of

__all__ = ["Levels", "Plan", "RankingPlan", "plan"]


class Levels(NamedTuple):
    """The aliases of the levels, and of the subquery for a member's counting entry."""

    value: str
    entry: str
    rival: str
    counting: str
    standing: str


LEVELS = Levels("value", "entry", "rival", "counting", "standing")


@dataclass(frozen=True, eq=False, slots=True)
class RankingPlan:
    """One ranking of a plan.

    ``pins`` are the lookups of the view that hold names of ``within`` to one value. ``shared`` are the
    names whose pins hold for every ranking of the plan: they restrict all entries and need no partition.
    ``boards`` is a query for the values that the other names have in the view, or in more than that; None
    for all boards.
    """

    ranking: Ranking
    pins: Mapping[str, Any]
    shared: frozenset[str]
    boards: View | None

    @property
    def free(self) -> Sequence[str]:
        """The names of ``within`` that are not pinned."""
        return [name for name in self.ranking.declaration.within if name not in self.pins]

    @property
    def partition(self) -> Sequence[str]:
        """The names of ``within`` that tell the boards of the table from one another."""
        return [name for name in self.ranking.declaration.within if name not in self.shared]


@dataclass(frozen=True, eq=False, slots=True)
class Plan:
    """The table that a view needs for its metrics.

    ``columns`` are the metrics by the names of their columns. ``enforced`` are the conditions of the view
    that hold inside the table. With ``only_ranked`` it holds ranked entries of one board only, and with
    ``looks_up_members`` the counting ones are found row by row, so that a scan can stop early. With ``first``
    it holds so many of them in the board's order, and those that tie with the last.
    """

    model: type[Model]
    columns: Mapping[str, MetricColumn]
    rankings: Sequence[RankingPlan]
    enforced: Sequence[Any]
    only_ranked: bool
    looks_up_members: bool
    first: int | None
    levels: Levels
    outer_aliases: Mapping[str, Any]

    @property
    def shape(self) -> Hashable:
        """What tables have in common that differ only in the board that they are pinned to; None for none."""
        if len(self.rankings) != 1 or self.levels is not LEVELS:
            return None
        (only,) = self.rankings
        if only.ranking.view is not None:
            return None
        metrics = tuple((name, column.metric) for name, column in self.columns.items())
        return self.model, metrics, only.shared, self.only_ranked, self.looks_up_members, self.first


def plan(view: DerivedQuery, columns: Mapping[str, MetricColumn]) -> Plan:
    """Return the plan for ``columns`` of ``view``, which has one or more."""
    rankings = list(dict.fromkeys(column.ranking for column in columns.values()))
    pins = [pins_of(view, ranking.declaration) for ranking in rankings]
    shared = [
        lookup
        for lookup in pins[0].values()
        if all(any(lookup is pin for pin in other.values()) for other in pins)
    ]
    is_one_board = len(rankings) == 1 and len(pins[0]) == len(rankings[0].declaration.within)
    bounds = list(_bounds(view, columns)) if is_one_board else []
    only_ranked = any(metric.is_only_of_ranked(condition) for condition, metric in bounds)
    enforced = [condition for condition, metric in bounds if isinstance(metric, IsRanked)]
    # Without indexes, a subquery for each row would take the square of the board's size.
    looks_up_members = (
        only_ranked
        and isinstance(rankings[0].declaration.member, str)
        and len(key_fields(view.model)) == 1
        and not any(map(holds_query, rankings[0].declaration.row_expressions()))
        and _stops_early(view, columns.values(), bounds)
        and finds_counting_entries(view.model, rankings[0].declaration)
    )
    is_bounded = (
        only_ranked
        and (looks_up_members or rankings[0].declaration.member is None)
        and not any(column.needs_board_size for column in columns.values())
    )
    return Plan(
        model=view.model,
        columns=columns,
        rankings=[
            RankingPlan(
                ranking,
                own,
                frozenset(name for name, lookup in own.items() if any(lookup is pin for pin in shared)),
                _boards_in_view(view, ranking, own, shared),
            )
            for ranking, own in zip(rankings, pins, strict=True)
        ],
        enforced=[*shared, *enforced],
        only_ranked=only_ranked,
        looks_up_members=looks_up_members,
        first=view.first_of_board if is_bounded else None,
        levels=_free_aliases(view.taken_aliases()),
        outer_aliases=view.outer_aliases(),
    )


def _bounds(view: DerivedQuery, columns: Mapping[str, MetricColumn]) -> Iterator[tuple[Any, Metric]]:
    """Yield the conditions that are not true where a metric is NULL, each with its metric."""
    for condition, column in view.strict_conditions():
        yield condition, view.derived_columns[column].metric


def _stops_early(view: DerivedQuery, columns: Any, bounds: Sequence[tuple[Any, Metric]]) -> bool:
    """Tell whether PostgreSQL can stop before it has read the whole board.

    It can where the first in the order of the terms are asked for, by a limit or a bound on the rank,
    and nothing depends on the size of the board.
    """
    if any(column.needs_board_size for column in columns):
        return False
    return any(
        (isinstance(metric, IsRanked) and view.has_slice)
        or (metric.stops_scan and bounds_from_above(condition))
        for condition, metric in bounds
    )


def _boards_in_view(
    view: DerivedQuery, ranking: Ranking, pins: Mapping[str, Any], shared: Sequence[Any]
) -> View | None:
    """Return a query for the boards that the view shows, or for more than those; None for all."""
    free = [part for name, part in ranking.declaration.within.items() if name not in pins]
    if not free or view.has_filtered_relation:
        return None
    conditions = view.repeatable_conditions()
    restricting = [c for c in conditions if not any(c is pin for pin in shared)]
    if not restricting and not view.has_inner_join:
        return None
    boards: View = view.selecting(free, conditions)
    return boards


def _free_aliases(taken: set[str]) -> Levels:
    def free(alias: str) -> str:
        # An alias inside must not hide one that a correlated condition refers to.
        while any(other.startswith(alias) for other in taken):
            alias += "_"
        return alias

    levels = Levels(*map(free, LEVELS))
    return LEVELS if levels == LEVELS else levels

"""What a derived table must hold, worked out of a view before anything of the table is built."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, NamedTuple

from django.db.models import Model
from django.db.models.lookups import Exact, IsNull

from leaderboard.declaration.coverage import finds_counting_entries
from leaderboard.declaration.leaderboard import Leaderboard
from leaderboard.orm.conditions import bounds_from_above
from leaderboard.orm.extent import (
    asks_for_one,
    is_grouped,
    is_ordered,
    is_turned,
    only_counts,
    sorting_column,
)
from leaderboard.orm.models import key_fields
from leaderboard.orm.query import DerivedQuery, View
from leaderboard.orm.trees import holds_query
from leaderboard.standings.metrics import IsRanked, Metric, MetricColumn, Ranking, TermValue, TieValue
from leaderboard.standings.pins import pins_of
from leaderboard.standings.place import Place

__all__ = [
    "Levels",
    "Members",
    "Plan",
    "RankingPlan",
    "can_look_up",
    "counted_plan",
    "free_levels",
    "pins_at",
    "plan",
    "run_plan",
]


class Levels(NamedTuple):
    """The aliases of the levels, and of the subquery for a member's counting entry."""

    value: str
    entry: str
    rival: str
    counting: str
    standing: str


LEVELS = Levels("value", "entry", "rival", "counting", "standing")


class Members(Enum):
    """How a table tells which of a member's entries counts, where a board has members.

    By numbers that a window gives to the entries of each, of which only the first are read where the ranked
    are all; or row by row, so that a scan can stop early. Where nothing is asked for but the number of ranked
    entries, the members are counted; where it is whether there is one, any entry will do. Of one entry that
    is counted the member is known, and those of all entries that one member has on a board are numbered.
    """

    NUMBERED = "numbered"
    LOOKED_UP = "looked up"
    COUNTED = "counted"
    ANY = "any"
    KNOWN = "known"


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
    that hold inside the table. With ``only_ranked`` it holds ranked entries of one board only; ``members``
    is something else than numbered in such a table only, or where ``place`` is where the one entry stands
    that is counted. With ``stops_early`` a scan in the order of the terms need not read all of it. With
    ``first`` it holds so many of them in the board's order, and those that tie with the last.
    """

    model: type[Model]
    columns: Mapping[str, MetricColumn]
    rankings: Sequence[RankingPlan]
    enforced: Sequence[Any]
    only_ranked: bool
    stops_early: bool
    members: Members
    first: int | None
    levels: Levels
    outer_aliases: Mapping[str, Any]
    place: Place | None = None

    @property
    def is_counted(self) -> bool:
        """Whether nothing is read of its rows, which need be no more than there."""
        return self.members in (Members.COUNTED, Members.ANY)

    @property
    def shape(self) -> Hashable:
        """What tables have in common that differ only in the board that they are pinned to; None for none."""
        if len(self.rankings) != 1 or self.levels is not LEVELS:
            return None
        (only,) = self.rankings
        if only.ranking.view is not None:
            return None
        metrics = tuple((name, column.metric) for name, column in self.columns.items())
        return self.model, metrics, only.shared, self.only_ranked, self.members, self.first

    def at(self, place: Place) -> Plan:
        """Return the plan, which is for what stands at a place, for another place on a board."""
        (only,) = self.rankings
        return replace(self, rankings=[replace(only, pins=pins_at(place))], place=place)


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
    enforced = [c for c, metric in bounds if only_ranked and metric.is_of_all_ranked(c)]
    stops_early = _stops_early(view, columns, bounds)
    members = (
        _members(view, rankings[0], columns, [*shared, *enforced], stops_early=stops_early)
        if only_ranked
        else Members.NUMBERED
    )
    is_bounded = (
        only_ranked
        and (members is Members.LOOKED_UP or rankings[0].declaration.member is None)
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
        stops_early=stops_early,
        members=members,
        first=view.first_of_board if is_bounded else None,
        levels=free_levels(view),
        outer_aliases=view.outer_aliases(),
    )


def counted_plan(
    model: type[Model],
    columns: Mapping[str, MetricColumn],
    place: Place,
    levels: Levels,
    *,
    of_member: bool = False,
) -> Plan:
    """Return the plan for the entry at ``place``, or for all of its member's on the board.

    All metrics are of its ranking.
    """
    plan = _plan_at(place, model, columns, levels, Members.KNOWN)
    return replace(plan, members=Members.NUMBERED) if of_member else plan


def run_plan(model: type[Model], columns: Mapping[str, MetricColumn], place: Place, levels: Levels) -> Plan:
    """Return the plan for ranked entries that stand next to one another, of whom one stands at ``place``."""
    return _plan_at(place, model, columns, levels, Members.NUMBERED)


def pins_at(place: Place) -> dict[str, Any]:
    """Return the lookups that hold the names of ``within`` to where a place is."""
    return {
        name: IsNull(value, True) if value.value is None else Exact(value, value)
        for name, value in place.within.items()
    }


def _plan_at(
    place: Place, model: type[Model], columns: Mapping[str, MetricColumn], levels: Levels, members: Members
) -> Plan:
    pins = pins_at(place)
    return Plan(
        model=model,
        columns=columns,
        rankings=[RankingPlan(place.ranking, pins, frozenset(pins), None)],
        enforced=(),
        only_ranked=members is not Members.KNOWN,
        stops_early=members is not Members.KNOWN,
        members=members,
        first=None,
        levels=levels,
        outer_aliases={},
        place=place,
    )


def _members(
    view: DerivedQuery,
    ranking: Ranking,
    columns: Mapping[str, MetricColumn],
    enforced: Sequence[Any],
    *,
    stops_early: bool,
) -> Members:
    """Return how the members of one board are told apart, of which the table holds the ranked entries."""
    declaration = ranking.declaration
    if all(isinstance(column.metric, IsRanked) for column in columns.values()) and only_counts(
        view, enforced
    ):
        return Members.ANY if asks_for_one(view) else Members.COUNTED
    looks_up = stops_early and can_look_up(view.model, declaration)
    return Members.LOOKED_UP if looks_up else Members.NUMBERED


def can_look_up(model: type[Model], declaration: Leaderboard) -> bool:
    """Tell whether the counting entry of a member is found row by row, by indexes."""
    # Without them, a subquery for each row would take the square of the board's size.
    return (
        isinstance(declaration.member, str)
        and len(key_fields(model)) == 1
        and not any(map(holds_query, declaration.row_expressions()))
        and finds_counting_entries(model, declaration)
    )


def _bounds(view: DerivedQuery, columns: Mapping[str, MetricColumn]) -> Iterator[tuple[Any, Metric]]:
    """Yield the conditions that are not true where a metric is NULL, each with its metric."""
    for condition, column in view.strict_conditions():
        yield condition, view.derived_columns[column].metric


def _stops_early(
    view: DerivedQuery, columns: Mapping[str, MetricColumn], bounds: Sequence[tuple[Any, Metric]]
) -> bool:
    """Tell whether PostgreSQL can stop before it has read the whole board.

    It can where the first in the order of the terms are asked for, by a limit or a bound on the rank,
    and nothing depends on the size of the board.
    """
    if any(column.needs_board_size for column in columns.values()):
        return False
    takes_first = view.has_slice and not is_grouped(view) and _is_in_order(view, columns)
    return any(
        (isinstance(metric, IsRanked) and takes_first) or (metric.stops_scan and bounds_from_above(condition))
        for condition, metric in bounds
    )


def _is_in_order(view: DerivedQuery, columns: Mapping[str, MetricColumn]) -> bool:
    """Tell whether rows are asked for as an index on the terms has them, or in no order."""
    if not is_ordered(view):
        return True
    sorting = columns.get(sorting_column(view) or "")
    if sorting is None or sorting.metric != TermValue(0):
        return False
    # The window that counts ranks begins with the first, whatever is asked for.
    return not is_turned(view) or all(
        isinstance(column.metric, IsRanked | TermValue | TieValue) for column in columns.values()
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


def free_levels(view: DerivedQuery) -> Levels:
    """Return aliases that hide none which a condition of the view may refer to."""
    taken = view.taken_aliases()

    def free(alias: str) -> str:
        # An alias inside must not hide one that a correlated condition refers to.
        while any(other.startswith(alias) for other in taken):
            alias += "_"
        return alias

    levels = Levels(*map(free, LEVELS))
    return LEVELS if levels == LEVELS else levels

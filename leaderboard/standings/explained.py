"""Which plan finds the metrics of a query, why, and the indexes that serve it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from leaderboard.declaration.coverage import Columns, has_covering_index, missing_indexes, wanted_indexes
from leaderboard.declaration.leaderboard import Leaderboard
from leaderboard.kinds import PlanKind
from leaderboard.standings.metrics import MetricColumn
from leaderboard.standings.plan import plan
from leaderboard.standings.query import LeaderboardQuery

__all__ = ["ChosenPlan", "chosen_plan", "plan_of_run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenPlan:
    """How metrics are found: the kind of plan, the reason, and the indexes that it reads by.

    ``indexes`` are the columns of those that serve it, ``missing`` those that the model does not have; the
    plan is the same without them, but PostgreSQL then reads the table.
    """

    kind: PlanKind
    reason: str
    indexes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def __str__(self) -> str:
        served = "; ".join(f"{index}{' (missing)' * (index in self.missing)}" for index in self.indexes)
        return f"{self.kind.label}: {self.reason}." + (f" Indexes: {served}." if served else "")


def chosen_plan(view: LeaderboardQuery, *, held_to: str | None, is_steady: bool) -> ChosenPlan:
    """Return how the metrics of ``view`` are found.

    ``held_to`` says to which entries the view is held, of which one is counted; ``is_steady`` whether two
    statements see the same terms of them.
    """
    columns: dict[str, MetricColumn] = view.used_columns()
    if not columns:
        return ChosenPlan(kind=PlanKind.PLAIN, reason="no metric is selected, sorted or filtered by")
    (first, *others) = dict.fromkeys(column.ranking for column in columns.values())
    board = first.declaration
    if held_to is not None and not others and is_steady:
        reason = f"it is held to {held_to}{_scan(view.model, board, columns)}"
        return _served(view.model, board, PlanKind.COUNTED, reason)
    planned = plan(view, columns)
    if planned.stops_early:
        reason = "the first by the terms are asked for, and nothing depends on the size of the board"
        return _served(view.model, board, PlanKind.BOUNDED_WINDOW, reason)
    free = sorted({name for ranking in planned.rankings for name in ranking.free})
    if held_to is not None and not others:
        reason = "a term may differ between two statements, or is a subquery"
    elif others:
        reason = "it shows metrics of several boards or populations"
    elif free:
        reason = f"it is not pinned by {', '.join(free)}"
    elif sized := [column.metric.name for column in columns.values() if column.needs_board_size]:
        reason = f"{sized[0]} depends on the size of the board"
    else:
        reason = "the entries that it shows may be anywhere on the board"
    return ChosenPlan(kind=PlanKind.WINDOW, reason=reason)


def plan_of_run(view: LeaderboardQuery) -> ChosenPlan:
    """Return how the metrics of a page are found."""
    columns: dict[str, MetricColumn] = view.used_columns()
    board = next(iter(columns.values())).ranking.declaration
    scan = _scan(view.model, board, columns)
    return _served(view.model, board, PlanKind.PAGE, f"it is a run of the board{scan}")


def _scan(model: type[Model], board: Leaderboard, columns: Mapping[str, MetricColumn]) -> str:
    sized = [column.metric.name for column in columns.values() if column.needs_board_size]
    if not sized:
        return ""
    by = "from" if has_covering_index(model, board) else "which would be cheaper from"
    return f"; {sized[0]} counts the whole board, {by} a covering index"


def _served(model: type[Model], board: Any, kind: PlanKind, reason: str) -> ChosenPlan:
    missing = [*missing_indexes(model, board)]
    return ChosenPlan(
        kind=kind,
        reason=reason,
        indexes=_shown(wanted_indexes(model, board)),
        missing=_shown(missing),
    )


def _shown(indexes: Sequence[Columns]) -> tuple[str, ...]:
    return tuple(
        ", ".join(f"{'-' if descending else ''}{key}" for key, descending in columns) for columns in indexes
    )

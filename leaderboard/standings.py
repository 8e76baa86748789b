"""How standings are computed: the derived table that holds rank, percentile, size and qualification.

It has up to three levels, each a query over the one below; PostgreSQL flattens a level that has no
window function:

1. *entry*: the columns of the model and, for each ranking, its board, its terms, who is eligible, and
   what of the cut-off is known from the entry's own row;
2. *counting*, only with a member: which of a member's entries counts;
3. *standing*: the metrics.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import FieldError
from django.db.models import Q
from django.db.models.expressions import Col
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    LessThan,
    LessThanOrEqual,
    Range,
)
from django.db.models.sql import Query
from django.db.models.sql.constants import INNER, LOUTER
from django.db.models.sql.datastructures import Join
from django.db.models.sql.where import AND, WhereNode

from leaderboard.derived import (
    DerivedColumn,
    LevelQuery,
    as_level,
    columns_of,
    conjuncts,
    is_lookup,
    is_repeatable,
    moved,
    over,
)
from leaderboard.expressions import all_of, any_of
from leaderboard.kinds import RankKind
from leaderboard.metrics import Metric, Ranking
from leaderboard.population import InSubquery, Population
from leaderboard.structure import resolved, same

if TYPE_CHECKING:
    from leaderboard.sql import LeaderboardQuery

__all__ = ["StandingsTable", "same_expression"]


def same_expression(left: Any, right: Any) -> bool:
    if isinstance(left, Col) and isinstance(right, Col):
        # A lookup on a foreign key compares it as itself, a reference as the key it holds.
        return (left.alias, left.target) == (right.alias, right.target)
    return same(left, right)


# A lookup of these types is not true of NULL, so it is true of ranked entries only.
STRICT_LOOKUPS = (Exact, GreaterThan, GreaterThanOrEqual, In, LessThan, LessThanOrEqual, Range)


class StandingsTable:
    """The derived table of one query that is about to be compiled.

    ``query`` is what the table consists of; ``enforced`` are the conditions of the view that hold inside
    the table already.
    """

    def __init__(self, view: LeaderboardQuery, metrics: dict[str, Metric]) -> None:
        self.view = view
        self.metrics = metrics
        self.rankings = list(dict.fromkeys(metric.ranking for metric in metrics.values()))
        self.pins = {ranking: view.pins(ranking.board) for ranking in self.rankings}
        # What pins every ranking's board restricts all entries, and needs no partition.
        self.shared = [
            lookup
            for lookup in (self.pins[self.rankings[0]].values() if self.rankings else ())
            if all(any(lookup is pin for pin in self.pins[ranking].values()) for ranking in self.rankings)
        ]
        self.enforced: list[Any] = list(self.shared)
        taken = view.external_aliases.keys() | view.alias_map.keys()
        self.aliases = {
            level: self._free(level, taken) for level in ("entry", "rival", "counting", "standing")
        }
        self.only_ranked = self._only_ranked()
        self.stops_early = self.only_ranked and self._stops_early()

        self.entries = self.new_entries("entry")
        self._restrict_to_boards()
        populations = [Population(self, ranking) for ranking in self.rankings]
        columns = {
            name: populations[self.rankings.index(metric.ranking)].column(metric)
            for name, metric in metrics.items()
        }
        counting = {name: window for part in populations for name, window in part.windows.items()}
        self._refuse_multiplied_rows()
        query: Query = self.entries
        if counting:
            query = self._level(query, "counting", keep=True)
            for name, window in counting.items():
                query.add_annotation(window, name)
        query = self._level(query, "standing", keep=False)
        for population in populations:
            if population.only is not None:
                query.add_q(Q(population.only))
        for name, expression in columns.items():
            query.add_annotation(expression, name)
        self.query = query

    @staticmethod
    def _free(alias: str, taken: Sequence[str] | set[str]) -> str:
        # An alias inside must not hide one that a correlated condition refers to.
        while any(other.startswith(alias) for other in taken):
            alias += "_"
        return alias

    def _only_ranked(self) -> bool:
        """Tell whether the view shows ranked entries of one pinned board only.

        Then the table needs no others, and without a partition a limit on rank stops the scan early.
        """
        if len(self.rankings) != 1:
            return False
        (ranking,) = self.rankings
        if len(self.pins[ranking]) != len(ranking.board.within):
            return False
        found = False
        for condition, metric in self._conditions_on_metrics():
            if metric.name == "ranked":
                self.enforced.append(condition)
            found = found or metric.name in ("ranked", "rank", "percentile")
        return found

    def _stops_early(self) -> bool:
        """Tell whether PostgreSQL can stop before it has read the whole board.

        It can where the first in the order of the terms are asked for, by a limit or a bound on the rank,
        and nothing depends on the size of the board.
        """
        for metric in self.metrics.values():
            cut_off = metric.ranking.board.cut_off if metric.name == "qualification" else None
            if metric.name in ("board_size", "percentile") or (cut_off and cut_off.needs_board_size):
                return False
        return any(
            (metric.name == "ranked" and self.view.is_sliced)
            or (
                metric.name == "rank"
                and metric.kind is not RankKind.FRACTIONAL
                and is_lookup(condition, Exact, LessThan, LessThanOrEqual, Range)
            )
            for condition, metric in self._conditions_on_metrics()
        )

    def _conditions_on_metrics(self) -> Iterator[tuple[Any, Metric]]:
        """Yield the conditions of the view that hold for ranked entries only, each with its metric."""
        for condition in conjuncts(self.view.where):
            column: Any = getattr(condition, "lhs", None)
            # A correlated condition may begin with a column of an enclosing query's table.
            own = isinstance(column, DerivedColumn) and column.alias in self.view.alias_map
            if own and is_lookup(condition, *STRICT_LOOKUPS):
                yield condition, self.view.metrics[column.name]

    def new_entries(self, level: str) -> LevelQuery:
        entries = as_level(Query(self.view.model), self.aliases[level])
        entries.external_aliases.update(self.view.external_aliases)
        return entries

    def _level(self, below: Query, name: str, *, keep: bool) -> Query:
        """Return a query over ``below``, which keeps its columns or adds none."""
        alias = self.aliases[name]
        query = over(below, alias)
        if keep:
            for column, expression in below.annotations.items():
                query.add_annotation(DerivedColumn(alias, column, expression.output_field), column)
        return query

    def restrict_to_pins(self, query: Query, ranking: Ranking, lookups: Sequence[Any]) -> None:
        for name, lookup in self.pins[ranking].items():
            if any(lookup is other for other in lookups):
                query.where.add(moved(lookup, ranking.board.within[name], query), AND)

    def _restrict_to_boards(self) -> None:
        """Leave out the entries of boards that the view does not show; correct without, but slow."""
        if not self.rankings:
            return
        self.restrict_to_pins(self.entries, self.rankings[0], self.shared)
        scopes = [self._scope(ranking) for ranking in self.rankings]
        if all(scopes):
            self.entries.where.add(any_of([all_of(scope) for scope in scopes]), AND)

    def _scope(self, ranking: Ranking) -> list[Any]:
        within = ranking.board.within
        pins = self.pins[ranking]
        scope = [
            moved(lookup, within[name], self.entries)
            for name, lookup in pins.items()
            if not any(lookup is shared for shared in self.shared)
        ]
        free = [expression for name, expression in within.items() if name not in pins]
        if free and (view := self._boards_in_view(free)):
            parts = [resolved(part, self.entries) for part in free]
            boards = InSubquery(*parts, view, or_null=any(map(self._may_be_null, parts)))
            scope.append(boards.resolve_expression(self.entries))
        return scope

    def _may_be_null(self, part: Any) -> bool:
        if not isinstance(part, Col) or part.target.null:
            return True
        table = self.entries.alias_map[part.alias]
        return isinstance(table, Join) and table.join_type == LOUTER

    def _boards_in_view(self, within: Sequence[Any]) -> Query | None:
        """Return a query for the boards that the view shows, or for more than those; None for all."""
        joins = [table for table in self.view.alias_map.values() if isinstance(table, Join)]
        if any(join.filtered_relation is not None for join in joins):
            return None
        conditions = [
            condition
            for condition in conjuncts(self.view.where)
            if not getattr(condition, "contains_aggregate", False)
            and not getattr(condition, "contains_over_clause", False)
            and not any(isinstance(column, DerivedColumn) for column in columns_of(condition))
            and is_repeatable(condition)
        ]
        restricting = [c for c in conditions if not any(c is shared for shared in self.shared)]
        if not restricting and not any(join.join_type == INNER for join in joins):
            return None
        view = cast("LeaderboardQuery", self.view.clone())
        view.metrics = {}
        view.where = WhereNode(conditions, connector=AND)
        view.annotations = {}
        view.set_annotation_mask(None)
        view.group_by = None
        view.distinct = False
        view.distinct_fields = ()
        view.clear_limits()
        view.clear_ordering(force=True)
        view.select_related = False
        view.clear_select_clause()
        view.set_select([resolved(part, view) for part in within])
        return view

    def _refuse_multiplied_rows(self) -> None:
        for table in self.entries.alias_map.values():
            if isinstance(table, Join) and getattr(table.join_field, "multiple", False):
                relation: Any = table.join_field
                raise FieldError(
                    f"A leaderboard of {self.view.model._meta.label} refers to the relation "
                    f"{relation.name!r}, of which an entry may have many rows. Use a subquery."
                )

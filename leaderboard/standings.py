"""How standings are computed: the derived table that holds rank, percentile, size and qualification.

It has up to three levels, each a query over the one below; PostgreSQL flattens a level that has no
window function:

1. *entry*: the columns of the model and, for each ranking, its board, its terms, who is eligible, and
   what of the cut-off is known from the entry's own row;
2. *counting*, only with a member: which of a member's entries counts;
3. *standing*: the metrics.
"""

from __future__ import annotations

import copy
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import FieldError
from django.db import models
from django.db.models import Case, F, OrderBy, OuterRef, Q, Subquery, Value, When, Window
from django.db.models.expressions import Col
from django.db.models.functions import RowNumber
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
from django.db.models.sql.constants import INNER
from django.db.models.sql.datastructures import Join
from django.db.models.sql.where import AND, WhereNode

from leaderboard.board import Leaderboard
from leaderboard.cutoffs import Comparison, qualification_case
from leaderboard.derived import DerivedColumn, LevelQuery, as_level, columns_of, conjuncts, over
from leaderboard.expressions import (
    Negation,
    QualificationField,
    Tally,
    Term,
    all_of,
    any_of,
    holds,
    is_text,
    not_null,
    path_of,
    rank_field,
)
from leaderboard.kinds import Counting, Qualification, RankKind

if TYPE_CHECKING:
    from leaderboard.sql import LeaderboardQuery

__all__ = ["Metric", "Ranking", "Standing", "StandingsTable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is derived for one entry; ``rank`` and ``percentile`` are None where it is not ranked."""

    rank: int | Decimal | None
    board_size: int
    percentile: float | None
    time_taken: timedelta | None = None
    qualification: Qualification


@dataclass(frozen=True)
class Ranking:
    """A board, and the view that is its population where that is not the whole board."""

    board: Leaderboard
    view: Query | None = None


@dataclass(frozen=True)
class Metric:
    """A column of the derived table: what it holds, of which ranking and kind."""

    ranking: Ranking
    name: str
    kind: Any = None

    @property
    def output_field(self) -> models.Field[Any, Any]:
        match self.name:
            case "rank":
                return rank_field(self.kind)
            case "board_size":
                return models.BigIntegerField()
            case "percentile":
                return models.FloatField()
            case "qualification":
                return QualificationField()
            case "ranked":
                return models.BooleanField()
        # A term is read and written as PostgreSQL has it, whatever its own field would make of it.
        return models.Field()


class InSubquery(models.Func):
    """``(a, b) IN (SELECT …)``, and where ``or_null`` also where one of them is NULL."""

    def __init__(self, *expressions: Any, or_null: bool = False) -> None:
        super().__init__(*expressions, output_field=models.BooleanField())
        self.or_null = or_null

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> Any:
        *sides, query = (compiler.compile(source) for source in self.get_source_expressions())
        names = [sql for sql, _ in sides]
        side_params = [param for _, params in sides for param in params]
        sql = f"({', '.join(names)}) IN {query[0]}"
        params = [*side_params, *query[1]]
        if self.or_null:
            sql = " OR ".join([sql, *(f"{name} IS NULL" for name in names)])
            params += side_params
        return f"({sql})", params


def unique_name(name: str, taken: Container[str | None]) -> str:
    while name in taken:
        name += "_"
    return name


def same_expression(left: Any, right: Any) -> bool:
    if isinstance(left, Col) and isinstance(right, Col):
        # A lookup on a foreign key compares it as itself, a reference as the key it holds.
        return (left.alias, left.target) == (right.alias, right.target)
    return bool(left == right)


def primary_key(query: Query, alias: str) -> Any:
    """Return what ties are broken by: the primary key, in the collation of the terms if it is text."""
    meta = query.get_meta()
    return Term(Col(alias, meta.pk)).resolve_expression(query)


def _own_field(query: Query, expression: Any) -> Any:
    """Return the field of the model's own table that ``expression`` is, where no collation is added to it."""
    if isinstance(expression, Term):
        (expression,) = expression.get_source_expressions()
    if not isinstance(expression, F) or isinstance(expression, OuterRef) or "__" in path_of(expression):
        return None
    meta = query.get_meta()
    name = path_of(expression)
    field = meta.pk if name == "pk" else meta.get_field(name)
    return field if field in meta.local_concrete_fields and not is_text(field) else None


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
        rows = [RankedRows(self, ranking) for ranking in self.rankings]
        columns = {
            name: rows[self.rankings.index(metric.ranking)].column(metric) for name, metric in metrics.items()
        }
        counting = {name: window for row in rows for name, window in row.windows.items()}
        self._refuse_multiplied_rows()
        query: Query = self.entries
        if counting:
            query = self._level(query, "counting", keep=True)
            for name, window in counting.items():
                query.add_annotation(window, name)
        query = self._level(query, "standing", keep=False)
        for row in rows:
            if row.only is not None:
                query.add_q(Q(row.only))
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
                and isinstance(condition, Exact | LessThan | LessThanOrEqual | Range)
            )
            for condition, metric in self._conditions_on_metrics()
        )

    def _conditions_on_metrics(self) -> Iterator[tuple[Any, Metric]]:
        """Yield the conditions of the view that hold for ranked entries only, each with its metric."""
        for condition in conjuncts(self.view.where):
            column: Any = getattr(condition, "lhs", None)
            # A correlated condition may begin with a column of an enclosing query's table.
            own = isinstance(column, DerivedColumn) and column.alias in self.view.alias_map
            if own and isinstance(condition, STRICT_LOOKUPS):
                yield condition, self.view.metrics[column.name]

    def new_entries(self, level: str) -> LevelQuery:
        entries = as_level(self.view.model._base_manager.all().query, self.aliases[level])
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

    def moved(self, lookup: Any, expression: Any, query: Query) -> Any:
        """Return a condition of the view as one on ``query``."""
        lookup = copy.copy(lookup)
        lookup.lhs = expression.resolve_expression(query, allow_joins=True, reuse=None)
        return lookup

    def restrict_to_pins(self, query: Query, ranking: Ranking, lookups: Sequence[Any]) -> None:
        for name, lookup in self.pins[ranking].items():
            if any(lookup is other for other in lookups):
                query.where.add(self.moved(lookup, ranking.board.within[name], query), AND)

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
            self.moved(lookup, within[name], self.entries)
            for name, lookup in pins.items()
            if not any(lookup is shared for shared in self.shared)
        ]
        free = [expression for name, expression in within.items() if name not in pins]
        if free and (view := self._boards_in_view(free)):
            resolved = [part.resolve_expression(self.entries, allow_joins=True, reuse=None) for part in free]
            nullable = any(not isinstance(part, Col) or part.target.null for part in resolved)
            boards = InSubquery(*resolved, view, or_null=nullable)
            scope.append(boards.resolve_expression(self.entries))
        return scope

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
        view.set_select([part.resolve_expression(view, allow_joins=True, reuse=None) for part in within])
        return view

    def _refuse_multiplied_rows(self) -> None:
        for table in self.entries.alias_map.values():
            if isinstance(table, Join) and getattr(table.join_field, "multiple", False):
                relation: Any = table.join_field
                raise FieldError(
                    f"A leaderboard of {self.view.model._meta.label} refers to the relation "
                    f"{relation.name!r}, of which an entry may have many rows. Use a subquery."
                )


class RankedRows:
    """The rows of one ranking within a table of standings, and the columns it needs below its metrics."""

    ranked: Any
    eligible: Any
    superseded: Any

    # What the rows on the level of standings are limited to.
    only: Any = None

    def __init__(self, table: StandingsTable, ranking: Ranking) -> None:
        self.table = table
        self.ranking = ranking
        self.board = ranking.board
        self.windows: dict[str, Any] = {}
        self.rows: list[tuple[Any, str]] = []
        entries = table.entries
        self.partition = [
            self._column("within", part)
            for name, part in self.board.within.items()
            if not any(table.pins[ranking].get(name) is lookup for lookup in table.shared)
        ]
        self.terms = [self._column("term", term.expression) for term in self.board.terms]
        if table.only_ranked:
            self._restrict(entries)
            if self.board.member is not None and table.stops_early:
                self._restrict_to_counting(entries)
            elif self.board.member is not None:
                self.only = Comparison(self._nth(), Value(1), arg_joiner=" = ")
            self.ranked = self.eligible = self.superseded = None
        else:
            self._mark_ranked(entries)
        self.tally = Tally(
            [
                OrderBy(self.at("standing", name), term.descending)
                for name, term in zip(self.terms, self.board.terms, strict=True)
            ],
            partition_by=[self.at("standing", name) for name in self.partition],
            ranked=self.ranked,
            tie_break=primary_key(table.view, table.aliases["standing"]),
        )

    def _column(self, name: str, expression: Any) -> str:
        """Return the name of a column of the lowest level that holds ``expression``."""
        entries = self.table.entries
        if (field := _own_field(entries, expression)) is not None:
            return str(field.column)
        for known, column in self.rows:
            if known == expression:
                return column
        fields = {field.column for field in entries.get_meta().concrete_fields}
        position = len(entries.annotations)
        column = unique_name(f"_{name}{position}", fields | entries.annotations.keys())
        entries.add_annotation(expression, column)
        self.rows.append((expression, column))
        return column

    def at(self, level: str, column: str) -> DerivedColumn:
        entries = self.table.entries
        if (annotation := entries.annotations.get(column)) is not None:
            field = annotation.output_field
        else:
            field = next(f for f in entries.get_meta().local_concrete_fields if f.column == column)
        return DerivedColumn(self.table.aliases[level], column, field)

    def _eligible(self, query: Query) -> list[Q | Any]:
        """Return the conditions for an entry to be eligible, those that the declaration implies too."""
        conditions: list[Any] = [self.board.eligible] if self.board.eligible else []
        if self.board.member is not None:
            conditions.append(Q((f"{self.board.member}__isnull", False)))
        conditions += [
            not_null(part)
            for name, part in self.board.within.items()
            if name not in self.table.pins[self.ranking]
        ]
        if self.ranking.view is not None:
            conditions.append(InSubquery(F("pk"), self.ranking.view))
        return conditions

    def _restrict(self, query: Query) -> None:
        """Leave only entries that are eligible and have no NULL term."""
        for condition in self._eligible(query):
            query.add_q(Q(condition))
        for term in self.board.terms:
            query.add_q(Q(not_null(term.expression)))

    def _counting_order(self) -> list[OrderBy]:
        counting = self.board.counting
        if counting.kind is Counting.BEST:
            return [OrderBy(term.expression, term.descending) for term in self.board.terms]
        latest = counting.kind is Counting.LATEST
        return [OrderBy(Term(F(str(counting.field)), self.board.collation), latest, nulls_last=True)]

    def _restrict_to_counting(self, query: Query) -> None:
        """Leave only the counting entry of each member.

        A correlated subquery with a limit, since the planner runs it for the rows that it reads: an
        anti-join reads the whole board before the first row.
        """
        rivals = self.table.new_entries("rival")
        # Spares it new aliases when it is resolved as a subquery.
        rivals.alias_prefix = rivals.level
        self.table.restrict_to_pins(rivals, self.ranking, list(self.table.pins[self.ranking].values()))
        self._restrict(rivals)
        member = self.board.member
        rivals.add_q(Q((str(member), OuterRef(str(member)))))
        rivals.add_ordering(*self._counting_order(), "pk")
        rivals.set_limits(high=1)
        rivals.clear_select_clause()
        rivals.add_fields(["pk"])
        query.add_q(Q(pk=Subquery(rivals)))

    def _mark_ranked(self, entries: Query) -> None:
        """Mark which entries are ranked, for a table that holds all of them."""
        conditions = self._eligible(entries)
        eligible = self._column("eligible", holds(Q(*conditions))) if conditions else None
        # One column, so that no window and no CASE above evaluates the whole condition again.
        present = [not_null(term.expression) for term in self.board.terms]
        complete = self._column("complete", holds(Q(*conditions, *present)))
        self.eligible = None if eligible is None else self.at("standing", eligible)
        self.ranked = self.at("standing", complete)
        self.superseded = None
        if self.board.member is not None:
            nth = self._nth(complete)
            self.superseded = Comparison(nth, Value(1), arg_joiner=" > ")
            self.ranked = all_of([self.ranked, Comparison(nth, Value(1), arg_joiner=" = ")])

    def _nth(self, *apart: str) -> DerivedColumn:
        """Return the position of an entry among its member's, by which the first one counts.

        Entries that differ in the columns ``apart`` are no rivals.
        """
        columns = [*self.partition, self._column("member", F(str(self.board.member))), *apart]
        if self.board.counting.kind is Counting.BEST:
            order = [
                OrderBy(self.at("counting", name), term.descending)
                for name, term in zip(self.terms, self.board.terms, strict=True)
            ]
        else:
            (by_field,) = self._counting_order()
            column = self._column("counting", by_field.expression)
            order = [OrderBy(self.at("counting", column), by_field.descending, nulls_last=True)]
        pk = primary_key(self.table.entries, self.table.aliases["counting"])
        nth = f"_nth{self.table.rankings.index(self.ranking)}"
        self.windows[nth] = Window(
            RowNumber(),
            partition_by=[self.at("counting", column) for column in columns],
            order_by=[*order, OrderBy(pk)],
            output_field=models.BigIntegerField(),
        )
        return DerivedColumn(self.table.aliases["standing"], nth, models.BigIntegerField())

    def column(self, metric: Metric) -> Any:
        """Return the expression for ``metric`` on the level of standings."""
        match metric.name:
            case "rank":
                return self._hidden(self.tally.rank(metric.kind), metric)
            case "percentile":
                return self._hidden(self.tally.percentile(metric.kind), metric)
            case "board_size":
                return self.tally.size
            case "qualification":
                return self._qualification()
            case "ranked":
                return Value(True, models.BooleanField()) if self.ranked is None else self.ranked
        return self.at("standing", self.terms[metric.kind])

    def _hidden(self, value: Any, metric: Metric) -> Any:
        if self.ranked is None:
            return value
        return Case(When(self.ranked, then=value), output_field=metric.output_field)

    def _qualification(self) -> Any:
        rule = None
        if self.board.cut_off is not None:
            rule = self.board.cut_off.condition(
                self.tally, lambda expression: self.at("standing", self._column("cut_off", expression))
            )
        if self.ranked is None:
            return qualification_case(rule=rule)
        return qualification_case(
            excluded=None if self.eligible is None else Negation(self.eligible),
            pending=Negation(all_of([not_null(self.at("standing", name)) for name in self.terms])),
            superseded=self.superseded,
            rule=rule,
        )

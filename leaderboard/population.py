"""Which entries are ranked: those eligible, with no NULL term, and of a member the one that counts."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import Case, F, OrderBy, OuterRef, Q, Subquery, Value, When, Window
from django.db.models.expressions import Col
from django.db.models.functions import Cast, RowNumber
from django.db.models.lookups import IsNull
from django.db.models.sql import Query

from leaderboard.cutoffs import Comparison, qualification_case
from leaderboard.derived import DerivedColumn
from leaderboard.expressions import (
    BIGINT,
    BOOLEAN,
    Negation,
    Tally,
    Term,
    all_of,
    is_text,
    not_null,
)
from leaderboard.indexes import finds_counting_entries
from leaderboard.kinds import Counting
from leaderboard.metrics import Metric, Ranking
from leaderboard.structure import path_of, same, unshared

if TYPE_CHECKING:
    from leaderboard.standings import StandingsTable

__all__ = ["InSubquery", "Population", "select_primary_key", "unique_name"]


class InSubquery(models.Func):
    """``(a, b) IN (SELECT …)``, and where ``or_null`` also where one of them is NULL."""

    def __init__(self, *expressions: Any, or_null: bool = False) -> None:
        super().__init__(*expressions, output_field=BOOLEAN)
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


def primary_key(query: Query, alias: str) -> Any:
    """Return what ties are broken by: the primary key, in the collation C if it is text."""
    meta = query.get_meta()
    return Term(Col(alias, meta.pk)).resolve_expression(query)


def select_primary_key(query: Any) -> Any:
    query.clear_select_clause()
    query.add_fields(["pk"])
    return query


def _own_field(query: Query, expression: Any) -> Any:
    """Return the field of the model's own table that ``expression`` is, where no collation is added to it."""
    if isinstance(expression, Term):
        (expression,) = expression.get_source_expressions()
    if not isinstance(expression, F) or isinstance(expression, OuterRef) or "__" in path_of(expression):
        return None
    meta = query.get_meta()
    name = path_of(expression)
    try:
        field = meta.pk if name == "pk" else meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return field if field in meta.local_concrete_fields and not is_text(field) else None


class Population:
    """Who is ranked on the boards of one ranking, within a table of standings, and by which columns."""

    ranked: Any
    excluded: Any = None
    pending: Any = None
    superseded: Any = None

    # What the rows on the level of standings are limited to.
    only: Any = None

    def __init__(self, table: StandingsTable, ranking: Ranking) -> None:
        self.table = table
        self.ranking = ranking
        self.board = ranking.board
        self.windows: dict[str, Any] = {}
        self.columns: list[tuple[Any, str]] = []
        entries = table.entries
        self.partition = [
            self._column("within", part)
            for name, part in self.board.within.items()
            if not any(table.pins[ranking].get(name) is lookup for lookup in table.shared)
        ]
        self.terms = [self._column("term", term.expression) for term in self.board.terms]
        if table.only_ranked:
            self._restrict(entries)
            if self.board.member is not None:
                # Without indexes, a subquery for each row would take the square of the board's size.
                if table.stops_early and finds_counting_entries(table.view.model, self.board):
                    self._restrict_to_counting(entries)
                else:
                    # A comparison outside of the level lets the window stop after the first of a partition.
                    nth = self._counting("nth", self._nth(), BIGINT)
                    self.only = Comparison(nth, Value(1), arg_joiner=" = ")
            self.ranked = None
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
        for known, column in self.columns:
            if same(known, expression):
                return column
        fields = {field.column for field in entries.get_meta().concrete_fields}
        position = len(entries.annotations)
        column = unique_name(f"_{name}{position}", fields | entries.annotations.keys())
        entries.add_annotation(expression, column)
        self.columns.append((expression, column))
        return column

    def at(self, level: str, column: str) -> DerivedColumn:
        entries = self.table.entries
        if (annotation := entries.annotations.get(column)) is not None:
            field = annotation.output_field
        else:
            field = next(f for f in entries.get_meta().local_concrete_fields if f.column == column)
        return DerivedColumn(self.table.aliases[level], column, field)

    def _eligible(self) -> list[Q | Any]:
        """Return the conditions for an entry to be eligible, those that the declaration implies too."""
        conditions: list[Any] = [self.board.eligible] if self.board.eligible else []
        if self.board.member is not None:
            conditions.append(Q((f"{self.board.member}__isnull", False)))
        conditions += [
            not_null(part)
            for name, part in self.board.within.items()
            if name not in self.table.pins[self.ranking]
        ]
        stored = self.table.view.model._base_manager.all().query
        if stored.where or len(stored.alias_map) > 1:
            conditions.append(InSubquery(F("pk"), select_primary_key(stored)))
        if self.ranking.view is not None:
            conditions.append(InSubquery(F("pk"), self.ranking.view))
        return conditions

    def _restrict(self, query: Query) -> None:
        """Leave only entries that are eligible and have no NULL term."""
        for condition in self._eligible():
            query.add_q(Q(condition))
        for term in self.board.terms:
            query.add_q(Q(not_null(term.expression)))

    def _counting_order(self) -> list[OrderBy]:
        counting = self.board.counting
        if counting.kind is Counting.BEST:
            # Resolved when it is compiled, as the ordering of a query whose aliases stay as they are.
            return [OrderBy(unshared(term.expression), term.descending) for term in self.board.terms]
        latest = counting.kind is Counting.LATEST
        return [OrderBy(Term(F(str(counting.field)), self.board.collation), latest, nulls_last=True)]

    def _restrict_to_counting(self, query: Query) -> None:
        """Leave only the counting entry of each member.

        A correlated subquery with a limit, since the planner runs it for the rows that it reads: an
        anti-join reads the whole board before the first row.
        """
        rivals = self.table.new_entries("rival")
        self.table.restrict_to_pins(rivals, self.ranking, list(self.table.pins[self.ranking].values()))
        self._restrict(rivals)
        member = self.board.member
        rivals.add_q(Q((str(member), OuterRef(str(member)))))
        rivals.add_ordering(*self._counting_order(), OrderBy(Term(F("pk"))))
        rivals.set_limits(high=1)
        rivals.clear_select_clause()
        rivals.add_fields(["pk"])
        # Spares it new aliases when it is resolved as a subquery. Not before: by the prefix, the subqueries
        # of the declaration get aliases that differ from its own.
        rivals.alias_prefix = rivals.level
        query.add_q(Q(pk=Subquery(rivals)))

    def _mark_ranked(self, entries: Query) -> None:
        """Mark which entries are ranked, for a table that holds all of them."""
        present = all_of([not_null(term.expression) for term in self.board.terms])
        # One column, evaluated once: NULL where the entry is not eligible, false where a term is NULL.
        if conditions := self._eligible():
            # Cast, since the NULL of a condition that Django knows to be empty would be text.
            present = Cast(Case(When(Q(*conditions), then=present)), BOOLEAN)
        complete = self._column("complete", present)
        self.ranked = self.at("standing", complete)
        self.excluded = IsNull(self.ranked, True) if conditions else None
        self.pending = Negation(self.ranked)
        if self.board.member is not None:
            # The sorts to come carry a truth value in place of a number eight times as wide.
            first = Comparison(self._nth(complete), Value(1), arg_joiner=" = ")
            counts = self._counting("counts", first, BOOLEAN)
            self.superseded = Negation(counts)
            self.ranked = all_of([self.ranked, counts])

    def _nth(self, *apart: str) -> Window:
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
        return Window(
            RowNumber(),
            partition_by=[self.at("counting", column) for column in columns],
            order_by=[*order, OrderBy(pk)],
            output_field=BIGINT,
        )

    def _counting(self, name: str, expression: Any, field: models.Field[Any, Any]) -> DerivedColumn:
        """Return the column of the level of counting that holds ``expression``."""
        entries = self.table.entries
        taken = {field.column for field in entries.get_meta().concrete_fields} | entries.annotations.keys()
        column = unique_name(f"_{name}{self.table.rankings.index(self.ranking)}", taken)
        self.windows[column] = expression
        return DerivedColumn(self.table.aliases["standing"], column, field)

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
                return Value(True, BOOLEAN) if self.ranked is None else self.ranked
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
        return qualification_case(
            excluded=self.excluded, pending=self.pending, superseded=self.superseded, rule=rule
        )

"""The whole numbers of one entry, each counted by a subquery of those who have a place before it.

With members the rank of an entry is the number of members who have a better one, plus one: whoever's best
entry is better has a better one. Only for other rules of counting, for ``DENSE`` and for what orders ties
are the counting entries themselves looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import (
    Count,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    Model,
    OrderBy,
    OuterRef,
    Q,
    Subquery,
    UUIDField,
    Value,
)
from django.db.models.lookups import Exact, IsNull

from leaderboard.declaration.coverage import finds_counting_entries, has_covering_index, size_index
from leaderboard.expressions.bounds import beyond
from leaderboard.expressions.fields import BIGINT, UNCONVERTED, value_field
from leaderboard.expressions.literals import FromText
from leaderboard.expressions.logic import Comparison, Negation, all_of, equal
from leaderboard.expressions.numbers import Array, Element
from leaderboard.expressions.tally import Tally
from leaderboard.expressions.terms import Term
from leaderboard.kinds import Counting
from leaderboard.orm.conditions import lookup_on
from leaderboard.orm.levels import LevelQuery, level_of, level_over
from leaderboard.orm.models import key_names
from leaderboard.orm.trees import output_field_of
from leaderboard.standings.columns import Columns
from leaderboard.standings.eligibility import completeness, eligibility
from leaderboard.standings.place import Place
from leaderboard.standings.plan import Plan

__all__ = [
    "CountedTally",
    "comes_before",
    "has_no_better",
    "is_of_member",
    "order_at",
    "plus_one",
    "ranked_entries",
]


class CountedTally(Tally):
    """The numbers of one entry, each counted by a subquery.

    Each is a column of ``figures``, made when it is first asked for, as ``standings`` refers to it. With
    ``is_first`` nobody is expected before the entry.
    """

    def __init__(
        self,
        plan: Plan,
        place: Place,
        figures: LevelQuery,
        standings: LevelQuery,
        *,
        is_first: bool = False,
    ) -> None:
        self._plan = plan
        (self._ranking,) = plan.rankings
        self._place = place
        self._figures = figures
        self._standings = standings
        self._names: dict[str, str] = {}
        # What is counted in the one scan of the board.
        self._counts: list[str] = []
        self._declaration = place.ranking.declaration
        self._size_index = size_index(plan.model, self._declaration)
        # It tells who is better by the terms that it has, too.
        index = None if self._declaration.member_parts else self._size_index
        self._apart = 0 if index is None else index.columns
        # Then what comes before the entry is counted in the same scan; of nobody the index tells at once.
        needs_size = any(column.needs_board_size for column in plan.columns.values())
        self._reads_board = needs_size and not is_first and not self._apart

    def _column(self, name: str, expression: Callable[[], Any]) -> Any:
        if name not in self._names:
            self._names[name] = self._figures.add_column(f"_{name}", expression())
        return self._standings.column(self._names[name])

    @property
    def competition(self) -> Any:
        if self._reads_board:
            return plus_one(self._counted_of_board("before"))
        return self._column("competition", lambda: plus_one(self._number(self._by_terms)))

    @property
    def modified(self) -> Any:
        if self._reads_board:
            return self._counted_of_board("up_to")
        return self._column("modified", lambda: self._number(self._by_terms, or_tied=True))

    @property
    def size(self) -> Any:
        return self._counted_of_board("size")

    @property
    def dense(self) -> Any:
        return self._column("dense", lambda: plus_one(self._number(self._by_terms, of_places=True)))

    @property
    def ordinal(self) -> Any:
        if self._declaration.member_parts and not self._ties_are_by_key:
            return self._column("ordinal", lambda: plus_one(self._number(self._by_all)))
        # The better ones are counted once, for the other ranks too.
        tied = self._column("tied", self._tied_before)
        return ExpressionWrapper(self.competition + tied, BIGINT)

    @property
    def superseded(self) -> Any:
        """Whether another entry of the member counts; None where there are no members."""
        if not self._declaration.member_parts:
            return None
        return self._column("superseded", self._is_superseded)

    def _counted_of_board(self, name: str) -> Any:
        """Return how many are ranked, the ``size``, how many ``before`` the entry, or ``up_to`` its tie."""
        if name not in self._counts:
            self._counts.append(name)
            # In place of the one with fewer counts, of which another one would be another scan.
            column = self._names.get("figures") or self._figures.new_name("_figures")
            self._figures.annotate(column, Subquery(self._board(), output_field=UNCONVERTED))
            self._names["figures"] = column
        return Element(self._standings.column(self._names["figures"]), self._counts.index(name) + 1)

    # Who is counted

    def _board(self) -> LevelQuery:
        """Return the query for the figures of the board, which reads it once."""
        parts = self._declaration.member_parts
        rows = self._rivals(mark=self._mark if self._counts == ["size"] else None)
        if self._counts == ["size"]:
            rows, number = self._members_among(rows) if parts else (rows, Count("*"))
            rows.aggregate_rows(Array(number))
            return rows
        order = self._by_terms
        if parts and not self._counts_best:
            rows = self._counting_entries(rows, None)
            order = self._placed(rows, order)
        places = {
            name: comes_before(order, or_tied=name == "up_to") for name in self._counts if name != "size"
        }
        if self._counts_best and self._reads_members_in_order:
            size = Count(parts[0], distinct=True)
            numbers = {name: Count(parts[0], distinct=True, filter=place) for name, place in places.items()}
        else:
            if parts and self._counts_best:
                rows.select_grouped(
                    _named("member", parts), {f"_{name}": BoolOr(place) for name, place in places.items()}
                )
                rows = level_over(rows, self._plan.levels.counting)
                places = {name: rows.column(f"_{name}") for name in places}
            size = Count("*")
            numbers = {name: Count(Value(1), filter=place) for name, place in places.items()}
        rows.aggregate_rows(Array(*(numbers.get(name, size) for name in self._counts)))
        return rows

    def _members_among(self, rows: LevelQuery) -> tuple[LevelQuery, Count]:
        """Return a query and the count in it of the members who have one of ``rows`` or more."""
        parts = self._declaration.member_parts
        if len(parts) == 1:
            # PostgreSQL sorts them for that, which takes less than half of the time of SELECT DISTINCT.
            return rows, Count(parts[0], distinct=True)
        rows.select_distinct(_named("member", parts))
        return level_over(rows, self._plan.levels.counting), Count("*")

    @property
    def _reads_members_in_order(self) -> bool:
        """Whether ``COUNT(DISTINCT member)`` costs less than ``GROUP BY`` where several numbers are counted.

        PostgreSQL sorts for each of them, unless it reads by an index, as it may since 16.
        """
        model, declaration = self._plan.model, self._declaration
        fields = [value_field(output_field_of(member)) for member in self._place.member]
        is_number = len(fields) == 1 and isinstance(fields[0], IntegerField | UUIDField)
        has_index = finds_counting_entries(model, declaration) or has_covering_index(model, declaration)
        return is_number and has_index

    @property
    def _reads_first_of_member(self) -> bool:
        """Whether an index has the member's entries in the order in which they count, but for the key."""
        # PostgreSQL takes no column that is NULL for constant, so that others could give the order.
        board = (*self._place.within.values(), *self._place.member)
        return (
            self._counts_best
            and len(self._place.key) == 1
            and all(value.value is not None for value in board)
            and finds_counting_entries(self._plan.model, self._declaration)
        )

    @property
    def _mark(self) -> Any:
        """What lets a query be counted from the index for the size; None where there is none."""
        return None if self._size_index is None else self._size_index.mark

    def _rivals(self, level: str | None = None, *, mark: Any = None) -> LevelQuery:
        """Return a query for those among whom the entry has its rank."""
        return self._population(level, mark=mark)

    def _population(self, level: str | None = None, *, mark: Any = None) -> LevelQuery:
        """Return a query for the entries of the board that are eligible and complete."""
        return ranked_entries(self._plan, level or self._plan.levels.rival, mark=mark)

    @staticmethod
    def _restrict_to(
        rows: LevelQuery, order: Sequence[tuple[OrderBy, FromText]], *, or_tied: bool = False
    ) -> None:
        """Limit the rows to those that come before the entry by ``order``."""
        # PostgreSQL tests conditions that it takes for equally cheap as they are written: who does not come
        # before by the first term need not be asked whether the others are NULL, which may be expressions.
        rows.restrict(comes_before(order, or_tied=or_tied), first=True)

    @property
    def _by_terms(self) -> list[tuple[OrderBy, FromText]]:
        return order_at(self._plan.model, self._place)[: len(self._place.terms)]

    @property
    def _by_all(self) -> list[tuple[OrderBy, FromText]]:
        return order_at(self._plan.model, self._place)

    @property
    def _counts_best(self) -> bool:
        return self._declaration.counting.kind is Counting.BEST

    def _number(
        self, order: list[tuple[OrderBy, FromText]], *, or_tied: bool = False, of_places: bool = False
    ) -> Any:
        """Return how many are ranked before the entry by ``order``.

        ``or_tied`` counts those that stand where it does too, ``of_places`` counts who are tied once.
        """
        if self._apart and not of_places:
            first, second = self._number_of_either(order, or_tied=or_tied)
            return first + second
        rows = self._rivals()
        parts = self._declaration.member_parts
        is_by_ties = len(order) > len(self._place.terms) and bool(self._place.ties)
        if not parts:
            self._restrict_to(rows, order, or_tied=or_tied)
            if of_places:
                rows.select_distinct(self._term_columns())
        elif self._counts_best and not of_places and not is_by_ties:
            self._restrict_to(rows, order, or_tied=or_tied)
            rows, members = self._members_among(rows)
            rows.aggregate_rows(members)
            return Subquery(rows, output_field=BIGINT)
        else:
            rows = self._counting_entries(rows, order, or_tied=or_tied or is_by_ties)
            rows.restrict(comes_before(self._placed(rows, order), or_tied=or_tied))
            if of_places:
                names = list(self._term_columns())
                rows.select_distinct({name: rows.column(name) for name in names})
        if of_places:
            rows = level_over(rows, self._plan.levels.counting)
        rows.aggregate_rows(Count("*"))
        return Subquery(rows, output_field=BIGINT)

    def _number_of_either(
        self, order: list[tuple[OrderBy, FromText]], *, or_tied: bool
    ) -> Iterator[Subquery]:
        """Yield how many are better by columns of the index for the size, and how many by the rest."""
        columns, rest = order[: self._apart], order[self._apart :]
        tied = [equal(term.expression, value) for term, value in columns]
        by_index, by_rest = self._rivals(mark=self._mark), self._rivals()
        self._restrict_to(by_index, columns)
        by_rest.restrict(all_of([*tied, comes_before(rest, or_tied=or_tied)]))
        for rows in (by_index, by_rest):
            rows.aggregate_rows(Count("*"))
            yield Subquery(rows, output_field=BIGINT)

    @property
    def _ties_are_by_key(self) -> bool:
        """Whether a member who ties with the entry comes before it by any entry that would."""
        return isinstance(self._declaration.member, str) and self._counts_best and not self._place.ties

    def _tied_before(self) -> Any:
        """Return how many of those who tie with the entry come before it."""
        rows = self._rivals()
        by_terms = self._by_terms
        rows.restrict(all_of([equal(term.expression, value) for term, value in by_terms]))
        rows.restrict(comes_before(self._by_all[len(by_terms) :]))
        member = self._declaration.member
        if isinstance(member, str):
            rows.restrict(has_no_better(self._place, self._rivals(self._plan.levels.entry)))
            rows.aggregate_rows(Count(F(member), distinct=True))
        else:
            rows.aggregate_rows(Count("*"))
        return Subquery(rows, output_field=BIGINT)

    def _term_columns(self) -> dict[str, Any]:
        return _named("term", [term.expression for term in self._declaration.terms])

    def _placed(self, rows: LevelQuery, order: Sequence[tuple[OrderBy, FromText]]) -> Any:
        """Return ``order`` by the columns of :meth:`_counting_entries`."""
        names = [
            *self._term_columns(),
            *_named("tie", self._declaration.ties_by),
            *_named("key", self._place.key),
        ]
        return [
            (OrderBy(rows.column(name), term.descending, nulls_last=term.nulls_last), value)
            for name, (term, value) in zip(names, order, strict=False)
        ]

    def _counting_entries(self, rows: LevelQuery, order: Any, *, or_tied: bool = False) -> LevelQuery:
        """Return a query over the counting entries, or those of members who may come before by ``order``."""
        if order is not None and self._counts_best:
            # Whoever's best entry comes before has one before.
            self._restrict_to(rows, order[: len(self._place.terms)], or_tied=or_tied)
        rows.select_first(
            _named("member", self._declaration.member_parts),
            {
                **self._term_columns(),
                **_named("tie", [tie.expression for tie in self._declaration.ties_by]),
                **_named("key", [key.expression for key, _ in self._by_all[-len(self._place.key) :]]),
            },
            [term for term, _ in self._counting_order],
        )
        return level_over(rows, self._plan.levels.counting)

    @property
    def _counting_order(self) -> list[tuple[OrderBy, FromText]]:
        """By what the first of a member's entries counts, with the values of the entry."""
        keys = self._by_all[-len(self._place.key) :]
        by_field = self._declaration.counting.order_by(self._declaration.collation)
        value = self._place.counting
        # A place has one just where they are chosen by a field.
        if by_field is None or value is None:
            return [*self._by_terms, *keys]
        return [(by_field, value), *keys]

    def _is_superseded(self) -> Any:
        rows = self._population()
        for condition in is_of_member(self._place):
            rows.restrict(condition)
        order = self._counting_order
        if self._reads_first_of_member:
            # Of an OR, PostgreSQL would plan an index scan for each alternative.
            rows.restrict(comes_before(order[:1], or_tied=True))
            rows.show_key_of_first([term for term, _ in order])
            return Comparison(Subquery(rows), self._place.key[0], arg_joiner=" <> ")
        rows.restrict(comes_before(order))
        rows.ask_existence()
        return Exists(rows)


def ranked_entries(plan: Plan, level: str, *, mark: Any = None) -> LevelQuery:
    """Return a query for the entries of a plan's one board that are eligible and complete, by ``mark``."""
    (ranking,) = plan.rankings
    declaration = ranking.ranking.declaration
    rows = level_of(plan.model, level)
    within = rows.resolved(declaration.within)
    columns = Columns(rows)
    present = completeness(declaration, columns, mark=mark)
    for condition in (*eligibility(plan.model, ranking, columns), *present):
        rows.restrict(condition)
    rows.restrict_first([lookup_on(within[name], lookup) for name, lookup in ranking.pins.items()])
    return rows


def has_no_better(place: Place, rows: LevelQuery) -> Any:
    """Return the condition that none of ``rows`` is of an entry's member, a path, and better than a place."""
    member = str(place.ranking.declaration.member)
    rows.restrict(comes_before(order_at(rows.model, place)[: len(place.terms)]))
    rows.restrict(Q((member, OuterRef(member))))
    rows.ask_existence()
    return Negation(Exists(rows))


def order_at(model: type[Model], place: Place) -> list[tuple[OrderBy, FromText]]:
    """Return by what entries are ordered on a board, each term with its value at a place."""
    declaration = place.ranking.declaration
    ties = [OrderBy(tie.expression, tie.descending, nulls_last=True) for tie in declaration.ties_by]
    keys = [OrderBy(Term(F(name))) for name in key_names(model)]
    return [
        *zip(declaration.terms, place.terms, strict=True),
        *zip(ties, place.ties, strict=True),
        *zip(keys, place.key, strict=True),
    ]


def is_of_member(place: Place) -> Iterator[Any]:
    """Yield the conditions for an entry to be of the member of the one at a place."""
    for part, value in zip(place.ranking.declaration.member_parts, place.member, strict=True):
        yield IsNull(part, True) if value.value is None else Exact(part, value)


def _named(name: str, expressions: Sequence[Any]) -> dict[str, Any]:
    return {f"_{name}{position}": expression for position, expression in enumerate(expressions)}


def comes_before(order: Sequence[tuple[OrderBy, Any]], *, or_tied: bool = False) -> Any:
    """Return the condition to come before the values that ``order`` pairs with its terms."""
    terms, values = zip(*order, strict=True)
    return beyond(terms, values, later=False, or_tied=or_tied)


def plus_one(number: Any) -> Any:
    return ExpressionWrapper(number + Value(1, BIGINT), BIGINT)

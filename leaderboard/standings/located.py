"""Reading where one entry stands: the statement before the one that counts.

    SELECT (id)::text, (test_id)::text, (score)::text, (finished_at - started_at)::text, …
    FROM app_attempt WHERE id = 7

As text, which PostgreSQL reads back as the very same value, whatever type it is of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Case, F, Model, OrderBy, OuterRef, QuerySet, Subquery, When

from leaderboard.expressions.terms import Term
from leaderboard.expressions.times import is_running
from leaderboard.kinds import Counting
from leaderboard.orm.conditions import is_opaque, lookup_on
from leaderboard.orm.held import Equalities
from leaderboard.orm.levels import level_of
from leaderboard.orm.models import key_names
from leaderboard.orm.trees import holds_query, output_field_of, path_of, resolved_on_model
from leaderboard.orm.written import Gap, Statement
from leaderboard.standings.columns import Columns
from leaderboard.standings.eligibility import completeness, eligibility, marked
from leaderboard.standings.metrics import Ranking
from leaderboard.standings.place import Location, Place
from leaderboard.standings.plan import RankingPlan
from leaderboard.standings.shared import is_lasting, written_once

__all__ = [
    "counting_order",
    "first_of",
    "location_of",
    "ranked_of",
    "reading_by",
    "reading_of",
    "supposed_place",
    "written_reading",
]


def location_of(model: type[Model], ranking: Ranking) -> Location | None:
    """Return how places on a board are read; None where they may differ between two statements."""
    declaration = ranking.declaration
    return declaration.prepared(("location", model), lambda: _location(model, ranking))


def _location(model: type[Model], ranking: Ranking) -> Location | None:
    declaration = ranking.declaration
    by_field = declaration.counting.order_by(declaration.collation) if declaration.member_parts else None
    parts: list[list[Any]] = [
        [F(name) for name in key_names(model)],
        list(declaration.within.values()),
        [term.expression for term in declaration.terms],
        [tie.expression for tie in declaration.ties_by],
        list(declaration.member_parts),
        [] if by_field is None else [by_field.expression],
    ]
    expressions = [expression for part in parts for expression in part]
    if any(map(_is_unsteady, expressions)):
        return None
    fields = [output_field_of(resolved_on_model(expression, model)[0]) for expression in expressions]
    if any(field is None for field in fields):
        return None
    return Location(
        expressions=expressions,
        fields=fields,
        names=list(declaration.within),
        sizes=[len(part) for part in parts],
    )


def reading_of(
    model: type[Model], ranking: Ranking, location: Location, connection: Any, *, of_member: bool
) -> Statement | None:
    """Return the statement that reads a place, of the entry that meets the condition in its gap.

    With ``of_member`` it is the entry that counts of those that do, or the one that tells why none does. None
    where the statement may be another one at another moment.
    """
    if not is_lasting(ranking.declaration, model):
        return None
    return written_reading(model, ranking, location, connection, of_member=of_member)


def written_reading(
    model: type[Model], ranking: Ranking, location: Location, connection: Any, *, of_member: bool = False
) -> Statement:
    """Return the same for a declaration that is lasting."""

    def once() -> Statement:
        rows: Any = QuerySet(model).filter(Gap())
        rows = rows.order_by(*counting_order(model, ranking)) if of_member else rows.order_by()
        return Statement.of(rows.values_list(*location.columns)[:1].query, connection)

    return written_once(ranking.declaration, ("reading", model, of_member), connection, once)


def reading_by(equalities: Equalities, ranking: Ranking, location: Location, connection: Any) -> Statement:
    """Return the same for the entry that meets equalities, with slots for their values."""
    model = equalities.query.model

    def once() -> Statement:
        reading = written_reading(model, ranking, location, connection)
        return reading.closed(equalities.text(connection), len(equalities.columns))

    return written_once(ranking.declaration, ("reading", model, equalities.columns), connection, once)


def first_of(model: type[Model], ranking: Ranking, location: Location, connection: Any) -> Statement | None:
    """Return the statement that reads the first place of the board that meets the condition in its gap.

    None where the statement may be another one at another moment, and where the first of all entries need
    not count among those of its member.
    """
    declaration = ranking.declaration
    is_best = declaration.counting.kind is Counting.BEST and not declaration.ties_by
    if ranking.view is not None or not is_lasting(declaration, model):
        return None
    if declaration.member_parts and not is_best:
        return None

    def once() -> Statement:
        ranked = _ranked(model, ranking)
        ties = [OrderBy(tie.expression, tie.descending, nulls_last=True) for tie in declaration.ties_by]
        rows: Any = QuerySet(model).filter(Gap(), *ranked)
        rows = rows.order_by(*declaration.terms, *ties, *_keys(model))
        return Statement.of(rows.values_list(*location.columns)[:1].query, connection)

    return written_once(declaration, ("first", model), connection, once)


def ranked_of(model: type[Model], ranking: Ranking, location: Location, connection: Any) -> Statement | None:
    """Return the statement that reads the place of the one ranked entry that meets the condition in its gap.

    None where the statement may be another one at another moment, and where a member's entries on a board are
    not those with the same columns.
    """
    declaration = ranking.declaration
    parts = [*declaration.within.values(), *declaration.member_parts]
    are_columns = all(isinstance(part, F) and "__" not in path_of(part) for part in parts)
    if ranking.view is not None or not is_lasting(declaration, model):
        return None
    if declaration.member_parts and not (
        isinstance(declaration.member, str) and are_columns and not declaration.null_is_a_board
    ):
        return None

    def once() -> Statement:
        ranked = _ranked(model, ranking)
        rows: Any = QuerySet(model).filter(Gap(), *ranked)
        if declaration.member_parts:
            same = {path_of(part): OuterRef(path_of(part)) for part in parts}
            by_field = declaration.counting.order_by(declaration.collation)
            order = declaration.terms if by_field is None else [by_field]
            others: Any = QuerySet(model).filter(*ranked, **same).order_by(*order, *_keys(model))
            rows = rows.filter(pk=Subquery(others.values("pk")[:1]))
        return Statement.of(rows.order_by().values_list(*location.columns)[:1].query, connection)

    return written_once(declaration, ("ranked", model), connection, once)


def supposed_place(
    model: type[Model],
    ranking: Ranking,
    location: Location,
    row: Any,
    connection: Any,
    pins: Mapping[str, Any],
) -> Place | None:
    """Return where an entry would stand that has the columns of ``row``; None if not where ``pins`` say."""
    query = level_of(model, "entry")
    query.read_row(row)
    within = query.resolved(ranking.declaration.within)
    query.select_values(location.columns)
    query.refuse_multiplied_rows()
    query.restrict_first([lookup_on(within[name], lookup) for name, lookup in pins.items()])
    values = Statement.of(query, connection).first(connection)
    return None if values is None else location.place(ranking, values)


def _is_unsteady(expression: Any) -> bool:
    return holds_query(expression) or is_opaque(expression) or is_running(expression)


def counting_order(model: type[Model], ranking: Ranking) -> Iterator[OrderBy]:
    """Yield by what the one of a member's entries comes first that counts, or tells why none does."""
    declaration = ranking.declaration
    columns = Columns(level_of(model, "entry"))
    is_complete = marked(eligibility(model, _pinned(ranking), columns), completeness(declaration, columns))
    yield OrderBy(is_complete, descending=True, nulls_last=True)
    by_field = declaration.counting.order_by(declaration.collation)
    for term in declaration.terms if by_field is None else (by_field,):
        # Those that are not complete come in the order of the key.
        value = Case(When(is_complete, then=term.expression))
        yield OrderBy(value, term.descending, nulls_last=term.nulls_last)
    yield from _keys(model)


def _pinned(ranking: Ranking) -> RankingPlan:
    """Return a plan for the entries of one board, whichever that is."""
    return RankingPlan(ranking, dict.fromkeys(ranking.declaration.within), frozenset(), None)


def _ranked(model: type[Model], ranking: Ranking) -> list[Any]:
    """Return the conditions for an entry to be eligible and complete."""
    columns = Columns(level_of(model, "entry"))
    return [*eligibility(model, _pinned(ranking), columns), *completeness(ranking.declaration, columns)]


def _keys(model: type[Model]) -> Iterator[OrderBy]:
    return (OrderBy(Term(F(name))) for name in key_names(model))

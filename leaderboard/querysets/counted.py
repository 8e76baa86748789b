"""One entry's metrics by counting: where it stands, then who is before it; where it has moved, the window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from django.db import connections
from django.db.models import F

from leaderboard.kinds import Qualification
from leaderboard.orm.held import Equalities, asked_of_rows, equality_with_key, held_key, shows_own_rows
from leaderboard.orm.trees import is_known
from leaderboard.orm.written import Statement, WrittenRows
from leaderboard.querysets.metrics import MetricQuerySet
from leaderboard.standings.explained import ChosenPlan, chosen_plan
from leaderboard.standings.located import (
    counting_order,
    location_of,
    reading_by,
    reading_of,
    written_reading,
)
from leaderboard.standings.metrics import Metric, Ranking
from leaderboard.standings.pins import member_pins, pins_of
from leaderboard.standings.place import Location, Place
from leaderboard.standings.shared import is_lasting, written_once

__all__ = ["TRIES", "CountedQuerySet"]

# How often an entry may move between two statements before the window is asked, in one statement.
TRIES = 2
# By what Django's get() reads.
READERS = (
    *("filter", "_filter_or_exclude", "_filter_or_exclude_inplace", "order_by", "_chain", "_clone"),
    *("__len__", "_fetch_all"),
)
METRICS = ("rank", "board_size", "percentile", "qualification", "time_taken")


@dataclass(frozen=True, kw_only=True)
class Held:
    """What holds a view with metrics of one ranking to one entry, or to those of one member on one board.

    ``by`` are expressions of the model, each with the lookup of the view that holds it to one value;
    ``location`` is None where a place may differ between two statements. ``asked`` are the metrics by the
    names that they are annotated as, where nothing limits the view but ``conditions``, those that hold it to
    the entry and its board, and whole rows with these are asked for.
    """

    ranking: Ranking
    by: Sequence[tuple[Any, Any]]
    of_member: bool
    location: Location | None
    asked: Sequence[tuple[str, Metric]] | None
    conditions: Sequence[Any]


class CountedQuerySet(MetricQuerySet):
    """A queryset that counts the better entries of one instead of ranking all."""

    def _standing(self, prefix: str, *, of_member: bool, is_of_board: bool) -> Mapping[str, Any] | None:
        """Return what ``standings()`` annotates for the one row of the queryset, as of one snapshot.

        Of the rows of one member it is the one that counts. None where there is no row. ``is_of_board`` tells
        that nothing but the board, and which entry it is, limits the queryset.
        """
        location = location_of(self.model, self._ranking)
        for _ in range(TRIES):
            if location is None:
                break
            place = self._place(location, self._ranking, of_member=of_member)
            if place is None:
                return None
            if not place.is_on_board:
                break
            row = self._read_standing(prefix, place, is_of_board=is_of_board)
            if row is None:
                continue
            if of_member and row["qualification"] == Qualification.SUPERSEDED:
                # Of several that are superseded, the one with the lowest key is shown.
                break
            return row
        shown = self.standings(prefix)
        if of_member:
            # Of a member who is not ranked, PENDING goes before EXCLUDED, as later in the alphabet.
            shown = shown.order_by(f"{prefix}rank", f"-{prefix}qualification", "pk")
        row = next(iter(shown.values(*shown._shown_annotations)[:1]), None)
        return None if row is None else _without(prefix, row)

    def _read_standing(self, prefix: str, place: Place, *, is_of_board: bool) -> Mapping[str, Any] | None:
        """Return what ``standings()`` annotates for the entry at a place, None where it is not there."""
        declaration = place.ranking.declaration
        if not (
            is_of_board
            and place.ranking.view is None
            and self._has_own_metrics
            and is_lasting(declaration, self.model)
        ):
            shown = self.standings(prefix)
            rows = shown._counted_at(place).order_by().values(*shown._shown_annotations)
            row = next(iter(rows), None)
            return None if row is None else _without(prefix, row)
        connection = connections[self.db]
        nulls = tuple(value is None for value in place.row)

        def once() -> tuple[list[str], Statement]:
            # Whatever holds the board and the entry is among the values of the place.
            shown = self._unfiltered().standings(prefix)
            names = shown._shown_annotations
            query = shown._counted_at(place.with_slots()).order_by().values_list(*names).query
            return [name.removeprefix(prefix) for name in names], Statement.of(query, connection)

        key = ("standing", self.model, type(self), nulls)
        names, statement = written_once(declaration, key, connection, once)
        values = statement.first(connection, place.row)
        return None if values is None else dict(zip(names, values, strict=True))

    @property
    def _has_own_metrics(self) -> bool:
        """Whether no subclass makes metrics in a way of its own."""
        makers = ("standings", *(f"with_{name}" for name in METRICS))
        return all(is_known(getattr(type(self), name)) for name in makers)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        """As Django's; by a primary key alone no query is made that is filtered by it."""
        rows = None
        if not args and len(kwargs) == 1:
            rows = self._rows_with_key(*next(iter(kwargs.items())))
        if rows is None or len(rows) > 1:
            return super().get(*args, **kwargs)
        if not rows:
            raise self.model.DoesNotExist(f"{self.model._meta.object_name} matching query does not exist.")
        return rows[0]

    def _rows_with_key(self, name: str, value: Any) -> list[Any] | None:
        """Return the rows that ``filter(name=value)`` leaves, by a primary key; None where that must tell."""
        if not self._may_be_held or not all(is_known(getattr(type(self), name)) for name in READERS):
            return None
        key = equality_with_key(self.query, name, value)
        held = None if key is None else self._held_alone(key)
        return None if held is None else self._rows_held(held)

    def explain(self, *, format: str | None = None, **options: Any) -> str:
        """As Django's, of the statement that gives the results: where they are counted, that which counts."""
        held = self._held()
        place = None if held is None or held.location is None else self._place_held(held, held.location)
        if held is None or place is None or not place.is_on_board:
            return super().explain(format=format, **options)
        counted = self._counted_at(place, of_member=held.of_member)
        return counted.explain(format=format, **options)

    def _rows_at_once(self) -> list[Any] | None:
        held = self._held()
        return None if held is None else self._rows_held(held)

    def _rows_held(self, held: Held) -> list[Any] | None:
        """Return the results by counting; None where the query must tell."""
        if held.location is None:
            return None
        place = self._place_held(held, held.location)
        if place is None:
            # The view, which what holds it is a part of, shows nobody.
            return []
        if not place.is_on_board:
            return None
        written = None if held.asked is None else self._written_for(held, place)
        if written is not None and self._makes_bare_instances:
            return written.instances(self.model, connections[self.db], place.row) or None
        counted = self._counted_at(place, of_member=held.of_member)
        if written is not None:
            counted.query.written = written, place.row
        # None of its rows may be that it has moved, or that the view does not show it.
        return list(counted) or None

    def _written_for(self, held: Held, place: Place) -> WrittenRows:
        """Return the rows of the view with its metrics, which are for any entry of any board."""
        connection = connections[self.db]

        def once() -> WrittenRows:
            # Whatever holds the board and the entry is among the values of the place.
            shown = self._counted_at(place.with_slots(is_alone=True))
            return WrittenRows.of(shown.query.without_view(), connection)

        nulls = tuple(value is None for value in place.row)
        key = ("rows", self.model, held.asked, nulls)
        return written_once(held.ranking.declaration, key, connection, once)

    def explain_plan(self, method: str | None = None) -> ChosenPlan:
        """Return how the metrics of the queryset are found, or those of ``"get_standing"`` on it.

        It sends no statement. Raises ``ValueError`` for another method.
        """
        if method not in (None, "get_standing"):
            raise ValueError(f"method={method!r} must be 'get_standing' or left out.")
        if method is not None:
            self._refuse_combined(method)
            shown = self.whole_board().standings("_standing_")
            is_steady = location_of(self.model, self._ranking) is not None
            return chosen_plan(shown.query, held_to="one entry by the argument", is_steady=is_steady)
        held = self._held()
        if held is None:
            return chosen_plan(self.query, held_to=None, is_steady=True)
        held_to = "the entries of one member" if held.of_member else "one entry by its primary key"
        return chosen_plan(self.query, held_to=held_to, is_steady=held.location is not None)

    @property
    def _may_be_held(self) -> bool:
        """Whether the view is of entries with metrics, each as it is stored, on PostgreSQL."""
        query = self.query
        if not query.derived_columns or query.place is not None or not shows_own_rows(query):
            return False
        # The window tells that others are not supported.
        return connections[self.db].vendor == "postgresql"

    def _held(self) -> Held | None:
        """Return what holds the view to one entry, or to those of one member; None where nothing does."""
        if not self._may_be_held:
            return None
        query = self.query
        key = held_key(query)
        if key is not None and (held := self._held_alone(key)) is not None:
            return held
        columns = query.used_columns().values()
        rankings = {column.ranking for column in columns}
        # What the row itself says, one statement reads.
        if len(rankings) != 1 or not any(column.metric.counts_others for column in columns):
            return None
        (ranking,) = rankings
        by = (
            self._held_to_member(ranking)
            if key is None
            else [(F(name), lookup) for name, lookup in key.items()]
        )
        if not by:
            return None
        return Held(
            ranking=ranking,
            by=by,
            of_member=key is None,
            location=location_of(self.model, ranking),
            asked=None,
            conditions=(),
        )

    def _held_alone(self, key: Mapping[str, Any]) -> Held | None:
        """Return what holds the view to the entry with a key, where nothing but a board limits it besides.

        None where anything else does, or where other rows than whole ones with metrics are asked for.
        """
        query = self.query
        ranking = next(iter(query.derived_columns.values())).ranking
        declaration = ranking.declaration
        if ranking.view is not None or not is_lasting(declaration, self.model):
            return None
        conditions = [*pins_of(query, declaration).values(), *key.values()]
        columns = asked_of_rows(query, conditions)
        if columns is None or any(column.ranking != ranking for column in columns.values()):
            return None
        if not any(column.metric.counts_others for column in columns.values()):
            return None
        return Held(
            ranking=ranking,
            by=(),
            of_member=False,
            location=location_of(self.model, ranking),
            asked=tuple((name, column.metric) for name, column in columns.items()),
            conditions=conditions,
        )

    def _held_to_member(self, ranking: Ranking) -> Sequence[tuple[Any, Any]]:
        """Return what holds the view to the entries of one member on one board; nothing where it is not."""
        declaration = ranking.declaration
        member = member_pins(self.query, declaration)
        pins = pins_of(self.query, declaration) if member else {}
        if not member or declaration.within.keys() - pins.keys():
            return []
        boards = [(declaration.within[name], lookup) for name, lookup in pins.items()]
        return [*boards, *zip(declaration.member_parts, member, strict=True)]

    def _place_held(self, held: Held, location: Location) -> Place | None:
        """Return where the entry stands that the view is held to, or the one that counts of its member's."""
        if held.asked is not None:
            # On the board too, so that nothing of the view is left to be looked at afterwards.
            return self._place(location, held.ranking, conditions=held.conditions)
        entry = self._unfiltered()
        for expression, lookup in held.by:
            entry.query.add_condition(expression, lookup)
        return entry._place(location, held.ranking, of_member=held.of_member)

    def _place(
        self,
        location: Location,
        ranking: Ranking,
        *,
        of_member: bool = False,
        conditions: Sequence[Any] | None = None,
    ) -> Place | None:
        """Return where the row of the queryset stands, or that of one member's that counts; None for none.

        With ``conditions`` it is the row of the model that meets them.
        """
        if conditions is None:
            row = self._row_of(location, ranking, of_member=of_member)
        else:
            row = self._row_where(conditions, location, ranking)
        return None if row is None else location.place(ranking, row)

    def _row_where(
        self, conditions: Sequence[Any], location: Location, ranking: Ranking
    ) -> Sequence[Any] | None:
        connection = connections[self.db]
        equalities = Equalities.of(self.query, conditions)
        if equalities is not None:
            values = equalities.values(connection)
            reading = reading_by(equalities, ranking, location, connection)
            return None if values is None else reading.first(connection, values)
        condition = self.query.own_condition(connection, conditions)
        reading = written_reading(self.model, ranking, location, connection)
        return None if condition is None else reading.first(connection, condition=condition)

    def _row_of(self, location: Location, ranking: Ranking, *, of_member: bool) -> Sequence[Any] | None:
        connection = connections[self.db]
        # What it is among makes no difference to an entry's own values, but to which of a member's counts.
        is_of_board = not of_member or ranking.view is None
        reading = (
            reading_of(self.model, ranking, location, connection, of_member=of_member)
            if is_of_board and self.query.is_of_one_table
            else None
        )
        if reading is None:
            rows = self.order_by(*counting_order(self.model, ranking)) if of_member else self.order_by()
            return next(iter(rows.values_list(*location.columns)[:1]), None)
        condition = self.query.own_condition(connection)
        return None if condition is None else reading.first(connection, condition=condition)

    def _counted_at(self, place: Place, *, of_member: bool = False) -> Self:
        """Return the queryset for the entry that stood at a place, empty where it does not stand there.

        With ``of_member`` it is for the entries of its member, of which that one counts.
        """
        clone = self._copied()
        clone.query.place, clone.query.of_member = place, of_member
        return clone


def _without(prefix: str, row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name.removeprefix(prefix): value for name, value in row.items()}

"""What would be: the standing of an entry that is not ranked, and what one must reach for a rank."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.db import NotSupportedError, connections
from django.db.models import Model
from django.db.models.lookups import Exact, IsNull

from leaderboard.declaration.cut_offs import PercentileAtLeast
from leaderboard.expressions.literals import Typed
from leaderboard.kinds import PercentileKind, Qualification
from leaderboard.orm.levels import row_of
from leaderboard.orm.models import ancestors, concrete_model, field_called, own_field, own_fields
from leaderboard.querysets.neighbours import NeighbourQuerySet
from leaderboard.querysets.places import at_least_one
from leaderboard.standings.located import location_of, supposed_place
from leaderboard.standings.metrics import QualificationStatus
from leaderboard.standings.pins import pins_of
from leaderboard.standings.standing import Standing

__all__ = ["SupposingQuerySet"]

PREFIX = "_supposed_"


class SupposingQuerySet(NeighbourQuerySet):
    """A queryset that tells what would be on its board."""

    def rank_if(self, entry: Model | None = None, /, **values: Any) -> Standing:
        """Return the :class:`~leaderboard.Standing` that an entry would have, were it ranked on its board.

        It is an instance, saved or not, or one with the ``values`` of some fields, and of the board that the
        queryset is on. Whether it is eligible does not matter. It comes beside those who are ranked, in
        place of what is stored of it, and is superseded where another entry of its member would count.

        Raises ``TypeError`` for both or neither and for another model's instance, ``ValueError`` for a field
        that there is not, for an ordering term or a board that comes out NULL, and for another board than
        that of the queryset, ``NotSupportedError`` for a model that inherits from another one's table and
        where the board's terms are subqueries or times that are running.
        """
        self._refuse_combined("rank_if")
        ranking = self._ranking
        if (entry is None) == (not values):
            raise TypeError("rank_if() takes an entry, or values of fields: rank_if(score=80).")
        if ancestors(self.model):
            raise NotSupportedError(
                f"rank_if() of {self.model._meta.label}, whose columns are in several tables. "
                "Save the entry, and use get_standing()."
            )
        location = location_of(self.model, ranking)
        if location is None:
            raise NotSupportedError(
                "rank_if() where a term may differ between two statements, or is a subquery. "
                "Save the entry, and use get_standing()."
            )
        pins = pins_of(self.query, ranking.declaration)
        if entry is None:
            entry = self._made_of(values, pins)
        elif not isinstance(entry, concrete_model(self.model)):
            raise TypeError(f"entry={entry!r} must be an instance of {self.model._meta.label}.")
        row = row_of({field.column: _column(entry, field) for field in own_fields(self.model)})
        place = supposed_place(self.model, ranking, location, row, connections[self.db], pins)
        if place is None or not place.is_on_board:
            board = ", ".join(ranking.declaration.within)
            raise ValueError(f"The entry would not be on the board of the queryset, by {board}.")
        for term, value in zip(ranking.declaration.terms, place.terms, strict=True):
            if value.value is None:
                raise ValueError(
                    f"rank_if() needs a value of every ordering term; {term.expression!r} is NULL."
                )
        shown = self._unfiltered().standings(PREFIX).order_by()
        shown.query.supposed = row, place
        (found,) = shown.values(*shown._shown_annotations)
        return Standing(**{name.removeprefix(PREFIX): value for name, value in found.items()})

    async def arank_if(self, entry: Model | None = None, /, **values: Any) -> Standing:
        """Asynchronous form of :meth:`rank_if`."""
        return await sync_to_async(self.rank_if)(entry, **values)

    def _made_of(self, values: dict[str, Any], pins: dict[str, Any]) -> Model:
        """Return an instance of some values, and of what holds the queryset to a board."""
        for name in values:
            if field_called(self.model, name) is None:
                raise ValueError(f"rank_if({name}=…): {self.model._meta.label} has no such field.")
        given = {field_called(self.model, name).attname for name in values}
        held = {}
        for name, lookup in pins.items():
            field = own_field(self.model, self.leaderboard.within[name])
            if field is not None and field.attname not in given:
                held[field.attname] = None if isinstance(lookup, IsNull) else lookup.rhs
        made: Model = self.model(**held, **values)
        return made

    def value_at_rank(self, k: int) -> Any:
        """Return what the entry at position ``k`` of the board has for the ordering term.

        It is what one must reach for that rank: a tuple where the board is ordered by several terms, and None
        where fewer are ranked. The view does not matter. Raises ``ValueError`` for a position below 1, and
        otherwise what :meth:`ranked` raises.
        """
        k = at_least_one(k, "k")
        return self._first_terms(self._everyone("value_at_rank")[k - 1 : k])

    def value_at_percentile(self, p: Any, kind: PercentileKind | str | None = None) -> Any:
        """Return what the last entry with a percentile of at least ``p`` has for the ordering term.

        The percentile is of the declared kind unless one is given. It is a tuple where the board is ordered
        by several terms, and None where nobody has it. The view does not matter. Raises ``ValueError`` for a
        percentile that is none, and otherwise what :meth:`ranked` raises.
        """
        declared = self.leaderboard
        rule = PercentileAtLeast(p, kind=declared.percentile_kind if kind is None else kind)
        board = declared.replace(cut_off=rule)
        everyone = self._copied(_board=board)._everyone("value_at_percentile")
        reached = everyone._hidden(everyone._ranking, QualificationStatus())
        return self._first_terms(everyone.filter(Exact(reached, Qualification.QUALIFIED)).reverse()[:1])

    def _everyone(self, method: str) -> Any:
        self._refuse_combined(method)
        self._pinned_ranking(method)
        return self.whole_board()._in_order(method)

    def _first_terms(self, rows: Any) -> Any:
        terms = [term.expression for term in self.leaderboard.terms]
        found = next(iter(rows.values_list(*terms)), None)
        return found if found is None or len(terms) > 1 else found[0]


def _column(entry: Model, field: Any) -> Typed:
    """Return the value of a field of an instance; NULL where it is not known before it is stored."""
    value = vars(entry).get(field.attname)
    return Typed(None if hasattr(value, "resolve_expression") else value, output_field=field)

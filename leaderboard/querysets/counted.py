"""One entry's metrics by counting: where it stands, then who is before it, and by the window where that moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leaderboard.kinds import Qualification
from leaderboard.orm.models import key_names
from leaderboard.querysets.metrics import MetricQuerySet
from leaderboard.standings.located import Location, counting_order, location_of
from leaderboard.standings.plan import Place

__all__ = ["CountedQuerySet"]

# How often an entry may move between two statements before the window is asked, in one statement.
TRIES = 2


class CountedQuerySet(MetricQuerySet):
    """A queryset that counts the better entries of one instead of ranking all."""

    def _standing(self, prefix: str, *, of_member: bool) -> Mapping[str, Any] | None:
        """Return what ``standings()`` annotates for the one row of the queryset, or of one member's that counts.

        None where there is no such row. The metrics are of one snapshot.
        """
        shown = self.standings(prefix)
        names = shown._shown_annotations
        location = location_of(self.model, self._ranking)
        for _ in range(0 if location is None else TRIES):
            place = self._place(location, of_member=of_member)
            if place is None:
                return None
            if not place.is_on_board:
                break
            row = next(iter(shown._counted_at(place).values(*names)), None)
            if row is None:
                continue
            if of_member and row[f"{prefix}qualification"] == Qualification.SUPERSEDED:
                # Of several that are superseded, the one with the lowest key is shown.
                break
            return _without(prefix, row)
        if of_member:
            # Of a member who is not ranked, PENDING goes before EXCLUDED, as later in the alphabet.
            shown = shown.order_by(f"{prefix}rank", f"-{prefix}qualification", "pk")
        row = next(iter(shown.values(*names)[:1]), None)
        return None if row is None else _without(prefix, row)

    def _place(self, location: Location, *, of_member: bool) -> Place | None:
        """Return where the row of the queryset stands, or that of one member's that counts; None for none."""
        rows = self.order_by(*counting_order(self.model, self._ranking)) if of_member else self.order_by()
        row = next(iter(rows.values_list(*location.columns)[:1]), None)
        return None if row is None else location.place(self._ranking, row)

    def _counted_at(self, place: Place) -> Any:
        """Return the queryset for the entry that stood at a place, empty where it does not stand there."""
        clone = self._copied()
        clone.query.place = place
        key = {name: value for name, value in zip(key_names(self.model), place.key, strict=True)}
        return clone.order_by().filter(**key)


def _without(prefix: str, row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name.removeprefix(prefix): value for name, value in row.items()}

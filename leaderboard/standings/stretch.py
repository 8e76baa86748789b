"""The entries of a run, read in the order of their board from a place on.

    … FROM app_attempt entry WHERE entry.test_id = 1 AND entry.score <= 60 AND (…)
    ORDER BY entry.score DESC, …, entry.id LIMIT 51

With members, those of them that count are looked up one by one, until the run is whole or too many do not:

    SELECT counting.*, BOOL_OR(counting._nth1 = 1052) OVER () AS _cut2
    FROM (SELECT entry.* FROM (SELECT counting.*, ROW_NUMBER() OVER (…) AS _nth1
                               FROM (SELECT … LIMIT 1052) counting) entry
          WHERE entry._nth1 = 1052 OR CASE WHEN entry.id = (SELECT rival.id …) THEN true ELSE false END
          ORDER BY … LIMIT 51) counting

Where it is cut off so, the stretch is empty. It is to be gathered then, from the first entries of members;
where the best one counts, of those members who have none that is better than the place:

    SELECT entry.* FROM (SELECT DISTINCT ON (counting.candidate_id) counting.*
                         FROM (… WHERE entry.score <= 60 AND (…) AND NOT EXISTS (SELECT …)) counting
                         ORDER BY counting.candidate_id, counting.score DESC, …, counting.id) entry
    WHERE entry.score <= 60 AND (…) ORDER BY entry.score DESC, …, entry.id LIMIT 51
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import OrderBy, Value, Window
from django.db.models.functions import RowNumber
from django.db.models.lookups import Exact

from leaderboard.expressions.bounds import beyond
from leaderboard.expressions.fields import BIGINT, BOOLEAN
from leaderboard.kinds import Counting
from leaderboard.orm.conditions import lookup_on
from leaderboard.orm.levels import LevelQuery, level_over
from leaderboard.standings.counting import keep_counting, key_order
from leaderboard.standings.entries import EntryLevel, RankingColumns
from leaderboard.standings.place import Place
from leaderboard.standings.plan import Plan, pins_at
from leaderboard.standings.rivals import rivals_of
from leaderboard.standings.tally import has_no_better, order_at, ranked_entries

__all__ = ["PASSED_OVER", "Stretch", "order_on", "stretch_of", "turned"]

# So many entries are passed over that do not count. To look one up takes some ten times as long as to gather
# one of the board's, which is done where more do not.
PASSED_OVER = 1000


@dataclass(frozen=True)
class End:
    """Where a level ends that is read in an order: after so many rows, by the level ``reader``."""

    level: LevelQuery
    order: Sequence[OrderBy]
    count: int
    reader: LevelQuery


@dataclass(frozen=True)
class Stretch:
    """The entries of a run as a level, which :meth:`end` is to be called for."""

    level: LevelQuery
    ends: Sequence[End]
    place: Place
    later: bool

    def end(self, *, with_ties: bool) -> None:
        """Let the scan end with the run, or with the tie that its last entry has part in."""
        for end in self.ends:
            order = turned(end.order, self.later)
            if with_ties:
                end.level.sort(order[: len(self.place.terms)])
                end.reader.read_first(end.count)
            else:
                end.level.sort(order)
                end.level.end_after(end.count)


def stretch_of(
    plan: Plan, entries: EntryLevel, place: Place, count: int, *, later: bool, gathers: bool
) -> Stretch:
    """Return so many entries of the board, of which the first stands at a place.

    With ``gathers`` members need no index, and the stretch is not cut off.
    """
    ((names,), (within,)) = entries.rankings, entries.within
    order = [term for term, _ in order_at(plan.model, place)]
    lowest = entries.lowest
    has_members = bool(place.ranking.declaration.member_parts)
    if not (has_members and gathers):
        lowest.restrict(_from(place, order, later=later))
    elif place.ranking.declaration.counting.kind is Counting.BEST:
        # Who has a better entry than that at the place has a better one that counts.
        terms = order[: len(place.terms)]
        lowest.restrict(beyond(terms, place.terms, later=later, or_tied=True))
        if later:
            lowest.restrict(has_no_better(place, ranked_entries(plan, plan.levels.rival)))
    lowest.restrict_first([lookup_on(within[name], lookup) for name, lookup in pins_at(place).items()])
    if not has_members:
        level = _over(entries.query, plan.levels.counting)
        return Stretch(level, [End(lowest, order, count, level)], place, later)
    if gathers:
        counting = _gathered(plan, entries, names, place)
        order = order_on(counting, names, place)
        counting.restrict(_from(place, order, later=later))
        level = _over(counting, plan.levels.counting)
        return Stretch(level, [End(counting, order, count, level)], place, later)
    read = _over(entries.query, plan.levels.counting)
    # One more, of which no more is asked than whether it is there.
    most = count + PASSED_OVER + 1
    # In the order that it has, which PostgreSQL would forget otherwise.
    by = turned(order_on(read, names, place), later)
    nth = read.add_column("_nth", Window(RowNumber(), order_by=by, output_field=BIGINT))
    counting = _looked_up(plan, read, nth, most, place)
    found = _over(counting, plan.levels.counting)
    is_last = Exact(found.column(nth), Value(most, BIGINT))
    cut = found.add_column("_cut", Window(BoolOr(is_last), output_field=BOOLEAN))
    # Below what is counted, which is not asked for then.
    level = _over(found, plan.levels.counting)
    level.restrict(Exact(level.column(cut), Value(False, BOOLEAN)))
    ends = [
        End(lowest, order, most, read),
        End(counting, order_on(counting, names, place), count, found),
    ]
    return Stretch(level, ends, place, later)


def _looked_up(plan: Plan, read: LevelQuery, nth: str, most: int, place: Place) -> LevelQuery:
    """Return the entries that count among those of a level, and the last of as many as may be read."""
    counting = _over(read, plan.levels.entry)
    rivals = rivals_of(plan, plan.rankings[0], counting)
    pins = [lookup_on(rivals.within[name], lookup) for name, lookup in pins_at(place).items()]
    is_last = Exact(counting.column(nth), Value(most, BIGINT))
    counting.restrict_to_key_of(rivals.query, pins, unless=is_last)
    return counting


def _gathered(plan: Plan, entries: EntryLevel, names: RankingColumns, place: Place) -> LevelQuery:
    """Return the entries that count of all members."""
    first = _over(entries.query, plan.levels.counting)
    keep_counting(first, place.ranking.declaration, names)
    return _over(first, plan.levels.entry)


def _over(below: LevelQuery, level: str) -> LevelQuery:
    over = level_over(below, level)
    over.keep_columns()
    return over


def _from(place: Place, order: Sequence[OrderBy], *, later: bool) -> Any:
    """Return the condition to stand at a place or beyond it."""
    return beyond(order, [*place.terms, *place.ties, *place.key], later=later, or_tied=True)


def order_on(level: LevelQuery, names: RankingColumns, place: Place) -> list[OrderBy]:
    """Return by what entries are ordered on a board, in columns of the level below ``level``."""
    columns: Iterable[Any] = map(level.column, (*names.terms, *names.ties))
    return [
        OrderBy(column, term.descending, nulls_last=term.nulls_last or None)
        for column, (term, _) in zip([*columns, *key_order(level)], order_at(level.model, place), strict=True)
    ]


def turned(order: Sequence[OrderBy], later: bool) -> list[OrderBy]:
    """Return an order as it is read from a place on."""
    if later:
        return list(order)
    return [
        OrderBy(term.expression, not term.descending, nulls_first=True if term.nulls_last else None)
        for term in order
    ]

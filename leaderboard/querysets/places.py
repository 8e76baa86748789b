"""Places in the order of a board: the first, those beside an entry, and one entry's standing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.db import NotSupportedError, router
from django.db.models import Model, OrderBy, QuerySet, Subquery, Value
from django.db.models.lookups import Exact, LessThanOrEqual

from leaderboard.expressions.arguments import reason_of
from leaderboard.expressions.bounds import beyond
from leaderboard.expressions.fields import BIGINT
from leaderboard.expressions.terms import Term
from leaderboard.kinds import RankKind
from leaderboard.orm.lateral import has_window
from leaderboard.orm.models import concrete_model, key_fields, key_parts
from leaderboard.orm.trees import described
from leaderboard.orm.views import is_correlated, keys_of
from leaderboard.querysets.counted import CountedQuerySet
from leaderboard.standings.metrics import IsRanked, Metric, MetricColumn, Rank, Ranking, TermValue, TieValue
from leaderboard.standings.standing import Standing

__all__ = ["MOST_ROWS", "PlaceQuerySet", "as_value", "at_least_one", "limit"]


# The largest bigint: what LIMIT takes.
MOST_ROWS = 2**63 - 1


class PlaceQuerySet(CountedQuerySet):
    """A queryset that finds places on one board."""

    def _hidden(self, ranking: Ranking, metric: Metric) -> Any:
        """Return a reference to a metric that is not annotated."""
        return self.query.derived_reference(MetricColumn(ranking, metric), metric.hidden_name)

    def _in_order(self, method: str) -> Self:
        """Return the ranked entries of the view, in the order of the terms and the primary key."""
        self._refuse_combined(method)
        ranking = self._pinned_ranking(method)
        self._refuse_slice(method)
        self._refuse_row_locks()
        if self._has_distinct_fields:
            raise NotSupportedError(
                f"{method}() after distinct(*fields), which sets an order of its own; "
                "filter by primary key instead: pk__in=queryset.values('pk')."
            )
        ranked = self._in_written_order()
        ranked = ranked.filter(ranked._hidden(ranking, IsRanked()))
        return ranked.order_by(*ranked._board_order(ranking))

    def _refuse_outer(self, method: str) -> None:
        """Raise ``NotSupportedError`` for a view that refers to a query around it."""
        if is_correlated(self.query):
            # Whose keys are among others is asked one query further in, where that would be another one.
            raise NotSupportedError(
                f"{method}() of a view that refers to a query around it; "
                "filter by OuterRef() afterwards, or use top() on the board of the query around."
            )

    def _refuse_windows(self, method: str) -> None:
        """Raise ``NotSupportedError`` after a window function, which a later condition would narrow."""
        if has_window(self.query):
            raise NotSupportedError(
                f"{method}() after a window, which would be of the entries shown only; "
                "annotate it afterwards."
            )

    def _board_order(self, ranking: Ranking) -> list[OrderBy]:
        """Return the order of the entries on a board: by the terms, what orders ties, and the primary key."""
        board = ranking.declaration
        terms = [
            OrderBy(self._hidden(ranking, TermValue(position)), term.descending)
            for position, term in enumerate(board.terms)
        ]
        ties = [
            OrderBy(self._hidden(ranking, TieValue(position)), tie.descending, nulls_last=True)
            for position, tie in enumerate(board.ties_by)
        ]
        return [*terms, *ties, *(OrderBy(Term(part)) for part in key_parts(self.model))]

    def ranked(self) -> Self:
        """Return the ranked entries of the view, in order, ties by primary key.

        The rank is annotated unless a field or an annotation has its name. What is filtered afterwards is a
        view, and changes no rank. Raises ``BoardNotPinned`` where the queryset is not on one board,
        ``TypeError`` after a slice, and ``NotSupportedError`` after ``select_for_update()``,
        ``distinct(*fields)`` or ``union()``.
        """
        return self._in_order("ranked")._with_default_rank()

    def top(self, n: int, *, ties: bool = False) -> Self:
        """Return the first ``n`` ranked entries of the view, in order, ties by primary key.

        With ``ties`` it returns all whose competition rank is at most ``n``. It is a part of :meth:`ranked`,
        and raises what that does.
        """
        n = limit(n, "n")
        ranked = self._in_order("top")._with_default_rank()
        if not ties:
            return ranked[:n]
        ranked = ranked._copied()
        rank = ranked._hidden(self._ranking, Rank(RankKind.COMPETITION))
        # With its type: psycopg would bind a bare number as an int4, and cut it.
        return ranked.filter(LessThanOrEqual(rank, Value(n, BIGINT)))

    def _beside(self, key: tuple[Any, ...], count: int, *, later: bool) -> Self:
        """Return the entries next after an entry in this queryset, which is in order, or next before it."""
        # They are read by the statement that compares them: nothing has moved by then, types stay, and times
        # run on. An index scan begins at them as it does at literals.
        own = self._plain_rows().filter(pk=as_value(key))
        places = self._terms_of(own)
        places += [Value(part, field) for part, field in zip(key, key_fields(self.model), strict=True)]
        view = self.each_once()
        side = view.filter(beyond(view.order_terms, places, later=later))
        return (side if later else side.reverse())[:count]

    def _terms_of(self, own: QuerySet[Any]) -> list[Any]:
        """Return by what the one row of ``own`` is in order on the board, but for its key, as subqueries."""
        declaration = self.leaderboard
        terms = (*declaration.terms, *declaration.ties_by)
        return [Subquery(own.values_list(term.expression)) for term in terms]

    def each_once(self) -> Self:
        """Return this queryset, which is in the order of its board, with each entry once.

        A join to many rows shows an entry as often as there are.
        """
        if not self._has_many_rows and not self.query.distinct:
            return self
        # DISTINCT would select what orders it too, which may have the name of a key.
        return self.whole_board()._in_order("around").filter(pk__in=keys_of(self.query))

    def get_standing(self, entry: Model | None = None, *, pk: Any = None, member: Any = None) -> Standing:
        """Return the :class:`~leaderboard.Standing` of one entry, by its key too, or of a member's entry.

        The stored row counts. The view changes no figure, but it decides who is seen, as with Django's
        ``get()``. Of several entries of a member in the view it is the one that counts; where none of them
        is ranked, the standing has a rank of None and says why. Raises ``DoesNotExist`` for an entry or a
        member that the view does not show, deleted or on another board, ``ValueError`` for an entry that is
        not saved and for a member where the board declares none, ``TypeError`` for another model's,
        ``BoardNotPinned`` for a member where the queryset is not on one board, and ``NotSupportedError``
        after ``union()``.
        """
        self._refuse_combined("get_standing")
        one = self.whole_board()
        is_of_board = self.is_whole_board
        if not is_of_board:
            one = one.filter(pk__in=keys_of(self.query))
        one = self._of_one(one, "get_standing", entry, pk, member)
        if member is not None:
            self._pinned_ranking("get_standing")
        # A model may have fields that are named like metrics.
        row = one._standing("_standing_", of_member=member is not None, is_of_board=is_of_board)
        if row is None:
            raise self._missing(entry, pk, member, "stored, on the board and in the view")
        return Standing(**row)

    async def aget_standing(
        self, entry: Model | None = None, *, pk: Any = None, member: Any = None
    ) -> Standing:
        """Asynchronous form of :meth:`get_standing`."""
        return await sync_to_async(self.get_standing)(entry, pk=pk, member=member)

    def _key_of(self, entry: Model) -> Any:
        # An instance of a model that inherits from this one may have a primary key of another name.
        return getattr(entry, self.model._meta.pk.attname)

    def _of_one(self, queryset: Self, method: str, entry: Model | None, pk: Any, member: Any) -> Self:
        """Return the rows of ``queryset`` that are one entry, or a member's."""
        if [entry is None, pk is None, member is None].count(False) != 1:
            raise TypeError(f"{method}() takes an entry, pk= or member=, one of them and not None.")
        if entry is not None:
            self._require_saved(entry)
            pk = self._key_of(entry)
            if not queryset._has_database:
                # As a related manager does: where the entry is from.
                queryset = queryset.using(router.db_for_read(self.model, instance=entry))
        if member is None:
            try:
                return queryset.filter(pk=pk)
            except (TypeError, ValueError, ValidationError) as error:
                raise ValueError(f"pk={pk!r}: {reason_of(error)}") from error
        values = member.values() if isinstance(member, Mapping) else member
        for value in values if isinstance(member, tuple | Mapping) else [member]:
            if hasattr(value, "resolve_expression"):
                raise TypeError(f"member={described(value)} must be a value, not an expression.")
        try:
            return queryset._of_member(member)
        except (TypeError, ValueError, ValidationError) as error:
            raise ValueError(f"member={member!r}: {reason_of(error)}") from error

    def _of_member(self, member: Any) -> Self:
        """Return the rows of a member: a value, or of a list of fields one each, None for NULL."""
        declared = self.leaderboard.member
        if declared is None:
            raise ValueError("the board declares no member.")
        values = member if isinstance(declared, tuple) else [member]
        if isinstance(declared, tuple) and isinstance(member, Mapping):
            if unknown := member.keys() - {*declared}:
                raise ValueError(f"{sorted(unknown)[0]!r} is none of {', '.join(declared)}.")
            values = [member.get(name) for name in declared]
        elif isinstance(declared, tuple) and not (isinstance(member, tuple) and len(member) == len(declared)):
            raise ValueError(f"give a value for each of {', '.join(declared)}, as a tuple or a mapping.")
        if all(value is None for value in values):
            raise ValueError("a member has a value that is not None.")
        if isinstance(declared, str):
            return self.filter(**{declared: member})
        if isinstance(declared, tuple):
            given = dict(zip(declared, values, strict=True))
            names = [name for name, value in given.items() if value is None]
            own = {name: value for name, value in given.items() if value is not None}
            return self.filter(**own, **{f"{name}__isnull": True for name in names})
        return self.filter(Exact(declared, member))

    def _missing(self, entry: Model | None, pk: Any, member: Any, condition: str) -> Exception:
        if member is not None:
            sought = f"of member={member!r}"
        else:
            sought = f"with the key {pk if entry is None else self._key_of(entry)!r}"
        error: Exception = self.model.DoesNotExist(
            f"No {self.model._meta.object_name} {sought} is {condition}."
        )
        return error

    def _require_saved(self, entry: Model) -> None:
        if not isinstance(entry, concrete_model(self.model)):
            raise TypeError(
                f"entry={entry!r} must be an instance of {self.model._meta.label}; for a member, use member=."
            )
        if entry._state.adding:
            raise ValueError(f"entry={entry!r} is not saved, so it has no standing.")
        if entry.pk is None:
            raise self.model.DoesNotExist(f"entry={entry!r} is deleted.")


def as_value(key: tuple[Any, ...]) -> Any:
    """Return a primary key as a condition takes it, of the values of its fields."""
    return key if len(key) > 1 else key[0]


def limit(value: object, argument: str) -> int:
    """Return a number of rows as LIMIT takes it; raise ``TypeError`` or ``ValueError`` for what is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{argument}={value!r} must be a whole number.")
    if value < 0:
        raise ValueError(f"{argument}={value!r} must be at least 0.")
    return min(value, MOST_ROWS)


def at_least_one(value: object, argument: str) -> int:
    """Return a number of rows, or a position; raise ``TypeError`` or ``ValueError`` for what is none."""
    number = limit(value, argument)
    if number == 0:
        raise ValueError(f"{argument}={value!r} must be at least 1.")
    return number

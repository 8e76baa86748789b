"""Querysets and managers whose rows carry standings."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any, Self

from asgiref.sync import sync_to_async
from django.core.exceptions import FieldError, ImproperlyConfigured, ValidationError
from django.db import NotSupportedError, models
from django.db.models import F, Model, OrderBy, Subquery, Value
from django.db.models.expressions import Col
from django.db.models.lookups import Exact, LessThanOrEqual

from leaderboard.board import Leaderboard, boards_of
from leaderboard.checks import check_boards, check_queryset, misfits
from leaderboard.cutoffs import Comparison
from leaderboard.derived import DerivedColumn
from leaderboard.derived_queryset import DerivedQuerySet
from leaderboard.expressions import BIGINT, Term, all_of, any_of, kind_of, local_time
from leaderboard.kinds import PercentileKind, RankKind
from leaderboard.metrics import Metric, Ranking, Standing, field_names
from leaderboard.population import select_primary_key
from leaderboard.sql import NO_ROW_LOCKS
from leaderboard.structure import described, path_of, reason_of, resolved

__all__ = ["BoardNotPinned", "LeaderboardManager", "LeaderboardQuerySet"]


# The largest bigint: what LIMIT takes.
MOST_ROWS = 2**63 - 1


class BoardNotPinned(ValueError):
    """Raised where a method needs one board and the queryset shows several."""


class LeaderboardQuerySet(DerivedQuerySet):
    """A queryset that derives rank, percentile, board size, time taken and qualification in SQL.

    What is filtered, sliced or joined, before or after, is a view: it changes which rows are shown and
    never what is derived for them, which depends on the board and its declaration alone.
    """

    _board: Leaderboard | None = None
    _population: Any = None

    @classmethod
    def as_manager(cls, **boards: Leaderboard | Callable[[], Leaderboard]) -> Any:
        """Return a manager with this queryset's methods that declares ``boards``.

        Raises what :class:`LeaderboardManager` does.
        """
        manager: Any = LeaderboardManager.from_queryset(cls)(**boards)
        manager._built_with_asmanager = True
        return manager

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        clone._board = self._board
        clone._population = self._population
        return clone

    def _unfiltered(self) -> Self:
        queryset = super()._unfiltered()
        queryset._board, queryset._population = self._board, self._population
        return queryset

    # Choosing a board

    def board(self, name: str) -> Self:
        """Return the queryset for the declared board ``name``.

        Raises ``ValueError`` where the model's managers declare none of that name.
        """
        if not isinstance(name, str):
            raise TypeError(f"board={name!r} must be the name of a board; for others use with_leaderboard().")
        boards = boards_of(self.model)
        if name not in boards:
            known = ", ".join(map(repr, boards)) or "none"
            raise ValueError(
                f"board={name!r} is not declared on {self.model._meta.label}; declared: {known}."
            )
        return self._with_board(boards[name])

    def with_leaderboard(self, board: Leaderboard) -> Self:
        """Return the queryset for ``board``, which need not be declared on the model.

        Raises ``TypeError`` for what is no ``Leaderboard``, ``FieldError`` for one that does not fit the
        model, in the words of the system checks.
        """
        model: Any = self.model
        for message in misfits(model, _require_board("board", board)):
            raise FieldError(f"{message.msg} {message.hint} ({message.id})")
        return self._with_board(board)

    def _with_board(self, board: Leaderboard) -> Self:
        clone = self._chain()
        clone._board = board
        return clone

    @property
    def _declaration(self) -> Leaderboard:
        board = self._board or next(iter(boards_of(self.model).values()), None)
        if board is not None:
            return board
        raise ImproperlyConfigured(
            f"{self.model._meta.label} declares no board. Declare one, as in "
            "objects = LeaderboardManager(overall=Leaderboard(order_by=['-score'])), "
            "or pass one to with_leaderboard()."
        )

    @property
    def _ranking(self) -> Ranking:
        return Ranking(self._declaration, self._population)

    def on_board(self, **within: Any) -> Self:
        """Return the entries on one board, whose values are given by the names of ``within``.

        Raises ``TypeError`` where the names are not exactly those, ``ValueError`` for a value that is None
        or that the field does not take.
        """
        self._not_support_combined_queries("on_board")
        board = self._declaration
        if within.keys() != board.within.keys():
            expected = ", ".join(f"{name}=…" for name in board.within) or "no arguments"
            raise TypeError(f"on_board() takes {expected}, not {', '.join(sorted(within)) or 'nothing'}.")
        queryset = self._chain()
        for name, value in within.items():
            if value is None:
                raise ValueError(f"on_board({name}=None): an entry with a NULL board is on no board.")
            try:
                queryset = queryset._held_to(name, value)
            except (TypeError, ValueError, ValidationError) as error:
                raise ValueError(f"on_board({name}={described(value)}): {reason_of(error)}") from error
        return queryset

    def as_population(self) -> Self:
        """Return the queryset with its present view as the population of later standings.

        Members, ties, percentiles and cut-offs are then those among the view's entries; ``eligible``
        still applies. Raises ``NotSupportedError`` after a slice.
        """
        self._not_support_combined_queries("as_population")
        if self.query.is_sliced:
            raise NotSupportedError(
                "as_population() after a slice: filter by primary key, pk__in=list(…), or slice afterwards."
            )
        view = self.query.clone()
        view.clear_ordering()
        clone = self._chain()
        clone._population = select_primary_key(view)
        return clone

    # Metrics

    def _with_metric(self, name: str, kind: Any, prefix: str) -> Self:
        self._not_support_combined_queries(f"with_{name}")
        if self.query.select_for_update:
            raise NotSupportedError(NO_ROW_LOCKS)
        clone = self._chain()
        clone.query.annotate_metric(Metric(self._ranking, name, kind), self._free_name(prefix, name))
        return clone

    def _free_name(self, prefix: str, name: str) -> str:
        """Return the name of a metric's annotation, which may replace no more than another metric."""
        if not isinstance(prefix, str):
            raise TypeError(f"prefix={prefix!r} must be a text, such as 'board_'.")
        name = f"{prefix}{name}"
        existing = self.query.annotations.get(name)
        if name in field_names(self.model):
            taken = f"a field of {self.model._meta.label}"
        elif existing is not None and not (
            isinstance(existing, DerivedColumn) or getattr(existing, "is_metric", False)
        ):
            taken = "an annotation of this queryset"
        else:
            return name
        raise ValueError(
            f"The annotation {name!r} conflicts with {taken}; pass a prefix, such as prefix='board_'."
        )

    def with_rank(self, kind: RankKind | str | None = None, *, prefix: str = "") -> Self:
        """Return the queryset with ``rank``, of the declared kind unless one is given.

        Raises ``ValueError`` for an unknown kind and, as do all that annotate a metric, for a name that is a
        field's or another annotation's; ``NotSupportedError`` after ``union()`` or ``select_for_update()``;
        ``ImproperlyConfigured`` where the model declares no board.
        """
        chosen = self._declaration.rank_kind if kind is None else kind_of(RankKind, kind, "kind")
        return self._with_metric("rank", chosen, prefix)

    def with_percentile(self, kind: PercentileKind | str | None = None, *, prefix: str = "") -> Self:
        """Return the queryset with ``percentile``, 0 to 100, of the declared kind unless one is given.

        Raises what :meth:`with_rank` does.
        """
        chosen = self._declaration.percentile_kind if kind is None else kind_of(PercentileKind, kind, "kind")
        return self._with_metric("percentile", chosen, prefix)

    def with_board_size(self, *, prefix: str = "") -> Self:
        """Return the queryset with ``board_size``, the number of entries ranked on the entry's board.

        Raises what :meth:`with_rank` does.
        """
        return self._with_metric("board_size", None, prefix)

    def with_qualification(self, *, prefix: str = "") -> Self:
        """Return the queryset with ``qualification``, a :class:`~leaderboard.kinds.Qualification`.

        Raises what :meth:`with_rank` does.
        """
        return self._with_metric("qualification", None, prefix)

    def with_time_taken(self, *, prefix: str = "") -> Self:
        """Return the queryset with ``time_taken``, a duration.

        Raises ``ImproperlyConfigured`` where the board declares none, ``ValueError`` for a name that is a
        field's or another annotation's.
        """
        board = self._declaration
        if board.time_taken is None:
            raise ImproperlyConfigured(
                "The board declares no time_taken; add time_taken=TimeTaken('started_at', 'finished_at')."
            )
        time_taken = copy(board.time_taken)
        time_taken.is_metric = True
        return self.annotate(**{self._free_name(prefix, "time_taken"): time_taken})

    def standings(self, prefix: str = "") -> Self:
        """Return the queryset with every metric of its board, their names beginning with ``prefix``.

        They are ``rank``, ``board_size``, ``percentile``, ``qualification`` and, where the board
        declares it, ``time_taken``. Entries that are not ranked stay, with NULL for rank and percentile.
        Raises what :meth:`with_rank` does.
        """
        queryset = self.with_rank(prefix=prefix).with_board_size(prefix=prefix)
        queryset = queryset.with_percentile(prefix=prefix).with_qualification(prefix=prefix)
        if self._declaration.time_taken is not None:
            queryset = queryset.with_time_taken(prefix=prefix)
        return queryset

    # Parts of one board

    def _pinned_ranking(self, method: str) -> Ranking:
        ranking = self._ranking
        missing = ranking.board.within.keys() - self.query.pins(ranking.board).keys()
        if missing:
            names = ", ".join(f"{name}=…" for name in ranking.board.within)
            raise BoardNotPinned(f"{method}() needs one board; call on_board({names}) first.")
        return ranking

    def _ranked(self, method: str) -> Self:
        """Return the ranked entries of the view, in the order of the terms and the primary key."""
        self._not_support_combined_queries(method)
        ranking = self._pinned_ranking(method)
        if self.query.is_sliced:
            raise TypeError(f"Cannot call {method}() once a slice has been taken.")
        if self.query.select_for_update:
            raise NotSupportedError(NO_ROW_LOCKS)
        if self.query.distinct_fields:
            raise NotSupportedError(
                f"{method}() after distinct(*fields), which sets an order of its own; "
                "filter by primary key instead: pk__in=queryset.values('pk')."
            )
        ranked = self._chain()
        # Django's order_by() does not undo reverse().
        ranked.query.standard_ordering = True
        ranked = ranked.filter(ranked.query.reference(ranking, "ranked"))
        terms = [
            OrderBy(ranked.query.reference(ranking, "term", position), term.descending)
            for position, term in enumerate(ranking.board.terms)
        ]
        return ranked.order_by(*terms, OrderBy(Term(F("pk"))))

    def _with_default_rank(self) -> Self:
        # Beside a field of that name there is none, unless it is asked for with a prefix.
        taken = "rank" in self.query.annotations or "rank" in field_names(self.model)
        return self if taken else self.with_rank()

    def top(self, n: int, *, ties: bool = False) -> Self:
        """Return the first ``n`` ranked entries of the view, in order, ties by primary key.

        With ``ties`` it returns all whose competition rank is at most ``n``. The rank is annotated unless
        a field or an annotation has its name. Raises ``BoardNotPinned`` where the queryset is not on one
        board, ``TypeError`` after a slice, and ``NotSupportedError`` after ``select_for_update()``,
        ``distinct(*fields)`` or ``union()``.
        """
        n = _limit(n, "n")
        ranked = self._ranked("top")._with_default_rank()
        if not ties:
            return ranked[:n]
        ranked = ranked._chain()
        rank = ranked.query.reference(self._ranking, "rank", RankKind.COMPETITION)
        # With its type: psycopg would bind a bare number as an int4, and cut it.
        return ranked.filter(LessThanOrEqual(rank, Value(n, BIGINT)))

    def around(
        self, entry: Model | None = None, *, member: Any = None, before: int = 5, after: int = 5
    ) -> Self:
        """Return an entry, or a member's counting entry, with its neighbours in the view, in order.

        The rank is annotated as by ``top()``. Raises ``DoesNotExist`` where the entry is not ranked or not
        in the view, ``ValueError`` where it is not saved or the board declares no member, ``TypeError``
        for another model's, and otherwise what ``top()`` raises.
        """
        before, after = _limit(before, "before"), _limit(after, "after")
        ranked = self._ranked("around")
        shown = self._of_one(ranked, "around", entry, member)
        key = shown.values_list("pk", flat=True).first()
        if key is None:
            raise self._missing(entry, member, "ranked, on the board and in the view")
        # The entry's terms are read by the statement that compares them: types stay, and times run on.
        own = self._rows().filter(pk=key)
        places: list[Any] = [Subquery(own.values_list(term.expression)) for term in self._declaration.terms]
        places.append(Value(key, self.model._meta.pk))
        keys = [key]
        for count, later in ((before, False), (after, True)):
            side = ranked.filter(_beyond(ranked.query.order_by, places, later=later))
            side = side if later else side.reverse()
            keys += side.values_list("pk", flat=True).distinct()[:count] if count else []
        return ranked._with_default_rank().filter(pk__in=keys)

    async def aaround(
        self, entry: Model | None = None, *, member: Any = None, before: int = 5, after: int = 5
    ) -> Self:
        """Asynchronous form of :meth:`around`."""
        return await sync_to_async(self.around)(entry, member=member, before=before, after=after)

    def get_standing(self, entry: Model | None = None, *, member: Any = None) -> Standing:
        """Return the :class:`~leaderboard.metrics.Standing` of one entry, or of a member's counting entry.

        The stored row counts, and the view does not: only its board does, and its population. Raises
        ``ValueError`` for an entry that is not saved and for a member where the board declares none,
        ``TypeError`` for another model's, ``DoesNotExist`` for an entry that is deleted or on another
        board, and ``BoardNotPinned`` for a member where the queryset is not on one board. An entry that is
        not ranked has a standing with a rank of None; so has a member none of whose entries is.
        """
        ranking = self._ranking
        # A model may have fields that are named like metrics.
        prefix = "_standing_"
        queryset = self._whole_board(ranking).standings(prefix)
        queryset = self._of_one(queryset, "get_standing", entry, member)
        if entry is None:
            self._pinned_ranking("get_standing")
            # Of a member who is not ranked, PENDING goes before EXCLUDED, as later in the alphabet.
            queryset = queryset.order_by(f"{prefix}rank", f"-{prefix}qualification", "pk")
        row = next(iter(queryset.values(*queryset.query.annotation_select)[:1]), None)
        if row is None:
            raise self._missing(entry, member, "stored and on the board")
        return Standing(**{name.removeprefix(prefix): value for name, value in row.items()})

    async def aget_standing(self, entry: Model | None = None, *, member: Any = None) -> Standing:
        """Asynchronous form of :meth:`get_standing`."""
        return await sync_to_async(self.get_standing)(entry, member=member)

    def _whole_board(self, ranking: Ranking) -> Self:
        """Return all entries of the board that the view is on, or of all boards."""
        queryset = self._unfiltered()
        for name, lookup in self.query.pins(ranking.board).items():
            queryset.query.hold(ranking.board.within[name], lookup)
        return queryset

    def _held_to(self, name: str, value: Any) -> Self:
        """Return the queryset limited to a value of one part of ``within``."""
        expression = self._declaration.within[name]
        clone = self._chain()
        held = resolved(expression, clone.query)
        if isinstance(held, Col):
            return self.filter(**{path_of(expression): value})
        # Not as filter() would: a lookup of the year, say, compares bounds instead of the expression.
        lookup = Exact(held, local_time(value, held))
        lookup.rhs = clone.query.resolve_lookup_value(lookup.rhs, None, True)
        clone.query.hold(expression, lookup)
        return clone

    def _key_of(self, entry: Model) -> Any:
        # An instance of a model that inherits from this one may have a primary key of another name.
        return getattr(entry, self.model._meta.pk.attname)

    def _of_one(self, queryset: Self, method: str, entry: Model | None, member: Any) -> Self:
        """Return the rows of ``queryset`` that are one entry, or a member's."""
        if (entry is None) == (member is None):
            raise TypeError(f"{method}() takes either an entry or member=, and that one must not be None.")
        if entry is not None:
            self._require_saved(entry)
            return queryset.filter(pk=self._key_of(entry))
        if self._declaration.member is None:
            raise ValueError(f"member={member!r}: the board declares no member.")
        if hasattr(member, "resolve_expression"):
            raise TypeError(f"member={described(member)} must be a value, not an expression.")
        try:
            return queryset.filter(**{self._declaration.member: member})
        except (TypeError, ValueError, ValidationError) as error:
            raise ValueError(f"member={member!r}: {reason_of(error)}") from error

    def _missing(self, entry: Model | None, member: Any, condition: str) -> Exception:
        sought = f"of member={member!r}" if entry is None else f"with the key {self._key_of(entry)!r}"
        error: Exception = self.model.DoesNotExist(
            f"No {self.model._meta.object_name} {sought} is {condition}."
        )
        return error

    def _require_saved(self, entry: Model) -> None:
        if not isinstance(entry, self.model._meta.concrete_model):
            raise TypeError(
                f"entry={entry!r} must be an instance of {self.model._meta.label}; for a member, use member=."
            )
        if entry._state.adding:
            raise ValueError(f"entry={entry!r} is not saved, so it has no standing.")
        if entry.pk is None:
            raise self.model.DoesNotExist(f"entry={entry!r} is deleted.")


def _limit(value: object, argument: str) -> int:
    """Return a number of rows as LIMIT takes it; raise ``TypeError`` or ``ValueError`` for what is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{argument}={value!r} must be a whole number.")
    if value < 0:
        raise ValueError(f"{argument}={value!r} must be at least 0.")
    return min(value, MOST_ROWS)


def _beyond(order_by: Any, places: list[Any], *, later: bool) -> Any:
    """Return the condition to come strictly after the values given for the terms, or before them."""
    alternatives = []
    equal: list[Any] = []
    for order, value in zip(order_by, places, strict=True):
        operator = ">" if order.descending != later else "<"
        alternatives.append(all_of([*equal, Comparison(order.expression, value, arg_joiner=f" {operator} ")]))
        equal.append(Comparison(order.expression, value, arg_joiner=" = "))
    # Implied by the rest, but an index scan can begin where it holds.
    operator = ">=" if order_by[0].descending != later else "<="
    bound = Comparison(order_by[0].expression, places[0], arg_joiner=f" {operator} ")
    return all_of([bound, any_of(alternatives)])


# The plugin of django-stubs sees the base of a class only where it has a name.
_Manager = models.Manager.from_queryset(LeaderboardQuerySet)


class LeaderboardManager(_Manager[Any]):
    """A manager that declares boards; the first one named is the default.

    A board may be given as a function without arguments, which is called when the boards are first asked
    for: a subquery over other models can be written only when all models are there.

    Raises ``TypeError`` for what is no ``Leaderboard``, ``ValueError`` for a name that is no identifier.
    """

    def __init__(self, /, **boards: Leaderboard | Callable[[], Leaderboard]) -> None:
        super().__init__()
        for name, board in boards.items():
            if not name.isidentifier():
                raise ValueError(f"The board name {name!r} must be an identifier, such as 'overall'.")
            if not callable(board):
                _require_board(name, board)
        self._declared = boards
        self._boards: dict[str, Leaderboard] = {}

    @property
    def boards(self) -> dict[str, Leaderboard]:
        """The boards by name."""
        for name, board in self._declared.items():
            if name not in self._boards:
                made = _require_board(f"{name}()", board()) if callable(board) else board
                # Threads that come here at once all get the board that one of them has made.
                self._boards.setdefault(name, made)
        return self._boards

    def check(self, **kwargs: Any) -> list[Any]:
        return [
            *super().check(**kwargs),
            *check_queryset(self),
            *check_boards(self.model, self.boards, kwargs.get("databases")),
        ]

    def get_queryset(self) -> Any:
        queryset: Any = super().get_queryset()
        queryset._board = next(iter(self.boards.values()), None)
        return queryset


def _require_board(name: str, board: object) -> Leaderboard:
    if not isinstance(board, Leaderboard):
        raise TypeError(f"{name}={described(board)} must be a Leaderboard(order_by=[…]).")
    return board

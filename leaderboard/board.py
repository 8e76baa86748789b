"""The declaration of a board."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django.db.models import ExpressionWrapper, F, Index, Model, OrderBy, Q, Value
from django.db.models.expressions import Combinable, CombinedExpression
from django.db.models.functions import Coalesce, Collate
from django.utils.deconstruct import deconstructible

from leaderboard.cutoffs import CutOff
from leaderboard.expressions import (
    Term,
    TimeTaken,
    condition,
    declared,
    is_running,
    kind_of,
    operand,
    ordering,
)
from leaderboard.kinds import Counting, PercentileKind, RankKind
from leaderboard.structure import described, path_of, same

__all__ = ["Best", "CountingRule", "First", "Latest", "Leaderboard", "boards_of"]


class CountingRule:
    """Which of a member's entries counts, among those eligible and with no NULL term."""

    kind: Counting
    field: str | None = None

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.field == other.field

    def __hash__(self) -> int:
        return hash((type(self), self.field))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.field is None else repr(self.field)})"


@deconstructible(path="leaderboard.Best")
class Best(CountingRule):
    """The entry that comes first by the ordering terms; ties go to the lower primary key."""

    kind = Counting.BEST


class _ByField(CountingRule):
    def __init__(self, field: str) -> None:
        if isinstance(field, str) and field.startswith("-"):
            raise ValueError(f"{type(self).__name__}({field!r}) has its direction already; leave '-' out.")
        if not (isinstance(field, str) and field.isidentifier()):
            raise TypeError(
                f"{type(self).__name__}({field!r}) takes the name of a field, such as 'started_at'."
            )
        self.field = field


@deconstructible(path="leaderboard.Latest")
class Latest(_ByField):
    """The entry with the greatest value of ``field``, NULL last; ties go to the lower primary key."""

    kind = Counting.LATEST


@deconstructible(path="leaderboard.First")
class First(_ByField):
    """The entry with the smallest value of ``field``, NULL last; ties go to the lower primary key."""

    kind = Counting.FIRST


def _within(within: object) -> dict[str, Any]:
    if isinstance(within, Mapping):
        parts = dict(within)
    elif isinstance(within, Sequence) and not isinstance(within, str):
        parts = {part: part for part in within}
        if len(parts) != len(within):
            raise ValueError(f"within={within!r} names a field twice.")
    else:
        raise TypeError(f"within={within!r} must be a list of field names, such as ['test'], or a mapping.")
    for name in parts:
        if not isinstance(name, str) or not name.isidentifier() or name == "self":
            raise TypeError(f"within={within!r} has {name!r}, which cannot name an argument of on_board().")
    return {name: operand(value, f"within[{name!r}]") for name, value in parts.items()}


@deconstructible(path="leaderboard.Leaderboard")
class Leaderboard:
    """The immutable declaration of a board: whom it ranks, by what, and who qualifies.

    ``order_by`` are the ordering terms, best first. ``within`` are the fields, or a mapping of names to
    expressions, whose values tell one board from another; ``()`` makes one board of the whole table.
    ``eligible`` is the condition for being ranked. With ``member``, the path to whoever competes, one
    entry a member counts: ``counting`` is ``Best()``, ``Latest(field)`` or ``First(field)``.
    ``time_taken`` and ``cut_off`` are what the metrics of those names are made of, ``rank_kind`` and
    ``percentile_kind`` the defaults of theirs. ``collation`` orders texts.

    Raises ``TypeError`` or ``ValueError`` for an argument that cannot be right for any model; whether it
    fits its model is told by ``manage.py check``.
    """

    within: Mapping[str, Any]
    terms: tuple[OrderBy, ...]
    eligible: Q
    member: str | None
    counting: CountingRule
    time_taken: TimeTaken | None
    cut_off: CutOff | None
    rank_kind: RankKind
    percentile_kind: PercentileKind
    collation: str
    _constructor_args: tuple[Any, ...]

    def __init__(
        self,
        *,
        order_by: object,
        within: Sequence[str] | Mapping[str, str | Combinable] = (),
        eligible: Q | Combinable | None = None,
        member: str | None = None,
        counting: CountingRule | None = None,
        time_taken: TimeTaken | None = None,
        cut_off: CutOff | None = None,
        rank_kind: RankKind | str = RankKind.COMPETITION,
        percentile_kind: PercentileKind | str = PercentileKind.WEAK,
        collation: str = "C",
    ) -> None:
        if not isinstance(collation, str) or not collation:
            raise TypeError(f"collation={collation!r} must name a collation of PostgreSQL, such as 'C'.")
        try:
            Collate("text", collation)
        except ValueError as error:
            raise ValueError(f"collation={collation!r} is no name that Django takes: {error}") from None
        if member is not None and not (isinstance(member, str) and member.isidentifier()):
            raise TypeError(f"member={member!r} must be the path to a field, such as 'candidate'.")
        if counting is not None and not isinstance(counting, CountingRule):
            raise TypeError(f"counting={counting!r} must be Best(), Latest(field) or First(field).")
        if counting is not None and member is None:
            raise ValueError(f"counting={counting!r} chooses among a member's entries; declare member= too.")
        if time_taken is not None and not isinstance(time_taken, TimeTaken):
            raise TypeError(f"time_taken={time_taken!r} must be a TimeTaken(start, finish).")
        if cut_off is not None and not isinstance(cut_off, CutOff):
            raise TypeError(f"cut_off={cut_off!r} must be a cut-off rule, such as AtLeast('score', 60).")
        values: dict[str, Any] = {
            "within": MappingProxyType(_within(within)),
            "terms": tuple(
                OrderBy(Term(term.expression, collation), descending=term.descending)
                for term in ordering(order_by)
            ),
            "eligible": condition(eligible, "eligible"),
            "member": member,
            "counting": Best() if counting is None else counting,
            "time_taken": time_taken,
            "cut_off": cut_off,
            "rank_kind": kind_of(RankKind, rank_kind, "rank_kind"),
            "percentile_kind": kind_of(PercentileKind, percentile_kind, "percentile_kind"),
            "collation": collation,
        }
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        if name == "_constructor_args":  # set by deconstructible() before __init__ runs
            super().__setattr__(name, value)
            return
        raise AttributeError(f"A Leaderboard is immutable; declare another one to change {name!r}.")

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "within": dict(self.within)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, within=MappingProxyType(state["within"]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Leaderboard) and same(self._arguments(), other._arguments())

    def __hash__(self) -> int:
        return hash((tuple(self.within.items()), self.terms, self.member, self.counting, self.rank_kind))

    def _arguments(self) -> dict[str, Any]:
        return {
            name: dict(value) if name == "within" else value
            for name, value in self.__dict__.items()
            if name != "_constructor_args"
        }

    def __repr__(self) -> str:
        _, arguments = self._constructor_args
        return f"Leaderboard({', '.join(f'{name}={described(value)}' for name, value in arguments.items())})"

    def indexes(self, prefix: str) -> list[Index]:
        """Return the indexes that serve this board, for ``Meta.indexes``.

        The first one, ``<prefix>_terms``, serves ``top()`` and ``around()``; with a member there is
        ``<prefix>_member``, which finds a member's entries. Terms through a relation, running times and
        boards made by an expression over time zones cannot be indexed: the index ends before them, and
        is left out where nothing remains. Raises ``ValueError`` where a name would pass 30
        characters, ``TypeError`` for a prefix that is no text.
        """
        if not isinstance(prefix, str) or not prefix:
            raise TypeError(f"prefix={prefix!r} must begin the names of the indexes, such as 'attempt'.")
        if not all(map(_indexable, self.within.values())):
            return []
        board = [OrderBy(value) for value in self.within.values()]
        terms: list[OrderBy] = []
        for term in self.terms:
            if not _indexable(declared(term)):
                break
            terms.append(OrderBy(declared(term), term.descending))
        indexes = [_index(f"{prefix}_terms", [*board, *terms])] if terms else []
        if self.member is not None and _indexable(F(self.member)):
            indexes.append(_index(f"{prefix}_member", [*board, OrderBy(F(self.member)), *terms]))
        return indexes


def boards_of(model: type[Model]) -> dict[str, Leaderboard]:
    """Return the boards that the managers of ``model`` declare, by name; the first one is the default."""
    boards: dict[str, Leaderboard] = {}
    # Related managers are made from the default one, without its boards.
    for manager in sorted(model._meta.managers, key=lambda manager: manager is not model._default_manager):
        for name, board in getattr(manager, "boards", {}).items():
            boards.setdefault(name, board)
    return boards


# Not Cast or Trunc, which may depend on the time zone of the session.
IMMUTABLE = (TimeTaken, Collate, ExpressionWrapper, CombinedExpression, Coalesce, Value)


def _indexable(expression: Any) -> bool:
    """Tell whether PostgreSQL takes the expression into an index: own columns, immutable functions."""
    if isinstance(expression, F):
        # An index knows the primary key by its own name only; nothing after it would order anything.
        return "__" not in path_of(expression) and path_of(expression) != "pk"
    if not isinstance(expression, TimeTaken | Collate) or is_running(expression):
        return False
    nodes: list[Any] = list(expression.flatten())
    return all(
        "__" not in path_of(node) if isinstance(node, F) else type(node) in IMMUTABLE for node in nodes
    )


def _index(name: str, parts: list[OrderBy]) -> Index:
    # What Django fills in for each child of an abstract model; it checks the length then.
    if len(re.sub(r"%\((app_label|class)\)s", "", name)) > Index.max_name_length:
        raise ValueError(
            f"The index name {name!r} has more than {Index.max_name_length} characters; "
            "give indexes() a shorter prefix."
        )
    if all(isinstance(part.expression, F) for part in parts):
        names = [f"{'-' if part.descending else ''}{path_of(part.expression)}" for part in parts]
        return Index(name=name, fields=names)
    # PostgreSQL sorts ascending by default; a bare expression keeps the migration short.
    return Index(*(part if part.descending else part.expression for part in parts), name=name)

"""The declaration of a board."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from django.db.models import F, Index, Model, OrderBy, Q
from django.db.models.functions import Collate
from django.utils.deconstruct import deconstructible

from leaderboard.declaration.counting import Best, CountingRule
from leaderboard.declaration.cut_offs import CutOff
from leaderboard.declaration.indexes import covering_indexes_for, indexes_for
from leaderboard.expressions.arguments import as_condition, as_expression, as_kind, as_ordering
from leaderboard.expressions.terms import Term
from leaderboard.expressions.times import TimeTaken
from leaderboard.kinds import PercentileKind, RankKind
from leaderboard.orm.models import managers_of
from leaderboard.orm.names import Combinable
from leaderboard.orm.trees import constructor_arguments, frozen, replace_arguments, same, shown_arguments

__all__ = ["DeclaresBoards", "Leaderboard", "boards_of"]

T = TypeVar("T")

# Models times combinations of metrics: some for each board, but no more than are kept in passing.
MOST_PREPARED = 256


def _terms(order_by: object) -> tuple[tuple[str, ...], tuple[OrderBy, ...]]:
    """Return the names of the ordering terms, none unless a mapping gives them, and the terms."""
    if not isinstance(order_by, Mapping):
        return (), as_ordering(order_by)
    if not order_by:
        raise ValueError("order_by={} must name at least one ordering term, such as '-score'.")
    for name in order_by:
        if not isinstance(name, str) or not name.isidentifier():
            raise TypeError(f"order_by={order_by!r} has {name!r}, which cannot name an annotation.")
    return tuple(order_by), as_ordering(list(order_by.values()))


def _term(term: OrderBy, collation: str) -> OrderBy:
    return OrderBy(Term(term.expression, collation), descending=term.descending)


def _member(member: object) -> Any:
    if member is None or (isinstance(member, str) and member.isidentifier()):
        return member
    if isinstance(member, Sequence) and not isinstance(member, str) and member:
        if len(set(map(str, member))) == len(member) and all(
            isinstance(part, str) and part.isidentifier() for part in member
        ):
            return tuple(member)
    elif isinstance(member, Combinable) and not isinstance(member, str):
        return as_expression(member, "member")
    raise TypeError(
        f"member={member!r} must be the path to a field, such as 'candidate', a list or an expression."
    )


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
    return {name: as_expression(value, f"within[{name!r}]") for name, value in parts.items()}


@deconstructible(path="leaderboard.Leaderboard")
class Leaderboard:
    """The immutable declaration of a board: whom it ranks, by what, and who qualifies.

    ``order_by`` are the ordering terms, best first. ``within`` are the fields, or a mapping of names to
    expressions, whose values tell one board from another; ``()`` makes one board of the whole table.
    ``nulls_distinct=False`` makes NULL one value of them, as in Django's ``UniqueConstraint``; otherwise an
    entry with a NULL is on no board. ``eligible`` is the condition for being ranked. With ``member``, the
    path to whoever competes, a list of paths (of which some may be NULL) or an expression, one entry a
    member counts: ``counting`` is ``Best()``, ``Latest(field)`` or ``First(field)``. ``order_by`` may be a
    mapping that gives the terms names, for ``with_terms()``; ``ties_by`` are terms that order what is
    shown, and ``ORDINAL``, among ties. ``time_taken`` and ``cut_off`` are what the metrics of those names
    are made of, ``rank_kind`` and
    ``percentile_kind`` the defaults of theirs. ``collation`` orders texts.

    Raises ``TypeError`` or ``ValueError`` for an argument that cannot be right for any model; whether it
    fits its model is told by ``manage.py check``.
    """

    within: Mapping[str, Any]
    nulls_distinct: bool | None
    terms: tuple[OrderBy, ...]
    term_names: tuple[str, ...]
    ties_by: tuple[OrderBy, ...]
    eligible: Q
    member: str | tuple[str, ...] | Combinable | None
    counting: CountingRule
    time_taken: TimeTaken | None
    cut_off: CutOff | None
    rank_kind: RankKind
    percentile_kind: PercentileKind
    collation: str
    _constructor_args: tuple[Any, ...]
    _prepared: dict[Hashable, Any]

    def __init__(
        self,
        *,
        order_by: object,
        within: Sequence[str] | Mapping[str, str | Combinable] = (),
        nulls_distinct: bool | None = None,
        ties_by: object = None,
        eligible: Q | Combinable | None = None,
        member: str | Sequence[str] | Combinable | None = None,
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
        if nulls_distinct not in (None, True, False):
            raise TypeError(f"nulls_distinct={nulls_distinct!r} must be True, False or None.")
        if counting is not None and not isinstance(counting, CountingRule):
            raise TypeError(f"counting={counting!r} must be Best(), Latest(field) or First(field).")
        if counting is not None and member is None:
            raise ValueError(f"counting={counting!r} chooses among a member's entries; declare member= too.")
        if time_taken is not None and not isinstance(time_taken, TimeTaken):
            raise TypeError(f"time_taken={time_taken!r} must be a TimeTaken(start, finish).")
        if cut_off is not None and not isinstance(cut_off, CutOff):
            raise TypeError(f"cut_off={cut_off!r} must be a cut-off rule, such as AtLeast('score', 60).")
        # Whatever is changed afterwards is not ours, and an iterator is read once.
        _, given = constructor_arguments(self)
        given = {name: frozen(value) for name, value in given.items()}
        replace_arguments(self, **given)
        names, terms = _terms(order_by)
        ties = () if ties_by is None else as_ordering(ties_by, "ties_by")
        values: dict[str, Any] = {
            "within": MappingProxyType(_within(within)),
            "nulls_distinct": nulls_distinct,
            "terms": tuple(_term(term, collation) for term in terms),
            "term_names": names,
            "ties_by": tuple(_term(term, collation) for term in ties),
            "eligible": as_condition(given.get("eligible"), "eligible"),
            "member": _member(member),
            "counting": Best() if counting is None else counting,
            "time_taken": time_taken,
            "cut_off": cut_off,
            "rank_kind": as_kind(RankKind, rank_kind, "rank_kind"),
            "percentile_kind": as_kind(PercentileKind, percentile_kind, "percentile_kind"),
            "collation": collation,
        }
        self.__dict__.update(values, _prepared={})

    def __setattr__(self, name: str, value: object) -> None:
        if name == "_constructor_args":  # set by deconstructible() before __init__ runs
            super().__setattr__(name, value)
            return
        raise AttributeError(f"A Leaderboard is immutable; declare another one to change {name!r}.")

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)

    def __copy__(self) -> Leaderboard:
        return self

    def __deepcopy__(self, memo: object) -> Leaderboard:
        # A copy of a subquery in it would not be equal to the original.
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "within": dict(self.within), "_prepared": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, within=MappingProxyType(state["within"]))

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Leaderboard) and same(self._arguments(), other._arguments())
        )

    def __hash__(self) -> int:
        return self.prepared("hash", self._made_hash)

    def _made_hash(self) -> int:
        parts = {**self._arguments(), "within": tuple(self.within.items())}
        try:
            return hash(tuple(parts.values()))
        except TypeError:
            # A literal may be of any type.
            return hash((*parts["within"], *self.terms))

    def _arguments(self) -> dict[str, Any]:
        return {
            name: dict(value) if name == "within" else value
            for name, value in self.__dict__.items()
            if not name.startswith("_")
        }

    def __repr__(self) -> str:
        return f"Leaderboard({shown_arguments(self)})"

    def replace(self, **changes: Any) -> Leaderboard:
        """Return a board that differs from this one in the arguments given; raise what making it does."""
        _, given = constructor_arguments(self)
        return Leaderboard(**{**given, **changes})

    # For copy.replace().
    __replace__ = replace

    @property
    def member_parts(self) -> Sequence[Any]:
        """What the entries of a member have in common, as expressions; nothing where there are no members."""
        if self.member is None or isinstance(self.member, str):
            return [] if self.member is None else [F(self.member)]
        return [F(name) for name in self.member] if isinstance(self.member, tuple) else [self.member]

    @property
    def null_is_a_board(self) -> bool:
        """Whether the entries with a NULL among ``within`` are on a board."""
        return self.nulls_distinct is False

    def row_expressions(self) -> Iterator[Any]:
        """Yield the expressions over an entry's own row that its metrics are made of."""
        yield from self.within.values()
        yield from (term.expression for term in (*self.terms, *self.ties_by))
        yield from self.member_parts
        yield from () if self.cut_off is None else self.cut_off.row_values()

    def expressions(self) -> Iterator[Any]:
        """Yield all expressions and conditions that the declaration holds."""
        yield from self.row_expressions()
        yield self.eligible
        yield from () if self.time_taken is None else (self.time_taken,)

    def prepared(self, key: Hashable, prepare: Callable[[], T]) -> T:
        """Return what ``prepare`` once made of this declaration for ``key``; it lives as long as this does.

        It must never be changed: threads share it. Two of them may prepare it at once; all see one.
        """
        made: dict[Hashable, Any] = self._prepared
        try:
            return made[key]  # type: ignore[no-any-return]
        except KeyError:
            value = prepare()
        if len(made) >= MOST_PREPARED:
            made.clear()
        return made.setdefault(key, value)  # type: ignore[no-any-return]

    def indexes(
        self, prefix: str, *, covering: bool = False, key: str | Sequence[str] | None = None
    ) -> list[Index]:
        """Return the indexes that serve this board, for ``Meta.indexes``.

        The first one, ``<prefix>_terms``, serves ``top()`` and ``around()``; with a member there is
        ``<prefix>_member``, which finds a member's entries. Terms through a relation, running times and
        boards made by an expression over time zones cannot be indexed: the index ends before them, and
        is left out where nothing remains.

        With ``covering`` they have only what is eligible, and all that counting reads: the member, the
        columns of expressions and the primary key, ``id`` unless ``key`` names its fields. Then PostgreSQL
        counts better entries without looking into the table. Raises ``ValueError`` where a name would pass
        30 characters, and with ``covering`` for what no index can tell; ``TypeError`` for arguments of
        other types.
        """
        if not isinstance(prefix, str) or not prefix:
            raise TypeError(f"prefix={prefix!r} must begin the names of the indexes, such as 'attempt'.")
        if not isinstance(covering, bool):
            raise TypeError(f"covering={covering!r} must be True or False.")
        keys = [key] if isinstance(key, str) else ["id"] if key is None else key
        if not isinstance(keys, Sequence) or not all(
            isinstance(name, str) and name.isidentifier() and name != "pk" for name in keys
        ):
            raise TypeError(
                f"key={key!r} must name the fields of the primary key by their own names, such as 'id'."
            )
        if key is not None and not covering:
            raise TypeError(f"key={key!r} is what a covering index includes; pass covering=True too.")
        within, member = list(self.within.values()), self.member_parts
        if not covering:
            return indexes_for(prefix, within=within, terms=self.terms, member=member)
        return covering_indexes_for(
            prefix, within=within, terms=self.terms, member=member, eligible=self.eligible, key=keys
        )


class DeclaresBoards:
    """Mixed into managers that declare boards."""

    @property
    def boards(self) -> dict[str, Leaderboard]:
        """The boards by name."""
        raise NotImplementedError


def boards_of(model: type[Model]) -> dict[str, Leaderboard]:
    """Return the boards that the managers of ``model`` declare, by name; the first one is the default."""
    boards: dict[str, Leaderboard] = {}
    # Related managers are made from the default one, without its boards.
    for manager in sorted(managers_of(model), key=lambda manager: manager is not model._default_manager):
        if isinstance(manager, DeclaresBoards):
            for name, board in manager.boards.items():
                boards.setdefault(name, board)
    return boards

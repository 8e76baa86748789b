"""The orders that a board may be asked for in, and which of them are its own.

A rank, a percentile and the ordering terms order entries as the board does, or the other way round; what is
named after all of these only orders ties, as ``ties_by`` of a board does. Such an order is read by the
board's index. Any other one sorts all ranked entries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import F, Model, OrderBy
from django.db.models.lookups import IsNull

from leaderboard.declaration.leaderboard import Leaderboard
from leaderboard.endpoints.errors import InvalidParameter
from leaderboard.expressions.arguments import as_expression
from leaderboard.expressions.qualification import QUALIFICATION
from leaderboard.expressions.terms import Term, as_written
from leaderboard.kinds import RankKind
from leaderboard.orm.models import key_fields, key_parts
from leaderboard.orm.trees import output_field_of, path_of, resolved_on_model, same

__all__ = ["PLACES", "Order", "Orderings"]

# The board's own order: by the rank upwards, by the percentile downwards.
PLACES = {"rank": False, "percentile": True}
QUALIFICATION_NAME = "qualification"


class Asked(NamedTuple):
    """One name of an order; the expression is None for a place on the board."""

    name: str
    expression: Any
    descending: bool


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order of the ranked entries of ``board``, which may order ties in another way than the one declared.

    With ``is_reversed`` it is that of the board read backwards. ``terms`` are what else they are sorted by,
    with the ``fields`` of their values; None where they are in the order of the board.
    """

    text: str
    board: Leaderboard
    is_reversed: bool = False
    terms: Sequence[OrderBy] | None = None
    fields: Sequence[Any] = ()


class Orderings:
    """The orders of a board that may be asked for.

    Allowed are ``rank``, ``percentile``, ``qualification``, the ordering terms by their names, or where they
    have none that are fields by those, ``time_taken`` where the board declares it, and what ``others`` names
    besides: paths to fields, or a mapping of names to expressions. Raises ``ValueError`` for a name of these
    that is taken.
    """

    def __init__(
        self,
        model: type[Model],
        board: Leaderboard,
        others: Sequence[str] | Mapping[str, Any] = (),
        *,
        prefix: str = "",
    ) -> None:
        self._model = model
        self._board = board
        self._status = f"{prefix}{QUALIFICATION_NAME}"
        self._names: dict[str, Any] = {**dict.fromkeys(PLACES), QUALIFICATION_NAME: F(self._status)}
        for name, term in _named_terms(board):
            self._names.setdefault(name, term)
        if board.time_taken is not None:
            self._names.setdefault("time_taken", board.time_taken)
        named = others if isinstance(others, Mapping) else {name: name for name in others}
        for name, value in named.items():
            if name in self._names:
                raise ValueError(f"others={others!r} has {name!r}, by which the board is ordered already.")
            self._names[name] = as_expression(value, f"others[{name!r}]")

    @property
    def names(self) -> Sequence[str]:
        """The names that may be given, each with ``-`` before it for the other direction."""
        return [*self._names]

    def values(self) -> dict[str, tuple[Any, Any]]:
        """Return the names that stand for a value of an entry's own, with its expression and its field."""
        own = {name: value for name, value in self._names.items() if value is not None}
        del own[QUALIFICATION_NAME]
        return {name: (expression, self._field_of(expression)) for name, expression in own.items()}

    def order(self, text: str = "rank") -> Order:
        """Return the order that a text asks for, such as ``-percentile,time_taken``.

        Raises ``InvalidParameter`` for a name that is not allowed, or given twice.
        """
        asked = [self._asked(part) for part in text.split(",")]
        names = [part.name for part in asked]
        if len({*names}) < len(names):
            raise InvalidParameter("ordering", f"{text!r} names something twice.")
        of_board = self._of_board(text, asked)
        return self._sorted(text, asked) if of_board is None else of_board

    def _asked(self, part: str) -> Asked:
        name = part.removeprefix("-")
        if name not in self._names:
            raise InvalidParameter("ordering", f"{name!r} is none of {', '.join(self._names)}.")
        return Asked(name, self._names[name], part != name)

    def _of_board(self, text: str, asked: Sequence[Asked]) -> Order | None:
        """Return the order where it is the board's own, or that backwards; None for any other."""
        board = self._board
        is_reversed: bool | None = None
        met = 0
        ties: list[OrderBy] = []
        for part in asked:
            if met == len(board.terms):
                if self._leaves_no_ties(part):
                    if ties or (part.descending != PLACES[part.name]) != is_reversed:
                        return None
                    break
                if not self._is_settled(part):
                    ties.append(OrderBy(part.expression, part.descending))
                continue
            if part.expression is None:
                goes_back, met_then = part.descending != PLACES[part.name], len(board.terms)
            elif any(same(part.expression, as_written(term)) for term in board.terms[:met]):
                continue
            elif same(part.expression, as_written(board.terms[met])):
                goes_back, met_then = part.descending != board.terms[met].descending, met + 1
            else:
                return None
            if is_reversed not in (None, goes_back):
                return None
            is_reversed, met = goes_back, met_then
            if self._leaves_no_ties(part):
                break
        if ties and board.rank_kind is RankKind.ORDINAL:
            # Their order would be another rank.
            return None
        if any(path_of(tie.expression) == self._status for tie in ties if type(tie.expression) is F):
            return None
        if ties:
            back = bool(is_reversed)
            turned = [OrderBy(tie.expression, tie.descending != back) for tie in ties]
            declared = [OrderBy(as_written(tie), tie.descending) for tie in board.ties_by]
            key = ("ordering", *turned)
            board = board.prepared(key, lambda: self._board.replace(ties_by=[*turned, *declared]))
        return Order(text=text, board=board, is_reversed=bool(is_reversed))

    def _leaves_no_ties(self, part: Asked) -> bool:
        """Tell whether what is asked for counts ties, in the order in which they are shown."""
        return part.name == "rank" and self._board.rank_kind is RankKind.ORDINAL

    def _is_settled(self, part: Asked) -> bool:
        """Tell whether what is asked for is the same for entries that are tied."""
        return part.expression is None or any(
            same(part.expression, as_written(term)) for term in self._board.terms
        )

    def _sorted(self, text: str, asked: Sequence[Asked]) -> Order:
        """Return the order that sorts entries by what is asked for, then in the order of the board."""
        board = self._board
        parts: list[tuple[Any, bool]] = []
        goes_back = False
        for part in asked:
            if part.expression is None:
                goes_back = part.descending != PLACES[part.name]
                parts += [(as_written(term), term.descending != goes_back) for term in board.terms]
                if self._leaves_no_ties(part):
                    for tie in board.ties_by:
                        if goes_back:
                            # Every term is sorted with NULL last, which backwards is first.
                            parts.append((IsNull(as_written(tie), True), True))
                        parts.append((as_written(tie), tie.descending != goes_back))
                    break
            else:
                parts.append((part.expression, part.descending))
        else:
            goes_back = False
            parts += [(as_written(term), term.descending) for term in (*board.terms, *board.ties_by)]
        terms = [
            OrderBy(Term(expression, board.collation), descending, nulls_last=True)
            for expression, descending in parts
        ]
        return Order(
            text=text,
            board=board,
            terms=[*terms, *(OrderBy(Term(key), goes_back) for key in key_parts(self._model))],
            fields=[*(self._field_of(expression) for expression, _ in parts), *key_fields(self._model)],
        )

    def _field_of(self, expression: Any) -> Any:
        if type(expression) is F and path_of(expression) == self._status:
            return QUALIFICATION
        return output_field_of(resolved_on_model(expression, self._model)[0])


def _named_terms(board: Leaderboard) -> Sequence[tuple[str, Any]]:
    terms = [as_written(term) for term in board.terms]
    if board.term_names:
        return [*zip(board.term_names, terms, strict=True)]
    return [(path_of(term), term) for term in terms if type(term) is F]

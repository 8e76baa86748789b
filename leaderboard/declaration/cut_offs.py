"""Cut-off rules: what turns a standing into a qualification."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q, Value
from django.utils.deconstruct import deconstructible

from leaderboard.expressions.arguments import as_expression, as_kind
from leaderboard.expressions.fields import NUMERIC
from leaderboard.expressions.logic import Comparison, Negation, all_of, any_of
from leaderboard.expressions.numbers import Number, Product, comparable, exact
from leaderboard.expressions.percentiles import fraction_of
from leaderboard.expressions.ranks import rank_of
from leaderboard.expressions.tally import Tally, WindowTally
from leaderboard.kinds import PercentileKind, RankKind
from leaderboard.orm.names import Combinable
from leaderboard.orm.trees import described, frozen, same

__all__ = [
    "AllOf",
    "AnyOf",
    "AtLeast",
    "AtMost",
    "CutOff",
    "Not",
    "PercentOf",
    "PercentileAtLeast",
    "RowColumn",
    "TopCount",
    "TopPercent",
]

# Gives a rule the column that holds an expression over the entry's own row.
RowColumn = Callable[[Any], Any]


class CutOff:
    """A rule that an entry meets or does not meet; rules combine with ``&``, ``|`` and ``~``.

    A rule whose operands are NULL is unknown, and so is what SQL's three-valued logic makes of it; an
    entry for which the whole rule is unknown has :attr:`Qualification.NO_CUT_OFF`.
    """

    def condition(self, tally: Tally, row: RowColumn) -> Any:
        """Return the rule as a condition, with each of its ``row_values()`` passed to ``row``."""
        raise NotImplementedError

    def row_values(self) -> Sequence[Any]:
        """Return the expressions over the entry's own row that the rule depends on."""
        if self.rules():
            return [value for rule in self.rules() for value in rule.row_values()]
        # Of a rule that does not say so: what it asks for.
        values: list[Any] = []

        def asked_for(value: Any) -> Any:
            values.append(value)
            return value

        self.condition(WindowTally(()), asked_for)
        return values

    def rules(self) -> Sequence[CutOff]:
        """Return the rules that this one combines."""
        return ()

    @property
    def needs_board_size(self) -> bool:
        """Whether the rule depends on the number of entries, so that it reads the whole board."""
        return any(rule.needs_board_size for rule in self.rules())

    def __and__(self, other: CutOff) -> CutOff:
        return AllOf(self, other) if isinstance(other, CutOff) else NotImplemented

    def __or__(self, other: CutOff) -> CutOff:
        return AnyOf(self, other) if isinstance(other, CutOff) else NotImplemented

    def __invert__(self) -> CutOff:
        return Not(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CutOff) or type(self) is not type(other):
            return False
        return same(self._arguments(), other._arguments()) and self.rules() == other.rules()

    def __hash__(self) -> int:
        return hash((type(self), *map(repr, self._arguments().values()), *self.rules()))

    def _arguments(self) -> dict[str, Any]:
        # Not how they were written: positional or named, as a name or as F().
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._arguments().values()))})"


def _threshold(value: object, argument: str) -> Any:
    """Return a literal or an expression as an expression."""
    if value is None:
        raise TypeError(f"{argument}=None is no value; leave the rule out for no cut-off.")
    if isinstance(value, Q | models.QuerySet | models.Model | set | complex):
        raise TypeError(
            f"{argument}={described(value)} cannot be compared; give a literal such as 60, or an expression "
            "such as F('test__cut_off') or a Subquery() of one column."
        )
    return as_expression(value, argument) if isinstance(value, Combinable) else Value(frozen(value))


def _number(value: object, argument: str, *, most: int | None = None) -> Any:
    """Return a number or an expression as an expression; a float stands for the decimal it is written as."""
    if isinstance(value, Combinable):
        return as_expression(value, argument)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise TypeError(f"{argument}={value!r} must be a number or an expression, such as F('test__share').")
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite() or number < 0 or (most is not None and number > most):
        bound = "at least 0" if most is None else f"from 0 to {most}"
        raise ValueError(f"{argument}={value!r} must be {bound}.")
    return Value(number, NUMERIC)


class _Threshold(CutOff):
    arg_joiner: str

    def __init__(self, expression: str | Combinable, value: object) -> None:
        self.expression = as_expression(expression, "expression")
        self.value = _threshold(value, "value")

    def row_values(self) -> Sequence[Any]:
        value = comparable(self.value, self.expression)
        return [Comparison(self.expression, value, arg_joiner=self.arg_joiner)]

    def condition(self, tally: Tally, row: RowColumn) -> Any:
        return row(*self.row_values())


@deconstructible(path="leaderboard.AtLeast")
class AtLeast(_Threshold):
    """Met where ``expression`` >= ``value``."""

    arg_joiner = " >= "


@deconstructible(path="leaderboard.AtMost")
class AtMost(_Threshold):
    """Met where ``expression`` <= ``value``."""

    arg_joiner = " <= "


@deconstructible(path="leaderboard.PercentOf")
class PercentOf(CutOff):
    """Met where ``expression`` is at least ``percent`` per cent of ``maximum``.

    Compared exactly, as 100·expression >= percent·maximum; durations may stand for both. Raises
    ``TypeError`` or ``ValueError`` where ``percent`` is neither a number from 0 up nor an expression.
    """

    def __init__(self, expression: str | Combinable, maximum: object, percent: object) -> None:
        self.expression = as_expression(expression, "expression")
        self.maximum = (
            as_expression(maximum, "maximum") if isinstance(maximum, str) else _threshold(maximum, "maximum")
        )
        self.percent = _number(percent, "percent")

    def row_values(self) -> Sequence[Any]:
        share = Product(Value(100), Number(self.expression))
        bound = Product(Number(self.percent), Number(comparable(self.maximum, self.expression)))
        return [Comparison(share, bound, arg_joiner=" >= ")]

    def condition(self, tally: Tally, row: RowColumn) -> Any:
        return row(*self.row_values())


@deconstructible(path="leaderboard.TopCount")
class TopCount(CutOff):
    """Met by the first ``count`` of the board: where the rank of ``kind`` is at most ``count``.

    With ``kind=MODIFIED`` a tie that does not fit as a whole is out, as seats demand.
    """

    def __init__(self, count: object, kind: RankKind | str = RankKind.COMPETITION) -> None:
        if not isinstance(count, Combinable):
            if isinstance(count, bool) or not isinstance(count, int):
                raise TypeError(f"count={count!r} must be a whole number or an expression.")
            if count < 0:
                raise ValueError(f"count={count!r} must be at least 0.")
            count = exact(count)
        self.count = as_expression(count, "count")
        self.kind = as_kind(RankKind, kind, "kind")

    def row_values(self) -> Sequence[Any]:
        return [self.count]

    def condition(self, tally: Tally, row: RowColumn) -> Any:
        return Comparison(rank_of(self.kind, tally), row(*self.row_values()), arg_joiner=" <= ")


@deconstructible(path="leaderboard.TopPercent")
class TopPercent(CutOff):
    """Met by the first ``percent`` per cent of the board: where 100·rank <= percent·n, the rank of ``kind``.

    A tie at the border is in or out as a whole: in by ``COMPETITION``, out by ``MODIFIED``.
    """

    needs_board_size = True

    def __init__(self, percent: object, kind: RankKind | str = RankKind.COMPETITION) -> None:
        self.percent = _number(percent, "percent", most=100)
        self.kind = as_kind(RankKind, kind, "kind")

    def row_values(self) -> Sequence[Any]:
        return [Number(self.percent)]

    def condition(self, tally: Tally, row: RowColumn) -> Any:
        return Comparison(
            Product(Value(100), rank_of(self.kind, tally)),
            Product(row(*self.row_values()), tally.size),
            arg_joiner=" <= ",
        )


@deconstructible(path="leaderboard.PercentileAtLeast")
class PercentileAtLeast(CutOff):
    """Met where the percentile of ``kind`` is at least ``percent``, whatever kind is displayed.

    Compared by cross-multiplication of whole numbers, without a float.
    """

    needs_board_size = True

    def __init__(self, percent: object, kind: PercentileKind | str = PercentileKind.WEAK) -> None:
        self.percent = _number(percent, "percent", most=100)
        self.kind = as_kind(PercentileKind, kind, "kind")

    def row_values(self) -> Sequence[Any]:
        return [Number(self.percent)]

    def condition(self, tally: Tally, row: RowColumn) -> Any:
        numerator, denominator = fraction_of(self.kind, tally)
        share = Product(row(*self.row_values()), denominator)
        return Comparison(numerator, share, arg_joiner=" >= ")


class _Combination(CutOff):
    join: Callable[[Sequence[Any]], Any]

    def __init__(self, *rules: CutOff) -> None:
        for position, rule in enumerate(rules):
            if not isinstance(rule, CutOff):
                raise TypeError(
                    f"rules[{position}]={rule!r} is no cut-off rule, such as AtLeast('score', 60)."
                )
        if not rules:
            raise ValueError(f"{type(self).__name__}() combines one rule or more.")
        self._rules = rules

    def rules(self) -> Sequence[CutOff]:
        return self._rules

    def condition(self, tally: Tally, row: RowColumn) -> Any:
        return type(self).join([rule.condition(tally, row) for rule in self._rules])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._rules))})"


@deconstructible(path="leaderboard.AllOf")
class AllOf(_Combination):
    """Met where every one of ``rules`` is met; the same as joining them with ``&``."""

    join = staticmethod(all_of)


@deconstructible(path="leaderboard.AnyOf")
class AnyOf(_Combination):
    """Met where one of ``rules`` is met; the same as joining them with ``|``."""

    join = staticmethod(any_of)


@deconstructible(path="leaderboard.Not")
class Not(_Combination):
    """Met where ``rule`` is not met, unknown where it is unknown; the same as ``~rule``."""

    def __init__(self, rule: CutOff) -> None:
        super().__init__(rule)

    def condition(self, tally: Tally, row: RowColumn) -> Any:
        return Negation(self._rules[0].condition(tally, row))

"""Cut-off rules: what turns a standing into a qualification."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Collate
from django.utils import timezone
from django.utils.deconstruct import deconstructible

from leaderboard.expressions import (
    BIGINT,
    BOOLEAN,
    NUMERIC,
    QUALIFICATION,
    Negation,
    Product,
    RankedRows,
    Tally,
    all_of,
    any_of,
    is_text,
    kind_of,
    operand,
    value_field,
)
from leaderboard.kinds import PercentileKind, Qualification
from leaderboard.structure import described, same

__all__ = [
    "AllOf",
    "AnyOf",
    "AtLeast",
    "AtMost",
    "CutOff",
    "Not",
    "PercentOf",
    "PercentileAtLeast",
    "QualificationWindow",
    "TopCount",
    "TopPercent",
]

# Gives the rule a column in place of an expression over the entry's own row.
RowColumn = Callable[[Any], Any]


class Comparison(models.Func):
    """A comparison of two expressions; texts compare in the C collation, as ordering terms do."""

    template = "(%(expressions)s)"
    arity = 2

    def __init__(self, left: Any, right: Any, *, arg_joiner: str) -> None:
        super().__init__(left, right, arg_joiner=arg_joiner, output_field=BOOLEAN)

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        resolved = super().resolve_expression(*args, **kwargs)
        left, right = resolved.get_source_expressions()
        field = left._output_field_or_none
        if is_text(field) and not isinstance(left, Collate):
            left = Collate(left, "C")
        resolved.set_source_expressions([left, right])
        return resolved


def _converts(field: Any) -> bool:
    """Tell whether values are stored in a form of the field's own, so that a literal must be too."""
    return isinstance(field, models.JSONField) or not type(field).__module__.startswith("django.")


class Literal(models.Func):
    """A value that is compared with ``expression``, in the form in which the expression's field stores it."""

    arity = 2

    def __init__(self, value: Any, expression: Any) -> None:
        super().__init__(value, expression)

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        value, expression = super().resolve_expression(*args, **kwargs).get_source_expressions()
        field = expression._output_field_or_none
        if isinstance(value_field(field), models.FloatField):
            return value
        if isinstance(value_field(field), models.DateTimeField) and type(value.value) is date:
            return Value(_first_moment(value.value), field)
        return Value(value.value, field) if _converts(field) else _exact(value.value)


def _first_moment(day: date) -> datetime:
    """Return when a day begins, as Django's own lookups have it: in the default time zone."""
    moment = datetime.combine(day, time.min)
    return timezone.make_aware(moment, timezone.get_default_timezone()) if settings.USE_TZ else moment


def _exact(value: Any) -> Value:
    """Return a literal as an expression; a float stands for the decimal it is written as."""
    # psycopg may bind a whole number as an int4, which cuts it, and a float as an inexact one.
    if isinstance(value, int) and not isinstance(value, bool):
        return Value(value, BIGINT) if -(2**63) <= value < 2**63 else Value(Decimal(value), NUMERIC)
    if isinstance(value, float) and isfinite(value):
        return Value(Decimal(repr(value)), NUMERIC)
    return Value(value)


def beside(value: Any, expression: Any) -> Any:
    """Return what is compared with ``expression``, as a ``Literal`` where no field says how it is stored."""
    if type(value) is not Value:
        return value
    positional, named = value._constructor_args  # type: ignore[attr-defined]
    return value if named or len(positional) > 1 else Literal(value, expression)


class Number(models.Func):
    """An expression as an exact ``numeric``; a duration counts in seconds."""

    template = "(%(expressions)s)::numeric"
    arity = 1

    def __init__(self, expression: Any) -> None:
        super().__init__(expression, output_field=NUMERIC)

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> Any:
        (expression,) = self.get_source_expressions()
        if isinstance(expression._output_field_or_none, models.DurationField):
            # numeric since PostgreSQL 14, with every microsecond.
            context["template"] = "EXTRACT(EPOCH FROM %(expressions)s)"
        return super().as_sql(compiler, connection, *args, **context)


class CutOff:
    """A rule that an entry meets or does not meet; rules combine with ``&``, ``|`` and ``~``.

    A rule whose operands are NULL is unknown, and so is what SQL's three-valued logic makes of it; an
    entry for which the whole rule is unknown has :attr:`Qualification.NO_CUT_OFF`.
    """

    def condition(self, tally: Tally, row: RowColumn) -> Any:
        """Return the rule as a condition, with each expression over the entry's row passed to ``row``."""
        raise NotImplementedError

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
        return type(self) is type(other) and same(vars(self), vars(other))

    def __hash__(self) -> int:
        return hash((type(self), *(repr(value) for value in self.__dict__.values())))

    def __repr__(self) -> str:
        values = (value for name, value in vars(self).items() if not name.startswith("_"))
        return f"{type(self).__name__}({', '.join(map(repr, values))})"


def _threshold(value: object, argument: str) -> Any:
    """Return a literal or an expression as an expression."""
    if value is None:
        raise TypeError(f"{argument}=None is no value; leave the rule out for no cut-off.")
    if isinstance(value, Q | models.QuerySet | models.Model | set | complex):
        raise TypeError(
            f"{argument}={described(value)} cannot be compared; give a literal such as 60, or an expression "
            "such as F('test__cut_off') or a Subquery() of one column."
        )
    return operand(value, argument) if isinstance(value, Combinable) else Value(value)


def _number(value: object, argument: str, *, most: int | None = None) -> Any:
    """Return a number or an expression as an expression; a float stands for the decimal it is written as."""
    if isinstance(value, Combinable):
        return operand(value, argument)
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
        self.expression = operand(expression, "expression")
        self.value = _threshold(value, "value")

    def condition(self, tally: Tally, row: RowColumn) -> Any:
        value = beside(self.value, self.expression)
        return row(Comparison(self.expression, value, arg_joiner=self.arg_joiner))


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
        self.expression = operand(expression, "expression")
        self.maximum = (
            operand(maximum, "maximum") if isinstance(maximum, str) else _threshold(maximum, "maximum")
        )
        self.percent = _number(percent, "percent")

    def condition(self, tally: Tally, row: RowColumn) -> Any:
        share = Product(Value(100), Number(self.expression))
        bound = Product(Number(self.percent), Number(beside(self.maximum, self.expression)))
        return row(Comparison(share, bound, arg_joiner=" >= "))


@deconstructible(path="leaderboard.TopCount")
class TopCount(CutOff):
    """Met by the first ``count`` of the board: where the competition rank is at most ``count``."""

    def __init__(self, count: object) -> None:
        if not isinstance(count, Combinable):
            if isinstance(count, bool) or not isinstance(count, int):
                raise TypeError(f"count={count!r} must be a whole number or an expression.")
            if count < 0:
                raise ValueError(f"count={count!r} must be at least 0.")
            count = _exact(count)
        self.count = operand(count, "count")

    def condition(self, tally: Tally, row: RowColumn) -> Any:
        return Comparison(tally.competition, row(self.count), arg_joiner=" <= ")


@deconstructible(path="leaderboard.TopPercent")
class TopPercent(CutOff):
    """Met by the first ``percent`` per cent of the board: where 100·competition rank <= percent·n.

    A tie at the border is in or out as a whole.
    """

    needs_board_size = True

    def __init__(self, percent: object) -> None:
        self.percent = _number(percent, "percent", most=100)

    def condition(self, tally: Tally, row: RowColumn) -> Any:
        return Comparison(
            Product(Value(100), tally.competition),
            Product(row(Number(self.percent)), tally.size),
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
        self.kind = kind_of(PercentileKind, kind, "kind")

    def condition(self, tally: Tally, row: RowColumn) -> Any:
        numerator, denominator = tally.fraction(self.kind)
        return Comparison(numerator, Product(row(Number(self.percent)), denominator), arg_joiner=" >= ")


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


def qualification_case(
    *,
    excluded: Any = None,
    pending: Any = None,
    superseded: Any = None,
    rule: Any = None,
) -> Any:
    """Return the qualification: the first that applies, given the conditions for each."""
    whens = [
        (excluded, Qualification.EXCLUDED),
        (pending, Qualification.PENDING),
        (superseded, Qualification.SUPERSEDED),
    ]
    if rule is not None:
        whens += [(rule, Qualification.QUALIFIED), (Negation(rule), Qualification.NOT_QUALIFIED)]
    cases = [
        When(condition, then=Value(status.value)) for condition, status in whens if condition is not None
    ]
    default = Value(Qualification.NO_CUT_OFF.value)
    if not cases:
        return Value(Qualification.NO_CUT_OFF.value, QUALIFICATION)
    return Case(*cases, default=default, output_field=QUALIFICATION)


class QualificationWindow(Case):
    """The qualification by ``cut_off`` among the rows of the query that share ``partition_by``.

    A row that is not ``eligible`` is ``EXCLUDED``, one with a NULL among the terms of ``order_by`` is
    ``PENDING``. Raises ``TypeError`` where ``cut_off`` is no rule.
    """

    def __init__(
        self,
        cut_off: CutOff,
        *,
        order_by: object,
        partition_by: object = (),
        eligible: Q | Combinable | None = None,
    ) -> None:
        if not isinstance(cut_off, CutOff):
            raise TypeError(f"cut_off={cut_off!r} is no cut-off rule, such as AtLeast('score', 60).")
        scope = RankedRows(order_by, partition_by, eligible)
        case = qualification_case(
            excluded=None if scope.eligible is None else Negation(scope.eligible),
            pending=Negation(scope.complete),
            rule=cut_off.condition(scope.tally, lambda expression: expression),
        )
        super().__init__(*case.cases, default=case.default, output_field=QUALIFICATION)

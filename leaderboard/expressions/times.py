"""The time taken, and times on the clock of a zone."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import models
from django.db.models import ExpressionWrapper, Value
from django.db.models.functions import Coalesce, Now
from django.utils.deconstruct import deconstructible
from django.utils.timezone import is_aware, make_naive

from leaderboard.expressions.arguments import as_expression
from leaderboard.expressions.fields import DURATION, value_field
from leaderboard.orm.names import Combinable, TruncBase
from leaderboard.orm.ordering import NullsLast
from leaderboard.orm.trees import nodes_of, shown_arguments

__all__ = ["TimeTaken", "is_running", "period_of"]


@deconstructible(path="leaderboard.TimeTaken")
class TimeTaken(NullsLast, ExpressionWrapper):  # type: ignore[type-arg]  # generic for django-stubs only
    """The time from ``start`` to ``finish``, a ``timedelta``; NULL where either of them is NULL.

    ``running=True`` counts an unfinished entry up to the start of the present statement
    (PostgreSQL's ``STATEMENT_TIMESTAMP()``). ``paused`` and ``allowance`` are durations, as field names,
    expressions or ``timedelta`` values; they are subtracted, and ``penalty`` is added, a NULL one as zero.
    A negative result is returned as it is. Raises ``TypeError`` for an argument of another type.
    """

    def __init__(
        self,
        start: str | Combinable,
        finish: str | Combinable,
        *,
        running: bool = False,
        paused: str | Combinable | timedelta | None = None,
        allowance: str | Combinable | timedelta | None = None,
        penalty: str | Combinable | timedelta | None = None,
    ) -> None:
        if not isinstance(running, bool):
            raise TypeError(f"running={running!r} must be True or False.")
        self.start = as_expression(start, "start")
        self.finish = as_expression(finish, "finish")
        self.running = running
        self.paused = _length(paused, "paused")
        self.allowance = _length(allowance, "allowance")
        self.penalty = _length(penalty, "penalty")
        duration = _duration((Coalesce(self.finish, Now()) if running else self.finish) - self.start)
        for length, sign in ((self.paused, -1), (self.allowance, -1), (self.penalty, 1)):
            if isinstance(length, timedelta):
                length = Value(length, DURATION)
            elif length is not None:
                zero = Value(timedelta(0), DURATION)
                length = Coalesce(length, zero, output_field=DURATION)
            else:
                continue
            duration = _duration(duration + length if sign > 0 else duration - length)
        super().__init__(duration, output_field=DURATION)

    def __repr__(self) -> str:
        return f"TimeTaken({shown_arguments(self)})"


def _length(value: object, argument: str) -> Any:
    return value if value is None or isinstance(value, timedelta) else as_expression(value, argument)


def _duration(expression: Any) -> ExpressionWrapper[Any]:
    return ExpressionWrapper(expression, output_field=DURATION)


class Period(models.Func):
    """The start of the period that a time on some clock is in, as ``TruncMonth()`` and its like have it."""

    template = "DATE_TRUNC(%(period)s, (%(expressions)s)::%(type)s)"
    arity = 1


def period_of(value: Any, expression: Any) -> Any:
    """Return what ``expression``, a resolved one, makes of a moment, if it truncates times.

    A moment is taken to the zone of the expression; a date, and a naive time, is on that clock already.
    Texts are read as a form's are; an expression is left alone. PostgreSQL truncates it, as it does the
    column, since a period may begin at an hour that the zone leaves out. Raises ``TypeError`` or
    ``ValidationError`` for what is no time.
    """
    if not isinstance(expression, TruncBase) or hasattr(value, "resolve_expression"):
        return value
    if isinstance(expression.output_field, models.TimeField):
        return value
    if isinstance(value, str):
        value = expression.output_field.to_python(value)
    if not isinstance(value, date):
        raise TypeError("this is neither a time nor a date.")
    clock = value if isinstance(value, datetime) else datetime.combine(value, time.min)
    if is_aware(clock):
        clock = make_naive(clock, expression.tzinfo)
    if expression.kind == "date":
        return clock.date()
    (source,) = expression.get_source_expressions()
    is_time = isinstance(value_field(source.output_field), models.DateTimeField)
    return Period(
        Value(clock.isoformat(" ") if is_time else clock.date().isoformat()),
        period=f"'{expression.kind}'",
        type="timestamp" if is_time else "date",
        output_field=models.DateTimeField(),
    )


def is_running(expression: Any) -> bool:
    """Tell whether the value depends on the time of the statement."""
    return any(isinstance(node, Now) for node in nodes_of(expression))

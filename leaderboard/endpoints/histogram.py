"""How the values of a board are distributed: so many entries in each of some ranges of one width.

    SELECT width_bucket(app_attempt.score::numeric, 40, 100, 20) AS _range, COUNT(app_attempt.id) …

Ranges of whole numbers have whole bounds, so that each has as many of them as any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import models
from django.db.models import Count, Func, Max, Min, Value

from leaderboard.endpoints.errors import InvalidParameter
from leaderboard.endpoints.ordering import Orderings
from leaderboard.endpoints.parameters import Parameters
from leaderboard.expressions.fields import BIGINT, NUMERIC, value_field
from leaderboard.expressions.logic import Comparison, all_of, not_null
from leaderboard.expressions.numbers import Number

__all__ = ["Histogram", "Range", "histogram_of"]

MOST_RANGES = 200
RANGES = 20
MEASURES = (models.IntegerField, models.FloatField, models.DecimalField, models.DurationField)


@dataclass(frozen=True, slots=True)
class Range:
    """How many entries have a value from ``low`` on and below ``high``; the last range may have that too."""

    low: Any
    high: Any
    count: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """The ranked entries of a view by the value called ``of``, of which ``ranges`` are in order."""

    of: str
    ranges: Sequence[Range]


class WidthBucket(Func):
    """The number, from 1, of one of ``count`` ranges of one width from ``low`` on."""

    function = "LEAST"
    template = "%(function)s(width_bucket(%(expressions)s), %(count)s)::bigint"

    def __init__(self, number: Any, low: Any, high: Any, count: int) -> None:
        ends = (Value(Decimal(str(end)), NUMERIC) for end in (low, high))
        super().__init__(number, *ends, Value(count, models.IntegerField()), count=count, output_field=BIGINT)


def histogram_of(view: Any, given: Mapping[str, str], orderings: Orderings) -> Histogram:
    """Return the histogram that parameters ask for, of a queryset that is on one board.

    They are ``of``, the name of a number or a duration among what the board may be ordered by, the first of
    these unless it is given, and ``bins``, how many ranges there are at most. A NaN and the infinities are in
    none. Raises ``InvalidParameter`` for a parameter that cannot be right.
    """
    parameters = Parameters(given)
    measures = {
        name: (expression, value_field(field))
        for name, (expression, field) in orderings.values().items()
        if isinstance(value_field(field), MEASURES)
    }
    name = parameters.choice("of", [*measures]) or next(iter(measures), None)
    if name is None:
        raise InvalidParameter("of", "nothing of the board is a number or a duration.")
    wanted = parameters.whole("bins", RANGES, most=MOST_RANGES)
    expression, field = measures[name]
    # Of NULL, LEAST() would make the last range.
    rows = view.ranked().each_once().order_by().filter(not_null(expression))
    if isinstance(field, models.FloatField):
        ends = (Value(float(f"{sign}inf"), models.FloatField()) for sign in "-+")
        above, below = (
            Comparison(expression, end, arg_joiner=sign) for end, sign in zip(ends, "><", strict=True)
        )
        rows = rows.filter(all_of([above, below]))
    number = Number(expression)
    low, high, known = rows.aggregate(low=Min(number), high=Max(number), known=Count("pk")).values()
    if low is None:
        return Histogram(name, [])
    # In seconds, where it is a duration.
    low, high = Fraction(low), Fraction(high)
    width = (high - low) / wanted
    if isinstance(field, models.IntegerField):
        width = Fraction(-(-(high - low + 1) // wanted))
        wanted = int((high - low) // width) + 1
    if not width:
        return Histogram(name, [Range(_shown(low, field), _shown(high, field), known)])
    bounds = [low + width * position for position in range(wanted + 1)]
    numbered = rows.annotate(_range=WidthBucket(number, _decimal(low), _decimal(bounds[-1]), wanted))
    counts = dict(numbered.values_list("_range").annotate(Count("pk")))
    # Who has come below the lowest since is with the first.
    counts[1] = counts.get(1, 0) + counts.pop(0, 0)
    values = [_shown(bound, field) for bound in bounds]
    return Histogram(
        name,
        [Range(values[n], values[n + 1], counts.get(n + 1, 0)) for n in range(wanted)],
    )


def _decimal(number: Fraction) -> Decimal:
    # Exact: what PostgreSQL gave has finitely many digits, and so has what it is multiplied to.
    return Decimal(number.numerator) / Decimal(number.denominator)


def _shown(number: Fraction, field: Any) -> Any:
    if isinstance(field, models.DurationField):
        return timedelta(microseconds=round(number * 10**6))
    return int(number) if number.denominator == 1 else float(number)

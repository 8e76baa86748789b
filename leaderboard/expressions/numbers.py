"""Exact numbers, and literals that are compared exactly."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import ExpressionWrapper, Value
from django.utils import timezone

from leaderboard.expressions.fields import BIGINT, NUMERIC, UNCONVERTED, value_field
from leaderboard.orm.trees import is_bare_literal, output_field_of

__all__ = ["Array", "Element", "Number", "Product", "comparable", "exact", "whole"]


def whole(expression: Any) -> ExpressionWrapper[Any]:
    """Return arithmetic on whole numbers as a ``bigint``."""
    return ExpressionWrapper(expression, output_field=BIGINT)


class Product(models.Func):
    """A product as a ``numeric``, whatever exact numbers its factors are."""

    template = "(%(expressions)s)"
    arg_joiner = " * "

    def __init__(self, *factors: Any) -> None:
        super().__init__(*factors, output_field=NUMERIC)


class Array(models.Func):
    """Several whole numbers as one value, since a subquery has one."""

    template = "ARRAY[%(expressions)s]"

    def __init__(self, *numbers: Any) -> None:
        super().__init__(*numbers, output_field=UNCONVERTED)


class Element(models.Func):
    """The number at ``position``, from 1, of an array."""

    template = "(%(expressions)s)[%(position)s]"
    arity = 1

    def __init__(self, array: Any, position: int) -> None:
        super().__init__(array, position=position, output_field=BIGINT)


class Number(models.Func):
    """An expression as an exact ``numeric``; a duration counts in seconds."""

    template = "(%(expressions)s)::numeric"
    arity = 1

    def __init__(self, expression: Any) -> None:
        super().__init__(expression, output_field=NUMERIC)

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> Any:
        (expression,) = self.get_source_expressions()
        if isinstance(output_field_of(expression), models.DurationField):
            # numeric since PostgreSQL 14, with every microsecond.
            context["template"] = "EXTRACT(EPOCH FROM %(expressions)s)"
        return super().as_sql(compiler, connection, *args, **context)


class Literal(models.Func):
    """A value that is compared with ``expression``, in the form in which the expression's field stores it."""

    arity = 2

    def __init__(self, value: Any, expression: Any) -> None:
        super().__init__(value, expression)

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        value, expression = super().resolve_expression(*args, **kwargs).get_source_expressions()
        field = output_field_of(expression)
        if isinstance(value_field(field), models.FloatField):
            return value
        if isinstance(value_field(field), models.DateTimeField) and type(value.value) is date:
            return Value(_first_moment(value.value), field)
        return Value(value.value, field) if _converts(field) else exact(value.value)


def _converts(field: Any) -> bool:
    """Tell whether values are stored in a form of the field's own, so that a literal must be too."""
    return isinstance(field, models.JSONField) or not type(field).__module__.startswith("django.")


def _first_moment(day: date) -> datetime:
    """Return when a day begins, as Django's own lookups have it: in the default time zone."""
    moment = datetime.combine(day, time.min)
    return timezone.make_aware(moment, timezone.get_default_timezone()) if settings.USE_TZ else moment


def exact(value: Any) -> Value:
    """Return a literal as an expression; a float stands for the decimal it is written as."""
    # psycopg may bind a whole number as an int4, which cuts it, and a float as an inexact one.
    if isinstance(value, int) and not isinstance(value, bool):
        return Value(value, BIGINT) if -(2**63) <= value < 2**63 else Value(Decimal(value), NUMERIC)
    if isinstance(value, float) and isfinite(value):
        return Value(Decimal(repr(value)), NUMERIC)
    return Value(value)


def comparable(value: Any, expression: Any) -> Any:
    """Return what is compared with ``expression``, as a ``Literal`` where no field says how it is stored."""
    return Literal(value, expression) if is_bare_literal(value) else value

"""Views that a request asks for: what its texts stand for beside the lookups that they are given to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connections, models
from django.db.models import Model, Q
from django.utils import timezone

from leaderboard.endpoints.errors import InvalidParameter
from leaderboard.expressions.arguments import reason_of
from leaderboard.orm.models import field_called
from leaderboard.orm.trees import joined_many_rows
from leaderboard.orm.views import statement_of

__all__ = ["filtered", "in_zone", "looked_up"]

# By which a value of the field itself is compared, not a part of it such as its year.
COMPARED = {"exact", "gt", "gte", "in", "lt", "lte", "range"}
WORDS = {"true": True, "1": True, "false": False, "0": False}


def filtered(view: Any, name: str, condition: Q) -> Any:
    """Return a queryset held to a condition that a parameter gives, with each entry once.

    Raises ``InvalidParameter`` where a value of it is none of its field.
    """
    try:
        held = view.filter(condition)
        if joined_many_rows(held.query) is not None:
            # The join would show an entry as often as there are rows that the condition is true of.
            held = view.filter(pk__in=view.model._base_manager.filter(condition).values("pk"))
        # Some values are looked at no earlier, such as a year.
        statement_of(held.query, connections[held.db])
    except (OverflowError, TypeError, ValueError, ValidationError) as error:
        raise InvalidParameter(name, reason_of(error)) from error
    return held


def looked_up(model: type[Model], name: str, lookup: str, text: str) -> Q:
    """Return the condition that a parameter gives by a lookup such as ``candidate__team``.

    Of ``in`` and ``range`` a text has several values, with commas between them; of ``isnull`` it is ``true``
    or ``false``. A moment without a zone is one of the project's. Raises ``InvalidParameter`` for any other
    text.
    """
    field, rest = _led_to(model, lookup.split("__"))
    kind = rest[-1] if rest else "exact"
    if kind == "isnull":
        if text.lower() not in WORDS:
            raise InvalidParameter(name, f"{text!r} is none of true, false.")
        return Q((lookup, WORDS[text.lower()]))
    values = text.split(",") if kind in ("in", "range") else [text]
    if kind == "range" and len(values) != 2:
        raise InvalidParameter(name, f"{text!r} is no two values with a comma between them.")
    if isinstance(field, models.DateTimeField) and len(rest) < 2 and kind in COMPARED:
        try:
            values = [in_zone(field.to_python(value)) for value in values]
        except ValidationError as error:
            raise InvalidParameter(name, reason_of(error)) from error
    return Q((lookup, values if kind in ("in", "range") else values[0]))


def in_zone(value: Any) -> Any:
    """Return a moment without a zone as one of the project's, as Django takes it; anything else as it is."""
    if not isinstance(value, datetime) or not settings.USE_TZ or timezone.is_aware(value):
        return value
    return timezone.make_aware(value, timezone.get_default_timezone())


def _led_to(model: Any, names: Sequence[str]) -> tuple[Any, Sequence[str]]:
    """Return the last field that names lead to one after another, and those that are none: its lookups."""
    field = None
    for number, name in enumerate(names):
        found = None if model is None else field_called(model, name)
        if found is None:
            return field, names[number:]
        field, model = found, found.related_model
    return field, []

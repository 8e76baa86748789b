"""The qualification: its values, the field that reads them and the order in which they apply."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Case, Value, When

from leaderboard.expressions.logic import Negation
from leaderboard.kinds import Qualification

__all__ = ["QUALIFICATION", "QualificationChoices", "QualificationField", "qualification_of"]


class QualificationChoices(models.TextChoices):
    """The values of :class:`~leaderboard.kinds.Qualification` for forms, serializers and admin filters."""

    EXCLUDED = Qualification.EXCLUDED.value, Qualification.EXCLUDED.label
    PENDING = Qualification.PENDING.value, Qualification.PENDING.label
    SUPERSEDED = Qualification.SUPERSEDED.value, Qualification.SUPERSEDED.label
    NO_CUT_OFF = Qualification.NO_CUT_OFF.value, Qualification.NO_CUT_OFF.label
    QUALIFIED = Qualification.QUALIFIED.value, Qualification.QUALIFIED.label
    NOT_QUALIFIED = Qualification.NOT_QUALIFIED.value, Qualification.NOT_QUALIFIED.label


STATUSES = {status.value: status for status in Qualification}


class QualificationField(models.CharField):  # type: ignore[type-arg]  # generic for django-stubs only
    """A text column read back as a :class:`~leaderboard.kinds.Qualification`."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", 16)
        options.setdefault("choices", QualificationChoices.choices)
        super().__init__(**options)

    def deconstruct(self) -> Any:
        name, path, arguments, options = super().deconstruct()
        # Where migrations find it, whatever module it is in; a subclass has a path of its own.
        if type(self) is QualificationField:
            path = "leaderboard.expressions.QualificationField"
        return name, path, arguments, options

    def from_db_value(self, value: Any, *_: object) -> Any:
        # An expression made of it, such as Upper(), has this field too.
        return STATUSES.get(value, value)


QUALIFICATION = QualificationField()


def qualification_of(
    *,
    excluded: Any = None,
    pending: Any = None,
    superseded: Any = None,
    met: Any = None,
) -> Any:
    """Return the qualification: the first that applies, given the conditions for each.

    ``met`` is the cut-off as a condition; unknown, or left out, it makes ``NO_CUT_OFF``.
    """
    whens = [
        (excluded, Qualification.EXCLUDED),
        (pending, Qualification.PENDING),
        (superseded, Qualification.SUPERSEDED),
    ]
    if met is not None:
        whens += [(met, Qualification.QUALIFIED), (Negation(met), Qualification.NOT_QUALIFIED)]
    cases = [
        When(condition, then=Value(status.value)) for condition, status in whens if condition is not None
    ]
    if not cases:
        return Value(Qualification.NO_CUT_OFF.value, QUALIFICATION)
    default = Value(Qualification.NO_CUT_OFF.value)
    return Case(*cases, default=default, output_field=QUALIFICATION)

"""Entries and their standings as values that every format has: texts, numbers, lists and mappings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from operator import attrgetter
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model

from leaderboard.endpoints.page import METRICS
from leaderboard.orm.models import field_called, is_as_stored, stored_fields

__all__ = ["Column", "Columns", "figure", "plain", "plain_column", "standing_columns", "standing_of"]

ENCODER = DjangoJSONEncoder()
ARRAYS = (list, tuple, set, frozenset)
# What is as it is; not what inherits from these.
PLAIN = {bool, int, str, type(None)}


def plain(value: Any) -> Any:
    """Return a value as JSON has it; durations and times in ISO 8601, exact numbers and NaN as texts."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        # JSON has no such numbers; as PostgreSQL writes them.
        return value if isfinite(value) else str(value).replace("inf", "Infinity").replace("nan", "NaN")
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, ARRAYS):
        return [plain(part) for part in value]
    try:
        return ENCODER.default(value)
    except TypeError:
        return str(value)


def plain_column(values: Sequence[Any], convert: Callable[[Any], Any] = plain) -> Sequence[Any]:
    """Return the values that many entries have for one thing as JSON has them, by ``plain`` or ``figure``."""
    return values if {*map(type, values)} <= PLAIN else [convert(value) for value in values]


def figure(value: Any) -> Any:
    """Return the value of a metric as JSON has it."""
    # A fractional rank is a whole number or a half, which a float has exactly.
    return float(value) if isinstance(value, Decimal) else plain(value)


def standing_of(figures: Any, prefix: str = "") -> dict[str, Any]:
    """Return the metrics of an entry that it has, their names without ``prefix``, or those of a standing."""
    found = {}
    for name in METRICS:
        if hasattr(figures, f"{prefix}{name}"):
            found[name] = figure(getattr(figures, f"{prefix}{name}"))
    return found


@dataclass(frozen=True, slots=True)
class Column:
    """Something that is shown of an entry: ``read`` reads it from an instance.

    ``path`` is what ``values_list()`` calls it, None for what instances have only.
    """

    name: str
    read: Callable[[Any], Any]
    path: str | None


def standing_columns(rows: Any, prefix: str = "") -> Sequence[Column]:
    """Return the metrics that the entries of a queryset have, their names without ``prefix``."""
    columns = []
    for name in METRICS:
        attribute = f"{prefix}{name}"
        if rows.has_annotation(attribute):
            columns.append(Column(name, attrgetter(attribute), attribute))
        elif hasattr(rows.model, attribute):
            columns.append(_column(rows.model, name, attribute))
    return columns


class Columns:
    """What is shown of an entry: attributes by name, ``candidate__name`` through a relation to one row.

    ``shown`` are paths, or a mapping of names to paths. A foreign key is shown as the key that it holds.
    Raises ``ImproperlyConfigured`` for a path that leads to no single value.
    """

    def __init__(self, model: type[Model], shown: Sequence[str] | Mapping[str, str]) -> None:
        paths = shown if isinstance(shown, Mapping) else {path: path for path in shown}
        self.columns = [_column(model, name, path) for name, path in paths.items()]
        self.related = sorted({path.rpartition("__")[0] for path in paths.values() if "__" in path})

    @property
    def names(self) -> Sequence[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    def of(self, entry: Any) -> dict[str, Any]:
        """Return what is shown of an entry by name."""
        return {column.name: plain(column.read(entry)) for column in self.columns}


def _column(model: type[Model], name: str, path: str) -> Column:
    *relations, last = path.split("__")
    for relation in relations:
        field = field_called(model, relation)
        if field is None or not (field.many_to_one or field.one_to_one):
            raise ImproperlyConfigured(
                f"{path!r}: {model._meta.label} has no relation {relation!r} to one row."
            )
        model = field.related_model
    field = field_called(model, last)
    if field is not None and field not in stored_fields(model) and last != "pk":
        raise ImproperlyConfigured(f"{path!r}: {last!r} of {model._meta.label} is no single value.")
    # What is no field may be an annotation or a property.
    attribute = last if field is None or last == "pk" else field.attname
    if field is None and relations and not hasattr(model, last):
        raise ImproperlyConfigured(f"{path!r}: {model._meta.label} has no {last!r}.")

    def read(entry: Any) -> Any:
        for relation in relations:
            entry = getattr(entry, relation, None)
        return None if entry is None else getattr(entry, attribute)

    is_stored = not hasattr(model, last) if field is None else last == "pk" or is_as_stored(model, field)
    return Column(name, read, path if is_stored else None)

"""Entries and their standings as values that every format has: texts, numbers, lists and mappings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from math import isfinite
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model

from leaderboard.endpoints.page import METRICS
from leaderboard.orm.models import field_called, stored_fields

__all__ = ["Columns", "plain", "standing_of"]

ENCODER = DjangoJSONEncoder()


def plain(value: Any) -> Any:
    """Return a value as JSON has it; durations and times in ISO 8601, exact numbers and NaN as texts."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        # JSON has no such numbers; as PostgreSQL writes them.
        return value if isfinite(value) else str(value).replace("inf", "Infinity").replace("nan", "NaN")
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    try:
        return ENCODER.default(value)
    except TypeError:
        return str(value)


def standing_of(figures: Any, prefix: str = "") -> dict[str, Any]:
    """Return the metrics of an entry that it has, their names without ``prefix``, or those of a standing."""
    found = {}
    for name in METRICS:
        if hasattr(figures, f"{prefix}{name}"):
            value = getattr(figures, f"{prefix}{name}")
            # A fractional rank is a whole number or a half, which a float has exactly.
            found[name] = float(value) if isinstance(value, Decimal) else plain(value)
    return found


class Columns:
    """What is shown of an entry: attributes by name, ``candidate__name`` through a relation to one row.

    ``shown`` are paths, or a mapping of names to paths. A foreign key is shown as the key that it holds.
    Raises ``ImproperlyConfigured`` for a path that leads to no single value.
    """

    def __init__(self, model: type[Model], shown: Sequence[str] | Mapping[str, str]) -> None:
        paths = shown if isinstance(shown, Mapping) else {path: path for path in shown}
        self._readers = {name: _reader(model, path) for name, path in paths.items()}
        self.related = sorted({path.rpartition("__")[0] for path in paths.values() if "__" in path})

    @property
    def names(self) -> Sequence[str]:
        """The names of the columns."""
        return [*self._readers]

    def values(self, entry: Any) -> Iterator[Any]:
        """Yield the values that an entry has."""
        for read in self._readers.values():
            yield plain(read(entry))

    def of(self, entry: Any) -> dict[str, Any]:
        """Return what is shown of an entry by name."""
        return dict(zip(self._readers, self.values(entry), strict=True))


def _reader(model: type[Model], path: str) -> Callable[[Any], Any]:
    *relations, last = path.split("__")
    for name in relations:
        field = field_called(model, name)
        if field is None or not (field.many_to_one or field.one_to_one):
            raise ImproperlyConfigured(f"{path!r}: {model._meta.label} has no relation {name!r} to one row.")
        model = field.related_model
    field = field_called(model, last)
    if field is not None and field not in stored_fields(model) and last != "pk":
        raise ImproperlyConfigured(f"{path!r}: {last!r} of {model._meta.label} is no single value.")
    # What is no field may be an annotation or a property.
    attribute = last if field is None or last == "pk" else field.attname
    if field is None and relations and not hasattr(model, last):
        raise ImproperlyConfigured(f"{path!r}: {model._meta.label} has no {last!r}.")

    def read(entry: Any) -> Any:
        for name in relations:
            entry = getattr(entry, name, None)
        return None if entry is None else getattr(entry, attribute)

    return read

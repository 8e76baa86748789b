"""Entries as a table for people: where each stands, and what is shown of it beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from leaderboard.endpoints.formats import FORMATS
from leaderboard.orm.models import field_called, field_names

__all__ = ["Cell", "Column", "Row", "Table", "names_in", "table_of"]

LABELS = {
    "rank": _("Rank"),
    "percentile": _("Percentile"),
    "time_taken": _("Time taken"),
    "qualification": _("Qualification"),
}
EMPTY = "–"


@dataclass(frozen=True, slots=True)
class Column:
    """One value of every entry; ``names_row`` where it tells whom a row is about."""

    name: str
    label: Any
    read: Callable[[Any], Any]
    names_row: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of one entry, as it is shown."""

    column: Column
    value: Any


@dataclass(frozen=True, slots=True)
class Row:
    """One entry; ``is_own`` where it is that of whoever looks."""

    entry: Any
    cells: Sequence[Cell]
    is_own: bool


@dataclass(frozen=True, slots=True)
class Table:
    """Entries in order; without any there are no columns either."""

    columns: Sequence[Column] = field(default_factory=list)
    rows: Sequence[Row] = field(default_factory=list)


def names_in(given: str | Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    """Return paths by name, of a text such as ``"candidate, score"``, a list, or such a mapping."""
    if isinstance(given, str):
        given = given.replace(",", " ").split()
    return dict(given) if isinstance(given, Mapping) else {path: path for path in given}


def table_of(
    entries: Sequence[Any],
    *,
    fields: str | Sequence[str] | Mapping[str, str] = (),
    metrics: str | Sequence[str] | None = None,
    prefix: str = "",
    own: Any = None,
    by: str = "pk",
) -> Table:
    """Return the table of some entries: the rank, the ``fields``, and what else is derived.

    ``fields`` are paths such as ``candidate__name``, or a mapping of labels to them; without any an entry is
    its text. ``metrics`` are those that are shown, all that the entries have unless given, and ``prefix``
    begins their names. The rows whose value of ``by`` is ``own``, or its primary key, are one's own. Raises
    ``ValueError`` for a metric that is none, or that the entries do not have, ``AttributeError`` for a path
    that leads nowhere.
    """
    if not entries:
        return Table()
    model = type(entries[0])
    derived = _metrics_of(entries[0], metrics, prefix)
    shown = _fields_of(model, names_in(fields))
    first = [column for column in derived if column.name == "rank"]
    columns = [*first, *shown, *(column for column in derived if column not in first)]
    read_own = _reader(by)

    def is_own(entry: Any) -> bool:
        value = read_own(entry)
        return value is not None and value in (own, getattr(own, "pk", None))

    rows = [
        Row(entry, [Cell(column, column.read(entry)) for column in columns], is_own(entry))
        for entry in entries
    ]
    return Table(columns, rows)


def _metrics_of(entry: Any, asked: str | Sequence[str] | None, prefix: str) -> Sequence[Column]:
    """Return the columns of the metrics that are asked for."""
    # A field of that name is no metric.
    fields = field_names(type(entry))
    had = [name for name in FORMATS if f"{prefix}{name}" not in fields and hasattr(entry, f"{prefix}{name}")]
    names = had if asked is None else [*names_in(asked)]
    for name in names:
        if name not in had:
            raise ValueError(f"metrics={asked!r} has {name!r}; the entries have {', '.join(had) or 'none'}.")
    return [Column(name, LABELS[name], _formatted(f"{prefix}{name}", FORMATS[name])) for name in names]


def _fields_of(model: type[Model], names: Mapping[str, str]) -> Sequence[Column]:
    if not names:
        return [Column("entry", model._meta.verbose_name, str, True)]
    return [
        Column(path, name if name != path else _label(model, path), _shown(path), number == 0)
        for number, (name, path) in enumerate(names.items())
    ]


def _label(model: Any, path: str) -> Any:
    last = None
    for name in path.split("__"):
        last = None if model is None else field_called(model, name)
        model = getattr(last, "related_model", None)
    return getattr(last, "verbose_name", path.rpartition("__")[2].replace("_", " "))


def _formatted(name: str, format: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def read(entry: Any) -> Any:
        value = getattr(entry, name)
        return EMPTY if value is None else format(value)

    return read


def _shown(path: str) -> Callable[[Any], Any]:
    relations, _, last = path.rpartition("__")
    owner_of, value_of = _reader(relations), _reader(last)

    def read(entry: Any) -> Any:
        owner = owner_of(entry)
        if owner is None:
            return EMPTY
        # What a value of choices is called.
        display = getattr(owner, f"get_{last}_display", None)
        value = value_of(owner) if display is None else display()
        return EMPTY if value is None or value == "" else value

    return read


def _reader(path: str) -> Callable[[Any], Any]:
    names = path.split("__") if path else []

    def read(entry: Any) -> Any:
        for name in names:
            entry = None if entry is None else getattr(entry, name)
        return entry

    return read

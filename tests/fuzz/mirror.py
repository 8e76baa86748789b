"""The two sides that a program is run on, and their rows: the mirror's have what the reference derives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from leaderboard import Leaderboard
from leaderboard.reference import Standing
from leaderboard.testing import reference_standings
from tests.fuzz.boards import DECLARATIONS
from tests.fuzz.models import (
    COMPOSITE_KEYS,
    Composite,
    CompositeMirror,
    CompositeMirrorNote,
    CompositeNote,
    Group,
    Inheriting,
    InheritingMirror,
    InheritingMirrorNote,
    InheritingNote,
    InSchema,
    InSchemaMirror,
    InSchemaMirrorNote,
    InSchemaNote,
    Plain,
    PlainMirror,
    PlainMirrorNote,
    PlainNote,
    Result,
    ResultMirror,
    TextKey,
    TextKeyMirror,
    TextKeyMirrorNote,
    TextKeyNote,
)
from tests.fuzz.programs import Row
from tests.fuzz.querysets import Need

__all__ = ["KINDS", "Kind", "Side", "fill", "key", "key_fields", "make_groups", "store"]

START = datetime(2026, 3, 31, 23, 59, tzinfo=UTC)


@dataclass(frozen=True)
class Side:
    """The model that a program is run on, that of its notes, and that of an inherited table."""

    model: Any
    notes: Any
    parent: Any = None

    @property
    def entries(self) -> str:
        """The path from a group to its entries."""
        return f"{self.model._meta.model_name}_set"


@dataclass(frozen=True)
class Kind:
    """A model with boards, and its mirror."""

    boards: Side
    mirror: Side

    @property
    def name(self) -> str:
        return str(self.boards.model.__name__)


KINDS = {
    kind.name: kind
    for kind in [
        Kind(Side(Plain, PlainNote), Side(PlainMirror, PlainMirrorNote)),
        Kind(Side(InSchema, InSchemaNote), Side(InSchemaMirror, InSchemaMirrorNote)),
        Kind(Side(TextKey, TextKeyNote), Side(TextKeyMirror, TextKeyMirrorNote)),
        Kind(
            Side(Inheriting, InheritingNote, Result),
            Side(InheritingMirror, InheritingMirrorNote, ResultMirror),
        ),
        *(
            [Kind(Side(Composite, CompositeNote), Side(CompositeMirror, CompositeMirrorNote))]
            if COMPOSITE_KEYS
            else []
        ),
    ]
}


def key_fields(model: Any, position: int) -> dict[str, Any]:
    """Return the fields of the primary key of the row at a position; the keys are in another order."""
    number = position * 7 % 17 + 1
    if model in (Composite, CompositeMirror):
        return {"season": number % 3, "number": number}
    if model in (TextKey, TextKeyMirror):
        return {"code": f"k'{number:02}%s"}
    return {"id": number}


def key(model: Any, position: int) -> Any:
    """Return the primary key of the row at a position, stored or not."""
    values = tuple(key_fields(model, position).values())
    return values if len(values) > 1 else values[0]


def make_groups() -> None:
    Group.objects.bulk_create(
        Group(name=name, level=level) for name, level in [("a", 1), ("b", 2), ("c", None)]
    )


def store(kind: Kind, rows: Sequence[Row], groups: Mapping[str, Group]) -> None:
    """Store the rows of the model with boards."""
    _insert(
        kind.boards,
        [kind.boards.model(**values) for values in _values(kind.boards.model, rows, groups)],
        rows,
    )


def fill(kind: Kind, rows: Sequence[Row], groups: Mapping[str, Group], needs: Mapping[str, Need]) -> None:
    """Store the rows of the mirror, with the metrics that are needed."""
    entries = [kind.mirror.model(**values) for values in _values(kind.mirror.model, rows, groups)]
    standings: dict[Any, Mapping[Any, Standing]] = {}
    populations: dict[Any, Any] = {None: None}
    is_stored = False
    changed: list[str] = []

    def write() -> None:
        if is_stored:
            kind.mirror.model.objects.bulk_update(entries, changed)
        else:
            _insert(kind.mirror, entries, rows)
        changed.clear()

    for name, need in needs.items():
        if need.population is not None and need.population not in populations:
            # It may depend on metrics that are there by now.
            write()
            is_stored = True
            populations[need.population] = set(need.population.values_list("pk", flat=True))
        arguments = {**DECLARATIONS[need.board], **need.kinds}
        wanted = (need.board, need.population, *need.kinds.items())
        if wanted not in standings:
            queryset = kind.boards.model.objects.with_leaderboard(Leaderboard(**arguments))
            standings[wanted] = reference_standings(queryset, population=populations[need.population])
        for position, entry in enumerate(entries):
            standing = standings[wanted][key(kind.boards.model, position)]
            setattr(entry, name, getattr(standing, need.metric))
        changed.append(name)
    if changed or not is_stored:
        write()


def _values(model: Any, rows: Sequence[Row], groups: Mapping[str, Group]) -> list[dict[str, Any]]:
    return [
        {
            **key_fields(model, position),
            "grp": None if row.grp is None else groups[row.grp],
            "who": row.who,
            "score": row.score,
            "laps": row.laps,
            "made": row.made,
            "started_at": START,
            "finished_at": None if row.seconds is None else START + timedelta(seconds=row.seconds),
            "flagged": row.flagged,
        }
        for position, row in enumerate(rows)
    ]


def _insert(side: Side, entries: list[Any], rows: Sequence[Row]) -> None:
    if side.parent is None:
        side.model._base_manager.bulk_create(entries)
    else:
        inherited = [field.name for field in side.parent._meta.concrete_fields]
        side.parent._base_manager.bulk_create(
            side.parent(**{name: getattr(entry, name) for name in inherited}) for entry in entries
        )
        for entry in entries:
            entry.pk = entry.id
            # Raw, which leaves the parent's row alone.
            entry.save_base(raw=True, force_insert=True)
    side.notes._base_manager.bulk_create(
        side.notes(entry=entry, points=points)
        for entry, row in zip(entries, rows, strict=True)
        for points in row.notes
    )

"""Side tables: one row for each change that waits for its column.

CREATE TABLE blog_post_comments_journal (
    id bigint PRIMARY KEY, key bigint NOT NULL, reason smallint NOT NULL DEFAULT 0,
    due boolean NOT NULL DEFAULT false,
    comment_count bigint NOT NULL DEFAULT 0)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from django.db import models
from django.db.models import Model

__all__ = ["JournalTable", "Reason", "Summand", "journal_model", "quoted", "table_name"]

# PostgreSQL's limit is 63 bytes; Django's indexes and constraints are named after the table, and shorten it.
LONGEST_NAME = 63


class Reason(IntEnum):
    """Why a row is in a side table."""

    DIRTY = -1  # it adds nothing: a write was not recorded, and its key may be wrong
    WAITING = 0  # it is read with the column, by itself or merged with others
    ORPHAN = 1  # its target could not be found; it is due, and moves to its target


@dataclass(frozen=True)
class Summand:
    """A column of the side table, and the one of the target's table that its sums go to; names unquoted."""

    name: str
    column: str
    type: str


@dataclass(frozen=True, eq=False)
class JournalTable:
    """A side table and the table whose columns its rows wait for.

    ``assignments`` is what a fold sets in a target row ``p`` by sums ``d``, where that is more than adding;
    ``refresh(keys)`` gives statements for what does not follow from sums, or nothing. ``fold_every`` is 0
    where no row is :attr:`Reason.WAITING`. A row that is *due* is looked at when its transaction commits: all
    that waits for its key becomes one row, or is moved where its target was not there.
    """

    model: type[Model]
    target: type[Model]
    target_key: Any
    summands: Sequence[Summand]
    fold_every: int = 128
    assignments: Sequence[str] = ()
    refresh: Callable[[str], Sequence[str]] = lambda keys: ()

    @property
    def table(self) -> str:
        return quoted(self.model._meta.db_table)

    @property
    def target_table(self) -> str:
        return quoted(self.target._meta.db_table)

    @property
    def target_column(self) -> str:
        return quoted(self.target_key.column)


class NoRows(models.Manager[Model]):
    """Finds nothing: ``dumpdata`` must not write what restored rows add by themselves."""

    def get_queryset(self) -> models.QuerySet[Model]:
        return super().get_queryset().none()


def quoted(name: str) -> str:
    """Return a name of a table or column as SQL. One that is quoted already stays what it is."""
    return name if name.startswith('"') and name.endswith('"') else f'"{name}"'


def table_name(*parts: str) -> str:
    """Return the name of a side table, shortened where it is too long to be told from others."""
    name = "_".join(parts)
    if len(name) <= LONGEST_NAME - 8:
        return name
    return f"{name[: LONGEST_NAME - 17]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def journal_model(
    name: str, target: type[Model], target_key: Any, db_table: str, summands: dict[str, Any]
) -> type[Model]:
    """Return a new model of the side table, in the app of ``target``; ``summands`` are fields by name."""
    meta = {
        "app_label": target._meta.app_label,
        "base_manager_name": "objects",
        "apps": target._meta.apps,
        "db_table": db_table,
        "default_permissions": (),
    }
    if not target._meta.managed:
        meta["managed"] = False
    attributes = {
        "__module__": target.__module__,
        "__doc__": f"Changes that wait for columns of {target._meta.label}.",
        "objects": NoRows(),
        "id": models.BigAutoField(primary_key=True),
        # No constraint: a row may wait for a target that is not there yet, or not any more.
        "key": models.ForeignKey(
            target,
            models.DO_NOTHING,
            to_field=target_key.name,
            db_constraint=False,
            db_column="key",
            related_name="+",
        ),
        # As a number: migrations would name the enumeration.
        "reason": models.SmallIntegerField(default=int(Reason.WAITING), db_default=int(Reason.WAITING)),
        # Beside the reason: a condition of a trigger that is a column costs half of one that compares it.
        "due": models.BooleanField(default=False, db_default=False),
        **summands,
        "Meta": type("Meta", (), meta),
    }
    return type(name, (Model,), attributes)

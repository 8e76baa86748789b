"""Which counters are built, as their database says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from leaderboard.triggers import STATE_TABLE

__all__ = [
    "STATE_TABLE",
    "Claim",
    "Known",
    "built",
    "discard_lost",
    "forget",
    "is_built",
    "progress",
    "save_built",
    "save_progress",
]


@dataclass(frozen=True)
class Claim:
    """What it takes to call a counter built: names of its table and column as SQL has them, and its triggers.

    ``waits`` is whether rows may wait for it in its side table.
    """

    name: str
    fingerprint: str
    table: str
    column: str
    kept_by: Sequence[str]
    waits: bool

    def agrees_with(self, known: Known | None) -> bool:
        """Tell whether what is known makes it a counter that is built, and is read as it is stored."""
        return known is not None and known.fingerprint == self.fingerprint and (self.waits or not known.waits)


class Known(NamedTuple):
    """What the database says of a counter that is built."""

    fingerprint: str
    waits: bool


# By alias of the database and name of the counter; of counters that are built only, as that is what lasts.
_built: dict[tuple[str, str], Known] = {}
# The column is still the one that was built, and its triggers were never missing.
HOLDS = f"""{STATE_TABLE} s JOIN pg_attribute a
ON a.attrelid = s.relation AND a.attnum = s.attribute AND NOT a.attisdropped AND s.stopped = ''"""


def discard_lost(connection: Any) -> None:
    """Delete what is known of columns that are gone, or were not kept for a while."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [STATE_TABLE])
        if cursor.fetchone()[0] is not None:
            cursor.execute(
                f"DELETE FROM {STATE_TABLE} WHERE name NOT IN (SELECT s.name FROM {HOLDS}) RETURNING name"
            )
            for (name,) in cursor.fetchall():
                _built.pop((connection.alias, name), None)


def forget() -> None:
    """Ask the databases again."""
    _built.clear()


def is_built(name: str, fingerprint: str, waits: bool, connection: Any) -> bool:
    """Tell whether a counter may be read from its column, with what waits for it or without."""

    def holds(known: Known | None) -> bool:
        return known is not None and known.fingerprint == fingerprint and (waits or not known.waits)

    if holds(_built.get((connection.alias, name))):
        return True
    for other, known in built(connection).items():
        _built[connection.alias, other] = known
    return holds(_built.get((connection.alias, name)))


def built(connection: Any) -> dict[str, Known]:
    """Return what is known of the counters that are built, by name."""
    connection.ensure_connection()
    # Not by Django's cursor: it is no query of the user's, whose tests may count them.
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        cursor.execute(f"SELECT to_regclass('{STATE_TABLE}')")
        if cursor.fetchone()[0] is None:
            return {}
        cursor.execute(f"SELECT s.name, s.fingerprint, s.waits FROM {HOLDS} WHERE s.built_at IS NOT NULL")
        return {name: Known(*known) for name, *known in cursor.fetchall()}


def progress(name: str, fingerprint: str, connection: Any) -> str | None:
    """Return the key that a backfill had come to; None where there is none to resume."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT s.built_to FROM {HOLDS} WHERE s.name = %s AND s.fingerprint = %s", [name, fingerprint]
        )
        row = cursor.fetchone()
    return None if row is None else row[0]


def save_progress(claim: Claim, key: str | None, connection: Any) -> None:
    """Store how far a backfill has come. At its start, without a key, what was known before is forgotten."""
    if key is None:
        _save(claim, "NULL", connection)
        return
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {STATE_TABLE} SET built_to = %s WHERE name = %s", [key, claim.name])


def save_built(claim: Claim, connection: Any, *, afresh: bool = False) -> None:
    """Store that a counter is right for every row of its table.

    Triggers that were missing since its backfill began are still held against it, unless ``afresh``.
    """
    if afresh:
        _save(claim, "now()", connection)
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {STATE_TABLE} SET built_to = NULL, built_at = now(), waits = %s WHERE name = %s",
            [claim.waits, claim.name],
        )


def _save(claim: Claim, built_at: str, connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {STATE_TABLE} AS s "
            "(name, fingerprint, relation, attribute, kept_by, stopped, waits, built_at) "
            f"SELECT %s, %s, a.attrelid, a.attnum, %s, '', %s, {built_at} FROM pg_attribute a "
            "WHERE a.attrelid = to_regclass(%s) AND a.attname = %s AND NOT a.attisdropped "
            "ON CONFLICT (name) DO UPDATE SET fingerprint = excluded.fingerprint, "
            "relation = excluded.relation, attribute = excluded.attribute, kept_by = excluded.kept_by, "
            "stopped = '', waits = excluded.waits, built_to = NULL, built_at = excluded.built_at",
            [
                claim.name,
                claim.fingerprint,
                "".join(f";{pgid}" for pgid in claim.kept_by) + ";",
                claim.waits,
                claim.table,
                claim.column,
            ],
        )

"""Which counters are built, as their database says."""

from __future__ import annotations

from typing import Any

__all__ = ["STATE_TABLE", "built", "forget", "is_built", "progress", "save_built", "save_progress"]

STATE_TABLE = "leaderboard_counterstate"
# By alias of the database and name of the counter; of counters that are built only, as that is what lasts.
_built: dict[tuple[str, str], str] = {}


def forget() -> None:
    """Ask the databases again."""
    _built.clear()


def is_built(name: str, fingerprint: str, connection: Any) -> bool:
    """Tell whether a counter may be read from its column."""
    if _built.get((connection.alias, name)) == fingerprint:
        return True
    for other, known in _read(connection).items():
        _built[connection.alias, other] = known
    return _built.get((connection.alias, name)) == fingerprint


def _read(connection: Any) -> dict[str, str]:
    connection.ensure_connection()
    # Not by Django's cursor: it is no query of the user's, whose tests may count them.
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        cursor.execute(f"SELECT to_regclass('{STATE_TABLE}')")
        if cursor.fetchone()[0] is None:
            return {}
        cursor.execute(f"SELECT name, fingerprint FROM {STATE_TABLE} WHERE built_at IS NOT NULL")
        return dict(cursor.fetchall())


def built(connection: Any) -> dict[str, str]:
    """Return the fingerprints of the counters that are built, by name."""
    return _read(connection)


def save_progress(name: str, fingerprint: str, key: str | None, connection: Any) -> None:
    """Store how far a backfill has come."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {STATE_TABLE} (name, fingerprint, built_to) VALUES (%s, %s, %s) ON CONFLICT (name) "
            "DO UPDATE SET fingerprint = excluded.fingerprint, built_to = excluded.built_to, built_at = CASE "
            f"WHEN {STATE_TABLE}.fingerprint = excluded.fingerprint THEN {STATE_TABLE}.built_at END",
            [name, fingerprint, key],
        )


def progress(name: str, fingerprint: str, connection: Any) -> str | None:
    """Return the key that a backfill had come to; None where there is none to resume."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT built_to FROM {STATE_TABLE} WHERE name = %s AND fingerprint = %s", [name, fingerprint]
        )
        row = cursor.fetchone()
    return None if row is None else row[0]


def save_built(name: str, fingerprint: str, connection: Any) -> None:
    """Store that a counter is right for every row of its table."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {STATE_TABLE} (name, fingerprint, built_at) VALUES (%s, %s, now()) ON CONFLICT "
            "(name) DO UPDATE SET fingerprint = excluded.fingerprint, built_to = NULL, built_at = now()",
            [name, fingerprint],
        )

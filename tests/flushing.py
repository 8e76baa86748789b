"""Emptying the database after a test that has committed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql.operations import DatabaseOperations

__all__ = ["flush_of_rows"]

_flush = DatabaseOperations.sql_flush


def flush_of_rows(operations: Any, style: Any, tables: Sequence[str], **options: Any) -> Sequence[str]:
    """Return the statements that empty those of some tables that have rows."""
    quoted = {name: operations.quote_name(name) for name in tables}
    asked = " UNION ALL ".join(f"SELECT %s WHERE EXISTS (SELECT FROM {name})" for name in quoted.values())
    with operations.connection.cursor() as cursor:
        cursor.execute(asked, [*quoted])
        filled = [name for (name,) in cursor.fetchall()]
    # Those that refer to them, which have none, too.
    return _flush(operations, style, filled, **{**options, "allow_cascade": True})

"""Minima and maxima, which do not follow from what a write adds: they are looked up where one may have gone.

UPDATE blog_post p SET last_comment_at = p.last_comment_at WHERE p.id IN …;    -- written, so locked
UPDATE blog_post p SET last_comment_at = (SELECT MAX(written_at) FROM …) WHERE p.id IN … AND …

The first writes the rows even where nothing changes, so that the second, a statement of its own, sees
whatever others had committed before they were free, and a transaction with an older snapshot fails instead of
overlooking it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leaderboard.counters.groups import Counter, CounterGroup

__all__ = ["Extremes"]


class Extremes:
    """The SQL of the extremes of a group; ``keys`` is what stands after IN: ``(SELECT …)``, ``(NEW.key)``."""

    def __init__(self, group: CounterGroup, connection: Any) -> None:
        self.group = group
        self.connection = connection

    def found(self, counter: Counter, key: str) -> str:
        """Return the extreme among the rows of a key, as a subquery. An index of key and value answers it."""
        value, condition = counter.selection(self.connection)
        where = f"{self.group.key} = {key} AND {self.group.belongs()}"
        if condition is not None:
            where += f" AND {condition}"
        return (
            f"(SELECT {counter.kept.function.upper()}({value}) FROM {self.group.source_table} WHERE {where})"
        )

    def refresh(self, keys: str) -> Sequence[str]:
        """Return the statements that look extremes up again for the rows with some keys, or none."""
        return (self.touch(keys), self.look_up(keys)) if self.group.extremes else ()

    def touch(self, keys: str, *, wait: bool = True) -> str:
        """Return the statement that locks and writes the rows, without ``wait`` those that are free."""
        table, key = self.group.target_table, f"p.{self.group.target_key}"
        touched = ", ".join(f"{each.column} = p.{each.column}" for each in self.group.extremes)
        return f"""WITH held AS MATERIALIZED (
    SELECT {key} AS _k FROM {table} p WHERE {key} IN {keys} ORDER BY {key}
    FOR NO KEY UPDATE{"" if wait else " SKIP LOCKED"}
)
UPDATE {table} p SET {touched} FROM held WHERE {key} = held._k"""

    def look_up(self, keys: str) -> str:
        """Return the statement that sets extremes to what is found, in rows that are locked already."""
        key = f"p.{self.group.target_key}"
        found = {each.column: self.found(each, key) for each in self.group.extremes}
        assignments = ", ".join(f"{column} = {extreme}" for column, extreme in found.items())
        changed = " OR ".join(f"p.{column} IS DISTINCT FROM {extreme}" for column, extreme in found.items())
        return f"UPDATE {self.group.target_table} p SET {assignments} WHERE {key} IN {keys} AND ({changed})"

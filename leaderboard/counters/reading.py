"""How a counter is read: its column, with the rows that wait for it, or counted while it is not built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leaderboard.counters.groups import Counter, CounterGroup
from leaderboard.counters.state import is_built
from leaderboard.journal.statements import waiting
from leaderboard.journal.table import JournalTable

__all__ = ["CounterReader", "HistoricalReader", "counted"]


class CounterReader:
    """Returns the SQL by which the column of a counter, or of an average of ``parts``, is read."""

    def __init__(self, group: CounterGroup, parts: Sequence[Counter], journal: JournalTable) -> None:
        self.group = group
        self.parts = parts
        self.journal = journal
        self._fingerprints: dict[str, list[str]] = {}

    def __call__(self, stored: str, alias: str, connection: Any) -> str | None:
        if self.is_built(connection):
            (counter, *others) = self.parts
            if others or not counter.in_journal:
                return None
            summand = self.group.summand(counter, connection)
            read = waiting(self.journal, summand, f"{alias}.{self.group.target_key}")
            return f"({stored} + {read})"
        return counted(self.group, self.parts, alias, connection)

    def is_built(self, connection: Any) -> bool:
        """Tell whether the columns hold the values, and those of the counters that are summed in them."""
        if connection.alias not in self._fingerprints:
            self._fingerprints[connection.alias] = [
                self.group.fingerprint(counter, connection) for counter in self.parts
            ]
        fingerprints = self._fingerprints[connection.alias]
        return all(
            is_built(counter.label, fingerprint, counter.in_journal, connection)
            for counter, fingerprint in zip(self.parts, fingerprints, strict=True)
        ) and all(
            below.reader.is_built(connection)
            for counter in self.parts
            for below in counter.counters_below()
            if below.reader is not None
        )


class HistoricalReader:
    """Returns the SQL by which a migration reads a counter: it is counted, as its models are at that time."""

    def __init__(self, group: CounterGroup, parts: Sequence[Counter]) -> None:
        self.group = group
        self.parts = parts

    def __call__(self, stored: str, alias: str, connection: Any) -> str | None:
        return counted(self.group, self.parts, alias, connection)

    def is_built(self, connection: Any) -> bool:
        return False


def counted(group: CounterGroup, parts: Sequence[Counter], alias: str, connection: Any) -> str:
    """Return the value of a counter, or of an average of ``parts``, among the rows themselves."""
    values = [_counted(group, counter, alias, connection) for counter in parts]
    read = values[0] if len(values) == 1 else f"({values[0]}::numeric / NULLIF({values[1]}, 0))"
    return read.replace("%", "%%")


def _counted(group: CounterGroup, counter: Counter, alias: str, connection: Any) -> str:
    # Of its own, as a counter of counters may be counted within it.
    rows = f"{group.slug}_rows"
    if counter.kept.is_extreme:
        value = f"{counter.kept.function.upper()}({counter.value(connection, rows)})"
    else:
        value = f"COALESCE(SUM({counter.amount(connection, rows)}), 0)::{counter.type(connection)}"
    return (
        f"(SELECT {value} FROM {group.source_table} {rows} "
        f"WHERE {rows}.{group.key} = {alias}.{group.target_key} AND {group.belongs(rows)})"
    )

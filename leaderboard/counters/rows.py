"""What the rows of a group of counters add up to, and what the counters become by it, as SQL.

SELECT post_id AS _k, CASE WHEN is_public THEN 1 ELSE 0 END AS _1 FROM new_rows WHERE post_id IS NOT NULL
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from leaderboard.counters.differences import Differences
from leaderboard.counters.extremes import Extremes
from leaderboard.counters.groups import Counter, CounterGroup, journal_of
from leaderboard.journal.table import JournalTable, quoted

__all__ = ["NEW", "OLD", "WRITTEN", "GroupRows"]

NEW, OLD = "new_rows", "old_rows"
# What PostgreSQL hands to a trigger, by event.
WRITTEN = {"insert": (NEW,), "update": (NEW, OLD), "delete": (OLD,)}


class GroupRows:
    """The rows of one group of counters on databases like ``connection``."""

    def __init__(self, group: CounterGroup, connection: Any) -> None:
        self.group = group
        self.connection = connection

    @cached_property
    def journal(self) -> JournalTable:
        return journal_of(self.group, self.connection, self.extremes.refresh, self._averages("d"))

    @cached_property
    def extremes(self) -> Extremes:
        return Extremes(self.group, self.connection)

    @cached_property
    def differences(self) -> Differences:
        return Differences(self.group, self.journal, self.rows(self.group.source_table), self.connection)

    # Rows

    def rows(self, table: str) -> str:
        """Return a query for the key of each related row and what it holds for each counter."""
        columns = [f"{self.group.key} AS _k"]
        for counter in self.group.counters:
            held = counter.value if counter.kept.is_extreme else counter.amount
            columns.append(f"{held(self.connection)} AS {counter.alias}")
        return f"SELECT {', '.join(columns)} FROM {table} WHERE {self.group.belongs()}"

    def _signed(self, event: str) -> str:
        """Return the rows of an event with their sign."""
        parts = []
        for table in WRITTEN[event]:
            sign = "1" if table == NEW else "-1"
            parts.append(f"SELECT {sign} AS _sign, r.* FROM ({self.rows(table)}) r")
        return "\n        UNION ALL\n        ".join(parts)

    def _sums(self, *, is_signed: bool) -> list[str]:
        factor = "_sign * " if is_signed else ""
        return [
            f"SUM({factor}{counter.alias})::{counter.type(self.connection)}"
            for counter in self.group.additive
        ]

    def _summed(self, *, is_signed: bool) -> list[str]:
        sums = self._sums(is_signed=is_signed)
        return [
            f"{total} AS {counter.alias}" for total, counter in zip(sums, self.group.additive, strict=True)
        ]

    # What a row of the target becomes

    def _additions(self, delta: str) -> list[str]:
        """Return what inline counters become by the sums of ``delta``."""
        return [
            *(f"{c.column} = p.{c.column} + {delta}.{c.alias}" for c in self.inline),
            *self._averages(delta, by_alias=True),
        ]

    def _averages(self, delta: str, *, by_alias: bool = False) -> list[str]:
        changed = {
            c.field.name: f"p.{c.column} + {delta}.{c.alias if by_alias else quoted(self._summand(c))}"
            for c in self.group.additive
        }
        return self.group.averages_set(changed)

    def _summand(self, counter: Counter) -> str:
        return self.group.summand(counter, self.connection).name

    @property
    def inline(self) -> Sequence[Counter]:
        return [counter for counter in self.group.additive if not counter.in_journal]

    @property
    def journaled(self) -> Sequence[Counter]:
        return [counter for counter in self.group.additive if counter.in_journal]

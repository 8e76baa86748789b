"""What counters lack, found and added in one statement, while their tables are written to.

WITH batch AS (SELECT p.id, p.comment_count … ORDER BY p.id LIMIT 1000), live AS (SELECT _k, SUM(_1) …),
drift AS (SELECT … live._1 - batch._1), held AS (… FOR NO KEY UPDATE)
UPDATE blog_post p SET comment_count = p.comment_count + drift._1 …

What is found and what is kept are read from one snapshot, and the difference is added to whatever the column
holds once its row is free: writes in between have added their own part.
"""

from __future__ import annotations

from typing import Any

from leaderboard.counters.groups import CounterGroup
from leaderboard.journal.statements import ORPHANED
from leaderboard.journal.table import JournalTable, Reason, quoted

__all__ = ["Differences"]


class Differences:
    """The statements that compare and mend a group of counters; ``rows`` is a query for its related rows."""

    def __init__(self, group: CounterGroup, journal: JournalTable, rows: str, connection: Any) -> None:
        self.group = group
        self.journal = journal
        self.rows = rows
        self.connection = connection

    def batch(self, condition: str = "") -> str:
        """Return the rows of the target that are looked at."""
        columns = "".join(f", p.{each.column} AS {each.alias}" for each in self.group.counters)
        columns += "".join(f", p.{quoted(field.column)}" for field in self.group.averages)
        return f"""batch AS MATERIALIZED (
    SELECT p.{self.group.target_key} AS _k{columns} FROM {self.group.target_table} p {condition}
)"""

    def compared(self, condition: str = "") -> str:
        """Return the queries for what is kept, found and waiting, of one snapshot."""
        found = [f"SUM({each.alias})::{each.type(self.connection)}" for each in self.group.additive]
        found += [f"{each.kept.function.upper()}({each.alias})" for each in self.group.extremes]
        counters = [*self.group.additive, *self.group.extremes]
        live = "".join(f", {value} AS {each.alias}" for value, each in zip(found, counters, strict=True))
        return f"""{self.batch(condition)}, live AS MATERIALIZED (
    SELECT r._k{live} FROM ({self.rows}) r WHERE r._k IN (SELECT b._k FROM batch b) GROUP BY r._k
), waits AS MATERIALIZED (
    SELECT j.key AS _k{self._waiting()} FROM {self.journal.table} j
    WHERE j.key IN (SELECT b._k FROM batch b) AND j.reason <> {Reason.DIRTY} GROUP BY j.key
)"""

    def drifting(self, condition: str = "", *, wait: bool = True) -> str:
        """Return the queries for the rows that lack something, and that lock these.

        Without ``wait`` the lock leaves out those that somebody else holds.
        """
        group = self.group
        missing = ", ".join(
            f"COALESCE(live.{c.alias}, 0) - b.{c.alias} - COALESCE(waits.{c.alias}, 0) AS {c.alias}"
            for c in group.additive
        )
        some = " OR ".join(f"d.{each.alias} <> 0" for each in group.additive)
        if group.averages:
            stored = {each.field.name: f"p.{each.column}" for each in group.additive}
            wrong = " OR ".join(
                f"p.{part.replace(' = ', ' IS DISTINCT FROM ', 1)}" for part in group.averages_set(stored)
            )
            some += (
                f" OR EXISTS (SELECT FROM {group.target_table} p "
                f"WHERE p.{group.target_key} = d._k AND ({wrong}))"
            )
        return f"""{self.compared(condition)}, drift AS MATERIALIZED (
    SELECT d.* FROM (
        SELECT b._k, {missing} FROM batch b
        LEFT JOIN live ON live._k = b._k LEFT JOIN waits ON waits._k = b._k
    ) d WHERE {some}
), held AS MATERIALIZED (
    SELECT p.{group.target_key} AS _k FROM {group.target_table} p
    WHERE p.{group.target_key} IN (SELECT drift._k FROM drift) ORDER BY p.{group.target_key}
    FOR NO KEY UPDATE{"" if wait else " SKIP LOCKED"}
)"""

    def wrong_extremes(self, condition: str = "") -> str:
        """Return the query for the keys of rows whose extremes differ from what is found."""
        differ = " OR ".join(
            f"b.{each.alias} IS DISTINCT FROM live.{each.alias}" for each in self.group.extremes
        )
        return f"""WITH {self.compared(condition)}
SELECT b._k FROM batch b LEFT JOIN live ON live._k = b._k WHERE {differ} ORDER BY b._k"""

    def mending(self) -> str:
        """Return the UPDATE that adds what is lacking, after the queries of :meth:`drifting`."""
        group = self.group
        changed = {each.field.name: f"p.{each.column} + drift.{each.alias}" for each in group.additive}
        additions = [f"{each.column} = {changed[each.field.name]}" for each in group.additive]
        additions += group.averages_set(changed)
        return f"""UPDATE {group.target_table} p SET {", ".join(additions)}
    FROM drift JOIN held ON held._k = drift._k WHERE p.{group.target_key} = drift._k"""

    def mend_departed(self) -> str:
        """Return the statement that lets what waits for absent rows be what their related rows make of it.

        It adds what is lacking and takes nothing away: a row that arrives meanwhile takes what waits for it.
        """
        group = self.group
        recorded = f" FILTER (WHERE j.reason <> {Reason.DIRTY})"
        names = "".join(f", {quoted(each.name)}" for each in self.journal.summands)
        lacking = "".join(
            f", COALESCE(live.{c.alias}, 0) - COALESCE(waits.{c.alias}, 0) AS {c.alias}"
            for c in group.additive
        )
        live = "".join(f", SUM(r.{c.alias}) AS {c.alias}" for c in group.additive)
        values = "".join(f", d.{c.alias}" for c in group.additive)
        some = " OR ".join(f"d.{c.alias} <> 0" for c in group.additive) or "false"
        return f"""
WITH waits AS MATERIALIZED (
    SELECT j.key AS _k{self._waiting(recorded)} FROM {self.journal.table} j
    WHERE NOT EXISTS (
        SELECT FROM {self.journal.target_table} p WHERE p.{self.journal.target_column} = j.key
    ) GROUP BY j.key
), live AS MATERIALIZED (
    SELECT r._k{live} FROM ({self.rows}) r WHERE r._k IN (SELECT waits._k FROM waits) GROUP BY r._k
), cleared AS (
    DELETE FROM {self.journal.table} j USING waits WHERE j.key = waits._k AND j.reason = {Reason.DIRTY}
)
INSERT INTO {self.journal.table} (key, reason, due{names})
SELECT d._k, {ORPHANED}{values} FROM (
    SELECT waits._k{lacking} FROM waits LEFT JOIN live ON live._k = waits._k
) d WHERE {some}"""

    def _waiting(self, among: str = "") -> str:
        return "".join(
            f", (SUM(j.{quoted(summand.name)}){among})::{summand.type} AS {each.alias}"
            for summand, each in zip(self.journal.summands, self.group.additive, strict=True)
        )

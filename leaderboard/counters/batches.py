"""Comparing and mending the counters of some rows at a time, while their tables are written to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connections, transaction

from leaderboard.counters.bodies import Bodies
from leaderboard.counters.groups import CounterGroup
from leaderboard.counters.installed import TriggerStanding, standings_of
from leaderboard.counters.state import STATE_TABLE, Claim, built
from leaderboard.journal.statements import discard_balanced, fold, merge
from leaderboard.journal.table import Reason, quoted
from leaderboard.journal.triggers import UPKEEP

__all__ = ["Batches", "Drift", "Report"]

KEPT_DRIFTS = 1000
# The class of the advisory locks under which counters are mended, one for each side table: "lead" in ASCII.
MENDING = 0x6C656164
# Their rows are held until all of them are looked up.
LOOKED_UP_AT_ONCE = 100


@dataclass(frozen=True)
class Drift:
    """A row whose counter differs from what its related rows make of it."""

    counter: str
    key: Any
    stored: Any
    counted: Any


@dataclass
class Report:
    """What was done for the counters of one model over one relation.

    ``rows`` is how many rows of the model were seen, ``wrong`` how many values were wrong, and ``drifts``
    the first 1,000 of these, where they were looked for. ``left_over`` is how many rows are in the side
    table although their transaction is over. ``unguarded`` are triggers that are missing or disabled, on a
    partition too: ``manage.py pgtrigger install`` brings them back, and ``repair`` what they have missed.
    ``not_built`` are counters whose columns nobody reads, so that nothing is said of them.
    """

    counters: list[str]
    rows: int = 0
    wrong: int = 0
    left_over: int = 0
    unguarded: list[str] = field(default_factory=list)
    drifts: list[Drift] = field(default_factory=list)
    not_built: list[str] = field(default_factory=list)


class Batches:
    """The upkeep of one group of counters on one database, some rows at a time."""

    def __init__(self, bodies: Bodies, using: str) -> None:
        self.bodies = bodies
        self.group: CounterGroup = bodies.group
        self.journal = bodies.journal
        self.differences = bodies.differences
        self.connection = connections[using]
        self.using = using
        if self.connection.vendor != "postgresql":
            raise ImproperlyConfigured(f"Counters need PostgreSQL; {using!r} is {self.connection.vendor}.")

    @property
    def labels(self) -> list[str]:
        return [field.label for field in self.group.fields]

    def claims(self) -> list[Claim]:
        """Return what the counters mean, and what keeps them."""
        kept_by = [trigger.get_pgid(model) for model, trigger in self.bodies.triggers]
        return [
            Claim(
                each.label,
                self.group.fingerprint(each, self.connection),
                self.group.target_table,
                each.field.column,
                kept_by,
                each.in_journal,
            )
            for each in self.group.counters
        ]

    def not_built(self) -> list[Claim]:
        """Return the claims that the database does not confirm: their counters are counted on every read."""
        known = built(self.connection)
        return [claim for claim in self.claims() if not claim.agrees_with(known.get(claim.name))]

    def is_present(self) -> bool:
        """Tell whether the tables and the columns are in the database."""
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT to_regclass(%s) IS NOT NULL AND to_regclass(%s) IS NOT NULL "
                "AND to_regclass(%s) IS NOT NULL AND count(*) = %s "
                "FROM pg_attribute "
                "WHERE attrelid = to_regclass(%s) AND attname = ANY(%s) AND NOT attisdropped",
                [
                    STATE_TABLE,
                    self.journal.table,
                    self.group.source_table,
                    len(self.group.fields),
                    self.group.target_table,
                    [each.column for each in self.group.fields],
                ],
            )
            return bool(cursor.fetchone()[0])

    def amiss(self) -> list[TriggerStanding]:
        """Return the triggers that are missing, disabled or of another version."""
        standings = standings_of(self.bodies.triggers, self.connection)
        return [standing for standing in standings if standing.state != "installed"]

    def unguarded(self) -> list[str]:
        """Return the triggers that are not there or not enabled: ``table: function``."""
        names = [
            (quoted(trigger.table_on(model)), trigger.get_pgid(model))
            for model, trigger in self.bodies.triggers
        ]
        with self.connection.cursor() as cursor:
            cursor.execute(UNGUARDED, [[table for table, _ in names], [name for _, name in names]])
            return [f"{table}: {name}" for table, name in cursor.fetchall()]

    def hidden(self) -> list[str]:
        """Return the tables whose rows policies hide from the owner of the functions."""
        group = self.group
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT c.oid::regclass::text "
                "FROM pg_class c, pg_proc f JOIN pg_roles r ON r.oid = f.proowner "
                "WHERE c.oid = ANY(%s::regclass[]) AND f.proname = ANY(%s) AND pg_function_is_visible(f.oid) "
                "AND c.relrowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls "
                "AND (c.relforcerowsecurity OR NOT pg_has_role(f.proowner, c.relowner, 'USAGE')) ORDER BY 1",
                [
                    [group.target_table, group.source_table, self.journal.table],
                    [trigger.get_pgid(model) for model, trigger in self.bodies.triggers],
                ],
            )
            return [name for (name,) in cursor.fetchall()]

    def require_finite(self) -> None:
        """Raise ``ValueError`` where a sum would be no finite number."""
        if not (query := self.bodies.infinite(self.group.source_table)):
            return
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT EXISTS ({_escaped(query)})", [])
            (is_found,) = cursor.fetchone()
        if is_found:
            raise ValueError(
                f"{', '.join(self.labels)}: there is NaN or Infinity in what is summed. "
                "No sum loses it again, so it cannot be kept."
            )

    # What they are for

    def mend(self, report: Report, size: int, after: Any, *, only_dirty: bool = False) -> Any:
        """Mend the rows after a key; return the last key, None at the end.

        While it waits for a row that somebody holds, it holds no other.
        """
        dirty = f"SELECT j.key FROM {self.journal.table} j WHERE j.reason = {Reason.DIRTY}"
        key = f"p.{self.group.target_key}"
        batch = self._after(after, size, f"{key} IN ({dirty})" if only_dirty else "")
        with self._repairing() as run:
            rows = run(f"SELECT {key} FROM {self.group.target_table} p {batch}", after=after)
        keys = [key for (key,) in rows]
        if not keys:
            return None
        # Marks that come later may be of rows that were looked at already.
        marks = self._marks(keys)
        report.wrong += self._mend_extremes(keys) + self._mend_sums(keys, marks)
        report.rows += len(keys)
        return keys[-1]

    def _mend_sums(self, keys: Sequence[Any], marks: Sequence[int]) -> int:
        """Mend the sums of some rows and take their marks away; return how many were wrong."""
        with self._repairing(alone=True) as run:
            rows = run(self._mend(wait=False), keys=keys, marks=marks)
        for held in [key for _, key in rows if key is not None]:
            with self._repairing(alone=True) as run:
                run(self._mend(wait=True), keys=[held], marks=marks)
        return int(rows[0][0])

    def _mend_extremes(self, keys: Sequence[Any]) -> int:
        """Mend the extremes of some rows; return how many rows were wrong."""
        if not self.group.extremes:
            return 0
        with self._repairing() as run:
            chosen = f"WHERE p.{self.group.target_key} IN {self._chosen}"
            found = run(self.differences.wrong_extremes(chosen), keys=keys)
        wrong = [key for (key,) in found]
        changed = 0
        for start in range(0, len(wrong), LOOKED_UP_AT_ONCE):
            some = wrong[start : start + LOOKED_UP_AT_ONCE]
            free = self._look_up(some, wait=False)
            changed += len(free)
            for key in set(some).difference(free):
                changed += len(self._look_up([key], wait=True))
        return changed

    def _look_up(self, keys: Sequence[Any], *, wait: bool) -> list[Any]:
        with self._repairing() as run:
            return self._refresh(run, keys, wait=wait)

    def _marks(self, keys: Sequence[Any]) -> list[int]:
        """Return the rows of the side table that say of some keys that they may be wrong."""
        with self._repairing() as run:
            marks = f"SELECT j.id FROM {self.journal.table} j WHERE j.reason = {Reason.DIRTY}"
            return [mark for (mark,) in run(f"{marks} AND j.key IN {self._chosen}", keys=keys)]

    def compare(self, report: Report, size: int, after: Any) -> Any:
        """Compare the rows after a key; return the last key, None at the end."""
        with self.connection.cursor() as cursor:
            cursor.execute(_escaped(self._compare(self._after(after, size))), {"after": after})
            rows = cursor.fetchall()
        fields = [each.field for each in [*self.group.additive, *self.group.extremes]]
        for row in rows:
            for each, kept, found in zip([*fields, *self.group.averages], row[1::2], row[2::2], strict=True):
                if kept != found and each.label not in report.not_built:
                    report.wrong += 1
                    if len(report.drifts) < KEPT_DRIFTS:
                        report.drifts.append(Drift(each.label, row[0], kept, found))
        report.rows += len(rows)
        return rows[-1][0] if rows else None

    def left_over(self) -> int:
        """Return how many rows of the side table are there although their transaction is over."""
        there = f"SELECT FROM {self.journal.target_table} p WHERE p.{self.journal.target_column} = j.key"
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*) FROM {self.journal.table} j WHERE j.reason = {Reason.DIRTY} "
                f"OR j.reason = {Reason.ORPHAN} AND EXISTS ({there})"
            )
            return int(cursor.fetchone()[0])

    def fold(self, size: int, *, wait: bool = False) -> int:
        """Merge the rows that wait, and move those that are left over; return how many keys had some.

        What is locked is left to the next time. With ``wait`` it is waited for, and all rows move.
        """
        folded, after = 0, None
        left_over = f"bool_or(j.reason = {Reason.ORPHAN})"
        several = "" if wait else f"HAVING count(*) > 1 OR {left_over} "
        while True:
            beyond = "" if after is None else " AND j.key > %(after)s"
            waiting = (
                f"SELECT j.key, {left_over} FROM {self.journal.table} j "
                f"WHERE j.reason <> {Reason.DIRTY}{beyond} GROUP BY j.key {several}"
                f"ORDER BY j.key LIMIT {size}"
            )
            with self._repairing() as run:
                found = run(waiting, after=after)
                keys = [key for key, _ in found]
                if not keys:
                    return folded
                orphans = [key for key, is_orphan in found if is_orphan]
                if self.journal.fold_every and not wait:
                    run(merge(self.journal, self._chosen), keys=keys)
                if orphans or wait:
                    run(fold(self.journal, self._chosen, wait=wait), keys=keys)
                self._refresh(run, orphans, wait=wait)
                run(discard_balanced(self.journal, self._chosen), keys=keys)
            folded, after = folded + len(keys), keys[-1]

    def _refresh(self, run: Any, keys: Sequence[Any], *, wait: bool) -> list[Any]:
        """Look extremes up in rows, in those that are free or in all; return the keys of these."""
        extremes = self.bodies.extremes
        if not self.group.extremes or not keys:
            return []
        touch = f"{extremes.touch(self._chosen, wait=wait)} RETURNING p.{self.group.target_key}"
        touched = [key for (key,) in run(touch, keys=keys)]
        run(extremes.look_up(self._chosen), keys=touched)
        return touched

    def mend_departed(self) -> None:
        """Let what waits for rows that are not there be what their related rows make of it."""
        with self._repairing(alone=True) as run:
            run(self.differences.mend_departed())

    # Statements

    def _after(self, after: Any, size: int, condition: str = "") -> str:
        key = f"p.{self.group.target_key}"
        # A row without a key has nothing to count, and cannot be written to.
        conditions = [f"{key} IS NOT NULL"] if self.group.link.target_key.null else []
        conditions += [condition] if condition else []
        if after is not None:
            conditions.append(f"{key} > %(after)s")
        where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
        return f"{where}ORDER BY {key} LIMIT {size}"

    @property
    def _chosen(self) -> str:
        """Keys that are given to a statement, as what stands after IN."""
        return f"(SELECT unnest(%(keys)s::{self.group.link.target_key.rel_db_type(self.connection)}[]))"

    def _mend(self, *, wait: bool) -> str:
        """Return the statement that adds what is missing from the sums of the chosen rows.

        Its rows have how many were wrong, and those of these that somebody else holds.
        """
        differences = self.differences
        cleared = f"DELETE FROM {self.journal.table} j WHERE j.id = ANY(%(marks)s::bigint[])"
        if not self.group.additive:
            return f"WITH cleared AS ({cleared}) SELECT 0, NULL"
        chosen = f"WHERE p.{self.group.target_key} IN {self._chosen}"
        return f"""WITH {differences.drifting(chosen, wait=wait)}, mended AS (
    {differences.mending()}
), skipped AS MATERIALIZED (
    SELECT drift._k FROM drift WHERE drift._k NOT IN (SELECT held._k FROM held)
), cleared AS (
    {cleared} AND j.key NOT IN (SELECT skipped._k FROM skipped)
)
SELECT (SELECT count(*) FROM drift), skipped._k FROM (VALUES (1)) one LEFT JOIN skipped ON true"""

    def _compare(self, keys: str) -> str:
        """Return the query for the rows of a batch, with what each counter is and what is found."""
        columns = []
        for each in self.group.additive:
            columns.append(f"b.{each.alias} + COALESCE(waits.{each.alias}, 0)")
            columns.append(f"COALESCE(live.{each.alias}, 0)")
        for each in self.group.extremes:
            columns += [f"b.{each.alias}", f"live.{each.alias}"]
        found = {each.field.name: f"COALESCE(live.{each.alias}, 0)" for each in self.group.additive}
        for part in self.group.averages_set(found):
            column, _, average = part.partition(" = ")
            columns += [f"b.{column}", average]
        return f"""WITH {self.differences.compared(keys)}
SELECT b._k, {", ".join(columns)} FROM batch b
LEFT JOIN live ON live._k = b._k LEFT JOIN waits ON waits._k = b._k ORDER BY b._k"""

    @contextmanager
    def _repairing(self, *, alone: bool = False) -> Iterator[Any]:
        """Open a transaction in which the guards let us write, and yield what runs statements in it.

        With ``alone`` no other is open: a difference that another has added meanwhile would be added again.
        """
        is_outermost = not self.connection.in_atomic_block

        def run(sql: str, **params: Any) -> list[tuple[Any, ...]]:
            cursor.execute(_escaped(sql), params)
            return cursor.fetchall() if cursor.description else []

        with transaction.atomic(using=self.using), self.connection.cursor() as cursor:
            if is_outermost:
                # An older snapshot would fail where somebody has written, instead of reading the row anew.
                cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cursor.execute(f"SELECT set_config('{UPKEEP}', 'on', true)")
            if alone:
                # In a statement of its own, before the snapshot of the one that finds differences.
                cursor.execute(
                    f"SELECT pg_advisory_xact_lock({MENDING}, %s::regclass::oid::int)", [self.journal.table]
                )
            yield run
            cursor.execute(f"SELECT set_config('{UPKEEP}', '', true)")


PERCENT = re.compile(r"%(?!\((?:after|keys|marks)\)s)")
UNGUARDED = """
SELECT t.relid::regclass::text, expected.function
FROM unnest(%s::text[], %s::text[]) expected (name, function) CROSS JOIN LATERAL (
    SELECT to_regclass(expected.name) AS relid
    UNION SELECT p.relid FROM pg_partition_tree(to_regclass(expected.name)) p
) t JOIN pg_class c ON c.oid = t.relid
WHERE c.relkind IN ('r', 'p') AND NOT EXISTS (
    SELECT FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
    WHERE g.tgrelid = t.relid AND p.proname = expected.function AND g.tgenabled IN ('O', 'A')
) ORDER BY 1, 2"""


def _escaped(sql: str) -> str:
    """Return SQL in which only our own parameters are parameters; a filter may have any text."""
    return PERCENT.sub("%%", sql)

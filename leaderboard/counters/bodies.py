"""The bodies of the triggers that keep a group of counters, version 1.

Rewording one writes a migration for every user.

AFTER INSERT ON blog_comment:

    FOR _change_k, _change_1 IN SELECT … FROM new_rows LOOP … EXIT WHEN _change_more; END LOOP;
    IF NOT _change_more THEN UPDATE blog_post SET …; RETURN NULL; END IF;                       -- one row
    WITH delta AS (SELECT _k, SUM(_1) … GROUP BY _k), held AS (SELECT … FOR NO KEY UPDATE),
    added AS (UPDATE blog_post p SET comment_count = p.comment_count + delta._1 … RETURNING …)
    INSERT INTO blog_post_comments_journal …                            -- journals, and what has no parent

Old rows are counted with a minus, so nothing joins them to new ones, and a changed primary key does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leaderboard.counters.groups import Counter, CounterGroup
from leaderboard.counters.rows import NEW, OLD, WRITTEN, GroupRows
from leaderboard.journal.statements import ORPHANED, chance_to_merge, fold, mark_dirty
from leaderboard.journal.table import Reason, quoted
from leaderboard.journal.triggers import OLD_SNAPSHOT

__all__ = ["IGNORE", "IGNORED", "Bodies"]

# A setting, local to a transaction: writes are not recorded, but that they were made is.
IGNORE = "leaderboard.ignore"
IGNORED = f"current_setting('{IGNORE}', true) = 'on'"
NO_OLD_SNAPSHOT = f"""
IF {OLD_SNAPSHOT} THEN
    RAISE EXCEPTION 'TRUNCATE of a table with counters needs READ COMMITTED'
    USING ERRCODE = 'feature_not_supported',
    HINT = 'Its snapshot may be older than rows that it removes. Use DELETE.';
END IF;"""
# Variables: what the statement adds, and what an updated row held before. No column has such a name.
CHANGE, BEFORE = "_change", "_before"
# NULL where a table had no row of the group.
NOT_MORE = "(_change_more OR _before_more) IS NOT TRUE"


class Bodies(GroupRows):
    """The bodies of the triggers of one group of counters on databases like ``connection``."""

    def __init__(self, group: CounterGroup, connection: Any) -> None:
        super().__init__(group, connection)
        # With their models; set when they are registered.
        self.triggers: Sequence[tuple[Any, Any]] = []

    # Writes to related rows

    def write(self, event: str) -> str:
        """Return the body for an INSERT, UPDATE or DELETE of related rows."""
        group = self.group
        keys = " UNION ALL ".join(
            f"SELECT {group.key} FROM {table} WHERE {group.belongs()}" for table in WRITTEN[event]
        )
        if group.extremes and event != "insert":
            way = (self._unchanged() if event == "update" else "") + self._looking_up(event)
        else:
            way = self._fast(event) + self._general(event)
        return f"""
/*{self._meanings()} */
IF {IGNORED} THEN
    {mark_dirty(self.journal, keys)};
    RETURN NULL;
END IF;{self._refusal(event)}{way}
RETURN NULL;"""

    def _meanings(self) -> str:
        """Return what a trigger keeps: one that replaces another tells by it whether that is the same."""
        fingerprints = {
            each.label: self.group.fingerprint(each, self.connection) for each in self.group.counters
        }
        return "".join(f" {label}={fingerprint};" for label, fingerprint in fingerprints.items())

    def infinite(self, table: str) -> str:
        """Return the query for the rows that have a value which no sum could lose again, or nothing."""
        sums = [
            f"r.{c.alias} IN ('NaN', 'Infinity', '-Infinity')"
            for c in self.group.additive
            if c.may_be_infinite
        ]
        return f"SELECT FROM ({self.rows(table)}) r WHERE {' OR '.join(sums)}" if sums else ""

    def _refusal(self, event: str) -> str:
        tests = [f"EXISTS ({query})" for table in WRITTEN[event] if (query := self.infinite(table))]
        if not tests:
            return ""
        return f"""
IF {" OR ".join(tests)} THEN
    RAISE EXCEPTION 'NaN or Infinity in what a counter of {self.group.slug} sums'
    USING ERRCODE = 'numeric_value_out_of_range',
    HINT = 'No sum loses it again. Write it within leaderboard.ignore(), and repair when it is gone.';
END IF;"""

    def declare(self, event: str) -> str:
        """Return the variables of :meth:`write`."""
        group = self.group
        key_type = group.link.target_key.rel_db_type(self.connection)
        names = [f"_touched {key_type}[];"] if group.extremes else []
        for side in (CHANGE, BEFORE) if event == "update" else (CHANGE,):
            names += [f"{side}_more boolean;", f"{side}_k {key_type};"]
            names += [f"{side}{c.alias} {c.type(self.connection)};" for c in group.counters]
        return f"DECLARE {' '.join(names)}"

    def _first(self, table: str, side: str) -> str:
        """Return the loop that reads the first row into variables, and whether there are others.

        It sorts and sums nothing, which takes longer than all else where there is one row. Nor does it read
        the table twice.
        """
        counters = self.group.counters
        values = "".join(f", r.{c.alias}::{c.type(self.connection)}" for c in counters)
        into = "".join(f", {side}{c.alias}" for c in counters)
        return f"""
FOR {side}_k{into} IN
    SELECT r._k{values} FROM ({self.rows(table)}) r
LOOP
    {side}_more := {side}_more IS NOT NULL;
    EXIT WHEN {side}_more;
END LOOP;"""

    def _fast(self, event: str) -> str:
        """Return the way for a single row: no sort, no lock beside the one that the UPDATE takes."""
        group = self.group
        if event == "update":
            first = self._first(NEW, CHANGE) + self._first(OLD, BEFORE)
            nothing = "_change_k IS NULL AND _before_k IS NULL"
            is_single = f"NOT ({nothing}) AND {NOT_MORE} AND COALESCE(_change_k = _before_k, true)"
            steps = ["_change_k := COALESCE(_change_k, _before_k);"]
            steps += [
                f"_change{c.alias} := COALESCE(_change{c.alias}, 0) - COALESCE(_before{c.alias}, 0);"
                for c in group.additive
            ]
        else:
            first = self._first(NEW if event == "insert" else OLD, CHANGE)
            nothing, is_single = "_change_more IS NULL", "NOT _change_more"
            steps = (
                []
                if event == "insert"
                else [f"_change{c.alias} := -_change{c.alias};" for c in group.additive]
            )
        if not group.extremes:
            # An extreme is written even where nothing changes: who looks it up meanwhile shall fail.
            same = " AND ".join(f"_change{c.alias} = 0" for c in group.additive)
            steps.append(f"IF {same} THEN\n        RETURN NULL;\n    END IF;")
        before = "".join(f"\n    {step}" for step in steps)
        return f"""{first}
IF {is_single} THEN{before}{self._single()}
    RETURN NULL;
ELSIF {nothing} THEN
    RETURN NULL;
END IF;"""

    def _unchanged(self) -> str:
        """Return the way for a single row that holds what it held: nothing is written."""
        same = [f"_change{each} IS NOT DISTINCT FROM _before{each}" for each in ("_k", *self._aliases())]
        return f"""{self._first(NEW, CHANGE)}{self._first(OLD, BEFORE)}
IF {NOT_MORE} AND {" AND ".join(same)} THEN
    RETURN NULL;
END IF;"""

    def _aliases(self) -> list[str]:
        return [counter.alias for counter in self.group.counters]

    def _single(self) -> str:
        group = self.group
        inline = [*self.inline, *group.extremes]
        parts = []
        if self.journaled:
            condition = " OR ".join(f"_change{c.alias} <> 0" for c in self.journaled)
            names = ", ".join(quoted(self._summand(c)) for c in self.journaled)
            values = ", ".join(f"_change{c.alias}" for c in self.journaled)
            insert = (
                f"INSERT INTO {self.journal.table} (key, due, {names}) "
                f"VALUES (_change_k, {chance_to_merge(self.journal)}, {values});"
            )
            parts.append(insert if not inline else f"IF {condition} THEN\n        {insert}\n    END IF;")
        if inline:
            changed = {c.field.name: f"{c.column} + _change{c.alias}" for c in group.additive}
            assignments = [f"{c.column} = {c.column} + _change{c.alias}" for c in self.inline]
            assignments += self.group.averages_set(changed)
            assignments += [self._merged(c, c.column, f"_change{c.alias}") for c in group.extremes]
            names = "".join(f", {quoted(self._summand(c))}" for c in self.inline)
            values = "".join(f", _change{c.alias}" for c in self.inline)
            update = f"""UPDATE {group.target_table} SET {", ".join(assignments)}
    WHERE {group.target_key} = _change_k;
    IF NOT FOUND THEN
        INSERT INTO {self.journal.table} (key, reason, due{names}) VALUES (_change_k, {ORPHANED}{values});
    END IF;"""
            if self.journaled and not group.extremes:
                condition = " OR ".join(f"_change{c.alias} <> 0" for c in self.inline)
                update = f"IF {condition} THEN\n    {update}\n    END IF;"
            parts.append(update)
        return "".join(f"\n    {part}" for part in parts)

    @staticmethod
    def _merged(counter: Counter, column: str, value: str) -> str:
        function = "GREATEST" if counter.kept.function == "max" else "LEAST"
        return f"{counter.column} = {function}({column}, {value})"

    def _delta(self, event: str) -> str:
        """Return the query for what an event adds to each key; keys that it adds nothing to are left out."""
        group = self.group
        is_signed = event != "insert"
        source = self._signed(event) if is_signed else self.rows(NEW)
        columns = self._summed(is_signed=is_signed)
        columns += [f"{c.kept.function.upper()}({c.alias}) AS {c.alias}" for c in group.extremes]
        some = " OR ".join(f"{total} <> 0" for total in self._sums(is_signed=is_signed))
        having = "" if group.extremes else f"\n    HAVING {some}"
        return f"""SELECT _k, {", ".join(columns)} FROM (
        {source}
    ) signed GROUP BY _k{having}"""

    def _general(self, event: str) -> str:
        """Return the way for many rows: one statement that locks targets in the order of their keys."""
        group = self.group
        inline = [*self.inline, *group.extremes]
        if not inline:
            names = ", ".join(quoted(self._summand(c)) for c in self.journaled)
            return f"""
INSERT INTO {self.journal.table} (key, {names}, due)
SELECT delta.*, {chance_to_merge(self.journal)} FROM (
    {self._delta(event)}
) delta;"""
        additions = [
            *self._additions("delta"),
            *(self._merged(c, f"p.{c.column}", f"delta.{c.alias}") for c in group.extremes),
        ]
        return f"""
WITH delta AS MATERIALIZED (
    {self._delta(event)}
), {self._added("delta", additions)}
{self._record("delta")};"""

    def _added(self, delta: str, additions: Sequence[str]) -> str:
        group = self.group
        return f"""held AS MATERIALIZED (
    SELECT p.{group.target_key} AS _k FROM {group.target_table} p
    WHERE p.{group.target_key} IN (SELECT {delta}._k FROM {delta})
    ORDER BY p.{group.target_key} FOR NO KEY UPDATE
), added AS (
    UPDATE {group.target_table} p SET {", ".join(additions)}
    FROM {delta} JOIN held ON held._k = {delta}._k WHERE p.{group.target_key} = {delta}._k
    RETURNING {delta}._k
)"""

    def _record(self, delta: str) -> str:
        """Return the statement that inserts what waits, and what found no target.

        In the order of keys, in which those without a target lock them when the transaction commits.
        """
        orphan = "added._k IS NULL"
        names, values = ["key", "reason", "due"], [f"{delta}._k", ORPHANED]
        if self.journaled:
            reason = f"CASE WHEN {orphan} THEN {Reason.ORPHAN} ELSE {Reason.WAITING} END"
            values = [f"{delta}._k", reason, f"{orphan} OR {chance_to_merge(self.journal)}"]
        for counter in self.group.additive:
            names.append(quoted(self._summand(counter)))
            value = f"{delta}.{counter.alias}"
            is_recorded = counter.in_journal or not self.journaled
            values.append(value if is_recorded else f"CASE WHEN {orphan} THEN {value} ELSE 0 END")
        waits = "".join(f" OR {delta}.{c.alias} <> 0" for c in self.journaled)
        return f"""INSERT INTO {self.journal.table} ({", ".join(names)})
SELECT {", ".join(values)}
FROM {delta} LEFT JOIN added ON added._k = {delta}._k WHERE {orphan}{waits} ORDER BY {delta}._k"""

    def _looking_up(self, event: str) -> str:
        """Return the way where an extreme may have gone: write the targets, then look it up.

        A second statement sees what was committed while the first waited for a lock; one statement does not.
        """
        group = self.group
        signed = self._signed(event)
        sums = self._summed(is_signed=True)
        changed = "".join(f" OR {total} <> 0" for total in self._sums(is_signed=True))
        held = ", ".join(c.alias for c in group.extremes)
        columns = "".join(f", {column}" for column in sums)
        additions = [*self._additions("delta"), *(f"{c.column} = p.{c.column}" for c in group.extremes)]
        return f"""
WITH signed AS MATERIALIZED (
        {signed}
), /* what came and went with the same value cancels out */ moved AS MATERIALIZED (
    SELECT DISTINCT _k FROM (SELECT _k FROM signed GROUP BY _k, {held} HAVING SUM(_sign) <> 0) m
), delta AS MATERIALIZED (
    SELECT _k{columns} FROM signed GROUP BY _k HAVING _k IN (SELECT _k FROM moved){changed}
), {self._added("delta", additions)}, recorded AS (
    {self._record("delta")}
)
SELECT array_agg(delta._k) INTO _touched FROM delta;
IF _touched IS NULL THEN
    RETURN NULL;
END IF;
{self.extremes.look_up("(SELECT unnest(_touched))")};"""

    def truncate(self) -> str:
        """Return the body for a TRUNCATE of related rows: of all, or of those in one partition."""
        group = self.group
        table = group.target_table
        emptied = [f"{c.column} = 0" for c in group.additive]
        emptied += [
            f"{quoted(f.column)} = NULL" for f in [*group.averages, *(c.field for c in group.extremes)]
        ]
        kept = [f"{c.column} <> 0" for c in group.additive]
        kept += [f"{c.column} IS NOT NULL" for c in group.extremes]
        # A fold that is not committed has moved rows which the DELETE waits for to a column which the UPDATE
        # does not see yet. Nor does the DELETE see what a target leaves behind that is gone meanwhile.
        return f"""{NO_OLD_SNAPSHOT}
LOCK TABLE {self.journal.table} IN SHARE ROW EXCLUSIVE MODE;
IF EXISTS (SELECT FROM {group.source_table}) THEN{self._recounted()}
    RETURN NULL;
END IF;
UPDATE {table} SET {", ".join(emptied)} WHERE {" OR ".join(kept)};
DELETE FROM {self.journal.table};
RETURN NULL;"""

    def recount(self) -> str:
        """Return the body for a TRUNCATE of the side table: what has waited is found again."""
        return f"{NO_OLD_SNAPSHOT}{self._recounted()}\nRETURN NULL;"

    def _recounted(self) -> str:
        group = self.group
        key = f"p.{group.target_key}"
        some = " OR ".join(f"p.{c.column} IS NOT NULL" for c in group.extremes)
        statements = list(self.extremes.refresh(f"(SELECT {key} FROM {group.target_table} p WHERE {some})"))
        if group.additive:
            statements.append(f"WITH {self.differences.drifting()}\n{self.differences.mending()}")
        statements.append(self.differences.mend_departed())
        return "".join(f"\n    {statement};" for statement in statements)

    # Writes to targets

    def arrive(self) -> str:
        """Return the body for an INSERT of targets: what has waited for them is theirs."""
        group = self.group
        keys = f"(SELECT n.{group.target_key} FROM {NEW} n)"
        waits = f"EXISTS (SELECT FROM {self.journal.table} j)"
        statements = [f"IF {waits} THEN\n    {fold(self.journal, keys, wait=True)};\nEND IF;"]
        if group.extremes:
            found = ", ".join(
                f"{c.column} = {self.extremes.found(c, f'p.{group.target_key}')}" for c in group.extremes
            )
            some = " OR ".join(
                f"{self.extremes.found(c, f'n.{group.target_key}')} IS NOT NULL" for c in group.extremes
            )
            statements.append(
                f"UPDATE {group.target_table} p SET {found} WHERE p.{group.target_key} IN "
                f"(SELECT n.{group.target_key} FROM {NEW} n WHERE {some});"
            )
        return "\n" + "\n".join([*statements, "RETURN NULL;"])

    def leave(self) -> str:
        """Return the body for a DELETE of targets: what they kept waits for rows that go, or for another."""
        names = "".join(f", {quoted(self._summand(c))}" for c in self.group.additive)
        values = "".join(f", o.{c.column}" for c in self.group.additive)
        kept = " OR ".join(f"o.{c.column} <> 0" for c in self.group.additive) or "false"
        return f"""
INSERT INTO {self.journal.table} (key, reason, due{names})
SELECT o.{self.group.target_key}, {ORPHANED}{values} FROM {OLD} o
WHERE {kept} OR EXISTS (SELECT FROM {self.journal.table} j WHERE j.key = o.{self.group.target_key})
ORDER BY o.{self.group.target_key};
RETURN NULL;"""

    def rekey(self) -> str:
        """Return the body for a changed key of a target: it leaves the old one and arrives at the new one."""
        group = self.group
        additive = group.additive
        names = "".join(f", {quoted(self._summand(c))}" for c in additive)
        values = "".join(f", OLD.{c.column}" for c in additive)
        # A row without a key had nothing.
        steps = [
            f"INSERT INTO {self.journal.table} (key, reason, due{names}) "
            f"SELECT OLD.{group.target_key}, {ORPHANED}{values} "
            f"WHERE OLD.{group.target_key} IS NOT NULL;"
        ]
        if additive:
            totals = ", ".join(f"COALESCE(SUM(j.{quoted(self._summand(c))}), 0)" for c in additive)
            into = ", ".join(f"NEW.{c.column}" for c in additive)
            taken = (
                f"DELETE FROM {self.journal.table} j WHERE j.key = NEW.{group.target_key} "
                f"AND j.reason <> {Reason.DIRTY} RETURNING j.*"
            )
            steps.append(f"WITH j AS ({taken}) SELECT {totals} INTO {into} FROM j;")
        changed = {c.field.name: f"NEW.{c.column}" for c in additive}
        steps += [f"NEW.{part.replace(' = ', ' := ', 1)};" for part in group.averages_set(changed)]
        steps += [
            f"NEW.{c.column} := {self.extremes.found(c, f'NEW.{group.target_key}')};" for c in group.extremes
        ]
        return "\n" + "\n".join([*steps, "RETURN NEW;"])

    def empty(self) -> str:
        """Return the body for a TRUNCATE of targets: what is left of related rows waits for others."""
        if not self.group.additive:
            return "RETURN NULL;"
        names = "".join(f", {quoted(self._summand(c))}" for c in self.group.additive)
        columns = ", ".join(self._summed(is_signed=False))
        some = " OR ".join(f"{total} <> 0" for total in self._sums(is_signed=False))
        return f"""{NO_OLD_SNAPSHOT}
WITH gone AS (
    DELETE FROM {self.journal.table}
) /* in one statement: what comes to wait meanwhile is not among the rows that are found */
INSERT INTO {self.journal.table} (key, reason, due{names})
SELECT _k, {ORPHANED}, {columns} FROM ({self.rows(self.group.source_table)}) r GROUP BY _k HAVING {some};
RETURN NULL;"""

"""The statements of a journal. Keys are given as SQL: ``(SELECT …)`` or ``(NEW.key)``, after ``IN``."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.journal.table import JournalTable, Reason, Summand, quoted

__all__ = [
    "ORPHANED",
    "chance_to_merge",
    "discard_balanced",
    "fold",
    "fold_one",
    "locked",
    "mark_dirty",
    "merge",
    "sums",
    "waiting",
]

# The values of reason and due for a row without a target.
ORPHANED = f"{Reason.ORPHAN}, true"


def waiting(journal: JournalTable, summand: Summand, key: str) -> str:
    """Return the sum that waits for the column of the row with a key, as an expression that is never NULL."""
    return (
        f"COALESCE((SELECT SUM(j.{quoted(summand.name)}) FROM {journal.table} j WHERE j.key = {key}), 0)"
        f"::{summand.type}"
    )


def chance_to_merge(journal: JournalTable) -> str:
    """Return whether a row that waits is due, as an expression: one in ``fold_every`` is, by chance.

    By the clock, which the user has no seed of. Transactions that write in a rhythm would otherwise merge one
    key always, and another never.
    """
    if journal.fold_every < 2:
        return "true"
    moment = "hashfloat8(date_part('microseconds', clock_timestamp()))"
    return f"{moment} & {journal.fold_every - 1} = 0"


def sums(summands: Sequence[Summand], rows: str = "j") -> str:
    """Return the sum of each column over some rows, by its name."""
    return ", ".join(
        f"SUM({rows}.{quoted(each.name)})::{each.type} AS {quoted(each.name)}" for each in summands
    )


def locked(journal: JournalTable, keys: str, *, wait: bool = True) -> str:
    """Return a query that locks target rows in the order of their keys, so that two of it cannot deadlock."""
    return (
        f"SELECT p.{journal.target_column} AS key FROM {journal.target_table} p "
        f"WHERE p.{journal.target_column} IN {keys} ORDER BY p.{journal.target_column} "
        f"FOR NO KEY UPDATE{'' if wait else ' SKIP LOCKED'}"
    )


def fold(journal: JournalTable, keys: str, *, wait: bool) -> str:
    """Return the statement that moves the rows of some keys into the columns of those that have a target.

    Without ``wait``, what is locked is skipped, and so are rows that are read with the column: a statement
    that waits for the target's row sees the column as it has become, and the rows as they were. Where another
    fold came first, its rows are gone and the column is read anew: PostgreSQL evaluates both again after it
    has waited for a lock.
    """
    held = f"WITH held AS MATERIALIZED (\n    {locked(journal, keys, wait=wait)}\n)"
    moved = f"<> {Reason.DIRTY}" if wait else f"= {Reason.ORPHAN}"
    some = f"j.key = held.key AND j.reason {moved}"
    taken = f"DELETE FROM {journal.table} j USING held WHERE {some}"
    if not wait:
        # A transaction that is prepared to commit may have merged some.
        held += f""", free AS MATERIALIZED (
    SELECT j.ctid FROM {journal.table} j JOIN held ON {some} FOR UPDATE OF j SKIP LOCKED
)"""
        taken = _deletion(journal, "free")
    if not journal.summands:
        # Its rows say only that their keys have been written to.
        return f"\n{held}\n{taken}"
    return f"""
{held}, taken AS (
    {taken}
    RETURNING j.*
), d AS (
    SELECT j.key, {sums(journal.summands)} FROM taken j GROUP BY j.key
)
UPDATE {journal.target_table} p SET {_additions(journal)} FROM d WHERE p.{journal.target_column} = d.key"""


def _deletion(journal: JournalTable, chosen: str) -> str:
    """Return the statement that deletes the rows whose places another query has, which it holds."""
    return f"DELETE FROM {journal.table} j WHERE j.ctid = ANY (ARRAY(SELECT {chosen}.ctid FROM {chosen}))"


def merge(journal: JournalTable, keys: str) -> str:
    """Return the statement that makes one row of those that wait for a key. What is locked is skipped.

    The target is not touched: each version of its row would be passed over by all who check a foreign key to
    it, and there are some hundred of them before PostgreSQL cleans a page that is nearly empty.
    """
    names = ", ".join(quoted(each.name) for each in journal.summands)
    columns = ", ".join(f"j.{quoted(each.name)}" for each in journal.summands)
    some = " OR ".join(f"SUM(held.{quoted(each.name)}) <> 0" for each in journal.summands)
    return f"""
WITH held AS MATERIALIZED (
    SELECT j.ctid, j.key, {columns} FROM {journal.table} j
    WHERE j.key IN {keys} AND j.reason = {Reason.WAITING} FOR UPDATE SKIP LOCKED
), taken AS (
    {_deletion(journal, "held")}
)
INSERT INTO {journal.table} (key, {names})
SELECT held.key, {sums(journal.summands, "held")} FROM held GROUP BY held.key HAVING {some}"""


def fold_one(journal: JournalTable, key: str) -> str:
    """Return the fold of one key; its plan reads by index, however few rows there were when it was made."""
    table, column = journal.target_table, journal.target_column
    held = (
        f"WITH held AS MATERIALIZED (\n    SELECT FROM {table} p WHERE p.{column} = {key} "
        "FOR NO KEY UPDATE\n)"
    )
    taken = (
        f"DELETE FROM {journal.table} j WHERE j.key = {key} AND j.reason <> {Reason.DIRTY} "
        "AND EXISTS (SELECT FROM held)"
    )
    if not journal.summands:
        return f"\n{held}\n{taken}"
    return f"""
{held}, taken AS (
    {taken} RETURNING j.*
), d AS (
    SELECT {sums(journal.summands)} FROM taken j HAVING count(*) > 0
)
UPDATE {table} p SET {_additions(journal)} FROM d WHERE p.{column} = {key}"""


def _additions(journal: JournalTable) -> str:
    additions = [
        f"{quoted(each.column)} = p.{quoted(each.column)} + d.{quoted(each.name)}"
        for each in journal.summands
    ]
    return ", ".join([*additions, *journal.assignments])


def discard_balanced(journal: JournalTable, keys: str) -> str:
    """Return the statement that deletes the rows of keys without a target where they add up to nothing.

    What a deleted target had kept, and what the deletion of its rows took away, meet here.
    """
    balanced = " AND ".join(f"SUM(mine.{quoted(each.name)}) = 0" for each in journal.summands) or "true"
    return f"""
WITH mine AS MATERIALIZED (
    SELECT j.* FROM {journal.table} j WHERE j.key IN {keys}
    AND NOT EXISTS (SELECT FROM {journal.target_table} p WHERE p.{journal.target_column} = j.key)
    FOR UPDATE SKIP LOCKED
), balanced AS MATERIALIZED (
    SELECT mine.key FROM mine GROUP BY mine.key HAVING {balanced}
)
DELETE FROM {journal.table} j USING mine, balanced WHERE j.id = mine.id AND mine.key = balanced.key"""


def mark_dirty(journal: JournalTable, keys: str) -> str:
    """Return the statement that says of keys that a write to them was not recorded."""
    return (
        f"INSERT INTO {journal.table} (key, reason) SELECT DISTINCT dirty.key, {Reason.DIRTY} "
        f"FROM ({keys}) dirty (key) WHERE dirty.key IS NOT NULL"
    )

"""The triggers on a side table: rows merge or move when their transaction commits, and nobody else writes."""

from __future__ import annotations

from functools import partial

import pgtrigger

from leaderboard.journal.statements import discard_balanced, fold_one, merge
from leaderboard.journal.table import JournalTable, Reason
from leaderboard.triggers import OwnedTrigger, trigger_name

__all__ = ["BY_NO_TRIGGER", "BY_UPKEEP", "OLD_SNAPSHOT", "UPKEEP", "journal_triggers"]

# A setting, local to a transaction, by which our own repairs are told from foreign writes.
UPKEEP = "leaderboard.upkeep"
# Conditions of triggers are read anew in every statement: one that is short costs less than what it saves. A
# cast costs less than a comparison, which has a constant.
BY_NO_TRIGGER = "NOT pg_trigger_depth()::bool"
# PostgreSQL treats READ UNCOMMITTED as READ COMMITTED.
OLD_SNAPSHOT = "current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted')"
BY_UPKEEP = f"current_setting('{UPKEEP}', true) = 'on'"


def journal_triggers(journal: JournalTable, slug: str) -> list[OwnedTrigger]:
    """Return the triggers on the side table itself; ``slug`` is part of their names."""
    return [
        OwnedTrigger(
            name=trigger_name("journal", slug, "guard"),
            when=pgtrigger.Before,
            operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
            condition=pgtrigger.Condition(BY_NO_TRIGGER),
            # A restore of data would double what the restored rows add by themselves.
            func=f"""
IF {BY_UPKEEP} THEN
    RETURN COALESCE(NEW, OLD);
END IF;
RETURN NULL;""",
        ),
        OwnedTrigger(
            name=trigger_name("journal", slug, "settle"),
            when=pgtrigger.After,
            operation=pgtrigger.Insert,
            timing=pgtrigger.Deferred,
            condition=pgtrigger.Condition("NEW.due"),
            func=partial(_settle, journal),
        ),
    ]


def _settle(journal: JournalTable) -> str:
    """Return the body of what happens at the commit of a transaction that inserted a row which is due.

    A merge of waiting rows never waits and never fails: at REPEATABLE READ, or in a transaction that has come
    to be read-only, it could, and is left to the next one. An orphan must arrive, so it waits for its target.
    """
    refresh = "".join(f"\n    {statement};" for statement in journal.refresh("(NEW.key)"))
    left = merged = ""
    if journal.fold_every:
        # Before anything is read: a SERIALIZABLE transaction would be held to that.
        left = f"""
IF NEW.reason <> {Reason.ORPHAN} AND ({OLD_SNAPSHOT} OR current_setting('transaction_read_only') = 'on') THEN
    RETURN NULL;
END IF;"""
        merged = f"""
ELSE
    {merge(journal, "(NEW.key)")};"""
    return f"""{left}
IF NOT EXISTS (SELECT FROM {journal.table} j WHERE j.id = NEW.id) THEN
    RETURN NULL;
END IF;
IF NEW.reason = {Reason.ORPHAN} THEN
    {fold_one(journal, "NEW.key")};{refresh}
    {discard_balanced(journal, "(NEW.key)")};{merged}
END IF;
RETURN NULL;"""

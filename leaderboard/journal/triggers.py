"""The triggers on a side table: rows move when their transaction commits, and nobody else writes."""

from __future__ import annotations

from functools import partial

import pgtrigger

from leaderboard.journal.statements import discard_balanced, fold
from leaderboard.journal.table import JournalTable, Reason
from leaderboard.triggers import OwnedTrigger, trigger_name

__all__ = ["FOREIGN_WRITE", "UPKEEP", "journal_triggers"]

# A setting, local to a transaction, by which our own repairs are told from foreign writes.
UPKEEP = "leaderboard.upkeep"
FOREIGN_WRITE = f"pg_trigger_depth() = 0 AND current_setting('{UPKEEP}', true) IS DISTINCT FROM 'on'"


def journal_triggers(journal: JournalTable, slug: str) -> list[OwnedTrigger]:
    """Return the triggers on the side table itself; ``slug`` is part of their names."""
    return [
        OwnedTrigger(
            name=trigger_name("journal", slug, "guard"),
            when=pgtrigger.Before,
            operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
            condition=pgtrigger.Condition(f"({FOREIGN_WRITE})"),
            # A restore of data would double what the restored rows add by themselves.
            func="RETURN NULL;",
        ),
        OwnedTrigger(
            name=trigger_name("journal", slug, "settle"),
            when=pgtrigger.After,
            operation=pgtrigger.Insert,
            timing=pgtrigger.Deferred,
            condition=pgtrigger.Condition(f"({_moves_at_commit(journal)})"),
            func=partial(_settle, journal),
        ),
    ]


def _moves_at_commit(journal: JournalTable) -> str:
    orphan = f"NEW.reason = {Reason.ORPHAN}"
    if not journal.fold_every:
        return orphan
    # Hashed: transactions that insert in a rhythm would otherwise fold one key always, and another never.
    chosen = f"NEW.reason = {Reason.WAITING} AND hashint8(NEW.id) & {journal.fold_every - 1} = 0"
    return f"{orphan} OR {chosen}"


def _settle(journal: JournalTable) -> str:
    """Return the body of what happens at the commit of a transaction that inserted a row.

    A fold of waiting rows never waits and never fails: at REPEATABLE READ, where it could, it is left to the
    next one. An orphan must arrive, so it waits for its target.
    """
    refresh = "".join(f"\n    {statement};" for statement in journal.refresh("(NEW.key)"))
    return f"""
IF NOT EXISTS (SELECT FROM {journal.table} j WHERE j.id = NEW.id) THEN
    RETURN NULL;
END IF;
IF NEW.reason = {Reason.ORPHAN} THEN
    {fold(journal, "(NEW.key)", wait=True)};{refresh}
    {discard_balanced(journal, "(NEW.key)")};
ELSIF current_setting('transaction_isolation') = 'read committed' THEN
    {fold(journal, "(NEW.key)", wait=False)};
END IF;
RETURN NULL;"""

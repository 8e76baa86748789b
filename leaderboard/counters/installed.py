"""Whether the triggers that keep counters stand in a database as they should."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from leaderboard.journal.table import quoted

__all__ = ["TriggerStanding", "standings_of"]

State = Literal["installed", "missing", "outdated", "disabled"]


@dataclass(frozen=True)
class TriggerStanding:
    """How a trigger stands in a database; by its name there, and that of its table as SQL has it."""

    pgid: str
    table: str
    state: State


def standings_of(triggers: Sequence[tuple[Any, Any]], connection: Any) -> list[TriggerStanding]:
    """Return how each of some triggers, given with its model, stands."""
    compiled = [trigger.compile(model).sql for model, trigger in triggers]
    tables = [quoted(sql.table) for sql in compiled]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.number, obj_description(t.oid, 'pg_trigger'), t.tgenabled "
            "FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS c (relation, name, number) "
            "JOIN pg_trigger t ON t.tgrelid = to_regclass(c.relation) AND t.tgname = c.name",
            [tables, [sql.pgid for sql in compiled]],
        )
        there = {number: found for number, *found in cursor.fetchall()}
    standings = []
    for number, (sql, table) in enumerate(zip(compiled, tables, strict=True), 1):
        state: State = "missing"
        if number in there:
            version, enabled = there[number]
            state = (
                "outdated" if version != sql.hash else "installed" if enabled in ("O", "A") else "disabled"
            )
        standings.append(TriggerStanding(sql.pgid, table, state))
    return standings

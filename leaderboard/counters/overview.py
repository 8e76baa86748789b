"""All counters and how they stand, for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from leaderboard.counters import state
from leaderboard.counters.batches import Batches
from leaderboard.counters.chosen import Chosen, chosen_batches
from leaderboard.journal.table import Reason

__all__ = ["CounterStanding", "overview"]

# From the best to the worst, as an average is as its worse part.
STATES = ["built", "building", "not built", "missing"]


@dataclass(frozen=True)
class CounterStanding:
    """How a counter stands in a database.

    ``state`` is "built", "building" (a backfill goes on, or was interrupted), "not built", or "missing" where
    it was not migrated. ``rows`` is about how many rows have it; ``waiting`` and ``dirty`` count the rows of
    the side table, which it shares with the others over its relation. ``amiss`` are triggers that do not
    stand as they should.
    """

    name: str
    state: str
    storage: str
    relation: str
    group: str
    rows: int = 0
    waiting: int = 0
    dirty: int = 0
    amiss: Sequence[str] = field(default_factory=list)


def overview(*chosen: Chosen, using: str = DEFAULT_DB_ALIAS) -> list[CounterStanding]:
    """Return how counters stand, all or those that are chosen."""
    return [standing for batches in chosen_batches(chosen, using) for standing in _standings(batches)]


def _standings(batches: Batches) -> list[CounterStanding]:
    group = batches.group
    common: dict[str, Any] = {
        "relation": f"{group.link.source._meta.label} by {group.link.relation}",
        "group": ", ".join(batches.labels),
    }
    states = dict.fromkeys((claim.name for claim in batches.claims()), "missing")
    if batches.is_present():
        common |= _counted(batches)
        common["amiss"] = [f"{each.pgid} on {each.table} is {each.state}" for each in batches.amiss()]
        built = state.built(batches.connection)
        for claim in batches.claims():
            if claim.agrees_with(built.get(claim.name)):
                states[claim.name] = "built"
            else:
                key = state.progress(claim.name, claim.fingerprint, batches.connection)
                states[claim.name] = "not built" if key is None else "building"
    for average in group.averages:
        label = average.model._meta.label
        parts = {states[f"{label}.{name}"] for name in average.part_names}
        states[average.label] = max(parts, key=STATES.index)
    storages = {each.label: type(each.storage).__name__ for each in group.fields}
    return [CounterStanding(name, states[name], storages[name], **common) for name in batches.labels]


def _counted(batches: Batches) -> dict[str, Any]:
    with batches.connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT GREATEST(reltuples, 0)::bigint FROM pg_class WHERE oid = to_regclass(%s)), "
            f"count(*) FILTER (WHERE reason <> {Reason.DIRTY}), "
            f"count(*) FILTER (WHERE reason = {Reason.DIRTY}) FROM {batches.journal.table}",
            [batches.group.target_table],
        )
        rows, waiting, dirty = cursor.fetchone()
    return {"rows": rows, "waiting": waiting, "dirty": dirty}

"""What is done to counters from outside: building, checking, repairing, folding, and writing without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Field, Model

from leaderboard.counters import state
from leaderboard.counters.batches import Batches, Report
from leaderboard.counters.bodies import IGNORE
from leaderboard.counters.groups import CounterGroup
from leaderboard.counters.registry import registered
from leaderboard.triggers import MARK

__all__ = ["activate_empty", "backfill", "check", "fold_journals", "ignore", "prune_functions", "repair"]

if TYPE_CHECKING:
    # A counter, all of a model, or either by name: "blog.Post.comment_count", "blog.Post".
    Chosen = Field[Any, Any] | type[Model] | str

# Called with the names of the counters and the number of rows that were seen.
Progress = Callable[[str, int], None]


def backfill(
    *chosen: Chosen,
    using: str = DEFAULT_DB_ALIAS,
    batch_size: int = 1000,
    progress: Progress | None = None,
) -> list[Report]:
    """Build counters, all or those that are chosen, and return a report of each group of them.

    Until it is done they are counted on every read. It goes on where it was interrupted, and leaves out what
    is built already. No writer waits for longer than one batch takes to be written.
    """
    reports = []
    for batches in _batches(chosen, using):
        known = state.built(batches.connection)
        todo = {name: mark for name, mark in batches.fingerprints().items() if known.get(name) != mark}
        if not todo:
            continue
        batches.require_finite()
        report = Report(batches.labels)
        for last in _walk(batches.mend, report, batch_size, progress, after=_resumed(batches, todo)):
            for name, mark in todo.items():
                state.save_progress(name, mark, str(last), batches.connection)
        batches.mend_departed()
        for name, mark in todo.items():
            state.save_built(name, mark, batches.connection)
        reports.append(report)
    return reports


def check(
    *chosen: Chosen,
    using: str = DEFAULT_DB_ALIAS,
    batch_size: int = 1000,
    progress: Progress | None = None,
) -> list[Report]:
    """Compare counters, all or those that are chosen, with their rows, and return a report of each group."""
    reports = []
    for batches in _batches(chosen, using):
        report = Report(batches.labels, left_over=batches.left_over(), unguarded=batches.unguarded())
        for _ in _walk(batches.compare, report, batch_size, progress):
            pass
        reports.append(report)
    return reports


def repair(
    *chosen: Chosen,
    using: str = DEFAULT_DB_ALIAS,
    batch_size: int = 1000,
    only_dirty: bool = False,
    progress: Progress | None = None,
) -> list[Report]:
    """Mend counters, all or those that are chosen, and return a report of each group.

    With ``only_dirty``, only of the rows that were touched under :func:`ignore`.
    """
    reports = []
    for batches in _batches(chosen, using):
        batches.require_finite()
        report = Report(batches.labels)

        def mend(report: Report, size: int, after: Any, *, batches: Batches = batches) -> Any:
            return batches.mend(report, size, after, only_dirty=only_dirty)

        for _ in _walk(mend, report, batch_size, progress):
            pass
        batches.mend_departed()
        batches.fold(batch_size)
        reports.append(report)
    return reports


def fold_journals(*chosen: Chosen, using: str = DEFAULT_DB_ALIAS, batch_size: int = 1000) -> dict[str, int]:
    """Move what waits in side tables into columns; return how many rows had some waiting, by relation."""
    return {
        f"{batches.group.link.target._meta.label}.{batches.group.link.relation}": batches.fold(batch_size)
        for batches in _batches(chosen, using)
    }


@contextmanager
def ignore(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Write without keeping counters, in a transaction; the rows whose counters may be wrong are marked.

    Within it, counters can be written like other columns. ``repair(only_dirty=True)`` mends what it left.
    """
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute("SELECT current_setting(%s, true)", [IGNORE])
        before = cursor.fetchone()[0] or ""
        cursor.execute("SELECT set_config(%s, 'on', true)", [IGNORE])
        yield
        cursor.execute("SELECT set_config(%s, %s, true)", [IGNORE, before])


def activate_empty(using: str) -> None:
    """Take the counters for built whose table has no rows: the triggers will have seen all that comes."""
    for batches in _batches((), using):
        group = batches.group
        with batches.connection.cursor() as cursor:
            tables = [state.STATE_TABLE, group.target_table, batches.journal.table]
            cursor.execute("SELECT to_regclass(%s), to_regclass(%s), to_regclass(%s)", tables)
            if None in cursor.fetchone():
                continue
            cursor.execute(f"SELECT EXISTS (SELECT FROM {group.target_table})")
            (has_rows,) = cursor.fetchone()
        if not has_rows:
            for name, mark in batches.fingerprints().items():
                state.save_built(name, mark, batches.connection)


def prune_functions(using: str) -> None:
    """Drop the functions of ours that no trigger uses: their triggers went with a table that was dropped."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT p.oid::regprocedure::text FROM pg_proc p "
            "JOIN pg_description d ON d.objoid = p.oid AND d.classoid = 'pg_proc'::regclass "
            "WHERE d.description = %s AND pg_function_is_visible(p.oid) "
            "AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = p.oid)",
            [MARK],
        )
        for (function,) in cursor.fetchall():
            cursor.execute(f"DROP FUNCTION IF EXISTS {function}")


def _walk(
    step: Callable[[Report, int, Any], Any],
    report: Report,
    size: int,
    progress: Progress | None,
    *,
    after: Any = None,
) -> Iterator[Any]:
    """Yield the last key of each batch."""
    while (after := step(report, size, after)) is not None:
        if progress is not None:
            progress(", ".join(report.counters), report.rows)
        yield after


def _resumed(batches: Batches, todo: dict[str, str]) -> Any:
    """Return the key after which a backfill goes on: the least that its counters have come to."""
    keys = [state.progress(name, mark, batches.connection) for name, mark in todo.items()]
    if any(key is None for key in keys):
        return None
    return min(batches.group.link.target_key.to_python(key) for key in keys)


def _batches(chosen: Sequence[Chosen], using: str) -> list[Batches]:
    """Return the groups of some counters, or all; of a chain, the lower ones first.

    Raises ``ValueError`` where something chosen is no counter and has none.
    """
    known = [
        Batches(bodies, triggers, using)
        for registration in registered()
        for bodies, triggers in zip(registration.bodies, registration.triggers_by_group, strict=True)
    ]
    names = {label for batches in known for label in (*batches.labels, batches.group.link.target._meta.label)}
    labels = set(map(_label, chosen))
    for label in sorted(labels - names):
        raise ValueError(f"{label!r} is no counter, and no model with counters. There are {sorted(names)}.")
    if chosen:
        known = [
            batches for batches in known if labels & {*batches.labels, batches.group.link.target._meta.label}
        ]
    return sorted(known, key=lambda batches: _height(batches.group))


def _label(chosen: Chosen) -> str:
    if isinstance(chosen, str):
        return chosen
    return f"{chosen.model._meta.label}.{chosen.name}" if isinstance(chosen, Field) else chosen._meta.label


def _height(group: CounterGroup) -> int:
    """Return how many counters lie below those of a group, in a chain."""
    if group.link.source is group.link.target:
        return 0
    below = [
        bodies.group
        for registration in registered()
        if registration.model is group.link.source
        for bodies in registration.bodies
    ]
    return 1 + max(map(_height, below), default=0)

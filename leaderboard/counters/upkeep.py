"""What is done to counters from outside: building, checking, repairing, folding, and writing without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections, transaction

from leaderboard.counters import state
from leaderboard.counters.batches import Batches, Report
from leaderboard.counters.bodies import IGNORE
from leaderboard.counters.chosen import Chosen, chosen_batches
from leaderboard.orm.migrations import apps_without_migrations
from leaderboard.triggers import MARK

__all__ = [
    "activate_empty",
    "after_migrations",
    "backfill",
    "check",
    "fold_journals",
    "ignore",
    "install_unmigrated",
    "prune_functions",
    "repair",
    "settle_storage",
]

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
    settle_storage(using)
    reports = []
    for batches in _wanted(chosen, using):
        todo = batches.not_built()
        if not todo:
            continue
        _need_triggers(batches)
        batches.require_finite()
        report = Report(batches.labels)
        after = _resumed(batches, todo)
        if after is None:
            for claim in todo:
                state.save_progress(claim, None, batches.connection)
        for last in _walk(batches.mend, report, batch_size, progress, after=after):
            for claim in todo:
                state.save_progress(claim, str(last), batches.connection)
        batches.mend_departed()
        if not all(claim.waits for claim in todo):
            # What waits from a time when they had a journal would not be read.
            batches.fold(batch_size, wait=True)
        for claim in todo:
            state.save_built(claim, batches.connection)
        reports.append(report)
    return reports


def check(
    *chosen: Chosen,
    using: str = DEFAULT_DB_ALIAS,
    batch_size: int = 1000,
    progress: Progress | None = None,
) -> list[Report]:
    """Compare counters, all or those that are chosen, with their rows, and return a report of each group.

    Of those that are not built the columns are not read, and not held against them.
    """
    reports = []
    for batches in _wanted(chosen, using):
        report = Report(
            batches.labels,
            left_over=batches.left_over(),
            unguarded=batches.unguarded(),
            not_built=_names_not_built(batches),
        )
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
    for batches in _wanted(chosen, using):
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
    """Make one row of what waits in a side table for the same row; return how many had several, by relation.

    What was left over, as where a child and its parent came at once and nothing told one of the other, moves
    to its column.
    """
    return {
        f"{batches.group.link.target._meta.label}.{batches.group.link.relation}": batches.fold(batch_size)
        for batches in _wanted(chosen, using)
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
    """Take the counters for built whose table has no rows: the triggers will see all that comes."""
    for batches in _present(using):
        todo = batches.not_built()
        if not todo or batches.amiss():
            continue
        with batches.connection.cursor() as cursor:
            cursor.execute(f"SELECT EXISTS (SELECT FROM {batches.group.target_table})")
            (has_rows,) = cursor.fetchone()
        if not has_rows:
            for claim in todo:
                state.save_built(claim, batches.connection, afresh=True)


def settle_storage(using: str) -> None:
    """Let counters that have changed their storage be read as they are stored now.

    Where a journal is gone, this moves what still waits; its triggers are gone, so nothing comes after it.
    """
    for batches in _present(using):
        known = state.built(batches.connection)
        changed = [
            claim
            for claim in batches.claims()
            if claim.name in known and known[claim.name] == (claim.fingerprint, not claim.waits)
        ]
        if not changed or batches.amiss():
            continue
        if not all(claim.waits for claim in changed):
            batches.fold(1000, wait=True)
        for claim in changed:
            state.save_built(claim, batches.connection)


def after_migrations(using: str) -> None:
    """Do what is due where migrations were applied: nothing here is needed for what is read to be right."""
    prune_functions(using)
    state.discard_lost(connections[using])
    install_unmigrated(using)
    settle_storage(using)
    activate_empty(using)


def install_unmigrated(using: str) -> None:
    """Install the triggers on rows of other apps where the app of the counter has no migrations.

    They belong to a proxy, which has no table that would be made with them.
    """
    for batches in _present(using):
        missing = {standing.pgid for standing in batches.amiss() if standing.state == "missing"}
        for model, trigger in batches.bodies.triggers if missing else ():
            is_ours = model._meta.proxy and model._meta.app_label in apps_without_migrations()
            if trigger.get_pgid(model) in missing and is_ours:
                with connections[using].cursor() as cursor:
                    cursor.execute(trigger.compile(model).install_sql)


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


def _names_not_built(batches: Batches) -> list[str]:
    """Return the counters whose columns nobody reads, and the averages that are made of such."""
    names = {claim.name for claim in batches.not_built()}
    model = batches.group.link.target._meta.label
    for field in batches.group.averages:
        if names & {f"{model}.{part}" for part in field.part_names}:
            names.add(field.label)
    return sorted(names)


def _need_triggers(batches: Batches) -> None:
    """Raise ``ImproperlyConfigured`` where writes are not recorded: what is built would not stay right."""
    for standing in batches.amiss():
        raise ImproperlyConfigured(
            f"{', '.join(batches.labels)}: the trigger {standing.pgid} on {standing.table} of the database "
            f"{batches.using!r} is {standing.state}. Run migrate; enable what was disabled by hand."
        )


def _present(using: str) -> list[Batches]:
    """Return the groups that are in the database as far as its migrations have come."""
    return [batches for batches in chosen_batches((), using) if batches.is_present()]


def _wanted(chosen: Sequence[Chosen], using: str) -> list[Batches]:
    """Return the groups of some counters; raise ``ImproperlyConfigured`` where one is not in the database."""
    wanted = chosen_batches(chosen, using)
    for batches in wanted:
        if not batches.is_present():
            raise ImproperlyConfigured(
                f"{', '.join(batches.labels)}: not in the database {using!r} as it is. Run migrate."
            )
    return wanted


def _resumed(batches: Batches, todo: Sequence[state.Claim]) -> Any:
    """Return the key after which a backfill goes on: the least that its counters have come to."""
    keys = [state.progress(claim.name, claim.fingerprint, batches.connection) for claim in todo]
    if any(key is None for key in keys):
        return None
    return min(batches.group.link.target_key.to_python(key) for key in keys)

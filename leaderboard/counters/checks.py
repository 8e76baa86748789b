"""System checks: whether counters can be kept, what they will cost, and whether their triggers stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import FieldDoesNotExist, FieldError, ValidationError
from django.db import NotSupportedError, connections, router
from django.db.models import F, UniqueConstraint

from leaderboard.counters.batches import Batches
from leaderboard.counters.groups import Counter
from leaderboard.counters.links import Link, link_of
from leaderboard.counters.registry import compiling_connection, registered
from leaderboard.orm.models import field_called, key_fields
from leaderboard.orm.relations import nodes_in
from leaderboard.orm.trees import path_of

__all__ = ["check_counter"]

PROBLEMS = (FieldDoesNotExist, FieldError, NotSupportedError, TypeError, ValidationError, ValueError)


def check_counter(field: Any, databases: Sequence[str] | None = None) -> list[CheckMessage]:
    """Return what keeps a counter from working; what only a server knows is asked of ``databases``."""
    messages = [*_check_apps(field), *_check_database(field), *_check_uniqueness(field)]
    try:
        link = link_of(field.model, field.kept.relation)
        counter = Counter(field, link, 1)
        field.db_type(compiling_connection())
        compiled = counter.value if counter.kept.is_extreme else counter.amount
        compiled(compiling_connection())
    except PROBLEMS as error:
        return [*messages, _not_kept(field, error)]
    messages += [*_check_key(field, link), *_check_chain(field, counter)]
    if not messages:
        messages += [*_check_own_index(field), *_check_index_of_rows(field, counter)]
        for alias in databases or ():
            messages += _check_server(field, alias)
    return messages


def _not_kept(field: Any, error: Exception) -> Error:
    reason = "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)
    return Error(
        f"{field.label} counts by {field.aggregate!r}, which cannot be kept: {reason}",
        hint="Aggregate over one relation of the model; value and filter are made of columns of its rows.",
        obj=field,
        id="leaderboard.E010",
    )


def _check_apps(field: Any) -> Iterator[CheckMessage]:
    for app in ("pgtrigger", "leaderboard"):
        if not apps.is_installed(app):
            yield Error(
                f"{field.label} is kept by triggers, but {app!r} is not installed.",
                hint=f"Add {app!r} to INSTALLED_APPS, and make migrations.",
                obj=field,
                id="leaderboard.E011",
            )


def _check_uniqueness(field: Any) -> Iterator[CheckMessage]:
    meta = field.model._meta
    sets = [*meta.unique_together]
    sets += [each.fields for each in meta.constraints if isinstance(each, UniqueConstraint)]
    key = [part.name for part in key_fields(field.model)]
    what = "the primary key" if field.name in key else "a unique constraint"
    if field.name in key or any(field.name in names for names in sets):
        yield Error(
            f"{field.label} is part of {what}.",
            hint="Each write to it would wait for whoever refers to its row by a foreign key, and those for "
            "it. Leave it out of the constraint.",
            obj=field,
            id="leaderboard.E012",
        )


def _check_chain(field: Any, counter: Counter) -> Iterator[CheckMessage]:
    for below in counter.counters_below():
        if field in _below(field) or counter.link.source is counter.link.target:
            yield Error(
                f"{field.label} is made of {below.label}, which leads back to its own table.",
                hint="A chain goes up from table to table; count the rows themselves.",
                obj=field,
                id="leaderboard.E014",
            )
        elif below.kept.function not in ("count", "sum") or below.in_journal:
            what = "waits in a journal" if below.in_journal else f"is {below.aggregate!r}"
            yield Error(
                f"{field.label} is made of {below.label}, which {what}.",
                hint="Chains are made of counts and sums that are stored Inline(); only the top one may "
                "have a Journal().",
                obj=field,
                id="leaderboard.E013",
            )


def _below(field: Any, seen: Sequence[Any] = ()) -> list[Any]:
    """Return all counters that one is made of, itself too where they go in a circle."""
    found: list[Any] = []
    try:
        link = link_of(field.model, field.kept.relation)
    except PROBLEMS:
        return found
    for below in Counter(field, link, 1).counters_below():
        found.append(below)
        if below not in seen:
            found += _below(below, [*seen, below])
    return found


def _check_key(field: Any, link: Link) -> Iterator[CheckMessage]:
    if getattr(link.target_key, "column", None) is None:
        yield Error(
            f"{field.label} is on a model whose primary key has several columns.",
            hint="Let the counted rows refer to a column that is unique by itself.",
            obj=field,
            id="leaderboard.E016",
        )
    elif link.content_type is not None:
        connection = compiling_connection()
        types = [each.rel_db_type(connection) for each in (link.key, link.target_key)]
        if types[0] != types[1]:
            yield Error(
                f"{field.label} counts by {link.key}, which is {types[0]}, but {link.target_key} is "
                f"{types[1]}.",
                hint=f"Give {link.key.name} the type of the key: no trigger could use an index otherwise.",
                obj=field,
                id="leaderboard.E015",
            )


def _check_database(field: Any) -> Iterator[CheckMessage]:
    for alias in sorted({router.db_for_read(field.model), router.db_for_write(field.model)}):
        if connections[alias].vendor != "postgresql":
            yield Error(
                f"{field.label} is a counter, but its database {alias!r} is {connections[alias].vendor}.",
                hint="Counters need PostgreSQL; route the model to a PostgreSQL database.",
                obj=field,
                id="leaderboard.E017",
            )


# What it will cost


def _check_own_index(field: Any) -> Iterator[CheckMessage]:
    meta = field.model._meta
    names = {field.name} if field.db_index else set()
    for index in [*meta.indexes, *meta.constraints]:
        names |= _names_in(index)
    if field.name not in names:
        return
    if field.in_journal:
        reason, hint = (
            "whose column is not all that it is: the index serves no query.",
            "Leave the index out, or store the counter Inline().",
        )
    else:
        reason, hint = (
            "so that every write to a counted row writes to all indexes of its table (no HOT updates).",
            "Keep it only where rows are sorted or filtered by it. Otherwise leave it out, and give the "
            "table some space: ALTER TABLE … SET (fillfactor = 90).",
        )
    yield Warning(
        f"There is an index on the counter {field.label}, {reason}",
        hint=hint,
        obj=field,
        id="leaderboard.W007",
    )


def _names_in(index: Any) -> set[str]:
    """Return the names of all columns that an index has in any way."""
    names = {
        name.removeprefix("-") for name in (*getattr(index, "fields", ()), *getattr(index, "include", ()))
    }
    parts = nodes_in(*getattr(index, "expressions", ()), getattr(index, "condition", None))
    return names | {path_of(node).partition("__")[0] for node in parts if isinstance(node, F)}


def _check_index_of_rows(field: Any, counter: Counter) -> Iterator[CheckMessage]:
    value = counter.kept.value
    if not counter.kept.is_extreme or type(value) is not F:
        return
    found = field_called(counter.link.source, path_of(value).partition("__")[0])
    key, meta = counter.link.key, counter.link.source._meta
    sets: list[Any] = [*meta.unique_together]
    sets += [each.fields for each in (*meta.indexes, *meta.constraints) if hasattr(each, "fields")]
    starts = [[name.removeprefix("-") for name in names[:2]] for names in sets]
    if [key.name, found.name] not in starts:
        yield Warning(
            f"{field.label} looks for the next {field.kept.function}imum where one goes, but {meta.label} "
            f"has no index on ({key.name}, {found.name}).",
            hint=f"Add models.Index(fields=[{key.name!r}, {found.name!r}], name=…) to its Meta.indexes, and "
            "make migrations.",
            obj=field,
            id="leaderboard.W008",
        )


# What is in a database


def _check_server(field: Any, alias: str) -> Iterator[CheckMessage]:
    """Yield warnings only: an error would keep ``migrate`` from what mends it."""
    if connections[alias].vendor != "postgresql" or not router.allow_migrate_model(alias, field.model):
        return
    for registration in registered():
        for bodies in registration.bodies if registration.model is field.model else ():
            batches = Batches(bodies, alias)
            # Of a group once, by the first of its counters.
            if bodies.group.fields[0] is field and batches.is_present():
                yield from _check_group(field, batches)


def _check_group(field: Any, batches: Batches) -> Iterator[CheckMessage]:
    names, where = ", ".join(batches.labels), f"the database {batches.using!r}"
    amiss = [f"{each.pgid} on {each.table} is {each.state}" for each in batches.amiss()]
    if amiss:
        yield Warning(
            f"Triggers that keep {names} are not in {where} as they should be: {'; '.join(amiss)}.",
            hint="Run migrate; ALTER TABLE … ENABLE TRIGGER for what was disabled. Then run manage.py "
            "leaderboard repair.",
            obj=field,
            id="leaderboard.W009",
        )
    elif unguarded := batches.unguarded():
        yield Warning(
            f"Partitions in {where} lack triggers that keep {names}: {'; '.join(unguarded)}.",
            hint="Run manage.py pgtrigger install, then manage.py leaderboard repair.",
            obj=field,
            id="leaderboard.W012",
        )
    if hidden := batches.hidden():
        yield Warning(
            f"Row-level security binds the owner of the functions that keep {names} in {where}, on "
            f"{', '.join(hidden)}: writes to counted rows fail.",
            hint="ALTER TABLE … NO FORCE ROW LEVEL SECURITY, or let a role with BYPASSRLS migrate.",
            obj=field,
            id="leaderboard.W010",
        )
    if todo := [claim.name for claim in batches.not_built()]:
        yield Warning(
            f"{', '.join(todo)}: not built in {where}, and counted on every read.",
            hint=f"Run manage.py leaderboard backfill {' '.join(todo)} --database {batches.using}.",
            obj=field,
            id="leaderboard.W011",
        )
    if left_over := batches.left_over():
        yield Warning(
            f"{left_over} writes in {where} were not recorded for {names}, and are not repaired.",
            hint=f"Run manage.py leaderboard repair --only-dirty --database {batches.using}.",
            obj=field,
            id="leaderboard.W013",
        )

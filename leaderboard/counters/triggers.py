"""The triggers that keep counters, as objects of pgtrigger: on related rows, on targets, on side tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pgtrigger
from django.db.models import Model

from leaderboard.counters.bodies import IGNORED, Bodies
from leaderboard.counters.groups import CounterGroup, camel_case
from leaderboard.journal.table import Reason, quoted
from leaderboard.journal.triggers import BY_NO_TRIGGER, BY_UPKEEP
from leaderboard.orm.models import relation_of
from leaderboard.triggers import OwnedTrigger, trigger_name

__all__ = ["guards", "required", "side_table_triggers", "source_model", "source_triggers", "target_triggers"]

# Without types in pgtrigger.
REFERENCING: Any = pgtrigger.Referencing
UPDATE_OF: Any = pgtrigger.UpdateOf

ON_ROWS = {
    "insert": (pgtrigger.Insert, REFERENCING(new="new_rows")),
    "update": (pgtrigger.Update, REFERENCING(old="old_rows", new="new_rows")),
    "delete": (pgtrigger.Delete, REFERENCING(old="old_rows")),
}


def source_triggers(bodies: Bodies) -> list[OwnedTrigger]:
    """Return the triggers on the table whose rows are counted."""
    slug = bodies.group.slug
    meta = bodies.group.link.source._meta
    table = meta.db_table if meta.auto_created else None
    triggers = [
        _statement(
            event,
            slug,
            event,
            partial(bodies.write, event),
            declare=partial(bodies.declare, event),
            table=table,
        )
        for event in ON_ROWS
    ]
    return [*triggers, _statement("truncate", slug, None, bodies.truncate, table=table)]


def target_triggers(bodies: Bodies) -> list[OwnedTrigger]:
    """Return the triggers on the table that has the counters, by which its rows come, go and change keys."""
    slug = bodies.group.slug
    target_key = bodies.group.link.target_key
    key = target_key.column
    return [
        _statement("arrive", slug, "insert", bodies.arrive),
        _statement("leave", slug, "delete", bodies.leave),
        _statement("empty", slug, None, bodies.empty),
        OwnedTrigger(
            # Named to run after the guard, which puts the stored value back.
            name=trigger_name("counter", "rekey", slug),
            when=pgtrigger.Before,
            # Another trigger may change a key that the statement does not name.
            operation=UPDATE_OF(key) if target_key.primary_key else pgtrigger.Update,
            condition=pgtrigger.Condition(f"(OLD.{quoted(key)} IS DISTINCT FROM NEW.{quoted(key)})"),
            func=bodies.rekey,
        ),
    ]


def side_table_triggers(bodies: Bodies) -> list[OwnedTrigger]:
    """Return the triggers on the side table that its journal does not have by itself."""
    return [_statement("recount", bodies.group.slug, None, bodies.recount)]


def guards(groups: Sequence[CounterGroup]) -> list[OwnedTrigger]:
    """Return the triggers that let nobody else write the counters of one model."""
    fields = [field for group in groups for field in group.fields]
    model = str(groups[0].link.target._meta.model_name)
    start = {quoted(field.column): "0" if field.is_additive else "NULL" for field in fields}
    given = " OR ".join(f"NEW.{column} IS DISTINCT FROM {value}" for column, value in start.items())
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in start)
    marks = "".join(map(_marked, groups))
    kept = "".join(f"\nNEW.{column} := OLD.{column};" for column in start)
    return [
        OwnedTrigger(
            name=trigger_name("counter", "start", model),
            when=pgtrigger.Before,
            operation=pgtrigger.Insert,
            condition=pgtrigger.Condition(f"({given})"),
            func="".join(f"\nNEW.{column} := {value};" for column, value in start.items()) + "\nRETURN NEW;",
        ),
        OwnedTrigger(
            name=trigger_name("counter", "keep", model),
            when=pgtrigger.Before,
            operation=UPDATE_OF(*(field.column for field in fields)),
            condition=pgtrigger.Condition(BY_NO_TRIGGER),
            func=f"""
IF {BY_UPKEEP} OR NOT ({changed}) THEN
    RETURN NEW;
ELSIF {IGNORED} THEN{marks}
    RETURN NEW;
END IF;{kept}
RETURN NEW;""",
        ),
    ]


def _marked(group: CounterGroup) -> str:
    """Return what an ignored write to counters does: without a key, by which to mend them, they stay."""
    journal = quoted(group.journal_model._meta.db_table)
    mark = f"INSERT INTO {journal} (key, reason) VALUES (OLD.{group.target_key}, {Reason.DIRTY});"
    if not group.link.target_key.null:
        return f"\n    {mark}"
    kept = "".join(f" NEW.{column} := OLD.{column};" for column in (quoted(f.column) for f in group.fields))
    return f"\n    IF OLD.{group.target_key} IS NULL THEN{kept} ELSE {mark} END IF;"


def source_model(group: CounterGroup) -> type[Model]:
    """Return the model in whose migrations the triggers on the counted rows go.

    It is a proxy in the app of the counter where the rows belong to another app, whose migrations are not
    ours to write. For the table of a many-to-many relation it is the model that has the relation.
    """
    target = group.link.target
    owner: Any = group.link.source._meta.auto_created
    source: type[Model] = owner or group.link.source
    if source._meta.app_label == target._meta.app_label:
        return source
    options = {
        "proxy": True,
        "app_label": target._meta.app_label,
        "apps": target._meta.apps,
        "default_permissions": (),
    }
    attributes: dict[str, Any] = {
        "__module__": target.__module__,
        "__doc__": f"{source._meta.label} as {target._meta.label} counts it.",
        "Meta": type("Meta", (), options),
    }
    return type(f"{target.__name__}{camel_case(group.link.relation)}Source", (source,), attributes)


def required(group: CounterGroup) -> Iterator[tuple[str, str | None]]:
    """Yield what the triggers of a group write or read, by the labels of models and the names of fields."""
    link = group.link
    for model in (group.journal_model, link.target, link.source):
        if not model._meta.auto_created:
            yield model._meta.label, None
    for field in group.fields:
        yield link.target._meta.label, field.name
    if (relation := relation_of(link.source)) is not None:
        # Its table comes with the field.
        yield relation.model._meta.label, relation.name
        return
    yield link.source._meta.label, link.key.name
    for counter in group.counters:
        for field in counter.fields_read():
            yield link.source._meta.label, field.name


def _statement(
    name: str,
    slug: str,
    event: str | None,
    body: Callable[[], str],
    *,
    declare: Any = None,
    table: str | None = None,
) -> OwnedTrigger:
    operation, referencing = (pgtrigger.Truncate, None) if event is None else ON_ROWS[event]
    return OwnedTrigger(
        name=trigger_name("counter", name, slug),
        when=pgtrigger.After,
        level=pgtrigger.Statement,
        operation=operation,
        referencing=referencing,
        func=body,
        declare=declare,
        table=table,
    )

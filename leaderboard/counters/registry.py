"""All counters of a project: their triggers and side tables come to be when its models are loaded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pgtrigger
from django.apps.registry import Apps
from django.core.exceptions import FieldDoesNotExist, FieldError, ValidationError
from django.db import connections
from django.db.models import Model

from leaderboard.counters.bodies import Bodies
from leaderboard.counters.fields import CounterField
from leaderboard.counters.groups import Counter, CounterGroup, group_fields
from leaderboard.counters.links import link_of
from leaderboard.counters.reading import CounterReader, HistoricalReader
from leaderboard.counters.triggers import (
    guards,
    required,
    side_table_triggers,
    source_model,
    source_triggers,
    target_triggers,
)
from leaderboard.journal.triggers import journal_triggers

__all__ = ["Registration", "register_counters", "registered"]


class Registration:
    """The groups of counters of one model, or the reason why it has none."""

    def __init__(self, model: type[Model]) -> None:
        self.model = model
        self.groups: list[CounterGroup] = []
        self.bodies: list[Bodies] = []
        self.triggers: list[tuple[type[Model], Any]] = []
        self.problem: Exception | None = None
        try:
            self._register()
        except (FieldDoesNotExist, FieldError, TypeError, ValidationError, ValueError) as error:
            # Reported by the system checks.
            self.problem = error

    def _register(self) -> None:
        connection = compiling_connection()
        groups = group_fields(self.model)
        guarding = [(self.model, trigger) for trigger in guards(groups)]
        for group in groups:
            bodies = Bodies(group, connection)
            own = _triggers_of(bodies)
            bodies.triggers = [*own, *guarding]
            self.triggers += own
            self.bodies.append(bodies)
            self._read_by(group, bodies)
        self.triggers += guarding
        requires = sorted({each for group in groups for each in required(group)}, key=str)
        for model, trigger in self.triggers:
            trigger.requires = requires
            pgtrigger.register(trigger)(model)
        self.groups = groups

    def _read_by(self, group: CounterGroup, bodies: Bodies) -> None:
        by_name = {counter.field.name: counter for counter in group.counters}
        for counter in group.counters:
            counter.field.reader = CounterReader(group, [counter], bodies.journal)
        for field in group.averages:
            parts = [by_name[name] for name in field.part_names]
            field.reader = CounterReader(group, parts, bodies.journal)


def _triggers_of(bodies: Bodies) -> list[tuple[type[Model], Any]]:
    """Return the triggers of one group, each with the model whose migrations have it."""
    group = bodies.group
    source = source_model(group)
    triggers = [(source, trigger) for trigger in source_triggers(bodies)]
    triggers += [(group.link.target, trigger) for trigger in target_triggers(bodies)]
    on_side_table = journal_triggers(bodies.journal, group.slug) + side_table_triggers(bodies)
    triggers += [(group.journal_model, trigger) for trigger in on_side_table]
    return triggers


_registrations: dict[str, Registration] = {}


def register_counters(apps: Apps) -> None:
    """Register the counters of all models; a model that is registered stays as it is."""
    CounterField.historical = staticmethod(historical_reader)
    for model in list(apps.get_models()):
        if model._meta.label not in _registrations and any(
            isinstance(field, CounterField) for field in model._meta.local_fields
        ):
            _registrations[model._meta.label] = Registration(model)


def historical_reader(field: Any) -> HistoricalReader | None:
    """Return what reads a counter in a migration; None where its rows cannot be told, or their table."""
    model: type[Model] = field.model
    try:
        link = link_of(model, field.kept.relation)
    except (FieldDoesNotExist, ValueError):
        # Migrations do not know generic relations.
        return None
    names = field.part_names if field.kept.function == "avg" else [field.name]
    parts = [Counter(model._meta.get_field(name), link, number) for number, name in enumerate(names, 1)]
    return HistoricalReader(CounterGroup(link, parts, [], Model), parts)


def registered() -> Iterator[Registration]:
    """Yield the registrations of all models that have counters."""
    yield from _registrations.values()


def compiling_connection() -> Any:
    """Return a connection to PostgreSQL, which says how SQL is written; it need not be open."""
    for alias in connections:
        if connections[alias].vendor == "postgresql":
            return connections[alias]
    return connections["default"]

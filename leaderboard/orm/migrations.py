"""Triggers and time zones in migrations, which Django cannot order and write; apps without migrations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timezone
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.commands import makemigrations, migrate
from django.db.migrations import AlterModelTable
from django.db.migrations.autodetector import MigrationAutodetector, OperationDependency
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.serializer import BaseSerializer
from django.db.migrations.writer import MigrationWriter

__all__ = ["OrderedTriggers", "apps_without_migrations", "order_triggers", "write_zones"]


class Required(OperationDependency):
    """A model or a field that a trigger needs, a model with the name that its table has in the end."""


class OrderedTriggers:
    """A mixin for the autodetector, for triggers that have ``requires``.

    These are pairs of the label of a model and the name of a field, or None for the model itself: a trigger
    is added after all of them, in other apps too. It is removed before any model is renamed, so that on the
    way back it is added to a table that has its old name again; those of the least ``turn`` go first.
    """

    def add_operation(
        self, app_label: str, operation: Any, dependencies: Any = None, beginning: bool = False
    ) -> None:
        dependencies = list(dependencies or ())
        added = getattr(operation, "trigger", None)
        for label, field_name in getattr(added, "requires", ()):
            required_app, model_name = label.split(".")
            kind = OperationDependency.Type.CREATE
            dependencies.append(Required(required_app, model_name, field_name, kind))
        inherited: Any = super()
        inherited.add_operation(app_label, operation, dependencies, beginning)
        if added is None and getattr(operation, "option_name", None) == "triggers":
            self._remove_early(app_label, operation)

    def _remove_early(self, app_label: str, operation: Any) -> None:
        """Let a trigger be removed before all else, under the name that its model has then."""
        detector: Any = self
        old_name = detector.renamed_models.get(
            (app_label, operation.model_name.lower()), operation.model_name
        )
        for trigger in detector.from_state.models[app_label, old_name.lower()].options.get("triggers", ()):
            if trigger.name == operation.name and hasattr(trigger, "requires"):
                operation.model_name, operation.turn = old_name, trigger.turn
        operations = detector.generated_operations[app_label]
        early = sorted((each for each in operations if hasattr(each, "turn")), key=lambda each: each.turn)
        operations[:] = [*early, *(each for each in operations if not hasattr(each, "turn"))]

    def check_dependency(self, operation: Any, dependency: Any) -> bool:
        inherited: Any = super()
        return inherited.check_dependency(operation, dependency) or (
            isinstance(dependency, Required)
            and dependency.field_name is None
            and isinstance(operation, AlterModelTable)
            and operation.name_lower == dependency.model_name_lower
        )


def order_triggers() -> None:
    """Let the commands of Django that detect changes know the order of triggers."""
    detector: type[MigrationAutodetector] = makemigrations.Command.autodetector
    if not issubclass(detector, OrderedTriggers):
        detector = type("MigrationAutodetector", (OrderedTriggers, detector), {})
    commands: Sequence[Any] = (makemigrations, migrate)
    for command in commands:
        # The name too, as pgtrigger builds on it where its app comes later.
        command.MigrationAutodetector = command.Command.autodetector = detector


class ZoneSerializer(BaseSerializer):
    """How a time zone is written into a migration."""

    def serialize(self) -> tuple[str, set[str]]:
        return repr(self.value), {f"import {type(self.value).__module__}"}


def write_zones() -> None:
    """Let migrations have time zones, as indexes on a truncated time do: Django writes some from 6.0 on."""
    for kind in (timezone, ZoneInfo):
        MigrationWriter.register_serializer(kind, ZoneSerializer)


def apps_without_migrations() -> set[str]:
    """Return the labels of the apps whose tables are made as their models are, as tests may have it."""
    return set(MigrationLoader(None).unmigrated_apps)

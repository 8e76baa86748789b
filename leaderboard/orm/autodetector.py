"""What ``makemigrations`` is told about operations whose order Django cannot know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.management.commands import makemigrations, migrate
from django.db.migrations.autodetector import MigrationAutodetector, OperationDependency

__all__ = ["OrderedTriggers", "order_triggers"]


class OrderedTriggers:
    """A mixin for the autodetector: a trigger goes after all that it ``requires``, in other apps too.

    These are pairs of the label of a model and the name of a field, or None for the model itself.
    """

    def add_operation(
        self, app_label: str, operation: Any, dependencies: Any = None, beginning: bool = False
    ) -> None:
        required: Sequence[tuple[str, str | None]] = getattr(
            getattr(operation, "trigger", None), "requires", ()
        )
        dependencies = list(dependencies or ())
        for label, field_name in required:
            required_app, model_name = label.split(".")
            kind = OperationDependency.Type.CREATE
            dependencies.append(OperationDependency(required_app, model_name, field_name, kind))
        inherited: Any = super()
        inherited.add_operation(app_label, operation, dependencies, beginning)


def order_triggers() -> None:
    """Let the commands of Django that detect changes know the order of triggers."""
    detector: type[MigrationAutodetector] = makemigrations.Command.autodetector
    if not issubclass(detector, OrderedTriggers):
        detector = type("MigrationAutodetector", (OrderedTriggers, detector), {})
    commands: Sequence[Any] = (makemigrations, migrate)
    for command in commands:
        # The name too, as pgtrigger builds on it where its app comes later.
        command.MigrationAutodetector = command.Command.autodetector = detector

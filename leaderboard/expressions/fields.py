"""The types of the values that expressions have."""

from __future__ import annotations

from copy import copy
from typing import Any

from django.db import models

__all__ = [
    "BIGINT",
    "BOOLEAN",
    "DURATION",
    "FLOAT",
    "NUMERIC",
    "UNCONVERTED",
    "is_text",
    "named",
    "value_field",
]

# Output fields are shared: making one costs more than compiling the expression that it belongs to.
BIGINT = models.BigIntegerField()
BOOLEAN = models.BooleanField()
DURATION = models.DurationField()
FLOAT = models.FloatField()
NUMERIC = models.DecimalField(max_digits=1000, decimal_places=1)


def named(field: models.Field[Any, Any], name: str) -> models.Field[Any, Any]:
    """Return a copy of a field that messages, such as those of wrong values, call ``name``."""
    copied = copy(field)
    copied.set_attributes_from_name(name)
    return copied


# Read and written as PostgreSQL has it.
UNCONVERTED: models.Field[Any, Any] = models.Field()


def value_field(field: Any) -> Any:
    """Return the field whose values a column holds: that which a foreign key refers to, or is generated."""
    while isinstance(field, models.ForeignKey | models.GeneratedField):
        field = field.target_field if isinstance(field, models.ForeignKey) else field.output_field
    return field


def is_text(field: Any) -> bool:
    """Tell whether the values are texts, or arrays of them: what COLLATE applies to."""
    field = value_field(field)
    while hasattr(field, "base_field"):
        field = field.base_field
    return isinstance(field, models.CharField | models.TextField | models.FileField | models.FilePathField)

"""The field that is a counter: a column of the parent's table that only triggers write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from django.core.checks import CheckMessage, Error
from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db import models
from django.db.models import Aggregate, Count, Model, Sum

from leaderboard.counters.aggregates import Kept, kept_by
from leaderboard.counters.links import link_of
from leaderboard.counters.storage import Inline, Journal, Storage
from leaderboard.orm.readings import ReadField
from leaderboard.orm.texts import output_field_on
from leaderboard.orm.versions import filter_of

if TYPE_CHECKING:
    AnyField = models.Field[Any, Any]
    AnyDecimalField = models.DecimalField[Any, Any]
else:
    AnyField, AnyDecimalField = models.Field, models.DecimalField

__all__ = ["CounterField", "NumericField"]

# What a counter decides itself.
REFUSED = [
    "blank",
    "choices",
    "db_default",
    "default",
    "editable",
    "null",
    "primary_key",
    "unique",
    "unique_for_date",
    "unique_for_month",
    "unique_for_year",
]


class Reader(Protocol):
    """Says how the column of a counter is read."""

    def __call__(self, stored: str, alias: str, connection: Any) -> str | None: ...

    def is_built(self, connection: Any) -> bool: ...


class NumericField(AnyDecimalField):
    """Decimals of any size: PostgreSQL's ``numeric`` without limits."""

    def db_type(self, connection: Any) -> str:
        return "numeric"

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "leaderboard.NumericField", args, kwargs


class CounterField(ReadField):
    """The value of an aggregate over related rows, kept by triggers in every write to them.

    ``aggregate`` is what one would annotate: ``Count``, ``Sum`` (with ``default=0``), ``Avg``, ``Min`` or
    ``Max`` of one relation, with or without ``filter=``. Of no rows, a count and a sum are 0, an average
    and an extreme are None. An average is a ``Decimal``; beside it the fields ``…_sum`` and ``…_count`` are
    added to the model.

    ``storage`` is :class:`Inline` or :class:`Journal`. ``output_field`` is the type of the column; it
    follows from the aggregate, and migrations write it.

    What is assigned to it is never stored. Raises ``TypeError`` or ``ValueError`` for an aggregate that no
    trigger keeps.
    """

    reader: Reader | None = None
    # Finds what keeps it from working; set where the app is installed.
    checked_by: Any = None
    # Makes the reader of a model as migrations know it.
    historical: Any = None

    def __init__(
        self,
        aggregate: Aggregate,
        *,
        storage: Storage | None = None,
        output_field: AnyField | None = None,
        **options: Any,
    ) -> None:
        for name in options:
            if name in REFUSED:
                raise TypeError(f"CounterField({name}={options[name]!r}): a counter decides {name} itself.")
        self.kept: Kept = kept_by(aggregate)
        storage = Inline() if storage is None else storage
        if not isinstance(storage, Inline | Journal):
            raise TypeError(f"CounterField(storage={storage!r}): give Inline() or Journal().")
        if isinstance(storage, Journal) and self.kept.function not in ("count", "sum"):
            raise ValueError(
                f"CounterField(storage={storage!r}): a journal keeps counts and sums, "
                f"not {aggregate!r}, which does not follow from what writes add."
            )
        self.aggregate = aggregate
        self.storage = storage
        self.given_output_field = output_field
        self._target_field: AnyField | None = None
        if self.is_additive:
            # Both, so that a new instance has 0 and not an expression.
            options.update(default=0, db_default=0)
        super().__init__(null=not self.is_additive, editable=False, **options)

    @property
    def label(self) -> str:
        """Its name among all counters: ``blog.Post.comment_count``."""
        return f"{self.model._meta.label}.{self.name}"

    @property
    def is_additive(self) -> bool:
        """Whether the value is a sum of what each related row adds."""
        return self.kept.function in ("count", "sum")

    @property
    def in_journal(self) -> bool:
        return isinstance(self.storage, Journal)

    @property
    def part_names(self) -> tuple[str, str]:
        """The names of the fields that an average is made of: of its sum and of its count."""
        return f"{self.name}_sum", f"{self.name}_count"

    def deconstruct(self) -> Any:
        name, _, _, options = super().deconstruct()
        for decided in (*REFUSED, "null"):
            options.pop(decided, None)
        if self.storage != Inline():
            options["storage"] = self.storage
        if (output_field := self._known_target_field()) is not None:
            options["output_field"] = output_field
        return name, "leaderboard.CounterField", [self.aggregate], options

    def contribute_to_class(self, cls: type[Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        # Migrations list the parts of an average as fields of their own.
        if self.kept.function == "avg" and not cls._meta.abstract and cls.__module__ != "__fake__":
            aggregate: Any = self.aggregate
            (value,) = aggregate.source_expressions
            condition = filter_of(aggregate)
            parts = (Sum(value, filter=condition, default=0), Count(value, filter=condition))
            for part_name, part in zip(self.part_names, parts, strict=True):
                cls.add_to_class(part_name, CounterField(part))

    # Its type

    @property
    def target_field(self) -> AnyField:
        """A field of the type that the column has, which converts and compares its values.

        Raises ``FieldError`` where the aggregate has a type that no counter keeps.
        """
        if self._target_field is None:
            field = (self.given_output_field or self._field_of_values()).clone()
            field.name = field.attname = self.name
            field.model = self.model
            self._target_field = field
        return self._target_field

    def _known_target_field(self) -> AnyField | None:
        try:
            return self.target_field if hasattr(self, "model") else self.given_output_field
        except (FieldDoesNotExist, FieldError, ValueError):
            return None

    def _field_of_values(self) -> AnyField:
        if self.kept.function == "count":
            return models.BigIntegerField()
        source = link_of(self.model, self.kept.relation).source
        values: Any = output_field_on(source, self.kept.value)
        if isinstance(values, CounterField):
            values = values.target_field
        if isinstance(values, models.ForeignKey):
            values = values.target_field
        if self.kept.is_extreme:
            return _extreme_of(values, self.aggregate)
        if isinstance(values, models.IntegerField):
            return NumericField() if self.kept.function == "avg" else models.BigIntegerField()
        if isinstance(values, models.DecimalField):
            return NumericField()
        raise FieldError(
            f"{self.aggregate!r} is over {type(values).__name__}: a counter sums integers and decimals, "
            "whose sums are exact."
        )

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        messages: list[CheckMessage] = super().check(**kwargs)
        if self.checked_by is None:
            name = self.label
            return [
                *messages,
                Error(
                    f"{name} is kept by triggers, but 'leaderboard' is not installed.",
                    hint="Add 'leaderboard' to INSTALLED_APPS, and make migrations.",
                    obj=self,
                    id="leaderboard.E011",
                ),
            ]
        return [*messages, *self.checked_by(self, kwargs.get("databases"))]

    def read_sql(self, stored: str, alias: str, connection: Any) -> str | None:
        if self.reader is None and self.model.__module__ == "__fake__" and self.historical is not None:
            self.reader = self.historical(self)
        return None if self.reader is None else self.reader(stored, alias, connection)

    def db_type(self, connection: Any) -> str | None:
        return self.target_field.db_type(connection)

    def db_parameters(self, connection: Any) -> Any:
        return {**self.target_field.db_parameters(connection), "check": None}

    def get_internal_type(self) -> str:
        return self.target_field.get_internal_type()

    def get_prep_value(self, value: Any) -> Any:
        return self.target_field.get_prep_value(value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return self.target_field.get_db_prep_value(value, connection, prepared)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return self.target_field.get_db_prep_save(value, connection)

    def to_python(self, value: Any) -> Any:
        return self.target_field.to_python(value)

    def value_to_string(self, obj: Model) -> str:
        return self.target_field.value_to_string(obj)


def _extreme_of(values: Any, aggregate: Aggregate) -> AnyField:
    """Return the type of a minimum or maximum of some values."""
    if isinstance(values, models.AutoField | models.BigAutoField | models.SmallAutoField):
        return models.BigIntegerField()
    orderable = (
        models.IntegerField,
        models.DecimalField,
        models.DateField,
        models.TimeField,
        models.DurationField,
        models.CharField,
        models.TextField,
    )
    if not isinstance(values, orderable):
        raise FieldError(
            f"{aggregate!r} is over {type(values).__name__}: a counter keeps the extremes of integers, "
            "decimals, times, durations and texts."
        )
    _, _, args, options = values.deconstruct()
    for option in (
        "auto_now",
        "auto_now_add",
        "choices",
        "db_index",
        "default",
        "db_default",
        "primary_key",
        "unique",
    ):
        options.pop(option, None)
    return type(values)(*args, **{**options, "null": True})

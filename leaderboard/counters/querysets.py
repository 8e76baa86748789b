"""Counters beside what they would be if they were counted now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models
from django.db.models import Avg, Model, OuterRef, Subquery

from leaderboard.counters.fields import CounterField, NumericField
from leaderboard.orm.versions import filter_of

if TYPE_CHECKING:
    from typing import Self

_Model_co = TypeVar("_Model_co", bound=Model, covariant=True)

__all__ = ["CounterManager", "CounterQuerySet"]


class CounterQuerySet(models.QuerySet[_Model_co]):
    """A queryset that can count again what its model's counters keep."""

    def with_live_counters(self, *names: str) -> Self:
        """Return the queryset with ``live_<name>`` beside each counter, or each that is named.

        It is the aggregate that the counter is declared by, in a subquery of its own. Raises ``ValueError``
        for a name that is no counter.
        """
        counters = {field.name: field for field in self.model._meta.fields if isinstance(field, CounterField)}
        for name in names:
            if name not in counters:
                known = ", ".join(map(repr, counters)) or "none"
                raise ValueError(f"with_live_counters({name!r}): {self.model._meta.label} has {known}.")
        return self.annotate(**{f"live_{name}": _live(counters[name]) for name in names or counters})


class CounterManager(models.Manager.from_queryset(CounterQuerySet)):  # type: ignore[misc]
    """A manager of :class:`CounterQuerySet`."""


def _live(field: Any) -> Subquery:
    aggregate = field.aggregate
    if isinstance(aggregate, Avg):
        (value,) = aggregate.source_expressions
        aggregate = Avg(value, filter=filter_of(aggregate), output_field=NumericField())
    model: type[Model] = field.model
    counted = model._base_manager.filter(pk=OuterRef("pk")).order_by().annotate(_live=aggregate)
    return Subquery(counted.values("_live"), output_field=field.target_field)

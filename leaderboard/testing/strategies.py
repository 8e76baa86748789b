"""Hypothesis strategies for entries; needs the extra ``testing``."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from copy import copy
from datetime import timedelta
from typing import Any, TypeVar

from django.db import models
from django.db.models import Model
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from hypothesis.extra.django import from_field, from_model

from leaderboard.orm.models import key_fields, stored_fields

__all__ = ["entries"]

# What TimeTaken makes of a few durations must be a timedelta again; PostgreSQL has longer intervals.
LONGEST = timedelta(days=10**8)

ModelT = TypeVar("ModelT", bound=Model)
Row = dict[str, Any]


def entries(
    model: type[ModelT], *, min_size: int = 0, max_size: int = 25, **fields: st.SearchStrategy[Any]
) -> st.SearchStrategy[list[ModelT]]:
    """Return a strategy for lists of unsaved instances of ``model``, to be saved by ``bulk_create()``.

    (A model that inherits from one with a table of its own is saved one by one, as Django has it.)

    The values of a field are drawn from a few, None among them where it may be NULL, so that ties, entries
    that are not ranked and several entries of a member are frequent. ``fields`` are strategies for the
    values of fields, by name; of what a foreign key refers to, a few are drawn from it too. Other fields
    get theirs from ``hypothesis.extra.django.from_field()``, and the instances that foreign keys refer to
    are saved when they are drawn: use it within a ``hypothesis.extra.django.TestCase``. Fields that the
    database or ``save()`` fills in are left alone, and what must be unique is.

    Raises ``TypeError`` for a name that is no field; drawing raises ``InvalidArgument``, from Hypothesis,
    for a required field of a type that it knows no strategy for.
    """
    names = [field.name for field in stored_fields(model)]
    if unknown := sorted(fields.keys() - set(names)):
        raise TypeError(f"{unknown[0]!r} is no field of {model._meta.label}; it has {', '.join(names)}.")
    return _entries(model, min_size, max_size, fields)


@st.composite
def _entries(
    draw: st.DrawFn,
    model: type[ModelT],
    min_size: int,
    max_size: int,
    fields: dict[str, st.SearchStrategy[Any]],
) -> list[ModelT]:
    unique = _unique(model)
    alone = {name for names in unique for name in names if len(names) == 1}
    columns = {}
    for field in stored_fields(model):
        name = field.name
        if name in fields and not isinstance(field, models.ForeignKey):
            columns[name] = fields[name]
            continue
        if name not in fields and _is_filled_in(field):
            continue
        values = fields.get(name) or _values(field)
        if values is None:
            continue
        if name in alone or isinstance(field, models.BooleanField):
            columns[name] = values | st.none() if field.null else values
        else:
            few = draw(st.lists(values, min_size=1, max_size=3))
            columns[name] = st.sampled_from([*few, *few, None] if field.null else few)
    present = [[name for name in names if name in columns] for names in unique]
    keys = tuple(_key(names) for names in present if names)
    if not keys:
        # Left to itself, Hypothesis draws five rows or so; but there may be no more that are unique.
        min_size = draw(st.integers(min_size, max_size))
    rows = st.lists(
        st.fixed_dictionaries(columns), min_size=min_size, max_size=max_size, unique_by=keys or None
    )
    return [model(**row) for row in draw(rows)]


def _is_filled_in(field: Any) -> bool:
    automatic = getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    key = field.primary_key and (field.has_default() or isinstance(field, models.AutoField))
    return automatic or key or field.generated or field.has_db_default() or _is_parent_link(field)


def _is_parent_link(field: Any) -> bool:
    return bool(field.remote_field and getattr(field.remote_field, "parent_link", False))


def _values(field: Any) -> st.SearchStrategy[Any] | None:
    """Return the strategy of a field, for values other than None.

    Return None for a field that may be left out, of a type that there is no strategy for.
    """
    if isinstance(field, models.ForeignKey):
        return _instances(field.related_model)
    if isinstance(field, models.DurationField):
        return st.timedeltas(-LONGEST, LONGEST)
    required = copy(field)
    required.null = False
    try:
        return from_field(required)
    except InvalidArgument:
        if field.null or field.blank or field.has_default():
            return None
        raise


def _instances(model: type[Model], *above: type[Model]) -> st.SearchStrategy[Any]:
    """Return a strategy for saved instances of ``model`` and of what they refer to."""
    related: dict[str, st.SearchStrategy[Any]] = {}
    for field in stored_fields(model):
        target: Any = field.related_model
        # A model may refer to itself, by way of others too.
        if (
            isinstance(field, models.ForeignKey)
            and not _is_parent_link(field)
            and target not in (model, *above)
        ):
            instances = _instances(target, model, *above)
            related[field.name] = st.none() | instances if field.null else instances
    return from_model(model, **related)


def _unique(model: type[Model]) -> list[tuple[str, ...]]:
    """Return the names of the fields that must be unique, and of those that must be so together."""
    meta = model._meta
    together = [tuple(names) for names in meta.unique_together]
    together += [
        tuple(constraint.fields)
        for constraint in meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and constraint.fields
    ]
    together.append(tuple(field.name for field in key_fields(model)))
    return [*((field.name,) for field in stored_fields(model) if field.unique), *together]


def _key(names: list[str]) -> Callable[[Row], Hashable]:
    def key(row: Row) -> Hashable:
        values = [row[name] for name in names]
        # NULLs are distinct.
        if any(value is None for value in values):
            return object()
        return tuple(value.pk if isinstance(value, Model) else value for value in values)

    return key

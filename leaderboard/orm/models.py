"""What a model is made of, as far as Django does not document it."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import getattr_static
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import F, Model
from django.db.models.query_utils import DeferredAttribute
from django.db.models.sql import Query

from leaderboard.orm.trees import path_of

__all__ = [
    "ancestors",
    "base_query",
    "concrete_model",
    "field_called",
    "field_names",
    "is_as_stored",
    "key_fields",
    "key_names",
    "key_parts",
    "managers_of",
    "own_field",
    "own_fields",
    "relation_of",
    "stored_fields",
]


def stored_fields(model: type[Model]) -> Sequence[Any]:
    """Return the fields that have a column, those of inherited tables too."""
    return model._meta.concrete_fields


def own_fields(model: type[Model]) -> Sequence[Any]:
    """Return the fields that have a column in the model's own table."""
    return concrete_model(model)._meta.local_concrete_fields


def concrete_model(model: type[Model]) -> type[Model]:
    """Return the model that has the table: ``model``, unless it is a proxy."""
    concrete: Any = model._meta.concrete_model
    return concrete  # type: ignore[no-any-return]


def ancestors(model: type[Model]) -> Sequence[type[Model]]:
    """Return the models from whose tables ``model`` inherits."""
    return list(model._meta.get_parent_list())


def managers_of(model: type[Model]) -> Sequence[models.Manager[Any]]:
    return model._meta.managers


def field_names(model: type[Model]) -> set[str]:
    """Return the names that no annotation of ``model`` can have."""
    meta = model._meta
    return {field.name for field in meta.get_fields()} | {field.attname for field in meta.concrete_fields}


def field_called(model: type[Model], name: str) -> Any:
    """Return the field that a name, an ``attname`` or ``pk`` stands for; None where there is none."""
    try:
        return model._meta.pk if name == "pk" else model._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def is_as_stored(model: type[Model], field: Any) -> bool:
    """Tell whether instances have the value of a field as it is, and not what is made of it, as of a file."""
    descriptor: Any = type(getattr_static(model, field.attname))
    return descriptor.__get__ is DeferredAttribute.__get__


def key_fields(model: type[Model]) -> Sequence[Any]:
    """Return the fields of the primary key: one, unless it is composite."""
    return model._meta.pk_fields


def key_names(model: type[Model]) -> Sequence[str]:
    """Return the names by which the fields of the primary key are selected."""
    # As "pk", a composite key loses all but one of its columns where a window is filtered by.
    return [field.attname for field in key_fields(model)]


def key_parts(model: type[Model]) -> Sequence[F]:
    """Return references to the fields of the primary key."""
    return [F(name) for name in key_names(model)]


def relation_of(through: type[Model]) -> Any:
    """Return the many-to-many field that a model is the automatic table of; None for any other model."""
    owner: Any = through._meta.auto_created
    fields = owner._meta.local_many_to_many if owner else ()
    return next((field for field in fields if field.remote_field.through is through), None)


def own_field(model: type[Model], expression: Any) -> Any:
    """Return the field of the model's own table that ``expression`` refers to; None for anything else."""
    # A subclass, such as OuterRef, refers to something else.
    if type(expression) is not F or "__" in path_of(expression):
        return None
    field = field_called(model, path_of(expression))
    return field if field in own_fields(model) else None


def base_query(model: type[Model]) -> Query | None:
    """Return the query of the base manager where it hides some rows; None where it shows all."""
    query: Any = model._base_manager.all().query
    return query if query.where or len(query.alias_map) > 1 else None

"""How the rows that are counted belong to the rows that have the counter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import ForeignKey, ManyToManyField, ManyToManyRel, ManyToOneRel, Model

from leaderboard.orm.models import concrete_model

__all__ = ["Link", "link_of"]


@dataclass(frozen=True)
class Link:
    """Rows of ``source`` belong to the row of ``target`` whose ``target_key`` equals their ``key``.

    Of a generic relation only those belong whose ``content_type`` is that of ``target``.
    """

    relation: str
    source: type[Model]
    key: Any
    target: type[Model]
    target_key: Any
    content_type: Any = None
    labels: tuple[str, str] | None = None


def link_of(target: type[Model], relation: str) -> Link:
    """Return the link that a relation of ``target`` stands for.

    Raises ``FieldDoesNotExist`` where there is none of that name, and ``ValueError`` where a trigger on one
    table cannot follow it.
    """
    field: Any = target._meta.get_field(relation)
    if isinstance(field, ManyToManyField | ManyToManyRel):
        forward = field if isinstance(field, ManyToManyField) else field.field
        through: Any = forward.remote_field.through
        named: Any = forward
        name = named.m2m_field_name() if field is forward else named.m2m_reverse_field_name()
        return _link(target, relation, through, through._meta.get_field(name))
    if isinstance(field, ManyToOneRel):
        return _link(target, relation, field.related_model, field.field)
    if hasattr(field, "object_id_field_name"):
        return _generic_link(target, relation, field)
    raise ValueError(
        f"{target._meta.label}.{relation} is no relation to many rows that refer to one of {target.__name__}."
    )


def _link(target: type[Model], relation: str, source: type[Model], key: ForeignKey[Any, Any]) -> Link:
    source = concrete_model(source)
    target_key: Any = key.target_field
    if key.model is not source:
        raise ValueError(f"{key!r} is in another table than the rows of {source._meta.label}.")
    if target_key.model is not concrete_model(target):
        # The counter is on a model that inherits by a table of its own: its key is the link to the parent.
        inherited, target_key = target_key, target._meta.pk
        if not inherited.primary_key or target_key.remote_field is None:
            raise ValueError(
                f"{key!r} refers to {inherited!r}, which is in another table than the counter on "
                f"{target._meta.label}."
            )
    return Link(relation, source, key, target, target_key)


def _generic_link(target: type[Model], relation: str, field: Any) -> Link:
    source = concrete_model(field.related_model)
    try:
        key: Any = source._meta.get_field(field.object_id_field_name)
        content_type: Any = source._meta.get_field(field.content_type_field_name)
    except FieldDoesNotExist as error:
        raise ValueError(f"{field!r}: {error}") from error
    of = concrete_model(target) if field.for_concrete_model else target
    labels = (of._meta.app_label, str(of._meta.model_name))
    if key.model is not source or content_type.model is not source:
        raise ValueError(f"{key!r} is in another table than the rows of {source._meta.label}.")
    return Link(relation, source, key, target, target._meta.pk, content_type, labels)

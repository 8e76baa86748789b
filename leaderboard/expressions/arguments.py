"""What arguments are taken for: fields, expressions, ordering terms, conditions and kinds."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import F, OrderBy, OuterRef, Q

from leaderboard.orm.names import Combinable

__all__ = ["as_condition", "as_expression", "as_kind", "as_ordering", "reason_of"]

KindT = TypeVar("KindT", bound=StrEnum)


def as_kind(enum: type[KindT], value: str, argument: str) -> KindT:
    """Return the member of ``enum`` that ``value`` names; raise ``ValueError`` naming the argument."""
    try:
        return enum(value)
    except ValueError:
        choices = ", ".join(repr(member.value) for member in enum)
        raise ValueError(f"{argument}={value!r} is not a {enum.__name__}; use one of {choices}.") from None


def as_expression(value: object, argument: str) -> Any:
    """Return ``value`` as an expression, a string naming a field; raise ``TypeError`` for anything else."""
    if isinstance(value, str) and value:
        return F(value)
    if isinstance(value, Combinable) and not isinstance(value, OrderBy | OuterRef):
        return value
    raise TypeError(f"{argument}={value!r} must be the name of a field or an expression.")


def as_ordering(order_by: object, argument: str = "order_by") -> tuple[OrderBy, ...]:
    """Return ordering terms as ``OrderBy`` expressions; a string may begin with ``-``.

    Raises ``TypeError`` or ``ValueError`` naming the argument where a term is not one.
    """
    terms = [order_by] if isinstance(order_by, str | Combinable | OrderBy) else order_by
    if not isinstance(terms, Sequence):
        raise TypeError(
            f"{argument}={order_by!r} must be an ordering term or a list of them, such as ['-score']."
        )
    if not terms:
        raise ValueError(f"{argument}={order_by!r} must name at least one ordering term, such as '-score'.")
    return tuple(_ordering_term(term, f"{argument}[{position}]") for position, term in enumerate(terms))


def _ordering_term(term: object, argument: str) -> OrderBy:
    if isinstance(term, OrderBy):
        if term.nulls_first or term.nulls_last:
            raise ValueError(
                f"{argument}={term!r} places NULLs: an entry with a NULL term is not ranked, and among ties "
                "NULL comes last; leave nulls_first and nulls_last out."
            )
        return term
    if isinstance(term, str):
        name = term.removeprefix("-")
        if name in ("", "?") or name.startswith("-"):
            raise ValueError(f"{argument}={term!r} is no ordering term; name a field, such as '-score'.")
        return OrderBy(F(name), descending=term.startswith("-"))
    return OrderBy(as_expression(term, argument))


def as_condition(value: object, argument: str) -> Q:
    """Return a condition as a ``Q``, empty for None; raise ``TypeError`` for anything else."""
    if value is not None and not getattr(value, "conditional", False):
        raise TypeError(f"{argument}={value!r} must be a condition, such as Q(disqualified=False).")
    return value if isinstance(value, Q) else Q() if value is None else Q(value)


def reason_of(error: Exception) -> str:
    """Return what an error says; a ``ValidationError`` shows a list, and so do its words in ``str()``."""
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)

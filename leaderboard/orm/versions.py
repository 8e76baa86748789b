"""What differs between the versions of Django that are supported."""

from __future__ import annotations

from typing import Any

import django
from django.db import models
from django.db.models import query

__all__ = ["fetches_in_own_way", "filter_of", "maker_of", "quote_alias"]


def maker_of(model: Any) -> Any:
    """Return what makes instances of rows, which fetch what they lack each for itself."""
    if django.VERSION < (6, 1):
        return model.from_db
    return query._get_from_db(model, models.FETCH_ONE)  # type: ignore[attr-defined]


def fetches_in_own_way(queryset: Any) -> bool:
    """Tell whether instances of a queryset fetch what they lack in another way than each for itself."""
    return django.VERSION >= (6, 1) and queryset._fetch_mode is not models.FETCH_ONE


def quote_alias(compiler: Any, alias: str) -> str:
    """Return the alias of a table as a compiler writes it."""
    # Before 6.1, an alias other than a table's name is not quoted.
    quote = compiler.quote_name if django.VERSION >= (6, 1) else compiler.quote_name_unless_alias
    return str(quote(alias))


def filter_of(aggregate: Any) -> Any:
    """Return the condition that an aggregate was given; None where there is none."""
    condition = aggregate.filter
    # Since 6.0 it is wrapped.
    wrapped = type(condition).__name__ == "AggregateFilter"
    return condition.get_source_expressions()[0] if wrapped else condition

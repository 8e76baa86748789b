"""What differs between the versions of Django that are supported."""

from __future__ import annotations

from typing import Any

import django

__all__ = ["quote_alias"]


def quote_alias(compiler: Any, alias: str) -> str:
    """Return the alias of a table as a compiler writes it."""
    # Before 6.1, an alias other than a table's name is not quoted.
    quote = compiler.quote_name if django.VERSION >= (6, 1) else compiler.quote_name_unless_alias
    return str(quote(alias))

"""Cursors: places in the order of a board, signed, so that nobody can make one up or use it elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db import connections

from leaderboard.endpoints.errors import InvalidParameter
from leaderboard.orm.models import key_names
from leaderboard.orm.views import statement_of
from leaderboard.standings.bookmark import Bookmark
from leaderboard.standings.pins import pins_of

__all__ = ["Cursor", "Cursors"]

SALT = "leaderboard.endpoints.cursor"
# Whose repr() is the same in every process, and not another one with every request, as a time's may be.
BOUND = (bool, bytes, Decimal, float, int, str, UUID)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in an order, and whether what is asked for comes after it there, or before.

    Without a place it is the beginning, or the end.
    """

    bookmark: Bookmark | None
    is_later: bool


class Cursors:
    """Writes and reads the cursors of one board, order and filter; those of any other are none of its own.

    ``rows`` is a queryset for all rows of the board in that order, to whose statement they are bound, the
    texts and numbers in it included, and ``scope`` tells apart what the statement does not.
    """

    def __init__(self, rows: Any, scope: str = "") -> None:
        pins = pins_of(rows.query, rows.leaderboard)
        sql, params = statement_of(rows.values(*key_names(rows.model)).query, connections[rows.db])
        bound = (
            scope,
            # Which value is whose matters here; those of a set are in no order.
            {name: getattr(pin.rhs, "pk", pin.rhs) for name, pin in pins.items()},
            sql,
            sorted(repr(value) for value in params if isinstance(value, BOUND)),
        )
        self._signer = Signer(salt=f"{SALT}:{sha256(repr(bound).encode()).hexdigest()}")

    def write(self, cursor: Cursor) -> str:
        """Return a cursor as text, the same one every time."""
        values = None if cursor.bookmark is None else cursor.bookmark.values
        return self._signer.sign_object([cursor.is_later, values])

    def read(self, text: str) -> Cursor:
        """Return the cursor of a text; raise ``InvalidParameter`` where it was not written for this."""
        try:
            is_later, values = self._signer.unsign_object(text)
        except BadSignature:
            raise InvalidParameter(
                "cursor", "it is not one of this board, in this order and with this filter."
            ) from None
        return Cursor(None if values is None else Bookmark(values), is_later)

"""Where a row stood in the order of its board, for a page to begin beside it even if the row has gone.

    SELECT …, ARRAY[(app_attempt._term_0)::text, (app_attempt.id)::text] AS bookmark FROM …

As text, which PostgreSQL reads back as the very same values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import NotSupportedError, models
from django.db.models import Model

from leaderboard.declaration.leaderboard import Leaderboard
from leaderboard.expressions.literals import AsText, FromText
from leaderboard.orm.models import key_fields
from leaderboard.orm.ordering import NullsLast
from leaderboard.orm.trees import output_field_of, resolved_on_model

__all__ = ["Bookmark", "BookmarkAnnotation", "place_of"]


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A place in the order of a board: its terms, what orders ties and the primary key, as text.

    Raises ``TypeError`` for what is no sequence of texts, in which None stands for NULL.
    """

    values: tuple[str | None, ...]

    def __post_init__(self) -> None:
        values: object = self.values
        if not isinstance(values, list | tuple) or not all(isinstance(v, str | None) for v in values):
            raise TypeError(f"values={values!r} must be the texts of a bookmark that was read.")
        object.__setattr__(self, "values", tuple(values))


class BookmarkField(models.Field):  # type: ignore[type-arg]  # generic for django-stubs only
    """An array of texts, read as a bookmark."""

    def from_db_value(self, value: Any, *_: object) -> Bookmark | None:
        return None if value is None else Bookmark(value)


BOOKMARK = BookmarkField()


class BookmarkAnnotation(NullsLast, models.Func):
    """The bookmark of a row, of the expressions that the rows are in order by."""

    template = "ARRAY[%(expressions)s]"

    def __init__(self, *order: Any) -> None:
        super().__init__(*map(AsText, order), output_field=BOOKMARK)


def place_of(bookmark: Bookmark, model: type[Model], declaration: Leaderboard) -> Sequence[FromText]:
    """Return the values of a bookmark of that board, with their types.

    Raises ``ValueError`` where it has too many or too few, as one of another board may have, and
    ``NotSupportedError`` where an ordering term has no type that Django knows.
    """
    fields = declaration.prepared(("bookmark", model), lambda: _fields(model, declaration))
    if None in fields:
        raise NotSupportedError("A bookmark of a board where the type of an ordering term is not known.")
    if len(fields) != len(bookmark.values):
        raise ValueError(
            f"{bookmark!r} is of another board: it has {len(bookmark.values)} values, not {len(fields)}."
        )
    return [FromText(text, field) for text, field in zip(bookmark.values, fields, strict=True)]


def _fields(model: type[Model], declaration: Leaderboard) -> Sequence[Any]:
    terms = (*declaration.terms, *declaration.ties_by)
    own = [output_field_of(resolved_on_model(term.expression, model)[0]) for term in terms]
    return [*own, *key_fields(model)]

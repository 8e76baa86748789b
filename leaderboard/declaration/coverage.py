"""Whether a model has the indexes that serve a board."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Model, OrderBy, Q

from leaderboard.declaration.indexes import mark_of_size
from leaderboard.declaration.leaderboard import Leaderboard
from leaderboard.expressions.fields import is_text, value_field
from leaderboard.expressions.terms import as_written
from leaderboard.orm.models import (
    ancestors,
    concrete_model,
    field_called,
    key_fields,
    own_fields,
    stored_fields,
)
from leaderboard.orm.trees import nodes_of, path_of

__all__ = [
    "Columns",
    "SizeIndex",
    "finds_counting_entries",
    "has_covering_index",
    "missing_indexes",
    "otherwise_collated",
    "size_index",
    "table_of",
    "wanted_indexes",
]

# The columns of an index: the name of a field or an expression, and whether it descends.
Columns = Sequence[tuple[Any, bool]]


class Present(NamedTuple):
    """An index that a model has; ``included`` are the names of the fields beside its columns."""

    columns: Columns
    included: Sequence[str] = ()
    condition: Q | None = None


class SizeIndex(NamedTuple):
    """The index for the size of a board: how many terms are columns before any expression, and its mark.

    Statements that have the ``mark`` as a condition are counted from it.
    """

    columns: int
    mark: Any


def wanted_indexes(model: type[Model], board: Leaderboard) -> list[Columns]:
    """Return the columns of the board's indexes."""
    return [_columns(model, index) for index in board.indexes("x")]


def missing_indexes(model: type[Model], board: Leaderboard) -> Iterator[Columns]:
    """Yield the columns of the board's indexes in whose place ``model`` has none."""
    present = [index.columns for index in _present_indexes(model, board)]
    for index in board.indexes("x"):
        wanted = _columns(model, index)
        pinned = len(board.within) + (index.name == "x_member")
        if not any(_serves(columns, wanted, pinned) for columns in present):
            yield wanted


def otherwise_collated(model: type[Model], board: Leaderboard) -> Iterator[tuple[int, str]]:
    """Yield position and name of the terms that are texts in a collation other than the board's."""
    fields = {field.name: value_field(field) for field in stored_fields(model)}
    for position, term in enumerate(board.terms):
        source = as_written(term)
        if isinstance(source, F):
            field = fields.get(_field_name(model, path_of(source)))
            if is_text(field) and getattr(field, "db_collation", None) != board.collation:
                yield position, path_of(source)


def finds_counting_entries(model: type[Model], board: Leaderboard) -> bool:
    """Tell whether indexes give the board's first entries, and any member's, without reading the rest."""
    return board.prepared(("finds_counting_entries", model), lambda: _finds_counting_entries(model, board))


def _finds_counting_entries(model: type[Model], board: Leaderboard) -> bool:
    wanted = {index.name for index in board.indexes("x")}
    return (
        wanted == {"x_terms", "x_member"}
        and not any(missing_indexes(model, board))
        and not any(otherwise_collated(model, board))
    )


def has_covering_index(model: type[Model], board: Leaderboard) -> bool:
    """Tell whether an index gives all that counting the board's entries reads: see ``indexes(covering=)``."""
    return board.prepared(("has_covering_index", model), lambda: _has_covering_index(model, board))


def _has_covering_index(model: type[Model], board: Leaderboard) -> bool:
    key = [str(field.name) for field in key_fields(model)]
    try:
        terms, *_ = board.indexes("x", covering=True, key=key)
    except ValueError:
        return False
    wanted = _columns(model, terms)
    needed = {_field_name(model, name) for name in terms.include}
    return not any(otherwise_collated(model, board)) and any(
        _serves(index.columns, wanted, len(board.within))
        and needed <= {*index.included, *(key for key, _ in index.columns if isinstance(key, str))}
        and (index.condition is not None or not board.eligible)
        for index in _present_indexes(model, board)
    )


def size_index(model: type[Model], board: Leaderboard) -> SizeIndex | None:
    """Return what the model's index for the size is, from which the board is counted; None for none."""
    return board.prepared(("size_index", model), lambda: _size_index(model, board))


def _size_index(model: type[Model], board: Leaderboard) -> SizeIndex | None:
    try:
        *_, size = board.indexes("x", covering=True)
    except ValueError:
        return None
    wanted = _columns(model, size)
    if (
        size.name != "x_size"
        or any(otherwise_collated(model, board))
        or not any(
            index.condition == size.condition and _serves(index.columns, wanted, len(board.within))
            for index in _indexes_of(model)
        )
    ):
        return None
    leading = takewhile(lambda term: isinstance(as_written(term), F), board.terms)
    return SizeIndex(columns=len([*leading]), mark=mark_of_size(board.terms))


def table_of(model: type[Model], columns: Columns) -> type[Model] | None:
    """Return the model whose table has all ``columns``: ``model``, or one that it inherits from."""
    names = {
        path_of(node)
        for key, _ in columns
        for node in ([F(key)] if isinstance(key, str) else nodes_of(key))
        if isinstance(node, F)
    }
    for owner in (concrete_model(model), *ancestors(model)):
        if names <= {field.name for field in own_fields(owner)}:
            return owner
    return None


def _present_indexes(model: type[Model], board: Leaderboard) -> Iterator[Present]:
    # A partial index serves only what its condition implies.
    return (index for index in _indexes_of(model) if index.condition in (None, board.eligible))


def _indexes_of(model: type[Model]) -> Iterator[Present]:
    for owner in (model, *ancestors(model)):
        meta = owner._meta
        uniques = [item for item in meta.constraints if isinstance(item, models.UniqueConstraint)]
        # Other methods than B-tree do not sort.
        for index in [*(item for item in meta.indexes if item.suffix in ("idx", "btree")), *uniques]:
            if not _sorts_otherwise(index):
                included = [_field_name(model, name) for name in index.include]
                yield Present(_columns(model, index), included, index.condition)
        for names in meta.unique_together:
            yield Present([(_field_name(model, name), False) for name in names])
        for field in own_fields(owner):
            if field.unique or getattr(field, "db_index", False):
                yield Present([(field.name, False)])


def _sorts_otherwise(index: models.Index | models.UniqueConstraint) -> bool:
    """Tell whether an index does not sort as ORDER BY does: NULL elsewhere, or by another operator class."""
    parts: Any = index.expressions
    return bool(getattr(index, "opclasses", ())) or any(
        isinstance(part, OpClass) or (isinstance(part, OrderBy) and (part.nulls_first or part.nulls_last))
        for whole in parts
        for part in nodes_of(whole)
    )


def _columns(model: type[Model], index: models.Index | models.UniqueConstraint) -> Columns:
    if not index.expressions:
        return [(_field_name(model, name.removeprefix("-")), name.startswith("-")) for name in index.fields]
    columns: list[tuple[Any, bool]] = []
    for part in index.expressions:
        expression: Any = part.expression if isinstance(part, OrderBy) else part
        name = getattr(expression, "name", None)
        key = expression if name is None else _field_name(model, name)
        columns.append((key, isinstance(part, OrderBy) and part.descending))
    return columns


def _field_name(model: type[Model], name: str) -> str:
    """Return the name of the field that ``pk`` or a column's name stands for."""
    field = field_called(model, name)
    return name if field is None else str(field.name)


def _serves(present: Columns, wanted: Columns, pinned: int) -> bool:
    """Tell whether an index begins with the wanted columns, of which the first ``pinned`` have one value.

    Pinned columns come in any order, and the others may be read backwards as a whole.
    """
    columns = present[: len(wanted)]
    if {key for key, _ in columns[:pinned]} != {key for key, _ in wanted[:pinned]}:
        return False
    if [key for key, _ in columns[pinned:]] != [key for key, _ in wanted[pinned:]]:
        return False
    turned = {
        ours != theirs for (_, ours), (_, theirs) in zip(columns[pinned:], wanted[pinned:], strict=True)
    }
    return len(turned) <= 1

"""What can be made once for a declaration and used by every query on it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

from django.db.models import Model

from leaderboard.declaration.leaderboard import Leaderboard
from leaderboard.orm.held import Equalities
from leaderboard.orm.models import base_query
from leaderboard.orm.query import DerivedQuery
from leaderboard.orm.trees import resolves_alike
from leaderboard.orm.written import circumstances, compiles_alike

__all__ = ["is_lasting", "is_shareable", "written_condition", "written_once"]

T = TypeVar("T")


def is_shareable(declaration: Leaderboard, model: type[Model]) -> bool:
    """Tell whether the queries made of a declaration are alike at any moment, with what a manager hides."""
    alike = declaration.prepared(
        "resolves_alike", lambda: all(map(resolves_alike, declaration.expressions()))
    )
    return alike and base_query(model) is None


def is_lasting(declaration: Leaderboard, model: type[Model]) -> bool:
    """Tell whether what they are in SQL is the same too, so that it need not be compiled again."""

    def once() -> bool:
        return compiles_alike(model, declaration.expressions())

    return is_shareable(declaration, model) and declaration.prepared(("lasting", model), once)


def written_once(declaration: Leaderboard, key: Hashable, connection: Any, write: Callable[[], T]) -> T:
    """Return what ``write`` once made of a declaration for a connection's database."""
    return declaration.prepared((key, circumstances(connection)), write)


def written_condition(
    query: DerivedQuery, conditions: Sequence[Any], declaration: Leaderboard, connection: Any
) -> tuple[str, Iterable[Any]] | None:
    """Return conditions on the one table of a query as SQL; None where no row meets them all."""
    equalities = Equalities.of(query, conditions)
    if equalities is None:
        return query.own_condition(connection, conditions)
    key = ("equalities", query.model, equalities.columns)
    text = written_once(declaration, key, connection, lambda: equalities.text(connection))
    values = equalities.values(connection)
    return None if values is None else (text, values)

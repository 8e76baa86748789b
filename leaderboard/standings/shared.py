"""What can be made once for a declaration and used by every query on it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from django.db.models import Model

from leaderboard.declaration.leaderboard import Leaderboard
from leaderboard.orm.models import base_query
from leaderboard.orm.trees import resolves_alike
from leaderboard.orm.written import circumstances, compiles_alike

__all__ = ["is_lasting", "is_shareable", "written_once"]

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

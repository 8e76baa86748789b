"""A board by what names it in a URL, and whether what it belongs to exists."""

from __future__ import annotations

from typing import Any

from django.http import Http404

from leaderboard.endpoints.parameters import no_text
from leaderboard.orm.models import own_field
from leaderboard.standings.pins import pins_of

__all__ = ["board_or_404", "require_board"]


def board_or_404(queryset: Any, /, **named: Any) -> Any:
    """Return the entries of a queryset on the board that these name, some of which may name something else.

    Raises ``Http404`` for what cannot name a board, and ``TypeError`` where a part of it has no name.
    """
    own = {name: named[name] for name in queryset.leaderboard.within if name in named}
    try:
        for value in named.values():
            if isinstance(value, str) and (reason := no_text(value)) is not None:
                raise ValueError(reason)
        return queryset.on_board(**own)
    except ValueError as error:
        raise Http404(str(error)) from error


def require_board(view: Any) -> None:
    """Raise ``Http404`` where what the board of a queryset belongs to, such as a test, does not exist."""
    board = view.leaderboard
    for name, pin in pins_of(view.query, board).items():
        field, value = own_field(view.model, board.within[name]), getattr(pin.rhs, "pk", pin.rhs)
        if field is None or field.related_model is None or value is None:
            continue
        others = field.related_model._base_manager.using(view.db)
        if not others.filter(**{field.target_field.name: value}).exists():
            raise Http404(f"There is no {field.related_model._meta.verbose_name} {value!r}.")

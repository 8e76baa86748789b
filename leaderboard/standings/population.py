"""Who is ranked on the boards of one ranking, as expressions of the level of standings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Case, Value, When

from leaderboard.declaration.cut_offs import CutOff
from leaderboard.expressions.fields import BOOLEAN
from leaderboard.expressions.tally import Tally

__all__ = ["Population"]


@dataclass(frozen=True, kw_only=True)
class Population:
    """The ranked entries: conditions for who is one, and the tally among them.

    ``terms`` and ``ties`` are columns of the ordering terms, and of what orders ties.
    ``ranked`` is None where the level holds no others, and a condition that nobody meets is None too.
    """

    tally: Tally
    terms: Sequence[Any]
    ties: Sequence[Any]
    row_column: Callable[[Any], Any]
    cut_off: CutOff | None = None
    ranked: Any = None
    excluded: Any = None
    pending: Any = None
    superseded: Any = None

    @property
    def is_ranked(self) -> Any:
        """Whether an entry is ranked, as an expression."""
        return Value(True, BOOLEAN) if self.ranked is None else self.ranked

    def of_ranked(self, value: Any, output_field: models.Field[Any, Any]) -> Any:
        """Return ``value`` for entries that are ranked, NULL for others."""
        return (
            value if self.ranked is None else Case(When(self.ranked, then=value), output_field=output_field)
        )

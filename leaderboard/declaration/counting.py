"""Which of a member's entries counts."""

from __future__ import annotations

from django.db.models import F, OrderBy
from django.utils.deconstruct import deconstructible

from leaderboard.expressions.terms import Term
from leaderboard.kinds import Counting

__all__ = ["Best", "CountingRule", "First", "Latest"]


class CountingRule:
    """Which of a member's entries counts, among those eligible and with no NULL term."""

    kind: Counting
    field: str | None = None

    def order_by(self, collation: str) -> OrderBy | None:
        """Return by what a member's entry counts; None where it is the best one, by the ordering terms."""
        if self.kind is Counting.BEST:
            return None
        latest = self.kind is Counting.LATEST
        return OrderBy(Term(F(str(self.field)), collation), latest, nulls_last=True)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.field == other.field

    def __hash__(self) -> int:
        return hash((type(self), self.field))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.field is None else repr(self.field)})"


@deconstructible(path="leaderboard.Best")
class Best(CountingRule):
    """The entry that comes first by the ordering terms; ties go to the lower primary key."""

    kind = Counting.BEST


class _ByField(CountingRule):
    def __init__(self, field: str) -> None:
        if isinstance(field, str) and field.startswith("-"):
            raise ValueError(f"{type(self).__name__}({field!r}) has its direction already; leave '-' out.")
        if not (isinstance(field, str) and field.isidentifier()):
            raise TypeError(
                f"{type(self).__name__}({field!r}) takes the name of a field, such as 'started_at'."
            )
        self.field = field


@deconstructible(path="leaderboard.Latest")
class Latest(_ByField):
    """The entry with the greatest value of ``field``, NULL last; ties go to the lower primary key."""

    kind = Counting.LATEST


@deconstructible(path="leaderboard.First")
class First(_ByField):
    """The entry with the smallest value of ``field``, NULL last; ties go to the lower primary key."""

    kind = Counting.FIRST

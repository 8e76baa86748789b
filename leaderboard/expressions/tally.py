"""The whole numbers of which every rank and percentile is made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, ExpressionWrapper, Value, Window
from django.db.models.functions import DenseRank, Rank, RowNumber

from leaderboard.expressions.fields import BIGINT

__all__ = ["Tally", "WindowTally"]


class Tally(ABC):
    """The whole numbers of which every rank and percentile is made, as expressions."""

    @property
    @abstractmethod
    def competition(self) -> Any:
        """The rank of the first of the entries tied."""

    @property
    @abstractmethod
    def modified(self) -> Any:
        """The rank of the last of the entries tied."""

    @property
    @abstractmethod
    def size(self) -> Any:
        """The number of entries ranked on the board."""

    @property
    @abstractmethod
    def dense(self) -> Any:
        """The number of different places up to the entry's."""

    @property
    @abstractmethod
    def ordinal(self) -> Any:
        """The position of the entry among those tied too."""


class WindowTally(Tally):
    """The numbers of every row of a query, counted by window functions.

    ``ranked`` is a condition that splits off the rows that take no part; they get ranks of their own,
    which the caller must hide; ``by_subquery`` tells that a subquery decides it.
    """

    def __init__(
        self,
        order_by: Sequence[Any],
        *,
        partition_by: Sequence[Any] = (),
        ranked: Any = None,
        ties: Sequence[Any] = (),
        by_subquery: bool = False,
    ) -> None:
        self.order_by = list(order_by)
        self.partition_by = list(partition_by)
        self.ranked = ranked
        self.partition = self.partition_by if ranked is None else [*self.partition_by, ranked]
        self.ties = list(ties)
        self.by_subquery = by_subquery

    def _ordered(self, function: Any, *ties: Any) -> Window:
        return Window(
            function,
            partition_by=self.partition or None,
            order_by=[*self.order_by, *ties],
            output_field=BIGINT,
        )

    @property
    def competition(self) -> Any:
        return self._ordered(Rank())

    @property
    def modified(self) -> Any:
        # The default frame of an ordered window ends with the last peer of the current row.
        return self._ordered(Count("*"))

    @property
    def size(self) -> Any:
        counted = Count("*") if self.ranked is None else Count(Value(1), filter=self.ranked)
        size = Window(counted, partition_by=self.partition_by or None, output_field=BIGINT)
        # A filter by a count that depends on a subquery is an internal error of PostgreSQL before 17, unless
        # the count is part of an expression.
        return ExpressionWrapper(size + Value(0, BIGINT), BIGINT) if self.by_subquery else size

    @property
    def dense(self) -> Any:
        return self._ordered(DenseRank())

    @property
    def ordinal(self) -> Any:
        return self._ordered(RowNumber(), *self.ties)

"""What is derived for the entries of a board, and the columns that hold it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models.sql import Query

from leaderboard.board import Leaderboard
from leaderboard.expressions import BIGINT, BOOLEAN, FLOAT, QUALIFICATION, rank_field
from leaderboard.kinds import Qualification

__all__ = ["Metric", "Ranking", "Standing", "field_names"]

UNCONVERTED: models.Field[Any, Any] = models.Field()


def field_names(model: type[models.Model]) -> set[str]:
    """Return the names that no annotation of ``model`` can have."""
    meta = model._meta
    return {field.name for field in meta.get_fields()} | {field.attname for field in meta.concrete_fields}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is derived for one entry; ``rank`` and ``percentile`` are None where it is not ranked."""

    rank: int | Decimal | None
    board_size: int
    percentile: float | None
    time_taken: timedelta | None = None
    qualification: Qualification


@dataclass(frozen=True)
class Ranking:
    """A board, and the view that is its population where that is not the whole board."""

    board: Leaderboard
    view: Query | None = None


@dataclass(frozen=True)
class Metric:
    """A column of the derived table: what it holds, of which ranking and kind."""

    ranking: Ranking
    name: str
    kind: Any = None

    @property
    def output_field(self) -> models.Field[Any, Any]:
        match self.name:
            case "rank":
                return rank_field(self.kind)
            case "board_size":
                return BIGINT
            case "percentile":
                return FLOAT
            case "qualification":
                return QUALIFICATION
            case "ranked":
                return BOOLEAN
        # A term is read and written as PostgreSQL has it, whatever its own field would make of it.
        return UNCONVERTED

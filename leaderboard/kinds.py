"""The kinds of rank, percentile and qualification, as enumerations of the standard library."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

__all__ = ["Counting", "PercentileKind", "PlanKind", "Qualification", "RankKind"]


class LabelledEnum(StrEnum):
    """A string enumeration whose members also carry a label for people."""

    label: str

    def __new__(cls, value: str, label: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member

    def __setattr__(self, name: str, value: object) -> None:
        # prefetch_related() takes a value for an instance of a model if it takes any attribute.
        if getattr(self, "_name_", None) in type(self).__members__:
            raise AttributeError(f"{self!r} is a constant: {name!r} cannot be set.")
        super().__setattr__(name, value)


class RankKind(LabelledEnum):
    """How equal entries share ranks; the five methods of ``scipy.stats.rankdata``."""

    COMPETITION = "competition", "Competition rank (1 2 2 4)"
    MODIFIED = "modified", "Modified competition rank (1 3 3 4)"
    DENSE = "dense", "Dense rank (1 2 2 3)"
    ORDINAL = "ordinal", "Ordinal rank (1 2 3 4)"
    FRACTIONAL = "fractional", "Fractional rank (1 2.5 2.5 4)"


class PercentileKind(LabelledEnum):
    """How a percentile counts equal entries.

    With *n* entries ranked, *worse* of them ordered after the entry and *tied* equal to it (itself
    included), the first four are those of ``scipy.stats.percentileofscore`` and the last one is
    ``percent_rank()`` of PostgreSQL, counted so that higher is better.
    """

    STRICT = "strict", "100·worse/n"
    WEAK = "weak", "100·(worse+tied)/n"
    MEAN = "mean", "mean of strict and weak"
    SCIPY_RANK = "scipy_rank", "50·(2·worse+tied+1)/n"
    PERCENT_RANK = "percent_rank", "100·worse/(n-1)"


class Qualification(LabelledEnum):
    """What a cut-off makes of an entry; the first that applies, in this order."""

    EXCLUDED = "excluded", "Excluded"
    PENDING = "pending", "Pending"
    SUPERSEDED = "superseded", "Superseded"
    NO_CUT_OFF = "no_cut_off", "No cut-off"
    QUALIFIED = "qualified", "Qualified"
    NOT_QUALIFIED = "not_qualified", "Not qualified"


class Counting(LabelledEnum):
    """Which of a member's several entries counts."""

    BEST = "best", "Best entry"
    LATEST = "latest", "Latest entry"
    FIRST = "first", "First entry"


class PlanKind(LabelledEnum):
    """How the metrics of a queryset are found."""

    PLAIN = "plain", "No metric is read"
    COUNTED = "counted", "Where one entry stands, and who is before it"
    PAGE = "page", "Entries next to one another, and where one of them stands"
    BOUNDED_WINDOW = "bounded_window", "A window that stops early"
    WINDOW = "window", "A window over the boards that are shown"

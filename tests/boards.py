"""Declared boards in a queryset, beside what the reference derives for each stored attempt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models import Q

from leaderboard.reference import Standing
from leaderboard.testing import reference_standings
from tests.testapp.models import Attempt


@dataclass
class Row:
    """An entry as stored, and what the reference derives for it."""

    entry: Attempt
    standing: Standing
    comments: list[str]

    @property
    def rank(self) -> Any:
        return self.standing.rank

    @property
    def team(self) -> str | None:
        return self.entry.candidate.team if self.entry.candidate else None


@dataclass
class Boards:
    """The declared boards that a queryset shows, by prefix; operations refer to those of the last one."""

    shown: dict[str, str]

    def __post_init__(self) -> None:
        self.prefix, self.name = list(self.shown.items())[-1]
        self.rank = f"{self.prefix}rank"
        self.percentile = f"{self.prefix}percentile"
        self.qualification = f"{self.prefix}qualification"
        keys = Attempt._base_manager.order_by("pk").values_list("pk", flat=True)
        self.expected = {
            prefix: dict(zip(keys, _standings(name), strict=True)) for prefix, name in self.shown.items()
        }
        self.rows = [
            Row(entry, self.expected[self.prefix][entry.pk], [c.text for c in entry.comments.all()])
            for entry in Attempt._base_manager.select_related("candidate", "test")
            .prefetch_related("comments")
            .order_by("pk")
        ]

    def add(self, queryset: Any) -> Any:
        for prefix, name in self.shown.items():
            queryset = queryset.board(name).standings(prefix)
        return queryset

    @property
    def view(self) -> Any:
        return self.add(Attempt.objects.all())

    def q(self, **lookups: Any) -> Q:
        """A condition on the metrics of the last board."""
        return Q(**{f"{self.prefix}{name}": value for name, value in lookups.items()})

    def pks(self, shown: Callable[[Row], Any] = lambda row: True) -> list[int]:
        """The primary keys of the rows, each as many times as ``shown`` says."""
        return [row.entry.pk for row in self.rows for _ in range(int(shown(row) or 0))]

    def ranked(self, shown: Callable[[Row], Any] = lambda row: True) -> list[Row]:
        """The ranked rows in order, ties by primary key."""
        rows = [row for row in self.rows if row.rank is not None and shown(row)]
        return sorted(rows, key=lambda row: (row.rank, row.entry.pk))

    def check_standings(self, entries: Iterable[Any]) -> None:
        for entry in entries:
            for prefix, expected in self.expected.items():
                found = Standing(
                    rank=getattr(entry, f"{prefix}rank"),
                    board_size=getattr(entry, f"{prefix}board_size"),
                    percentile=getattr(entry, f"{prefix}percentile"),
                    time_taken=getattr(entry, f"{prefix}time_taken"),
                    qualification=getattr(entry, f"{prefix}qualification"),
                )
                assert found == expected[entry.pk], (prefix, entry.pk)

    def check(self, entries: Iterable[Any], pks: Iterable[int], *, ordered: bool = False) -> None:
        found = list(entries)
        if ordered:
            assert [entry.pk for entry in found] == list(pks)
        else:
            assert Counter(entry.pk for entry in found) == Counter(pks)
        self.check_standings(found)


@cache
def _standings(name: str) -> list[Standing]:
    """Return what the reference derives for the stored attempts, in order of their keys, of any test."""
    standings = reference_standings(Attempt.objects.board(name))
    return [standings[key] for key in sorted(standings)]


def nulls_last(value: Any) -> tuple[bool, Any]:
    return value is None, 0 if value is None else value


def fields(standing: Any) -> tuple[Any, ...]:
    return (
        standing.rank,
        standing.board_size,
        standing.percentile,
        standing.time_taken,
        standing.qualification,
    )

"""Aggregates of metrics, and beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Avg, Case, Count, Exists, F, Max, Min, OuterRef, Q, Sum, When, Window

from tests.boards import Boards, Row
from tests.testapp.models import Attempt

pytestmark = pytest.mark.django_db


def test_aggregate(boards: Boards) -> None:
    ranks = [row.rank for row in boards.rows if row.rank is not None]
    percentiles = [row.standing.percentile for row in boards.rows if row.standing.percentile is not None]
    found = boards.view.aggregate(
        most=Max(boards.rank),
        least=Min(boards.rank),
        total=Sum(boards.rank),
        ranked=Count(boards.rank),
        mean=Avg(boards.percentile),
        first=Count("pk", filter=boards.q(rank=1)),
    )
    assert found.pop("mean") == pytest.approx(sum(percentiles) / len(percentiles))
    assert found == {
        "most": max(ranks),
        "least": 1,
        "total": sum(ranks),
        "ranked": len(ranks),
        "first": ranks.count(1),
    }
    ordered = sorted(ranks)[:5]
    assert boards.view.order_by(boards.rank)[:5].aggregate(total=Sum(boards.rank)) == {"total": sum(ordered)}


def test_group_by_metrics(boards: Boards) -> None:
    groups: list[tuple[str, Callable[[Row], Any]]] = [
        (boards.qualification, lambda r: r.standing.qualification),
        (boards.rank, lambda r: r.rank),
        ("candidate__team", lambda r: r.team),
    ]
    for name, value in groups:
        found = boards.view.values(name).annotate(n=Count("pk")).order_by()
        assert {row[name]: row["n"] for row in found} == Counter(value(r) for r in boards.rows)
        assert len(found) == len({value(r) for r in boards.rows})
    teams: dict[Any, Any] = {}
    for row in boards.ranked():
        teams.setdefault(row.team, row.rank)
    found = boards.view.filter(boards.q(rank__isnull=False)).values("candidate__team")
    assert {r["candidate__team"]: r["best"] for r in found.annotate(best=Min(boards.rank))} == teams


def test_counts_of_a_relation(boards: Boards) -> None:
    found = list(boards.view.annotate(n=Count("comments"), a=Count("comments", filter=Q(comments__text="a"))))
    boards.check(found, boards.pks())
    assert {entry.pk: (entry.n, entry.a) for entry in found} == {
        row.entry.pk: (len(row.comments), row.comments.count("a")) for row in boards.rows
    }


def test_aggregates_of_what_is_not_of_a_rank(boards: Boards) -> None:
    others = ~boards.q(rank=1)
    found = boards.view.aggregate(
        counted=Count("pk", filter=others), summed=Sum(Case(When(others, then=1), default=0))
    )
    expected = len(boards.pks(lambda r: r.rank != 1))
    assert found == {"counted": expected, "summed": expected}


def test_aggregates_of_a_window(boards: Boards) -> None:
    entries = Window(Count("pk"), partition_by=["test"])
    view = boards.view.annotate(n=entries).filter(n__gte=1).order_by("pk")
    first = sorted(boards.rows, key=lambda row: row.entry.pk)[:5]
    for queryset, rows in ((view, boards.rows), (view[:5], first)):
        found = queryset.aggregate(
            others=Count("score", filter=~boards.q(rank=1)),
            ranked=Count("score", filter=Q(**{boards.rank: F(boards.rank)})),
        )
        others = [row for row in rows if row.rank != 1 and row.entry.score is not None]
        assert found == {"others": len(others), "ranked": sum(row.rank is not None for row in rows)}


def test_aggregates_of_times_that_tie(boards: Boards) -> None:
    taken = f"{boards.prefix}time_taken"
    same = Exists(boards.view.filter(**{taken: OuterRef(taken)}).exclude(pk=OuterRef("pk")))
    times = Counter(row.standing.time_taken for row in boards.rows)
    expected = sum(number for time, number in times.items() if time is not None and number > 1)
    assert boards.view.filter(same).count() == expected > 0
    assert boards.view.aggregate(n=Count("pk", filter=same)) == {"n": expected}


def test_aggregates_beside_a_year(boards: Boards) -> None:
    view = boards.view.annotate(n=Count("comments")).filter(Q(n__gte=2) | Q(finished_at__year=2026))
    expected = boards.pks(
        lambda r: len(r.comments) >= 2 or (r.entry.finished_at and r.entry.finished_at.year == 2026)
    )
    boards.check(view, expected)
    assert view.count() == len(expected)
    assert sorted(view.values_list("pk", flat=True)) == expected
    assert sorted(Attempt.objects.filter(pk__in=view.values("pk")).values_list("pk", flat=True)) == expected
    assert sorted(entry.pk for entry in view.only("pk")) == expected

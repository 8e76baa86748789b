"""Queryset operations on rows with standings: each must show the rows and the ranks that Python works out."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import NotSupportedError
from django.db.models import (
    Avg,
    Case,
    Count,
    Exists,
    F,
    FilteredRelation,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)

from leaderboard import BoardNotPinned, Leaderboard, TimeTaken
from leaderboard.reference import Standing
from leaderboard.testing import reference_standings
from tests.attempts import START
from tests.boards import Boards, Row, fields, nulls_last
from tests.testapp.models import Attempt, Candidate, Comment, Test

pytestmark = pytest.mark.django_db


def test_the_data_has_every_case(boards: Boards) -> None:
    ranks = Counter((row.entry.test_id, row.rank) for row in boards.rows if row.rank is not None)
    assert max(ranks.values()) > 1
    assert len({row.standing.qualification for row in boards.rows}) >= 5
    assert any(row.rank is None for row in boards.rows)


VIEWS: dict[str, tuple[Callable[[Boards], Any], Callable[[Row], Any]]] = {
    "all": (lambda b: b.view, lambda r: True),
    "none": (lambda b: b.view.none(), lambda r: False),
    "filter before": (
        lambda b: b.add(Attempt.objects.filter(score__lt=80)),
        lambda r: r.entry.score is not None and r.entry.score < 80,
    ),
    "filter after": (
        lambda b: b.view.filter(score__lt=80),
        lambda r: r.entry.score is not None and r.entry.score < 80,
    ),
    "filter by rank": (lambda b: b.view.filter(b.q(rank=1)), lambda r: r.rank == 1),
    "filter by rank, in": (lambda b: b.view.filter(b.q(rank__in=[2, 4])), lambda r: r.rank in (2, 4)),
    "filter by rank, range": (
        lambda b: b.view.filter(b.q(rank__range=(2, 5))),
        lambda r: r.rank is not None and 2 <= r.rank <= 5,
    ),
    "filter by rank, null": (lambda b: b.view.filter(b.q(rank__isnull=True)), lambda r: r.rank is None),
    "filter by percentile": (
        lambda b: b.view.filter(b.q(percentile__gte=50)),
        lambda r: r.standing.percentile is not None and r.standing.percentile >= 50,
    ),
    "filter by qualification": (
        lambda b: b.view.filter(b.q(qualification="qualified")),
        lambda r: r.standing.qualification == "qualified",
    ),
    "filter by time taken": (
        lambda b: b.view.filter(b.q(time_taken__lt=timedelta(seconds=20))),
        lambda r: r.standing.time_taken is not None and r.standing.time_taken < timedelta(seconds=20),
    ),
    "filter by rank against board size": (
        lambda b: b.view.filter(b.q(rank=F(f"{b.prefix}board_size"))),
        lambda r: r.rank is not None and r.rank == r.standing.board_size,
    ),
    "filter by rank against an expression": (
        lambda b: b.view.filter(b.q(rank__gt=F("score") / 20)),
        lambda r: r.rank is not None and r.entry.score is not None and r.rank > r.entry.score // 20,
    ),
    "filter before and after": (
        lambda b: b.add(Attempt.objects.filter(candidate__team="red")).filter(b.q(rank__lte=2)),
        lambda r: r.team == "red" and r.rank is not None and r.rank <= 2,
    ),
    "exclude": (lambda b: b.view.exclude(disqualified=True), lambda r: r.entry.disqualified is not True),
    "exclude before": (
        lambda b: b.add(Attempt.objects.exclude(label="low")),
        lambda r: r.entry.label != "low",
    ),
    "exclude by rank": (lambda b: b.view.exclude(b.q(rank=1)), lambda r: r.rank != 1),
    "exclude by rank, range": (
        lambda b: b.view.exclude(b.q(rank__lte=2)),
        lambda r: r.rank is None or r.rank > 2,
    ),
    "exclude by rank, null": (lambda b: b.view.exclude(b.q(rank=None)), lambda r: r.rank is not None),
    "exclude by two": (
        lambda b: b.view.exclude(b.q(rank=1) & Q(label="high")),
        lambda r: not (r.rank == 1 and r.entry.label == "high"),
    ),
    "exclude twice": (
        lambda b: b.view.exclude(b.q(rank=1)).exclude(b.q(rank=2)),
        lambda r: r.rank not in (1, 2),
    ),
    "Q or": (
        lambda b: b.view.filter(b.q(rank=1) | Q(score=70)),
        lambda r: r.rank == 1 or r.entry.score == 70,
    ),
    "Q or, related": (
        lambda b: b.view.filter(b.q(rank=1) | Q(candidate__team="blue")),
        lambda r: r.rank == 1 or r.team == "blue",
    ),
    "Q not": (lambda b: b.view.filter(~b.q(rank=1)), lambda r: r.rank != 1),
    "Q not or": (
        lambda b: b.view.filter(~(b.q(rank=1) | Q(label="low"))),
        lambda r: r.rank != 1 and r.entry.label != "low",
    ),
    "Q xor": (
        lambda b: b.view.filter(b.q(rank=1) ^ Q(score__gte=60)),
        lambda r: (r.rank == 1) != (r.entry.score is not None and r.entry.score >= 60),
    ),
    "querysets or": (
        lambda b: b.view.filter(b.q(rank=1)) | b.view.filter(score=20),
        lambda r: r.rank == 1 or r.entry.score == 20,
    ),
    "querysets or, one plain": (
        lambda b: b.view.filter(b.q(rank=1)) | Attempt.objects.filter(score=20),
        lambda r: r.rank == 1 or r.entry.score == 20,
    ),
    "querysets or with none": (lambda b: b.view.none() | b.view, lambda r: True),
    "window over metrics": (
        lambda b: b.view.annotate(n=Window(Count("pk"), partition_by=["test_id", F(b.rank)])).filter(
            b.q(rank=1), n__gte=1
        ),
        lambda r: r.rank == 1,
    ),
    "FilteredRelation": (
        lambda b: b.view.annotate(a=FilteredRelation("comments", condition=Q(comments__text="a"))).filter(
            b.q(rank__lte=2), a__isnull=False
        ),
        lambda r: (r.rank is not None and r.rank <= 2) * r.comments.count("a"),
    ),
    "group by, alias": (
        lambda b: b.view.alias(n=Count("comments")).filter(n=0),
        lambda r: not r.comments,
    ),
    "relation in a queryset": (
        lambda b: b.view.filter(candidate__in=Candidate.objects.filter(team="red")),
        lambda r: r.team == "red",
    ),
    "standings twice": (
        lambda b: b.add(b.view.filter(b.q(rank__lte=3))).filter(b.q(rank__gte=2)),
        lambda r: r.rank in (2, 3),
    ),
    "complex_filter": (
        lambda b: b.view.complex_filter({b.rank: 1}),
        lambda r: r.rank == 1,
    ),
    "all, after": (lambda b: b.view.filter(b.q(rank=1)).all(), lambda r: r.rank == 1),
    "querysets and": (
        lambda b: b.view.filter(b.q(rank__lte=2)) & b.view.filter(candidate__team="red"),
        lambda r: r.rank is not None and r.rank <= 2 and r.team == "red",
    ),
    "querysets xor": (
        lambda b: b.view.filter(b.q(rank__lte=2)) ^ b.view.filter(label="high"),
        lambda r: (r.rank is not None and r.rank <= 2) != (r.entry.label == "high"),
    ),
    "join that multiplies": (
        lambda b: b.view.filter(comments__text="a"),
        lambda r: r.comments.count("a"),
    ),
    "join that multiplies, before": (
        lambda b: b.add(Attempt.objects.filter(comments__text="a")),
        lambda r: r.comments.count("a"),
    ),
    "join that multiplies, by rank": (
        lambda b: b.view.filter(comments__text="a").filter(b.q(rank=1)),
        lambda r: (r.rank == 1) * r.comments.count("a"),
    ),
    "join that multiplies, twice": (
        lambda b: b.view.filter(comments__text="a").filter(comments__text="b"),
        lambda r: r.comments.count("a") * r.comments.count("b"),
    ),
    "join that multiplies, distinct": (
        lambda b: b.view.filter(comments__text="a").distinct(),
        lambda r: "a" in r.comments,
    ),
    "join that multiplies, before, distinct": (
        lambda b: b.add(Attempt.objects.filter(comments__text="a").distinct()),
        lambda r: "a" in r.comments,
    ),
    "join or rank": (
        lambda b: b.view.filter(Q(comments__text="a") | b.q(rank=1)).distinct(),
        lambda r: "a" in r.comments or r.rank == 1,
    ),
    "exclude by a join": (
        lambda b: b.view.exclude(comments__text="a"),
        lambda r: "a" not in r.comments,
    ),
    "rows without a relation": (lambda b: b.view.filter(comments=None), lambda r: not r.comments),
    "nullable relation": (
        lambda b: b.view.filter(candidate__team="blue"),
        lambda r: r.team == "blue",
    ),
    "nullable relation, exclude": (
        lambda b: b.view.exclude(candidate__team="blue"),
        lambda r: r.team != "blue",
    ),
    "nullable relation, null": (
        lambda b: b.view.filter(candidate=None),
        lambda r: r.entry.candidate_id is None,
    ),
    "nullable relation, through two": (
        lambda b: b.view.filter(candidate__attempts__score=95),
        lambda r: r.entry.candidate is not None and r.entry.candidate.name == "candidate 1",
    ),
    "pk in subquery": (
        lambda b: b.view.filter(pk__in=Attempt.objects.filter(score__gte=70).values("pk")),
        lambda r: r.entry.score is not None and r.entry.score >= 70,
    ),
    "pk in subquery with standings": (
        lambda b: b.view.filter(pk__in=b.view.filter(b.q(rank__lte=2)).values("pk")),
        lambda r: r.rank is not None and r.rank <= 2,
    ),
    "not in subquery with standings": (
        lambda b: b.view.exclude(pk__in=b.view.filter(b.q(rank__lte=2)).values("pk")),
        lambda r: r.rank is None or r.rank > 2,
    ),
    "Exists": (
        lambda b: b.view.filter(Exists(Comment.objects.filter(attempt=OuterRef("pk"), text="a"))),
        lambda r: "a" in r.comments,
    ),
    "Exists with the rank outside": (
        lambda b: b.view.filter(Exists(Test.objects.filter(cut_off__gt=OuterRef(b.rank) * 20))),
        lambda r: r.rank is not None and r.rank * 20 < 70,
    ),
    "Exists of standings": (
        lambda b: b.view.filter(Exists(b.view.filter(b.q(rank=1), pk=OuterRef("pk")))),
        lambda r: r.rank == 1,
    ),
    "not Exists of standings": (
        lambda b: b.view.filter(~Exists(b.view.filter(b.q(rank=1), pk=OuterRef("pk")))),
        lambda r: r.rank != 1,
    ),
    "Subquery of standings": (
        lambda b: b.view.annotate(again=Subquery(b.view.filter(pk=OuterRef("pk")).values(b.rank)[:1])).filter(
            again=2
        ),
        lambda r: r.rank == 2,
    ),
    "alias": (lambda b: b.view.alias(twice=F(b.rank) * 2).filter(twice=4), lambda r: r.rank == 2),
    "annotate": (
        lambda b: b.view.annotate(twice=F(b.rank) * 2).filter(twice__gt=4),
        lambda r: (r.rank or 0) > 2,
    ),
    "annotate Case": (
        lambda b: b.view.annotate(
            medal=Case(When(b.q(rank__lte=3), then=Value(1)), default=0, output_field=IntegerField())
        ).filter(medal=1),
        lambda r: r.rank is not None and r.rank <= 3,
    ),
    "group by": (
        lambda b: b.view.annotate(n=Count("comments")).filter(n__gte=2),
        lambda r: len(r.comments) >= 2,
    ),
    "group by, having rank": (
        lambda b: b.view.annotate(n=Count("comments")).filter(Q(n__gte=2) | b.q(rank=1)),
        lambda r: len(r.comments) >= 2 or r.rank == 1,
    ),
    "group by, having a product": (
        lambda b: b.view.annotate(n=Count("comments")).filter(n__gte=F(b.rank)),
        lambda r: r.rank is not None and len(r.comments) >= r.rank,
    ),
    "group by, filter before": (
        lambda b: b.add(Attempt.objects.annotate(n=Count("comments")).filter(n__gte=2)),
        lambda r: len(r.comments) >= 2,
    ),
    "select_related": (
        lambda b: b.view.select_related("candidate", "test").filter(b.q(rank__lte=2)),
        lambda r: r.rank is not None and r.rank <= 2,
    ),
    "only": (lambda b: b.view.only("score"), lambda r: True),
    "only, related": (
        lambda b: b.view.select_related("candidate").only("score", "candidate__name"),
        lambda r: True,
    ),
    "defer": (lambda b: b.view.defer("score", "started_at"), lambda r: True),
    "only before": (lambda b: b.add(Attempt.objects.only("label")), lambda r: True),
    "using": (lambda b: b.view.using("default").filter(b.q(rank=1)), lambda r: r.rank == 1),
    "using before": (lambda b: b.add(Attempt.objects.using("default")), lambda r: True),
    "one board": (
        lambda b: b.view.filter(test__name="test 0"),
        lambda r: r.entry.test.name == "test 0",
    ),
    "pinned board": (
        lambda b: b.view.on_board(test=Test.objects.get(name="test 1")),
        lambda r: r.entry.test.name == "test 1",
    ),
    "pinned board and rank": (
        lambda b: b.add(Attempt.objects.filter(test=Test.objects.get(name="test 1"))).exclude(b.q(rank=1)),
        lambda r: r.entry.test.name == "test 1" and r.rank != 1,
    ),
    "related manager": (
        lambda b: b.add(Test.objects.get(name="test 0").attempts.all()),
        lambda r: r.entry.test.name == "test 0",
    ),
    "related manager, filter by rank": (
        lambda b: b.add(Test.objects.get(name="test 0").attempts.all()).filter(b.q(rank__lte=2)),
        lambda r: r.entry.test.name == "test 0" and r.rank is not None and r.rank <= 2,
    ),
    "related manager of a member": (
        lambda b: b.add(Candidate.objects.get(name="candidate 1").attempts.all()),
        lambda r: r.entry.candidate is not None and r.entry.candidate.name == "candidate 1",
    ),
    "related manager of a member, filter by rank": (
        lambda b: b.add(Candidate.objects.get(name="candidate 0").attempts.all()).exclude(b.q(rank=1)),
        lambda r: r.entry.candidate is not None and r.entry.candidate.name == "candidate 0" and r.rank != 1,
    ),
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_shows_its_rows_and_keeps_their_standings(view: str, boards: Boards) -> None:
    make, shown = VIEWS[view]
    pks = boards.pks(shown)
    boards.check(make(boards), pks)
    assert make(boards).count() == len(pks)
    assert make(boards).exists() is bool(pks)
    assert Counter(make(boards).values_list("pk", boards.rank)) == Counter(
        (pk, boards.expected[boards.prefix][pk].rank) for pk in pks
    )
    ordered = sorted(pks, key=lambda pk: (*nulls_last(boards.expected[boards.prefix][pk].rank), pk))
    if ordered:
        boards.check(make(boards).order_by(boards.rank, "pk")[1:4], ordered[1:4], ordered=True)
        assert make(boards).aggregate(top=Max(boards.rank))["top"] == max(
            (rank for pk in pks if (rank := boards.expected[boards.prefix][pk].rank) is not None),
            default=None,
        )


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_can_be_pickled_and_iterated(view: str, boards: Boards) -> None:
    make, shown = VIEWS[view]
    boards.check(pickle.loads(pickle.dumps(list(make(boards)))), boards.pks(shown))
    boards.check(make(boards).iterator(chunk_size=3), boards.pks(shown))


def _rank_of(row: Row) -> Any:
    return row.rank


def _percentile_of(row: Row) -> Any:
    return row.standing.percentile


@pytest.mark.parametrize(
    ("order", "value", "sign"),
    [
        (lambda b: [b.rank], _rank_of, 1),
        (lambda b: [f"-{b.rank}"], _rank_of, -1),
        (lambda b: [F(b.rank).asc()], _rank_of, 1),
        (lambda b: [F(b.rank).desc()], _rank_of, -1),
        (lambda b: [F(b.rank).desc(nulls_last=True)], _rank_of, -1),
        (lambda b: [b.percentile], _percentile_of, 1),
        (lambda b: [f"-{b.percentile}"], _percentile_of, -1),
        (lambda b: [F(b.percentile).desc()], _percentile_of, -1),
    ],
    ids=["rank", "-rank", "F asc", "F desc", "nulls_last", "percentile", "-percentile", "F desc percentile"],
)
def test_unranked_rows_come_last_in_any_order(
    order: Callable[[Boards], list[Any]], value: Callable[[Row], Any], sign: int, boards: Boards
) -> None:
    rows = sorted(boards.rows, key=lambda r: (value(r) is None, sign * float(value(r) or 0), r.entry.pk))
    pks = [row.entry.pk for row in rows]
    queryset = boards.view.order_by(*order(boards), "pk")
    boards.check(queryset, pks, ordered=True)
    boards.check(queryset[:5], pks[:5], ordered=True)
    boards.check(queryset[3:9], pks[3:9], ordered=True)
    boards.check(queryset[::4], pks[::4], ordered=True)
    boards.check([queryset[2], queryset.first()], [pks[2], pks[0]], ordered=True)


def test_reverse_last_earliest_and_latest(boards: Boards) -> None:
    rows = sorted(boards.rows, key=lambda r: (r.rank is not None, -(r.rank or 0), -r.entry.pk))
    view = boards.view.order_by(boards.rank, "pk")
    boards.check(view.reverse(), [row.entry.pk for row in rows], ordered=True)
    boards.check(view.reverse().reverse(), [row.entry.pk for row in reversed(rows)], ordered=True)
    boards.check([view.last()], [rows[0].entry.pk])
    view = boards.view.order_by(f"-{boards.rank}", "-pk")
    rows = sorted(boards.rows, key=lambda r: (r.rank is not None, r.rank or 0, r.entry.pk))
    boards.check(view.reverse(), [row.entry.pk for row in rows], ordered=True)
    boards.check([view.last()], [rows[0].entry.pk])
    rows = sorted(boards.rows, key=lambda r: (r.rank is not None, -(r.rank or 0), -r.entry.pk))
    boards.check([boards.view.latest(boards.rank, "pk")], [rows[0].entry.pk])
    boards.check([boards.view.earliest(boards.rank, "pk")], [boards.ranked()[0].entry.pk])


def test_nulls_first_is_obeyed(boards: Boards) -> None:
    rows = sorted(boards.rows, key=lambda r: (r.rank is not None, -(r.rank or 0), r.entry.pk))
    view = boards.view.order_by(F(boards.rank).desc(nulls_first=True), "pk")
    boards.check(view, [row.entry.pk for row in rows], ordered=True)


def test_get_and_in_bulk(boards: Boards) -> None:
    for row in boards.rows:
        boards.check([boards.view.get(pk=row.entry.pk)], [row.entry.pk])
    pks = boards.pks()[::3]
    found = boards.view.in_bulk(pks)
    assert sorted(found) == pks
    boards.check(found.values(), pks)
    with pytest.raises(Attempt.DoesNotExist):
        boards.view.get(boards.q(rank=999))
    with pytest.raises(Attempt.MultipleObjectsReturned):
        boards.view.get(boards.q(rank=1))


def test_values(boards: Boards) -> None:
    expected = [
        {
            "pk": r.entry.pk,
            "candidate__team": r.team,
            boards.rank: r.rank,
            boards.percentile: r.standing.percentile,
        }
        for r in boards.rows
    ]
    names = ["pk", "candidate__team", boards.rank, boards.percentile]
    assert list(boards.view.order_by("pk").values(*names)) == expected
    assert list(boards.view.order_by("pk").values_list(*names)) == [tuple(e.values()) for e in expected]
    assert list(boards.view.order_by("pk").values_list(boards.rank, flat=True)) == [
        r.rank for r in boards.rows
    ]
    named = boards.view.order_by("pk").values_list("pk", boards.qualification, named=True)
    assert [getattr(row, boards.qualification) for row in named] == [
        r.standing.qualification for r in boards.rows
    ]
    assert set(boards.view.values_list(boards.rank, flat=True).distinct()) == {r.rank for r in boards.rows}
    assert len(boards.view.values_list(boards.rank, flat=True).distinct()) == len(
        {r.rank for r in boards.rows}
    )


def test_distinct_on_fields(boards: Boards) -> None:
    best: dict[int, Row] = {}
    for row in sorted(boards.rows, key=lambda r: (*nulls_last(r.rank), r.entry.pk)):
        best.setdefault(row.entry.test_id, row)
    view = boards.view.order_by("test_id", boards.rank, "pk").distinct("test_id")
    boards.check(view, [best[test].entry.pk for test in sorted(best)], ordered=True)
    by_rank: dict[Any, Row] = {}
    for row in boards.rows:
        by_rank.setdefault(row.rank, row)
    view = boards.view.order_by(boards.rank, "pk").distinct(boards.rank)
    boards.check(view, [by_rank[rank].entry.pk for rank in sorted(by_rank, key=nulls_last)], ordered=True)


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


def test_union_intersection_and_difference(boards: Boards) -> None:
    first = boards.view.filter(boards.q(rank__lte=2))
    high = boards.view.filter(label="high")

    def leads(row: Row) -> bool:
        return row.rank is not None and row.rank <= 2

    def is_high(row: Row) -> bool:
        return row.entry.label == "high"

    boards.check(first.union(high), boards.pks(lambda r: leads(r) or is_high(r)))
    boards.check(first.union(high, all=True), boards.pks(leads) + boards.pks(is_high))
    boards.check(first.intersection(high), boards.pks(lambda r: leads(r) and is_high(r)))
    boards.check(first.difference(high), boards.pks(lambda r: leads(r) and not is_high(r)))
    assert first.union(high).count() == len(boards.pks(lambda r: leads(r) or is_high(r)))
    ordered = sorted(
        boards.pks(lambda r: leads(r) or is_high(r)),
        key=lambda pk: (*nulls_last(boards.expected[boards.prefix][pk].rank), pk),
    )
    boards.check(first.union(high).order_by(boards.rank, "id"), ordered, ordered=True)
    boards.check(first.union(high).order_by(boards.rank, "id")[1:3], ordered[1:3], ordered=True)


def test_slices_in_combinations(boards: Boards) -> None:
    ordered = sorted(boards.rows, key=lambda r: (*nulls_last(r.rank), r.entry.pk))
    first = {row.entry.pk for row in ordered[:4]}
    sliced = boards.view.order_by(boards.rank, "pk")[:4]
    other = boards.view.filter(score__in=[20, 90])

    def is_other(row: Row) -> bool:
        return row.entry.score in (20, 90)

    for queryset, pks in [
        (sliced | other, boards.pks(lambda r: r.entry.pk in first or is_other(r))),
        (other | sliced, boards.pks(lambda r: r.entry.pk in first or is_other(r))),
        (sliced ^ other, boards.pks(lambda r: (r.entry.pk in first) != is_other(r))),
        (other ^ sliced, boards.pks(lambda r: (r.entry.pk in first) != is_other(r))),
    ]:
        standings = {pk: boards.expected[boards.prefix][pk] for pk in pks}
        assert sorted(queryset.values_list("pk", boards.rank, boards.percentile)) == [
            (pk, standings[pk].rank, standings[pk].percentile) for pk in sorted(pks)
        ]
    boards.check(other | sliced, boards.pks(lambda r: r.entry.pk in first or is_other(r)))
    boards.check(boards.view.filter(pk__in=sliced.values("pk")), first)
    boards.check(boards.view.exclude(pk__in=sliced.values("pk")), set(boards.pks()) - first)


def test_a_plain_queryset_combined_with_standings(boards: Boards) -> None:
    first = boards.view.filter(boards.q(rank=1))
    plain = Attempt.objects.filter(score__in=[20, 90])

    def is_plain(row: Row) -> bool:
        return row.entry.score in (20, 90)

    for queryset, pks in [
        (plain | first, boards.pks(lambda r: is_plain(r) or r.rank == 1)),
        (plain & first, boards.pks(lambda r: is_plain(r) and r.rank == 1)),
        (plain ^ first, boards.pks(lambda r: is_plain(r) != (r.rank == 1))),
    ]:
        assert sorted(queryset.values_list("pk", flat=True)) == sorted(pks)


def test_rows_of_another_model_by_rank(boards: Boards) -> None:
    comments = Comment.objects.filter(attempt__in=boards.view.filter(boards.q(rank__lte=2)))
    expected = sum(len(r.comments) for r in boards.rows if r.rank is not None and r.rank <= 2)
    assert comments.count() == expected
    assert comments.update(text="updated") == expected
    assert comments.delete()[0] == expected


def test_a_rank_can_be_stored_by_a_subquery(boards: Boards) -> None:
    rank = Subquery(boards.view.filter(pk=OuterRef("pk")).values(boards.rank)[:1])
    assert Attempt.objects.update(big=rank) == len(boards.rows)
    assert dict(Attempt.objects.values_list("pk", "big")) == {r.entry.pk: r.rank for r in boards.rows}


def test_contains(boards: Boards) -> None:
    view = boards.view.filter(boards.q(rank=1))
    for row in boards.rows:
        assert view.contains(row.entry) is (row.rank == 1)


def test_standings_as_subqueries_of_another_model(boards: Boards) -> None:
    best = boards.view.filter(candidate=OuterRef("pk")).order_by(boards.rank).values(boards.rank)[:1]
    expected: dict[str, Any] = {candidate.name: None for candidate in Candidate.objects.all()}
    for row in reversed(boards.ranked()):
        if row.entry.candidate is not None:
            expected[row.entry.candidate.name] = row.rank
    found = Candidate.objects.annotate(best=Subquery(best))
    assert {candidate.name: candidate.best for candidate in found} == expected
    winners = Candidate.objects.filter(Exists(boards.view.filter(boards.q(rank=1), candidate=OuterRef("pk"))))
    assert {c.name for c in winners} == {name for name, rank in expected.items() if rank == 1}
    winners = Candidate.objects.filter(attempts__in=boards.view.filter(boards.q(rank=1)).values("pk"))
    assert {c.name for c in winners} == {name for name, rank in expected.items() if rank == 1}


@pytest.mark.parametrize("model", [Test, Candidate])
def test_prefetch(model: Any, boards: Boards, django_assert_num_queries: Any) -> None:
    field = "test_id" if model is Test else "candidate_id"
    lookup = Prefetch("attempts", boards.view.exclude(boards.q(rank=1)).order_by(boards.rank, "pk"), "shown")
    with django_assert_num_queries(2):
        parents = list(model.objects.prefetch_related(lookup))
    assert parents
    for parent in parents:
        rows = [row for row in boards.rows if getattr(row.entry, field) == parent.pk and row.rank != 1]
        rows.sort(key=lambda r: (*nulls_last(r.rank), r.entry.pk))
        boards.check(parent.shown, [row.entry.pk for row in rows], ordered=True)


@pytest.mark.parametrize("name", ["overall", "members"])
def test_prefetch_of_a_slice(name: str, data: None) -> None:
    boards = Boards({"": name})
    lookup = Prefetch("attempts", boards.view.order_by(boards.rank, "pk")[:2], "shown")
    for parent in Test.objects.prefetch_related(lookup):
        rows = [row for row in boards.rows if row.entry.test_id == parent.pk]
        rows.sort(key=lambda r: (*nulls_last(r.rank), r.entry.pk))
        boards.check(parent.shown, [row.entry.pk for row in rows[:2]], ordered=True)


def test_prefetch_of_comments(boards: Boards, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        found = list(boards.view.filter(boards.q(rank__lte=3)).prefetch_related("comments"))
        texts = {entry.pk: sorted(c.text for c in entry.comments.all()) for entry in found}
    boards.check(found, boards.pks(lambda r: r.rank is not None and r.rank <= 3))
    assert texts == {
        r.entry.pk: sorted(r.comments) for r in boards.rows if r.rank is not None and r.rank <= 3
    }


@pytest.mark.parametrize(
    "lookup", [{"rank": 1}, {"rank__lte": 3}, {"rank__isnull": True}, {"rank": 999}], ids=str
)
def test_update_and_delete_by_rank(lookup: dict[str, Any], boards: Boards) -> None:
    pks = set(boards.view.filter(boards.q(**lookup)).values_list("pk", flat=True))
    tests: dict[str, Callable[[Row], bool]] = {
        "{'rank': 1}": lambda r: r.rank == 1,
        "{'rank__lte': 3}": lambda r: r.rank is not None and r.rank <= 3,
        "{'rank__isnull': True}": lambda r: r.rank is None,
        "{'rank': 999}": lambda r: False,
    }
    expected = set(boards.pks(tests[str(lookup)]))
    assert pks == expected
    assert boards.view.filter(boards.q(**lookup)).update(label="updated") == len(expected)
    assert set(Attempt.objects.filter(label="updated").values_list("pk", flat=True)) == expected
    assert boards.view.filter(boards.q(**lookup)).delete()[1].get("testapp.Attempt", 0) == len(expected)
    assert set(Attempt.objects.values_list("pk", flat=True)) == set(boards.pks()) - expected


def test_bulk_update_writes_a_metric(boards: Boards) -> None:
    found = list(boards.view)
    for entry in found:
        entry.label = str(getattr(entry, boards.rank))
    assert boards.view.bulk_update(found, ["label"]) == len(boards.rows)
    assert dict(Attempt.objects.values_list("pk", "label")) == {r.entry.pk: str(r.rank) for r in boards.rows}


def test_save_of_a_row_with_standings(boards: Boards) -> None:
    entry = boards.view.filter(boards.q(rank=1)).order_by("pk")[0]
    entry.label = "saved"
    entry.save()
    entry.refresh_from_db()
    assert entry.label == "saved"
    boards.check(boards.view, boards.pks())


def test_async(boards: Boards) -> None:
    view = boards.view.filter(boards.q(rank__lte=3)).order_by(boards.rank, "pk")
    pks = [row.entry.pk for row in boards.ranked(lambda r: r.rank <= 3)]

    async def read() -> tuple[list[Any], Any, int, list[Standing]]:
        standings = [await boards.view.aget_standing(row.entry) for row in boards.rows]
        return [entry async for entry in view], await view.afirst(), await view.acount(), standings

    found, first, count, standings = async_to_sync(read)()
    boards.check(found, pks, ordered=True)
    boards.check([first], pks[:1])
    assert count == len(pks)
    assert [fields(standing) for standing in standings] == [fields(row.standing) for row in boards.rows]


def test_explain(boards: Boards) -> None:
    assert "WindowAgg" in boards.view.filter(boards.q(rank=1)).explain()


def test_views_are_independent_of_what_is_made_of_them(boards: Boards) -> None:
    view = boards.view
    list(view.filter(comments__text="a").order_by(f"-{boards.rank}")[:3])
    view.exclude(boards.q(rank=1)).count()
    boards.check(view, boards.pks())


def test_as_population(boards: Boards) -> None:
    members = Attempt.objects.board(boards.name).filter(candidate__team="red")
    population = {row.entry.pk for row in boards.rows if row.team == "red"}
    expected = reference_standings(Attempt.objects.board(boards.name), population=population)
    found = members.as_population().standings(boards.prefix)
    for queryset, pks in [
        (found, population),
        (found.filter(boards.q(rank=1)), {pk for pk in population if expected[pk].rank == 1}),
        (found.exclude(boards.q(rank=1)), {pk for pk in population if expected[pk].rank != 1}),
    ]:
        assert pks
        assert dict(queryset.values_list("pk", boards.rank)) == {pk: expected[pk].rank for pk in pks}
        assert dict(queryset.values_list("pk", boards.percentile)) == {
            pk: expected[pk].percentile for pk in pks
        }
    assert {pk: expected[pk].rank for pk in population} != {
        pk: boards.expected[boards.prefix][pk].rank for pk in population
    }
    with pytest.raises(NotSupportedError, match="slice"):
        members[:3].as_population()


def test_as_population_of_a_join_that_multiplies(boards: Boards) -> None:
    population = {row.entry.pk for row in boards.rows if "a" in row.comments}
    expected = reference_standings(Attempt.objects.board(boards.name), population=population)
    view = Attempt.objects.board(boards.name).filter(comments__text="a").as_population().standings()
    assert Counter(view.values_list("pk", "rank", "board_size")) == Counter(
        (row.entry.pk, expected[row.entry.pk].rank, expected[row.entry.pk].board_size)
        for row in boards.rows
        for _ in range(row.comments.count("a"))
    )


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 100])
@pytest.mark.parametrize("name", ["test 0", "test 1", "test 2"])
def test_top(n: int, name: str, boards: Boards) -> None:
    ranked = boards.ranked(lambda r: r.entry.test.name == name)
    view = boards.view.on_board(test=Test.objects.get(name=name))
    boards.check(view.top(n), [row.entry.pk for row in ranked[:n]], ordered=True)
    tied = [row.entry.pk for row in ranked if row.rank <= n]
    boards.check(view.top(n, ties=True), tied, ordered=True)
    red = [row.entry.pk for row in ranked if row.team == "red"]
    boards.check(view.filter(candidate__team="red").top(n), red[:n], ordered=True)
    bare = Attempt.objects.board(boards.name).on_board(test=Test.objects.get(name=name)).top(n)
    assert [(entry.pk, entry.rank) for entry in bare] == [(row.entry.pk, row.rank) for row in ranked[:n]]


@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 1), (2, 0), (0, 3), (50, 50)])
def test_around(before: int, after: int, boards: Boards) -> None:
    for test in Test.objects.all():
        view = boards.view.on_board(test=test)
        ranked = [row.entry.pk for row in boards.ranked() if row.entry.test_id == test.pk]
        for row in boards.rows:
            if row.entry.pk in ranked:
                position = ranked.index(row.entry.pk)
                expected = ranked[max(position - before, 0) : position + after + 1]
                found = view.around(row.entry, before=before, after=after)
                boards.check(found, expected, ordered=True)
            else:
                with pytest.raises(Attempt.DoesNotExist):
                    view.around(row.entry, before=before, after=after)


def test_around_while_times_run(data: None) -> None:
    board = Leaderboard(
        within=["test"], order_by=["-score", TimeTaken("started_at", "finished_at", running=True)]
    )
    test = Test.objects.create(name="running")
    entries = Attempt.objects.bulk_create(
        Attempt(test=test, score=1, started_at=START - timedelta(seconds=n // 2)) for n in range(6)
    )
    order = [entry.pk for entry in entries]
    for position, entry in enumerate(entries):
        found = Attempt.objects.with_leaderboard(board).on_board(test=test).around(entry, before=1, after=2)
        assert [row.pk for row in found] == order[max(position - 1, 0) : position + 3]


def test_around_counts_positions_in_the_view(boards: Boards) -> None:
    test = Test.objects.get(name="test 0")
    red = boards.ranked(lambda r: r.entry.test_id == test.pk and r.team == "red")
    pks = [row.entry.pk for row in red]
    view = boards.view.on_board(test=test).filter(candidate__team="red")
    for position, row in enumerate(red):
        found = view.around(row.entry, before=1, after=1)
        boards.check(found, pks[max(position - 1, 0) : position + 2], ordered=True)


def test_top_and_around_of_a_join_that_multiplies(boards: Boards) -> None:
    test = Test.objects.get(name="test 0")
    ranked = boards.ranked(lambda r: r.entry.test_id == test.pk and "a" in r.comments)
    pks = [row.entry.pk for row in ranked]
    assert any(row.comments.count("a") > 1 for row in ranked)
    view = boards.view.on_board(test=test).filter(comments__text="a").distinct()
    boards.check(view.top(2), pks[:2], ordered=True)
    boards.check(view.top(3, ties=True), [row.entry.pk for row in ranked if row.rank <= 3], ordered=True)
    boards.check(view.around(ranked[1].entry, before=1, after=1), pks[:3], ordered=True)


def test_get_standing_ignores_the_view(boards: Boards) -> None:
    for row in boards.rows:
        for view in (boards.view, boards.view.none(), boards.view.filter(score=-1), boards.view[:1]):
            assert fields(view.get_standing(row.entry)) == fields(row.standing)


def test_get_standing_reads_the_stored_row(boards: Boards) -> None:
    row = boards.ranked()[0]
    row.entry.score = -1
    assert boards.view.get_standing(row.entry).rank == row.rank


def test_get_standing_of_no_such_entry(boards: Boards) -> None:
    row = boards.ranked()[0]
    other = Test.objects.exclude(pk=row.entry.test_id)[0]
    with pytest.raises(ValueError, match="not saved"):
        boards.view.get_standing(Attempt(test=other))
    with pytest.raises(ValueError, match="not saved"):
        boards.view.on_board(test=other).around(Attempt(test=other))
    with pytest.raises(Attempt.DoesNotExist):
        boards.view.on_board(test=other).get_standing(row.entry)
    with pytest.raises(TypeError):
        boards.view.get_standing()
    with pytest.raises(TypeError):
        boards.view.get_standing(other)
    Attempt.objects.filter(pk=row.entry.pk).delete()
    with pytest.raises(Attempt.DoesNotExist):
        boards.view.get_standing(row.entry)


def test_get_standing_of_a_member(data: None) -> None:
    boards = Boards({"": "members"})
    for test in Test.objects.all():
        for candidate in Candidate.objects.all():
            view = boards.view.on_board(test=test)
            own = [
                r for r in boards.rows if (r.entry.test_id, r.entry.candidate_id) == (test.pk, candidate.pk)
            ]
            if not own:
                with pytest.raises(Attempt.DoesNotExist):
                    view.get_standing(member=candidate)
                continue
            ranks = [row.rank for row in own if row.rank is not None]
            assert len(ranks) <= 1
            assert view.get_standing(member=candidate).rank == (ranks[0] if ranks else None)


def test_a_board_must_be_pinned(boards: Boards) -> None:
    row = boards.ranked()[0]
    with pytest.raises(BoardNotPinned):
        boards.view.top(3)
    with pytest.raises(BoardNotPinned):
        boards.view.around(row.entry)
    with pytest.raises(BoardNotPinned):
        boards.view.filter(Q(test=row.entry.test_id) | Q(score=20)).top(3)
    with pytest.raises(BoardNotPinned):
        boards.view.exclude(test=row.entry.test_id).top(3)
    with pytest.raises(BoardNotPinned):
        Attempt.objects.board("members").get_standing(member=row.entry.candidate_id or 1)


@pytest.mark.parametrize(
    "operation",
    [
        lambda b: b.view.select_for_update(),
        lambda b: b.view.update_or_create(pk=1),
        lambda b: b.view.extra(where=["TRUE"]),
        lambda b: b.view.update(score=F(b.rank)),
        lambda b: b.view.update(score=F(b.rank) + 1),
        lambda b: b.view.update(score=F(f"{b.prefix}board_size")),
    ],
    ids=[
        "select_for_update",
        "update_or_create",
        "extra",
        "update",
        "update expression",
        "update board_size",
    ],
)
def test_unsupported_operations_say_so(operation: Callable[[Boards], Any], boards: Boards) -> None:
    with pytest.raises(NotSupportedError):
        operation(boards)
    boards.check(boards.view, boards.pks())


def test_the_number_of_queries_does_not_grow(boards: Boards, django_assert_num_queries: Any) -> None:
    test = Test.objects.get(name="test 0")
    row = boards.ranked(lambda r: r.entry.test_id == test.pk)[2]
    for _ in range(2):
        with django_assert_num_queries(1):
            list(boards.view)
        with django_assert_num_queries(1):
            list(boards.view.on_board(test=test).top(5))
        with django_assert_num_queries(1):
            list(boards.view.on_board(test=test).top(5, ties=True))
        with django_assert_num_queries(1):
            boards.view.get_standing(row.entry)
        with django_assert_num_queries(1):
            boards.view.filter(boards.q(rank__lte=3)).count()
        with django_assert_num_queries(1):
            boards.view.filter(boards.q(rank=999)).update(label="none")
        with django_assert_num_queries(4):
            list(boards.view.on_board(test=test).around(row.entry, before=2, after=2))
        Attempt.objects.bulk_create(
            Attempt(test=test, score=n, started_at=START, finished_at=START, disqualified=False)
            for n in range(100)
        )

"""Combinations of querysets with and without standings."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import NotSupportedError
from django.db.models import Case, Exists, OuterRef, Q, Subquery, When

from tests.boards import Boards, Row, nulls_last
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db


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


def test_standings_on_the_right_of_a_queryset_without(boards: Boards) -> None:
    plain = Attempt._base_manager.filter(score__lt=50)
    ranked = boards.view.filter(boards.q(rank=1))
    for combined in (plain | ranked, plain & ranked):
        with pytest.raises(NotSupportedError, match="on the left"):
            list(combined)
    boards.check(
        ranked | plain,
        boards.pks(lambda r: r.rank == 1 or (r.entry.score is not None and r.entry.score < 50)),
    )


def test_locked_rows_are_not_combined_with_standings(boards: Boards) -> None:
    locked = Attempt.objects.select_for_update()
    with pytest.raises(NotSupportedError, match="primary key"):
        locked | boards.view
    with pytest.raises(NotSupportedError, match="primary key"):
        locked & boards.view


def test_a_union_that_refers_to_metrics(boards: Boards) -> None:
    scored = Attempt.objects.filter(score=OuterRef(boards.rank)).order_by().values("pk")
    sized = Test.objects.filter(cut_off=OuterRef(f"{boards.prefix}board_size")).order_by().values("pk")
    scores = set(Attempt.objects.values_list("score", flat=True))
    cut_offs = set(Test.objects.values_list("cut_off", flat=True))
    expected = boards.pks(
        lambda r: r.rank is not None and (r.rank in scores or r.standing.board_size in cut_offs)
    ) + boards.pks(lambda r: r.rank is None and r.standing.board_size in cut_offs)
    found = boards.view.filter(Exists(scored.union(sized)))
    boards.check(found, expected)
    assert sorted(found.values_list("pk", flat=True)) == sorted(expected)


def test_a_union_with_nothing(boards: Boards) -> None:
    found = boards.view.union(boards.view.none()).order_by(boards.rank, "id")[:3]
    assert [row.pk for row in found] == [row.pk for row in boards.view.order_by(boards.rank, "pk")[:3]]


def view_by(way: str, team: str) -> Any:
    people = Candidate.objects.filter(team=team)
    view = Attempt.objects.on_board(test=Test.objects.get(name="test 0"))
    return (
        {
            "in": view.filter(candidate__in=people),
            "exists": view.filter(Exists(people.filter(pk=OuterRef("candidate")))),
            "not exists": view.filter(~Exists(people.filter(pk=OuterRef("candidate")))),
            "subquery": view.filter(candidate=Subquery(people.order_by("pk").values("pk")[:1])),
            "or": view.filter(Q(score=1) | Q(candidate__in=people)),
            "case": view.filter(
                Case(When(Exists(people.filter(pk=OuterRef("candidate"))), then=True), default=False)
            ),
        }[way]
        .as_population()
        .standings()
    )


@pytest.mark.parametrize("way", ["in", "exists", "not exists", "subquery", "or", "case"])
def test_populations_by_a_subquery_that_are_built_alike_combine(way: str, data: None) -> None:
    one = view_by(way, "red")
    both = view_by(way, "red").filter(rank=1) | view_by(way, "red").filter(rank=2)
    assert {*both} == {entry for entry in one if entry.rank in (1, 2)}
    with pytest.raises(NotSupportedError, match="different standings"):
        view_by(way, "red") | view_by(way, "blue")


def test_populations_by_metrics_of_other_boards_are_not_one(data: None) -> None:
    def first_of(name: str) -> Any:
        view = Attempt.objects.board(name).on_board(test=Test.objects.get(name="test 0")).with_rank()
        return view.filter(rank__lte=2).as_population().board("overall").standings("o_")

    assert {*(first_of("members") | first_of("members"))} == {*first_of("members")}
    with pytest.raises(NotSupportedError, match="different standings"):
        first_of("members") | first_of("overall").with_rank()

"""Rows with standings, read one by one, as values, and without others that are equal."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync

from leaderboard.reference import Standing
from tests.boards import Boards, Row, fields, nulls_last
from tests.testapp.models import Attempt

pytestmark = pytest.mark.django_db


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


def test_contains(boards: Boards) -> None:
    view = boards.view.filter(boards.q(rank=1))
    for row in boards.rows:
        assert view.contains(row.entry) is (row.rank == 1)


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

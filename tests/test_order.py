"""The order of rows by metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Case, Exists, F, OuterRef, Value, When

from tests.boards import Boards, Row
from tests.testapp.models import Attempt, Test

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize(
    "order",
    [
        lambda b: Case(When(b.q(rank__lte=3), then=Value(0)), default=Value(1)),
        lambda b: Exists(Test.objects.filter(cut_off=OuterRef(b.rank))),
        lambda b: F(b.rank) * 2,
    ],
    ids=["condition", "subquery", "arithmetic"],
)
def test_a_metric_may_be_used_in_the_order_only(order: Any, boards: Boards) -> None:
    found = boards.view.order_by(order(boards), "pk").values_list("pk", flat=True)
    assert sorted(found) == boards.pks()
    assert len(Attempt.objects.filter(pk__in=found[:5])) == 5


def test_descending_expressions_of_a_metric_put_the_unranked_last(boards: Boards) -> None:
    found = list(boards.view.annotate(twice=F(boards.rank) * 2).order_by("-twice", "pk"))
    assert found[0].twice is not None
    assert found[-1].twice is None


def test_the_longest_time_comes_before_no_time(boards: Boards) -> None:
    found = boards.view.order_by(f"-{boards.prefix}time_taken", "pk")
    assert getattr(found[0], f"{boards.prefix}time_taken") is not None

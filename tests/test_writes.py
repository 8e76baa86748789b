"""Writes by way of rows with standings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import NotSupportedError
from django.db.models import F, OuterRef, Subquery

from tests.boards import Boards, Row
from tests.testapp.models import Attempt, Test

pytestmark = pytest.mark.django_db


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


def test_a_rank_can_be_stored_by_a_subquery(boards: Boards) -> None:
    rank = Subquery(boards.view.filter(pk=OuterRef("pk")).values(boards.rank)[:1])
    assert Attempt.objects.update(big=rank) == len(boards.rows)
    assert dict(Attempt.objects.values_list("pk", "big")) == {r.entry.pk: r.rank for r in boards.rows}


@pytest.mark.parametrize(
    "operation",
    [
        lambda b: b.view.select_for_update(),
        lambda b: b.view.update_or_create(pk=1),
        lambda b: b.view.extra(where=["TRUE"]),
        lambda b: b.view.extra(tables=["testapp_test"]),
        lambda b: b.view.update(score=F(b.rank)),
        lambda b: b.view.update(score=F(b.rank) + 1),
        lambda b: b.view.update(score=F(f"{b.prefix}board_size")),
    ],
    ids=[
        "select_for_update",
        "update_or_create",
        "extra",
        "extra tables",
        "update",
        "update expression",
        "update board_size",
    ],
)
def test_unsupported_operations_say_so(operation: Callable[[Boards], Any], boards: Boards) -> None:
    with pytest.raises(NotSupportedError):
        operation(boards)
    boards.check(boards.view, boards.pks())


def test_update_and_delete_need_rows_that_are_told_apart(boards: Boards) -> None:
    view = boards.view.order_by("test", "-pk").distinct("test")
    with pytest.raises(TypeError, match="distinct"):
        view.delete()
    with pytest.raises(TypeError, match="distinct"):
        view.update(label="x")
    with pytest.raises(TypeError, match="values"):
        boards.view.values("pk").delete()
    with pytest.raises(NotSupportedError, match="distinct"):
        boards.view.on_board(test=Test.objects.get(name="test 0")).distinct("candidate").top(3)
    assert Attempt.objects.count() == len(boards.rows)

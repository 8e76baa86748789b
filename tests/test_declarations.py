"""What declarations hold, and what sets them apart, where they are used."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import FieldError
from django.db.models import Case, DecimalField, Exists, F, OrderBy, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Cast

from leaderboard import AtLeast, BoardNotPinned, Leaderboard
from leaderboard.testing import assert_matches_reference
from tests.testapp.models import Attempt, Comment, Test

pytestmark = pytest.mark.django_db


def cut_off_of_the_test() -> Subquery:
    return Subquery(Test.objects.filter(pk=OuterRef("test")).values("cut_off")[:1])


@pytest.mark.parametrize(
    "declaration",
    [
        {"within": ["test"], "order_by": [cut_off_of_the_test(), "-score"], "member": "candidate"},
        {"within": {"cut_off": cut_off_of_the_test()}, "order_by": ["-score"]},
        {
            "within": {"a": Exists(Comment.objects.filter(attempt=OuterRef("pk"), text="a"))},
            "order_by": ["-score"],
        },
        {"order_by": ["-score"], "eligible": Q(Exists(Comment.objects.filter(attempt=OuterRef("pk"))))},
    ],
    ids=["term", "within", "exists", "eligible"],
)
def test_a_declaration_is_not_changed_by_its_use(declaration: dict[str, Any], data: None) -> None:
    queryset = Attempt.objects.with_leaderboard(Leaderboard(**declaration))
    before = dict(queryset.standings().values_list("pk", "rank"))
    inner = queryset.standings().filter(pk=OuterRef("pk")).values("rank")
    assert dict(Attempt.objects.annotate(inner=Subquery(inner)).values_list("pk", "inner")) == before
    if "test" in declaration.get("within", ()):
        board = queryset.on_board(test=Test.objects.get(name="test 0"))
        with mock.patch("leaderboard.standings.plan.finds_counting_entries", return_value=True):
            assert list(board.top(10)) == list(board.top(10))
    assert dict(queryset.standings().values_list("pk", "rank")) == before
    assert_matches_reference(queryset)


def test_a_board_within_a_subquery(data: None) -> None:
    queryset = Attempt.objects.with_leaderboard(
        Leaderboard(within={"cut_off": cut_off_of_the_test()}, order_by=["-score"])
    )
    assert_matches_reference(queryset.on_board(cut_off=70))
    assert queryset.on_board(cut_off=70).top(1)[0].score == 95


def test_a_constant_term_is_no_position_of_a_column(data: None) -> None:
    board = Leaderboard(within=["test"], order_by=[Value(1), "-score"], member="candidate")
    queryset = Attempt.objects.with_leaderboard(board).on_board(test=Test.objects.get(name="test 0"))
    ranked = [row.pk for row in queryset.standings().order_by("rank", "pk") if row.rank]
    assert [row.pk for row in queryset.top(100)] == ranked


def one_place(places: int) -> Any:
    return Cast("big", DecimalField(max_digits=20, decimal_places=places))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (one_place(0), one_place(2)),
        (F("score") / 10, F("score") / 10.0),
        (Case(When(score__gt=50, then=Value(1)), default=Value(1)), Value(True)),
    ],
    ids=["field", "literal", "boolean"],
)
def test_expressions_that_django_takes_for_one(left: Any, right: Any, data: None) -> None:
    for position, attempt in enumerate(Attempt.objects.order_by("pk")):
        Attempt.objects.filter(pk=attempt.pk).update(big=Decimal(position) / 10, score=position)
    together = Leaderboard(order_by=[OrderBy(left, descending=True), OrderBy(right, descending=True)])
    assert_matches_reference(Attempt.objects.with_leaderboard(together))
    apart = Leaderboard(within={"a": left, "b": right}, order_by=["-pk"])
    assert_matches_reference(Attempt.objects.with_leaderboard(apart))


def test_boards_that_django_takes_for_one(data: None) -> None:
    coarse = Leaderboard(order_by=[one_place(0).desc()])
    fine = Leaderboard(order_by=[one_place(2).desc()])
    assert coarse != fine
    assert coarse == Leaderboard(order_by=[one_place(0).desc()])
    assert AtLeast("score", 1) != AtLeast("score", True)
    assert AtLeast("score", 1) == AtLeast("score", 1)
    number = Leaderboard(order_by="-score", eligible=Q(score=1))
    assert number != Leaderboard(order_by="-score", eligible=Q(score=True))
    assert number == Leaderboard(order_by="-score", eligible=Q(score=1))
    Attempt.objects.update(big=1)
    attempt = Attempt.objects.order_by("pk")[0]
    Attempt.objects.filter(pk=attempt.pk).update(big=Decimal("1.4"))
    rows = Attempt.objects.with_leaderboard(coarse).with_rank(prefix="c_")
    rows = rows.with_leaderboard(fine).with_rank(prefix="f_")
    assert {(row.c_rank, row.f_rank) for row in rows} == {(1, 1), (1, 2)}


def test_an_equality_that_only_looks_like_the_board_pins_nothing(data: None) -> None:
    attempt = Attempt.objects.order_by("pk")[0]
    Attempt.objects.filter(pk=attempt.pk).update(big=Decimal("1.4"))
    board = Leaderboard(within={"k": one_place(0)}, order_by="-score")
    view = Attempt.objects.with_leaderboard(board).annotate(x=one_place(2)).filter(x=Decimal("1.40"))
    assert [row.pk for row in view.standings()] == [attempt.pk]
    with pytest.raises(BoardNotPinned):
        view.top(3)


def test_a_declared_board_that_was_never_checked_multiplies_no_rows(data: None) -> None:
    board = Leaderboard(order_by=["-comments__text"])
    with (
        mock.patch.dict(Attempt.objects.boards, {"many": board}),
        pytest.raises(FieldError, match="refers to the relation 'comments', of which an entry may have many"),
    ):
        len(Attempt.objects.board("many").standings())

"""Conditions on metrics that are no plain lookups, above all of what is NULL."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import BigIntegerField, F, Field
from django.db.models.functions import Abs
from django.db.models.lookups import Exact
from django.test.utils import register_lookup

from tests.boards import Boards
from tests.testapp.models import Attempt, Test

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("field", ["score", "pk"])
def test_exclude_by_a_metric_on_the_right(field: str, boards: Boards) -> None:
    found = boards.view.exclude(**{field: F(boards.rank)})
    boards.check(found, boards.pks(lambda r: r.rank is None or getattr(r.entry, field) != r.rank))


def test_exclude_by_two_metrics(boards: Boards) -> None:
    found = boards.view.exclude(**{f"{boards.prefix}board_size": F(boards.rank)})
    boards.check(found, boards.pks(lambda r: r.rank is None or r.rank != r.standing.board_size))


def test_exclude_by_a_metric_and_a_nullable_column(boards: Boards) -> None:
    found = boards.view.exclude(**{boards.rank: F("score")})
    boards.check(
        found, boards.pks(lambda r: r.rank is None or r.entry.score is None or r.rank != r.entry.score)
    )
    found = boards.view.exclude(**{f"{boards.rank}__gt": F("test__cut_off")})
    boards.check(
        found,
        boards.pks(
            lambda r: r.rank is None or r.entry.test.cut_off is None or not r.rank > r.entry.test.cut_off
        ),
    )


def test_exclude_by_a_transform_of_a_metric(boards: Boards) -> None:
    with register_lookup(BigIntegerField, Abs):
        found = boards.view.exclude(**{f"{boards.rank}__abs": 1})
        boards.check(found, boards.pks(lambda r: r.rank != 1))


def test_a_negated_lookup_expression_is_unknown_where_unranked(boards: Boards) -> None:
    found = boards.view.exclude(Exact(F(boards.rank), 1))
    boards.check(found, boards.pks(lambda r: r.rank is not None and r.rank != 1))


class NotDistinct(Exact):
    """A lookup that is true where both sides are NULL."""

    lookup_name = "same"

    def get_rhs_op(self, connection: Any, rhs: str) -> str:
        return f"IS NOT DISTINCT FROM {rhs}"


def test_a_lookup_of_ones_own_may_be_true_of_the_unranked(boards: Boards) -> None:
    test = Test.objects.get(name="test 0")
    Attempt.objects.filter(label="low").update(big=None)
    Attempt.objects.filter(label="high").update(big=1)
    with register_lookup(Field, NotDistinct):
        found = boards.view.filter(test=test).filter(**{f"{boards.rank}__same": F("big")})
        expected = {True: 1, False: None}
        boards.check(
            found,
            boards.pks(
                lambda r: (
                    r.entry.test_id == test.pk
                    and r.rank == (None if r.entry.label is None else expected[r.entry.label == "high"])
                )
            ),
        )

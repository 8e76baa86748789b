"""Standings inside other queries: correlated to the same table, nested, and on several boards."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from django.db import NotSupportedError
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from hypothesis import given
from hypothesis import strategies as st

from leaderboard import Best, First, Latest, Leaderboard
from leaderboard.testing import assert_matches_reference, reference_standings
from tests.examples import HypothesisTestCase
from tests.test_properties import load, rows
from tests.testapp.models import MEMBERS, Attempt, Comment, Test


class Correlated(HypothesisTestCase):
    @given(rows=rows)
    def test_the_outer_query_may_be_on_the_same_table(self, rows: list[dict[str, Any]]) -> None:
        tests = load(rows)
        best = Attempt.objects.board("members").on_board(test=OuterRef("test")).top(1).values("pk")
        winners = {test.pk: set(best_of(test)) for test in tests}
        for entry in Attempt.objects.annotate(winner=Subquery(best)):
            assert ({entry.winner} - {None}) == winners[entry.test_id]

    @given(rows=rows)
    def test_a_correlated_view_may_be_the_population(self, rows: list[dict[str, Any]]) -> None:
        tests = load(rows)
        friends = Attempt.objects.board("members").on_board(test=OuterRef("pk")).filter(score__gte=1)
        best = friends.as_population().top(1).values("pk")
        found = dict(Test.objects.annotate(winner=Subquery(best)).values_list("pk", "winner"))
        for test in tests:
            view = Attempt.objects.board("members").on_board(test=test).filter(score__gte=1)
            first = view.as_population().top(1).first()
            assert found[test.pk] == (None if first is None else first.pk)

    @given(rows=rows)
    def test_eligibility_may_be_a_correlated_subquery(self, rows: list[dict[str, Any]]) -> None:
        tests = load(rows)
        Comment.objects.bulk_create(
            Comment(attempt=attempt, text="cheated") for attempt in Attempt.objects.filter(score=2)
        )
        flagged = Comment.objects.filter(attempt=OuterRef("pk"), text="cheated")
        board = Leaderboard(
            within=["test"], order_by=["-score"], eligible=Q(~Exists(flagged)), member="candidate"
        )
        queryset = Attempt.objects.with_leaderboard(board)
        assert_matches_reference(queryset)
        expected = reference_standings(queryset)
        for test in tests:
            ranked = {key: expected[key].rank for key in test.attempts.values_list("pk", flat=True)}
            shown = queryset.on_board(test=test).top(len(ranked))
            assert {entry.pk: entry.rank for entry in shown} == {
                key: rank for key, rank in ranked.items() if rank is not None
            }

    @given(
        rows=rows,
        others=st.lists(
            st.sampled_from([Best(), Latest("finished_at"), First("started_at"), Latest("label")]),
            min_size=1,
            max_size=3,
        ),
    )
    def test_several_boards_in_one_row(self, rows: list[dict[str, Any]], others: list[Any]) -> None:
        load(rows)
        boards = [MEMBERS]
        boards += [
            Leaderboard(within=within, order_by=["-score", "big"], member="candidate", counting=counting)
            for within, counting in zip([["test"], [], ["label"]], others, strict=False)
        ]
        queryset = Attempt.objects.all()
        for position, board in enumerate(boards):
            queryset = queryset.with_leaderboard(board).standings(prefix=f"p{position}_")
        views = [queryset, queryset.filter(test__name="0"), queryset.filter(label="a", test__name="1")]
        for position, board in enumerate(boards):
            expected = reference_standings(Attempt.objects.with_leaderboard(board))
            for view in views:
                for entry in view:
                    assert getattr(entry, f"p{position}_rank") == expected[entry.pk].rank
                    assert getattr(entry, f"p{position}_board_size") == expected[entry.pk].board_size


def best_of(test: Test) -> list[int]:
    return [entry.pk for entry in Attempt.objects.board("members").on_board(test=test).top(1)]


@pytest.mark.django_db
def test_a_queryset_survives_pickling() -> None:
    load([])
    queryset = Attempt.objects.board("members").standings().filter(rank__lte=3)
    restored = Attempt.objects.none()
    restored.query = pickle.loads(pickle.dumps(queryset.query))
    assert str(restored.query) == str(queryset.query)
    assert list(pickle.loads(pickle.dumps(queryset))) == list(queryset)


@pytest.mark.django_db
def test_locked_rows_get_no_standings() -> None:
    with pytest.raises(NotSupportedError, match="Lock them by primary key"):
        Attempt.objects.select_for_update().standings()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "value",
    [F("rank"), Case(When(rank=1, then=Value(1)), default=Value(2))],
    ids=["reference", "condition"],
)
def test_a_metric_cannot_be_assigned(value: Any) -> None:
    with pytest.raises(NotSupportedError, match=r"refers to 'rank'.*bulk_update"):
        Attempt.objects.standings().update(score=value)

"""SQL against the reference, for arbitrary boards and declarations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import TruncMonth
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from leaderboard import (
    AtLeast,
    AtMost,
    Best,
    First,
    Latest,
    Leaderboard,
    PercentileAtLeast,
    PercentileKind,
    PercentOf,
    RankKind,
    TimeTaken,
    TopCount,
    TopPercent,
)
from leaderboard.testing import assert_matches_reference, reference_standings
from tests.testapp.models import Attempt, Candidate, Test

EPOCH = datetime(2026, 1, 31, 23, 59, tzinfo=UTC)


def mostly(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(strategy, strategy, strategy, st.none())


moments = mostly(st.integers(0, 4).map(lambda n: EPOCH + timedelta(seconds=n, microseconds=n % 2)))
rows = st.lists(
    st.fixed_dictionaries(
        {
            "test": st.integers(0, 2),
            "candidate": mostly(st.integers(0, 3)),
            "score": mostly(st.one_of(st.integers(0, 3), st.sampled_from([-(2**31), 2**31 - 1]))),
            "big": mostly(
                st.sampled_from([Decimal(2**53), Decimal(2**53 + 1), Decimal("0.0001"), Decimal(0)])
            ),
            "ratio": mostly(st.sampled_from([0.0, -0.0, 1.5, float("nan"), float("inf"), float("-inf")])),
            "label": mostly(st.sampled_from(["a", "B", "é", "", "ab"])),
            "started_at": moments,
            "finished_at": moments,
            "disqualified": st.sampled_from([False, False, False, True, None]),
        }
    ),
    max_size=25,
)

terms = st.lists(
    st.sampled_from(
        ["score", "-score", "big", "-big", "ratio", "-ratio", "label", "-label", "finished_at",
         "-test__cut_off", TimeTaken("started_at", "finished_at"), (F("big") * 2).desc()]
    ),
    min_size=1,
    max_size=3,
    unique_by=repr,
)  # fmt: skip
percents = st.one_of(st.integers(0, 100), st.sampled_from([12.5, Decimal("33.33"), F("test__cut_off")]))
simple_rules = st.one_of(
    st.builds(AtLeast, st.just("score"), st.one_of(st.integers(-1, 4), st.just(F("test__cut_off")))),
    st.builds(AtMost, st.just("score"), st.integers(-1, 4)),
    st.builds(AtLeast, st.just("label"), st.sampled_from(["a", "B"])),
    st.builds(PercentOf, st.just("score"), st.one_of(st.integers(1, 4), st.just("test__cut_off")), percents),
    st.builds(TopCount, st.one_of(st.integers(0, 5), st.just(F("test__cut_off")))),
    st.builds(TopPercent, st.one_of(st.integers(0, 100), st.just(12.5))),
    st.builds(PercentileAtLeast, st.integers(0, 100), st.sampled_from(PercentileKind)),
)
rules = st.recursive(
    simple_rules,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner), st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a: ~a, inner),
    ),
    max_leaves=3,
)  # fmt: skip
within: st.SearchStrategy[Any] = st.sampled_from(
    [[], ["test"], ["test"], ["candidate"], {"test": "test", "month": TruncMonth("finished_at")}]
)
counting = st.sampled_from([None, Best(), Latest("finished_at"), First("started_at"), Latest("label")])


@st.composite
def boards(draw: st.DrawFn, within: st.SearchStrategy[Any] = within) -> Leaderboard:
    member = draw(st.booleans())
    return Leaderboard(
        within=draw(within),
        order_by=draw(terms),
        member="candidate" if member else None,
        counting=draw(counting) if member else None,
        eligible=draw(st.sampled_from([None, Q(disqualified=False), ~Q(disqualified=True)])),
        time_taken=TimeTaken("started_at", "finished_at"),
        cut_off=draw(st.one_of(st.none(), rules)),
        rank_kind=draw(st.sampled_from(RankKind)),
        percentile_kind=draw(st.sampled_from(PercentileKind)),
    )


def load(rows: list[dict[str, Any]]) -> list[Test]:
    tests = [Test.objects.create(name=str(n), cut_off=value) for n, value in enumerate([2, 0, None])]
    people = Candidate.objects.bulk_create(Candidate(name=str(n)) for n in range(4))
    Attempt.objects.bulk_create(
        Attempt(
            **{
                **row,
                "test": tests[row["test"]],
                "candidate": None if row["candidate"] is None else people[row["candidate"]],
            }
        )
        for row in rows
    )
    return tests


class Properties(HypothesisTestCase):
    @given(rows=rows, board=boards())
    def test_every_metric_equals_the_reference(self, rows: list[dict[str, Any]], board: Leaderboard) -> None:
        load(rows)
        queryset = Attempt.objects.with_leaderboard(board)
        assert_matches_reference(queryset)
        assert_matches_reference(queryset.filter(score__gte=1))
        assert len(queryset.standings()) == queryset.standings().count() == len(rows)

    @given(rows=rows, board=boards(st.just(["test"])))
    def test_a_pinned_board_equals_the_reference(
        self, rows: list[dict[str, Any]], board: Leaderboard
    ) -> None:
        tests = load(rows)
        queryset = Attempt.objects.with_leaderboard(board)
        assert_matches_reference(queryset.on_board(test=tests[0]))
        expected = reference_standings(queryset)
        on_board = queryset.on_board(test=tests[0])
        ranked = {entry.pk for entry in on_board if expected[entry.pk].rank is not None}
        top = list(on_board.standings().top(100))
        assert {entry.pk for entry in top} == ranked
        for entry in top:
            assert (entry.rank, entry.board_size, entry.percentile, entry.qualification) == (
                expected[entry.pk].rank,
                expected[entry.pk].board_size,
                expected[entry.pk].percentile,
                expected[entry.pk].qualification,
            )
        for position, entry in enumerate(top):
            page = list(on_board.around(entry, before=1, after=2))
            assert page == top[max(0, position - 1) : position + 3]

    @given(rows=rows, board=boards())
    def test_a_view_as_population_equals_the_reference(
        self, rows: list[dict[str, Any]], board: Leaderboard
    ) -> None:
        load(rows)
        view = Attempt.objects.with_leaderboard(board).filter(candidate__name__in=["0", "1"])
        expected = reference_standings(
            Attempt.objects.with_leaderboard(board), population=set(view.values_list("pk", flat=True))
        )
        for entry in view.as_population().standings():
            standing = expected[entry.pk]
            assert (entry.rank, entry.board_size, entry.percentile, entry.qualification) == (
                standing.rank,
                standing.board_size,
                standing.percentile,
                standing.qualification,
            )

    @given(rows=rows)
    def test_correlated_winners(self, rows: list[dict[str, Any]]) -> None:
        tests = load(rows)
        best = Attempt.objects.board("members").on_board(test=OuterRef("pk")).top(1)
        winners = dict(Test.objects.annotate(winner=Subquery(best.values("pk"))).values_list("pk", "winner"))
        for test in tests:
            first = Attempt.objects.board("members").on_board(test=test).top(1).first()
            assert winners[test.pk] == (None if first is None else first.pk)


pytestmark = pytest.mark.django_db

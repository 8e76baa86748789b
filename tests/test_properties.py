"""SQL against the reference, for arbitrary boards and declarations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.db import transaction
from django.db.models import F, OrderBy, OuterRef, Q, Subquery
from django.db.models.functions import TruncDate, TruncMonth
from django.utils.timezone import now
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard import (
    AtLeast,
    AtMost,
    Best,
    CutOff,
    First,
    Latest,
    Leaderboard,
    PercentileAtLeast,
    PercentileKind,
    PercentOf,
    Qualification,
    RankKind,
    TimeTaken,
    TopCount,
    TopPercent,
)
from leaderboard.declaration.coverage import SizeIndex
from leaderboard.declaration.indexes import mark_of_size
from leaderboard.testing import assert_matches_reference, reference_standings
from tests.examples import HypothesisTestCase
from tests.testapp.models import Attempt, Candidate, Test

EPOCH = datetime(2026, 1, 31, 23, 59, tzinfo=UTC)
SECOND = timedelta(seconds=1)


# Seconds that are equal, fractions of one that are not, and a leap day.
MOMENTS = [EPOCH + timedelta(seconds=n, microseconds=n % 2) for n in range(4)] + [
    datetime(2024, 2, 29, tzinfo=UTC)
]


def weighted(*choices: tuple[int, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    # one_of() counts a strategy once, however often it is given.
    return st.sampled_from([s for weight, s in choices for _ in range(weight)]).flatmap(lambda s: s)


def mostly(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return weighted((8, strategy), (1, st.none()))


row = st.fixed_dictionaries(
    {
        "test": st.sampled_from([0, 0, 1, 2]),
        "candidate": mostly(st.sampled_from([0, 0, 1, 2, 3])),
        "score": mostly(weighted((4, st.integers(0, 3)), (1, st.sampled_from([-(2**31), 2**31 - 1])))),
        "big": mostly(st.sampled_from([Decimal(2**53), Decimal(2**53 + 1), Decimal("0.0001"), Decimal(0)])),
        "ratio": mostly(st.sampled_from([0.0, -0.0, 1.5, float("nan"), float("inf"), float("-inf")])),
        "label": mostly(st.sampled_from(["a", "B", "é", "", "ab"])),
        "started_at": mostly(st.sampled_from(MOMENTS)),
        "finished_at": mostly(st.sampled_from(MOMENTS)),
        "disqualified": st.sampled_from([False, False, False, False, True, None]),
    }
)
# Lists are short for the most part unless they must not be.
few_rows = weighted((1, st.lists(row, max_size=25)), (1, st.lists(row, min_size=8, max_size=25)))


class Rows(list[dict[str, Any]]):
    """Rows that are too many to be shown."""

    def __repr__(self) -> str:
        return f"<{len(self)} rows>"


@st.composite
def many_rows(draw: st.DrawFn) -> Rows:
    """Some hundred rows, each value of which is that of one of a few."""
    few = draw(few_rows.filter(bool))
    random = draw(st.randoms(use_true_random=False))
    size = draw(st.integers(50, 400))
    return Rows({name: random.choice(few)[name] for name in few[0]} for _ in range(size))


rows = weighted((5, few_rows), (1, many_rows()))

TIMES = [
    TimeTaken("started_at", "finished_at"),
    TimeTaken("started_at", "finished_at", running=True),
    TimeTaken("started_at", "finished_at", paused="test__pause", allowance="candidate__allowance"),
    TimeTaken("started_at", "finished_at", running=True, paused=SECOND, allowance="test__pause"),
]

terms = st.lists(
    st.sampled_from(
        ["score", "-score", "big", "-big", "ratio", "-ratio", "label", "-label", "finished_at",
         "-test__cut_off", "test__held_on", "-candidate__name", "candidate__allowance",
         TruncDate("finished_at"), (F("big") * 2).desc(), *TIMES, OrderBy(TIMES[2], descending=True)]
    ),
    min_size=1,
    max_size=3,
    unique_by=repr,
)  # fmt: skip
percents = st.one_of(st.integers(0, 100), st.sampled_from([12.5, Decimal("33.33"), F("test__cut_off")]))
count_rules = st.one_of(
    st.builds(TopCount, st.one_of(st.integers(0, 5), st.just(F("test__cut_off")))),
    st.builds(TopPercent, st.sampled_from([0, 12.5, 20, 25, 40, 50, 60, 75, 100])),
    st.builds(PercentileAtLeast, st.integers(0, 100), st.sampled_from(PercentileKind)),
)
simple_rules = st.one_of(
    st.builds(AtLeast, st.just("score"), st.one_of(st.integers(-1, 4), st.just(F("test__cut_off")))),
    st.builds(AtMost, st.just("score"), st.integers(0, 3)),
    st.builds(AtLeast, st.just("label"), st.sampled_from(["a", "B"])),
    st.builds(AtMost, st.sampled_from(TIMES), st.one_of(st.just(SECOND), st.just(F("test__pause")))),
    st.builds(PercentOf, st.just(TIMES[2]), st.just(F("test__pause")), st.integers(0, 300)),
    st.builds(PercentOf, st.just("score"), st.one_of(st.integers(1, 4), st.just("test__cut_off")), percents),
    count_rules,
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
    [
        [],
        ["test"],
        ["test"],
        ["candidate"],
        ["candidate__name"],
        {"test": "test", "month": TruncMonth("finished_at")},
    ]
)
rank_kinds = st.sampled_from(RankKind)
counting = st.sampled_from([None, Best(), Latest("finished_at"), First("started_at"), Latest("label")])


ELIGIBLE = [None, Q(disqualified=False), ~Q(disqualified=True), Q(test__cut_off__gt=0) | Q(score__gt=1)]


@st.composite
def boards(
    draw: st.DrawFn,
    within: st.SearchStrategy[Any] = within,
    rank_kind: st.SearchStrategy[RankKind] = rank_kinds,
) -> Leaderboard:
    member = draw(st.booleans())
    return Leaderboard(
        within=draw(within),
        order_by=draw(terms),
        member="candidate" if member else None,
        counting=draw(counting) if member else None,
        eligible=draw(st.sampled_from(ELIGIBLE)),
        time_taken=draw(st.sampled_from(TIMES)),
        cut_off=draw(weighted((3, rules), (1, st.none()))),
        rank_kind=draw(rank_kind),
        percentile_kind=draw(st.sampled_from(PercentileKind)),
    )


@contextmanager
def counted_apart(board: Leaderboard, terms: int, *, indexed: bool | None = None) -> Iterator[None]:
    """Let those better by the first ``terms`` be counted by an index of their own.

    A member's entries are read as if an index had them in order or, where not ``indexed``, as if none had;
    by default it is as the model has it.
    """
    index = SizeIndex(columns=min(terms, len(board.terms) - 1), mark=mark_of_size(board.terms))
    tally = "leaderboard.standings.tally"
    supposed = mock.patch(f"{tally}.finds_counting_entries", return_value=indexed)
    with (
        mock.patch(f"{tally}.size_index", return_value=index),
        nullcontext() if indexed is None else supposed,
    ):
        yield


def load(rows: list[dict[str, Any]]) -> list[Test]:
    tests = Test.objects.bulk_create(
        Test(name=str(n), cut_off=cut_off, held_on=held_on, pause=pause)
        for n, (cut_off, held_on, pause) in enumerate(
            [(2, date(2026, 1, 31), SECOND), (0, date(2025, 12, 1), None), (None, None, -SECOND)]
        )
    )
    people = Candidate.objects.bulk_create(
        Candidate(name=str(n), allowance=allowance)
        for n, allowance in enumerate([None, SECOND, SECOND / 2, timedelta(0)])
    )
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
        expected = reference_standings(queryset, now=now())
        on_board = queryset.on_board(test=tests[0])
        ranked = {entry.pk for entry in on_board if expected[entry.pk].rank is not None}
        top = list(on_board.standings().top(1000))
        assert {entry.pk for entry in top} == ranked
        for entry in top:
            assert (entry.rank, entry.board_size, entry.percentile, entry.qualification) == (
                expected[entry.pk].rank,
                expected[entry.pk].board_size,
                expected[entry.pk].percentile,
                expected[entry.pk].qualification,
            )
        # Without what counts the whole board, the counting entries are found by indexes, where there are any.
        for indexed in (False, True):
            with mock.patch("leaderboard.standings.plan.finds_counting_entries", return_value=indexed):
                found = list(on_board.top(1000))
                last = list(on_board.ranked().reverse()[:3])
            assert [(entry.pk, entry.rank) for entry in found] == [(entry.pk, entry.rank) for entry in top]
            assert [(entry.pk, entry.rank) for entry in last[::-1]] == [(e.pk, e.rank) for e in top[-3:]]
        counted = on_board.ranked()
        assert (counted.count(), counted.exists()) == (len(top), bool(top))
        view = counted.filter(score__gte=1)
        passed = [entry for entry in top if entry.score is not None and entry.score >= 1]
        assert (list(view.all()), view.count(), view.exists()) == (passed, len(passed), bool(passed))
        for position in range(0, len(top), len(top) // 4 + 1):
            entry = top[position]
            page = list(on_board.around(entry, before=1, after=2))
            assert page == top[max(0, position - 1) : position + 3]

    @given(rows=rows, board=boards(), distinct=st.booleans(), n=st.integers(1, 3))
    def test_the_first_of_each_equal_the_reference(
        self, rows: list[dict[str, Any]], board: Leaderboard, distinct: bool, n: int
    ) -> None:
        load(rows)
        queryset = Attempt.objects.with_leaderboard(board.replace(nulls_distinct=distinct))
        # Where a time runs, it does so by the clock of the database.
        ordered = list(queryset.with_rank("ordinal", prefix="_").order_by("pk").values_list("pk", "_rank"))
        expected = reference_standings(queryset, now=now())
        kept = {pk: expected[pk].rank for pk, place in ordered if place is not None and place <= n}
        for indexed in (False, True):
            with mock.patch("leaderboard.standings.plan.finds_counting_entries", return_value=indexed):
                assert {entry.pk: entry.rank for entry in queryset.top_of_each(n)} == kept
        # In a view, the places are those among its entries.
        shown: Counter[Any] = Counter()
        found = queryset.filter(score__gte=1).top_of_each(n)
        with_place = queryset.with_rank("ordinal", prefix="_").filter(score__gte=1, _rank__isnull=False)
        names = [f"b{position}" for position in range(len(board.within))]
        values = dict(zip(names, board.within.values(), strict=True))
        among = []
        for pk, *place in with_place.annotate(**values).order_by("_rank").values_list("pk", *names):
            shown[tuple(place)] += 1
            if shown[tuple(place)] <= n:
                among.append(pk)
        assert {entry.pk: entry.rank for entry in found} == {pk: expected[pk].rank for pk in among}

    @given(rows=rows, board=boards())
    def test_a_view_as_population_equals_the_reference(
        self, rows: list[dict[str, Any]], board: Leaderboard
    ) -> None:
        load(rows)
        view = Attempt.objects.with_leaderboard(board).filter(candidate__name__in=["0", "1"])
        assert_matches_reference(view.as_population())
        assert_matches_reference(view.as_population().filter(score__gte=1))

    @given(rows=few_rows, rule=count_rules, term=st.sampled_from(["-score", "label", "-big"]))
    def test_a_tie_is_in_or_out_as_a_whole(self, rows: list[dict[str, Any]], rule: CutOff, term: str) -> None:
        load(rows)
        board = Leaderboard(order_by=[term], cut_off=rule)
        assert_matches_reference(Attempt.objects.with_leaderboard(board))

    @given(rows=rows)
    def test_correlated_winners(self, rows: list[dict[str, Any]]) -> None:
        tests = load(rows)
        best = Attempt.objects.board("members").on_board(test=OuterRef("pk")).top(1)
        winners = dict(Test.objects.annotate(winner=Subquery(best.values("pk"))).values_list("pk", "winner"))
        for test in tests:
            first = Attempt.objects.board("members").on_board(test=test).top(1).first()
            assert winners[test.pk] == (None if first is None else first.pk)

    @pytest.mark.once
    def test_examples_are_not_trivial(self) -> None:
        seen: Counter[str] = Counter()
        examples = 150

        @settings(max_examples=examples, derandomize=True, database=None)
        @given(rows=rows, board=boards(rank_kind=st.just(RankKind.COMPETITION)))
        def look(rows: list[dict[str, Any]], board: Leaderboard) -> None:
            with transaction.atomic():
                load(rows)
                found = list(reference_standings(Attempt.objects.with_leaderboard(board), now=now()).values())
                transaction.set_rollback(True)
            ranked = [standing for standing in found if standing.rank is not None]
            seen.update({standing.qualification for standing in found})
            seen["empty"] += not found
            seen["a hundred entries"] += len(found) >= 100
            seen["tie"] += len(ranked) > len({(standing.rank, standing.board_size) for standing in ranked})
            seen["several boards"] += len({standing.board_size for standing in ranked}) > 1
            seen["unranked"] += len(ranked) < len(found)

        look()
        floors = {
            "empty": 0.01,
            "a hundred entries": 0.04,
            "tie": 0.3,
            "several boards": 0.15,
            "unranked": 0.5,
            Qualification.EXCLUDED: 0.3,
            Qualification.PENDING: 0.3,
            Qualification.SUPERSEDED: 0.08,
            Qualification.NO_CUT_OFF: 0.2,
            Qualification.QUALIFIED: 0.2,
            Qualification.NOT_QUALIFIED: 0.2,
        }
        shares = {name: seen[name] / examples for name in floors}
        assert not {name: share for name, share in shares.items() if share < floors[name]}


pytestmark = pytest.mark.django_db

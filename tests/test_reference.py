"""The reference against SciPy, against results worked out by hand, and against itself."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from leaderboard.kinds import Counting, PercentileKind, Qualification, RankKind
from leaderboard.reference import (
    AnyOf,
    AtLeast,
    Entry,
    PercentileAtLeast,
    Specification,
    Standing,
    TopCount,
    TopPercent,
    order,
    standings,
    time_taken,
)
from tests.entries import DOWN, INF, NAN, rows, statuses

UP = Specification(descending=(False,))
NEW_YORK = ZoneInfo("America/New_York")

RANKDATA = {
    RankKind.COMPETITION: "min",
    RankKind.MODIFIED: "max",
    RankKind.DENSE: "dense",
    RankKind.ORDINAL: "ordinal",
    RankKind.FRACTIONAL: "average",
}
PERCENTILEOFSCORE = {
    PercentileKind.STRICT: "strict",
    PercentileKind.WEAK: "weak",
    PercentileKind.MEAN: "mean",
    PercentileKind.SCIPY_RANK: "rank",
}

scores = st.one_of(
    st.lists(st.integers(-5, 5), min_size=1, max_size=20),
    st.lists(st.integers(-(2**31), 2**31), min_size=1, max_size=20),
    st.lists(st.sampled_from([-INF, -1.5, -0.0, 0.0, 0.1, 1e-300, 1e300, INF]), min_size=1, max_size=20),
    st.lists(st.floats(allow_nan=False), min_size=1, max_size=20),
)


def keys(values: Sequence[Any], specification: Specification = DOWN) -> list[int]:
    return [entry.key for entry in order(rows(values), specification)]


def ranks(values: Sequence[Any], specification: Specification = DOWN) -> list[Any]:
    return [standing.rank for standing in standings(rows(values), specification).values()]


class TestRank:
    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            (RankKind.COMPETITION, [2, 4, 1, 2]),
            (RankKind.MODIFIED, [3, 4, 1, 3]),
            (RankKind.DENSE, [2, 3, 1, 2]),
            (RankKind.ORDINAL, [2, 4, 1, 3]),
            (RankKind.FRACTIONAL, [Decimal("2.5"), Decimal(4), Decimal(1), Decimal("2.5")]),
        ],
    )
    def test_by_hand(self, kind: RankKind, expected: list[Any]) -> None:
        found = ranks([70, 60, 80, 70], Specification(descending=(True,), rank_kind=kind))
        assert found == expected
        assert {type(rank) for rank in found} == {Decimal if kind is RankKind.FRACTIONAL else int}

    @pytest.mark.parametrize("kind", RankKind)
    @pytest.mark.parametrize("descending", [True, False])
    @given(values=scores)
    def test_equals_rankdata(self, kind: RankKind, descending: bool, values: list[float]) -> None:
        specification = Specification(descending=(descending,), rank_kind=kind)
        directed = [-value for value in values] if descending else values
        assert ranks(values, specification) == stats.rankdata(directed, method=RANKDATA[kind]).tolist()

    def test_further_terms_break_ties(self) -> None:
        entries = [Entry(key=key, terms=terms) for key, terms in enumerate([(5, 9), (5, 3), (6, 9), (5, 9)])]
        found = standings(entries, Specification(descending=(True, False)))
        assert [standing.rank for standing in found.values()] == [3, 2, 1, 3]

    def test_ordinal_goes_by_key_whatever_the_direction_and_the_input(self) -> None:
        entries = [Entry(key=key, terms=(1,)) for key in (30, 10, 20)]
        for descending in (True, False):
            found = standings(entries, Specification(descending=(descending,), rank_kind=RankKind.ORDINAL))
            assert {key: standing.rank for key, standing in found.items()} == {30: 3, 10: 1, 20: 2}


class TestPercentile:
    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            (PercentileKind.STRICT, [25.0, 0.0, 75.0, 25.0]),
            (PercentileKind.WEAK, [75.0, 25.0, 100.0, 75.0]),
            (PercentileKind.MEAN, [50.0, 12.5, 87.5, 50.0]),
            (PercentileKind.SCIPY_RANK, [62.5, 25.0, 100.0, 62.5]),
            (PercentileKind.PERCENT_RANK, [100 / 3, 0.0, 100.0, 100 / 3]),
        ],
    )
    def test_by_hand(self, kind: PercentileKind, expected: list[float]) -> None:
        for values, descending in ([70, 60, 80, 70], True), ([30, 40, 20, 30], False):
            specification = Specification(descending=(descending,), percentile_kind=kind)
            found = [standing.percentile for standing in standings(rows(values), specification).values()]
            assert found == expected
            assert {type(percentile) for percentile in found} == {float}

    @pytest.mark.parametrize("kind", PERCENTILEOFSCORE)
    @pytest.mark.parametrize("descending", [True, False])
    @given(values=scores)
    def test_equals_percentileofscore(
        self, kind: PercentileKind, descending: bool, values: list[float]
    ) -> None:
        found = standings(rows(values), Specification(descending=(descending,), percentile_kind=kind))
        directed = values if descending else [-value for value in values]
        for value, standing in zip(directed, found.values(), strict=True):
            expected = stats.percentileofscore(directed, value, kind=PERCENTILEOFSCORE[kind])
            assert standing.percentile == pytest.approx(expected, abs=1e-9)

    @pytest.mark.parametrize("descending", [True, False])
    @given(values=scores)
    def test_percent_rank_by_its_formula(self, descending: bool, values: list[float]) -> None:
        specification = Specification(descending=(descending,), percentile_kind=PercentileKind.PERCENT_RANK)
        for value, standing in zip(values, standings(rows(values), specification).values(), strict=True):
            worse = sum(other < value if descending else other > value for other in values)
            assert standing.percentile == (100 * worse / (len(values) - 1) if len(values) > 1 else 0)

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            (PercentileKind.STRICT, 0.0),
            (PercentileKind.WEAK, 100.0),
            (PercentileKind.MEAN, 50.0),
            (PercentileKind.SCIPY_RANK, 100.0),
            (PercentileKind.PERCENT_RANK, 0.0),
        ],
    )
    def test_alone(self, kind: PercentileKind, expected: float) -> None:
        specification = Specification(descending=(True,), percentile_kind=kind)
        assert standings(rows([7]), specification)[1].percentile == expected


class TestOrder:
    def test_nan_equals_itself_and_is_above_infinity(self) -> None:
        values = [INF, NAN, -INF, float("nan"), 0.0]
        assert keys(values, DOWN) == [2, 4, 1, 5, 3]
        assert keys(values, UP) == [3, 5, 1, 2, 4]
        assert ranks(values, DOWN) == [3, 1, 5, 1, 4]

    def test_decimal_nan_and_infinity(self) -> None:
        values = [Decimal("Infinity"), Decimal("NaN"), Decimal("-Infinity"), NAN, Decimal("-NaN"), 10**400]
        assert ranks(values, DOWN) == [4, 1, 6, 1, 1, 5]

    def test_negative_zero_is_zero(self) -> None:
        assert ranks([0.0, -0.0, Decimal("-0"), 0, False], DOWN) == [1, 1, 1, 1, 1]

    def test_integers_beyond_floats(self) -> None:
        assert ranks([2**53, 2**53 + 1, 2**53 + 2, 2**53 + 1], DOWN) == [4, 2, 1, 2]
        assert ranks([2**53 + 1, float(2**53), Decimal(2**53 + 2)], DOWN) == [2, 3, 1]

    def test_decimals_are_exact(self) -> None:
        values = [Decimal("0.1"), Decimal("0.10"), Decimal("0.1000000000000000000000000000000001"), 0.1]
        assert ranks(values, DOWN) == [3, 3, 2, 1]

    def test_text_goes_by_code_point(self) -> None:
        values = ["a", "B", "é", "Z", "", "aa", "￿", "😀", "e\u0301"]
        expected = sorted(values, key=str.encode)
        assert [values[key - 1] for key in keys(values, UP)] == expected
        assert expected[:3] == ["", "B", "Z"]
        assert expected[-2:] == ["￿", "😀"]

    def test_microseconds(self) -> None:
        day = timedelta(days=400_000)
        assert ranks([day, day + timedelta(microseconds=1), day], UP) == [1, 3, 1]

    def test_times_are_instants(self) -> None:
        # At 06:00 UTC the clocks went from 02:00 back to 01:00.
        before = datetime(2025, 11, 2, 1, 45, tzinfo=NEW_YORK)
        after = datetime(2025, 11, 2, 1, 15, tzinfo=NEW_YORK, fold=1)
        assert after < before
        assert keys([after, before], UP) == [2, 1]
        assert ranks([before, before.astimezone(UTC)], UP) == [1, 1]

    def test_other_types(self) -> None:
        assert keys([False, True, False]) == [2, 1, 3]
        assert keys([UUID(int=1), UUID(int=2**127), UUID(int=2**64)]) == [2, 3, 1]
        assert keys([datetime(2026, 1, 1).date(), datetime(2025, 12, 31).date()], UP) == [2, 1]

    def test_only_ranked_entries(self) -> None:
        entries = [
            Entry(key=1, terms=(1,)),
            Entry(key=2, terms=(None,)),
            Entry(key=3, terms=(3,), eligible=False),
            Entry(key=4, terms=(4,), eligible=None),
            Entry(key=5, terms=(5,), board=(None,)),
            Entry(key=6, terms=(6,)),
        ]
        assert [entry.key for entry in order(entries, DOWN)] == [6, 1]
        assert [entry.key for entry in order(entries, DOWN, population={1, 2})] == [1]

    def test_a_false_term_or_board_is_not_null(self) -> None:
        entries = [Entry(key=1, terms=(0,), board=(0, "", False))]
        assert order(entries, DOWN) == entries


class TestBoards:
    def test_are_ranked_apart(self) -> None:
        entries = [
            Entry(key=1, terms=(1,), board=("a", 1)),
            Entry(key=2, terms=(2,), board=("a", 2)),
            Entry(key=3, terms=(3,), board=("a", 1)),
            Entry(key=4, terms=(4,), board=("b", 1)),
        ]
        found = standings(entries, DOWN)
        assert [(standing.rank, standing.board_size) for standing in found.values()] == [
            (2, 2),
            (1, 1),
            (1, 2),
            (1, 1),
        ]

    def test_nan_and_zero_are_one_board_each(self) -> None:
        entries = [Entry(key=key, terms=(key,), board=(board,)) for key, board in enumerate([NAN, 0.0, -0.0])]
        entries.append(Entry(key=9, terms=(9,), board=(Decimal("NaN"),)))
        assert [standing.board_size for standing in standings(entries, DOWN).values()] == [2, 2, 2, 2]

    def test_unranked_entries_keep_size_time_and_status(self) -> None:
        taken = timedelta(seconds=-5)
        entries = [
            Entry(key=1, terms=(1,), board=("a",)),
            Entry(key=2, terms=(2,), board=("a",)),
            Entry(key=3, terms=(None,), board=("a",), time_taken=taken),
            Entry(key=4, terms=(4,), board=(None,), time_taken=taken),
            Entry(key=5, terms=(None,), board=("b",)),
        ]
        found = standings(entries, DOWN)
        assert found[2] == Standing(1, 2, 100.0, None, Qualification.NO_CUT_OFF)
        assert found[3] == Standing(None, 2, None, taken, Qualification.PENDING)
        assert found[4] == Standing(None, 0, None, taken, Qualification.EXCLUDED)
        assert found[5] == Standing(None, 0, None, None, Qualification.PENDING)


class TestPopulation:
    def test_is_recounted_among_the_keys(self) -> None:
        entries = rows([50, 40, 40, 30, 20])
        specification = Specification(descending=(True,), cut_off=TopPercent(50))
        found = standings(entries, specification, population={2, 4, 5})
        assert [standing.rank for standing in found.values()] == [None, 1, None, 2, 3]
        assert {standing.board_size for standing in found.values()} == {3}
        assert found[2].percentile == 100.0
        assert [standing.qualification for standing in found.values()] == [
            Qualification.EXCLUDED,
            Qualification.QUALIFIED,
            Qualification.EXCLUDED,
            Qualification.NOT_QUALIFIED,
            Qualification.NOT_QUALIFIED,
        ]

    def test_empty_is_not_absent(self) -> None:
        assert statuses(rows([1]), DOWN, population=[]) == [Qualification.EXCLUDED]
        assert statuses(rows([1]), DOWN, population=None) == [Qualification.NO_CUT_OFF]

    def test_eligible_still_applies(self) -> None:
        assert statuses(rows([1], eligible=False), DOWN, population={1}) == [Qualification.EXCLUDED]


class TestTimeTaken:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    finish = start + timedelta(minutes=10, microseconds=1)
    minute = timedelta(minutes=1)

    def test_finished(self) -> None:
        assert time_taken(self.start, self.finish) == timedelta(minutes=10, microseconds=1)
        assert time_taken(self.start, self.finish, now=self.finish + self.minute) == self.finish - self.start

    def test_unfinished(self) -> None:
        assert time_taken(self.start, None) is None
        assert time_taken(self.start, None, now=self.start + self.minute) == self.minute

    def test_not_started(self) -> None:
        assert time_taken(None, self.finish) is None
        assert time_taken(None, None, now=self.finish) is None

    def test_paused_and_allowance(self) -> None:
        start, finish = self.start, self.start + 10 * self.minute
        assert time_taken(start, finish, paused=2 * self.minute) == 8 * self.minute
        assert time_taken(start, finish, allowance=3 * self.minute) == 7 * self.minute
        assert time_taken(start, finish, paused=2 * self.minute, allowance=self.minute) == 7 * self.minute
        assert time_taken(start, None, now=finish, paused=self.minute) == 9 * self.minute
        assert time_taken(start, finish, paused=None, allowance=None) == 10 * self.minute

    def test_negative_is_returned_as_it_is(self) -> None:
        assert time_taken(self.finish, self.start) == self.start - self.finish
        assert time_taken(self.start, self.start, paused=self.minute) == -self.minute

    def test_across_a_change_of_the_clock(self) -> None:
        start = datetime(2025, 11, 2, 0, 30, tzinfo=NEW_YORK)
        finish = datetime(2025, 11, 2, 2, 30, tzinfo=NEW_YORK)
        assert time_taken(start, finish) == timedelta(hours=3)

    def test_naive_times(self) -> None:
        start = datetime(2026, 3, 1, 12)
        assert time_taken(start, start + self.minute) == self.minute
        with pytest.raises(TypeError):
            time_taken(start, self.finish)


class TestArguments:
    @pytest.mark.parametrize("run", [standings, order])
    def test_keys_must_be_unique(self, run: Any) -> None:
        with pytest.raises(ValueError, match="unique keys, but 7"):
            run([Entry(key=7, terms=(1,)), Entry(key=7, terms=(2,), eligible=False)], DOWN)

    @pytest.mark.parametrize("terms", [(), (1, 2)])
    def test_terms_must_match_descending(self, terms: tuple[Any, ...]) -> None:
        with pytest.raises(ValueError, match="entry 7 must match descending"):
            standings([Entry(key=7, terms=terms)], DOWN)

    def test_there_must_be_a_term(self) -> None:
        with pytest.raises(ValueError, match="descending"):
            Specification(descending=())

    def test_nothing(self) -> None:
        assert standings([], DOWN) == {}
        assert order([], DOWN) == []

    def test_entries_may_be_an_iterator(self) -> None:
        assert list(standings(iter(rows([1, 2])), DOWN)) == [1, 2]


values = st.none() | st.integers(0, 3)
entry_lists = st.lists(
    st.builds(
        Entry,
        key=st.integers(0, 100),
        terms=st.tuples(values | st.sampled_from([NAN, INF, Decimal("NaN")]), values),
        board=st.tuples(st.none() | st.integers(0, 1)),
        member=values,
        eligible=st.sampled_from([True, True, True, False, None]),
        counting=values,
        operands=st.fixed_dictionaries({"a": values, "b": values}),
    ),
    max_size=12,
    unique_by=lambda entry: entry.key,
)
specifications = st.builds(
    Specification,
    descending=st.tuples(st.booleans(), st.booleans()),
    member=st.booleans(),
    counting=st.sampled_from(Counting),
    rank_kind=st.sampled_from(RankKind),
    percentile_kind=st.sampled_from(PercentileKind),
    cut_off=st.sampled_from([None, AnyOf([TopCount(2), AtLeast("a", "b")]), PercentileAtLeast(50)]),
)
populations = st.none() | st.sets(st.integers(0, 100), min_size=50)


class TestProperties:
    @given(entry_lists, specifications, populations, st.randoms(use_true_random=False))
    def test_the_order_of_the_input_does_not_matter(
        self,
        entries: list[Entry],
        specification: Specification,
        population: set[int] | None,
        shuffler: random.Random,
    ) -> None:
        shuffled = shuffler.sample(entries, len(entries))
        options: dict[str, Any] = {"population": population}
        found = standings(entries, specification, **options)
        assert list(found) == [entry.key for entry in entries]
        assert standings(shuffled, specification, **options) == found
        assert order(shuffled, specification, **options) == order(entries, specification, **options)

    @given(entry_lists, specifications, populations)
    def test_a_population_leaves_the_rest_as_if_it_were_absent(
        self, entries: list[Entry], specification: Specification, population: set[int] | None
    ) -> None:
        kept = [entry for entry in entries if population is None or entry.key in population]
        found = standings(entries, specification, population=population)
        expected = standings(kept, specification)
        assert {entry.key: found[entry.key] for entry in kept} == expected
        assert all(
            found[key].qualification == Qualification.EXCLUDED for key in found.keys() - expected.keys()
        )

    @given(entry_lists, specifications)
    def test_ranked_entries_are_those_in_order(
        self, entries: list[Entry], specification: Specification
    ) -> None:
        found = standings(entries, specification)
        ranked = {key for key, standing in found.items() if standing.rank is not None}
        assert ranked == {entry.key for entry in order(entries, specification)}
        assert ranked == {key for key, standing in found.items() if standing.percentile is not None}
        unranked = {Qualification.EXCLUDED, Qualification.PENDING, Qualification.SUPERSEDED}
        assert ranked == {key for key, standing in found.items() if standing.qualification not in unranked}
        for entry in entries:
            size = sum(other.key in ranked and other.board == entry.board for other in entries)
            assert found[entry.key].board_size == size

    @given(entry_lists, specifications)
    def test_each_member_counts_once_a_board(
        self, entries: list[Entry], specification: Specification
    ) -> None:
        counted = [(entry.board, entry.member) for entry in order(entries, specification)]
        candidates = {
            (entry.board, entry.member)
            for entry in entries
            if entry.eligible and None not in (*entry.terms, *entry.board, entry.member)
        }
        if specification.member:
            assert sorted(counted) == sorted(candidates)
        else:
            assert candidates <= set(counted)

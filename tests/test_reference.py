from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from leaderboard.kinds import Counting, PercentileKind, Qualification, RankKind
from leaderboard.reference import (
    AllOf,
    AnyOf,
    AtLeast,
    AtMost,
    Entry,
    Not,
    PercentileAtLeast,
    PercentOf,
    Rule,
    Specification,
    Standing,
    Tally,
    TopCount,
    TopPercent,
    order,
    standings,
    time_taken,
)

DOWN = Specification(descending=(True,))
UP = Specification(descending=(False,))
NAN = math.nan
INF = math.inf
DECIDED = {True: AtLeast(1, 1), False: AtLeast(0, 1), None: AtLeast(None, 1)}
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


def rows(values: Sequence[Any], **common: Any) -> list[Entry]:
    """Entries with the keys 1, 2, 3…, one for each value of the only term."""
    return [Entry(key=key, terms=(value,), **common) for key, value in enumerate(values, start=1)]


def keys(values: Sequence[Any], specification: Specification = DOWN) -> list[int]:
    return [entry.key for entry in order(rows(values), specification)]


def ranks(values: Sequence[Any], specification: Specification = DOWN) -> list[Any]:
    return [standing.rank for standing in standings(rows(values), specification).values()]


def statuses(entries: Sequence[Entry], specification: Specification, **options: Any) -> list[Qualification]:
    return [standing.qualification for standing in standings(entries, specification, **options).values()]


def counted(entries: Sequence[Entry], counting: Counting, **options: Any) -> list[Any]:
    specification = Specification(descending=(True,), member=True, counting=counting)
    return [entry.key for entry in order(entries, specification, **options)]


def decide(rule: Rule, *, rank: int = 1, size: int = 1, tied: int = 1, **operands: Any) -> bool | None:
    tally = Tally(better=rank - 1, tied=tied, worse=size - rank + 1 - tied, earlier=0, levels=rank - 1)
    return rule.decide(Entry(key=1, terms=(0,), operands=operands), tally)


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


class TestCounting:
    def test_best_entry_of_each_member_on_each_board(self) -> None:
        entries = [
            Entry(key=1, terms=(5,), member="ann", board=("x",)),
            Entry(key=2, terms=(7,), member="ann", board=("x",)),
            Entry(key=3, terms=(6,), member="bob", board=("x",)),
            Entry(key=4, terms=(1,), member="ann", board=("y",)),
        ]
        assert counted(entries, Counting.BEST) == [2, 3, 4]

    def test_best_goes_by_direction_and_every_term(self) -> None:
        entries = [
            Entry(key=key, terms=terms, member=1)
            for key, terms in enumerate([(2, 8), (1, 7), (1, 9), (1, 9)])
        ]
        specification = Specification(descending=(False, True), member=True)
        assert [entry.key for entry in order(entries, specification)] == [2]

    @pytest.mark.parametrize("counting", Counting)
    def test_ties_go_to_the_lower_key(self, counting: Counting) -> None:
        entries = [Entry(key=key, terms=(5,), member=1, counting=5) for key in (3, 1, 2)]
        assert counted(entries, counting) == [1]

    @pytest.mark.parametrize(
        ("counting", "expected"), [(Counting.BEST, 2), (Counting.LATEST, 4), (Counting.FIRST, 3)]
    )
    def test_which_counts(self, counting: Counting, expected: int) -> None:
        entries = [
            Entry(key=key, terms=(terms,), member=1, counting=value)
            for key, terms, value in [
                (1, 4, None),
                (2, 9, 20),
                (3, 5, 10),
                (4, 6, 30),
                (5, 3, 30),
                (6, 8, 10),
            ]
        ]
        assert counted(entries, counting) == [expected]

    @pytest.mark.parametrize("counting", [Counting.LATEST, Counting.FIRST])
    def test_null_comes_last_and_counts_where_it_is_all_there_is(self, counting: Counting) -> None:
        unknown = [Entry(key=key, terms=(key,), member=1) for key in (2, 1, 3)]
        assert counted(unknown, counting) == [1]
        assert counted([*unknown, Entry(key=9, terms=(0,), member=1, counting=0)], counting) == [9]

    def test_nan_is_the_latest(self) -> None:
        entries = [
            Entry(key=key, terms=(0,), member=1, counting=value) for key, value in enumerate([INF, NAN, 0.0])
        ]
        assert counted(entries, Counting.LATEST) == [1]
        assert counted(entries, Counting.FIRST) == [2]

    def test_chosen_among_eligible_and_finished_entries(self) -> None:
        entries = [
            Entry(key=1, terms=(9,), member=1, counting=9, eligible=False),
            Entry(key=2, terms=(8,), member=1, counting=8, eligible=None),
            Entry(key=3, terms=(None,), member=1, counting=7),
            Entry(key=4, terms=(5,), member=1, counting=6),
            Entry(key=5, terms=(4,), member=1, counting=5),
        ]
        assert counted(entries, Counting.BEST) == counted(entries, Counting.LATEST) == [4]

    def test_chosen_in_the_population(self) -> None:
        entries = [Entry(key=key, terms=(key,), member=1, counting=key) for key in (1, 2, 3)]
        assert counted(entries, Counting.BEST, population={1, 2}) == [2]
        assert counted(entries, Counting.LATEST, population=[1]) == [1]

    def test_superseded_entries_are_not_counted(self) -> None:
        entries = [
            Entry(key=1, terms=(9,), member=1),
            Entry(key=2, terms=(8,), member=1),
            Entry(key=3, terms=(7,), member=2),
        ]
        found = standings(entries, Specification(descending=(True,), member=True))
        assert found[2] == Standing(None, 2, None, None, Qualification.SUPERSEDED)
        assert (found[3].rank, found[3].board_size, found[3].percentile) == (2, 2, 50.0)

    def test_without_member_every_entry_counts(self) -> None:
        entries = [Entry(key=key, terms=(key,), member=member) for key, member in enumerate([1, 1, None])]
        assert [entry.key for entry in order(entries, DOWN)] == [2, 1, 0]


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


class TestQualification:
    specification = Specification(descending=(True,), member=True, cut_off=AtLeast("score", "threshold"))

    def status(self, **changes: Any) -> Qualification:
        """The status of an entry that qualifies but for the changes, beside a better one of member 1."""
        values: dict[str, Any] = {
            "terms": (5,),
            "board": ("a",),
            "member": 2,
            "operands": {"score": 5, "threshold": 5},
        }
        better = Entry(key=1, terms=(9,), board=("a",), member=1, operands={"score": 9, "threshold": 5})
        return statuses([better, Entry(key=2, **values | changes)], self.specification)[1]

    def test_qualified(self) -> None:
        assert self.status() == Qualification.QUALIFIED

    def test_not_qualified(self) -> None:
        assert self.status(operands={"score": 5, "threshold": 6}) == Qualification.NOT_QUALIFIED

    def test_no_cut_off(self) -> None:
        assert self.status(operands={"score": 5, "threshold": None}) == Qualification.NO_CUT_OFF
        assert statuses(rows([1]), DOWN) == [Qualification.NO_CUT_OFF]

    @pytest.mark.parametrize("threshold", [None, 5, 6])
    def test_superseded_before_the_cut_off(self, threshold: int | None) -> None:
        operands = {"score": 5, "threshold": threshold}
        assert self.status(member=1, operands=operands) == Qualification.SUPERSEDED

    @pytest.mark.parametrize("member", [1, 2])
    def test_pending_before_superseded(self, member: int) -> None:
        assert self.status(member=member, terms=(None,)) == Qualification.PENDING

    @pytest.mark.parametrize(
        "changes", [{"eligible": False}, {"eligible": None}, {"board": (None,)}, {"member": None}]
    )
    @pytest.mark.parametrize("terms", [(5,), (None,)])
    @pytest.mark.parametrize("member", [1, 2])
    def test_excluded_before_all_others(
        self, changes: dict[str, Any], terms: tuple[Any, ...], member: int
    ) -> None:
        assert self.status(**{"terms": terms, "member": member} | changes) == Qualification.EXCLUDED

    def test_unranked_entries_are_not_asked_for_operands(self) -> None:
        assert self.status(terms=(None,), operands={}) == Qualification.PENDING
        with pytest.raises(KeyError, match="score"):
            self.status(operands={})


class TestRules:
    @pytest.mark.parametrize(
        ("value", "threshold", "at_least", "at_most"),
        [
            (5, 5, True, True),
            (5, 6, False, True),
            (6, 5, True, False),
            (None, 5, None, None),
            (5, None, None, None),
            (None, None, None, None),
            (2**53 + 1, float(2**53), True, False),
            (Decimal("0.1"), Decimal("0.10"), True, True),
            (NAN, INF, True, False),
            (NAN, Decimal("NaN"), True, True),
            (INF, NAN, False, True),
            ("b", "a", True, False),
            (timedelta(seconds=1), timedelta(seconds=1, microseconds=1), False, True),
        ],
    )
    def test_at_least_and_at_most(
        self, value: Any, threshold: Any, at_least: bool | None, at_most: bool | None
    ) -> None:
        assert decide(AtLeast("v", "t"), v=value, t=threshold) is at_least
        assert decide(AtMost("v", "t"), v=value, t=threshold) is at_most

    def test_an_argument_that_is_no_name_is_the_value(self) -> None:
        assert decide(AtLeast("v", 5), v=5) is True
        assert decide(AtMost("v", Decimal(4)), v=5) is False
        assert decide(AtLeast("v", None), v=5) is None

    @pytest.mark.parametrize(
        ("value", "maximum", "percent", "expected"),
        [
            (40, 100, 40, True),
            (39, 100, 40, False),
            (1, 3, Decimal("33.33333333333333333333333333333333"), True),
            (1, 3, Decimal("33.33333333333333333333333333333334"), False),
            (33, 330, 10.0, True),
            # 15 significant digits, as PostgreSQL casts a float; by their binary values it would fail.
            (0.07, 1, 7, True),
            (7, 1000, 0.7, True),
            (0.29, 1, Decimal(29), True),
            (1, 3, 100 / 3, True),
            (0.123456789012345, Decimal("0.123456789012345"), 100, True),
            (0.123456789012344, Decimal("0.123456789012345"), 100, False),
            (2**60 + 1, 2**60 + 1, 100, True),
            (2**60, 2**60 + 1, 100, False),
            (-1, -2, 50, True),
            (-3, -2, 100, False),
            (0, 0, 50, True),
            (timedelta(seconds=30), timedelta(minutes=1), 50, True),
            (timedelta(seconds=30) - timedelta.resolution, timedelta(minutes=1), 50, False),
            (timedelta(seconds=30), timedelta(minutes=1, microseconds=1), 50, False),
            (None, 1, 1, None),
            (1, None, 1, None),
            (1, 1, None, None),
            (timedelta(1), None, 1, None),
            (NAN, 1, 100, True),
            (1, NAN, 100, False),
            (1, 1, NAN, False),
            (NAN, NAN, 1, True),
            (NAN, 0, 0, True),
            (INF, 1, 100, True),
            (INF, INF, 100, True),
            (INF, INF, -1, True),
            (-INF, 1, 100, False),
            (-INF, Decimal("-Infinity"), 100, True),
            (10**400, INF, 1, False),
            (-(10**400), -INF, 1, True),
            (10**400, Decimal("1e400"), 100, True),
            (10**400, INF, 10**400, False),
            # Infinity times zero is NaN.
            (10**400, INF, 0, False),
            (INF, INF, 0, False),
            (NAN, 0, INF, True),
            (0, -1, INF, True),
        ],
    )
    def test_percent_of(self, value: Any, maximum: Any, percent: Any, expected: bool | None) -> None:
        assert decide(PercentOf("v", "m", "p"), v=value, m=maximum, p=percent) is expected

    def test_percent_of_refuses_a_duration_beside_a_number(self) -> None:
        with pytest.raises(TypeError, match="both be durations or neither"):
            decide(PercentOf("v", "m", "p"), v=timedelta(1), m=1, p=1)

    @pytest.mark.parametrize(
        ("count", "expected"), [(3, True), (2, True), (1, False), (0, False), (None, None), (NAN, True)]
    )
    def test_top_count(self, count: Any, expected: bool | None) -> None:
        assert decide(TopCount("c"), rank=2, size=4, tied=2, c=count) is expected
        assert decide(TopCount(count), rank=2, size=4, tied=2) is expected

    @pytest.mark.parametrize(
        ("percent", "expected"),
        [
            (50, True),
            (49, False),
            (Decimal("49.99999999999999999999999999999999"), False),
            (49.9999999999999999, True),
            (None, None),
            (NAN, True),
            (INF, True),
            (-INF, False),
        ],
    )
    def test_top_percent(self, percent: Any, expected: bool | None) -> None:
        assert decide(TopPercent("p"), rank=2, size=4, tied=2, p=percent) is expected

    def test_top_percent_multiplies_exactly(self) -> None:
        assert decide(TopPercent(0.7), rank=7, size=1000) is True
        assert decide(TopPercent(0.7), rank=8, size=1000) is False

    @pytest.mark.parametrize("rule", [TopCount(2), TopPercent(50)])
    def test_a_tie_at_the_border_is_in_or_out_as_a_whole(self, rule: Rule) -> None:
        specification = Specification(descending=(True,), cut_off=rule, rank_kind=RankKind.ORDINAL)
        assert statuses(rows([9, 8, 8, 7]), specification) == [
            *[Qualification.QUALIFIED] * 3,
            Qualification.NOT_QUALIFIED,
        ]
        assert statuses(rows([9, 9, 9, 8]), specification) == [
            *[Qualification.QUALIFIED] * 3,
            Qualification.NOT_QUALIFIED,
        ]

    @pytest.mark.parametrize(
        ("kind", "percentile"),
        [
            (PercentileKind.STRICT, Fraction(100, 4)),
            (PercentileKind.WEAK, Fraction(300, 4)),
            (PercentileKind.MEAN, Fraction(200, 4)),
            (PercentileKind.SCIPY_RANK, Fraction(250, 4)),
            (PercentileKind.PERCENT_RANK, Fraction(100, 3)),
        ],
    )
    def test_percentile_at_least(self, kind: PercentileKind, percentile: Fraction) -> None:
        place: dict[str, int] = {"rank": 2, "size": 4, "tied": 2}
        assert decide(PercentileAtLeast("p", kind), p=percentile, **place) is True
        assert decide(PercentileAtLeast("p", kind), p=percentile + Fraction(1, 10**30), **place) is False
        assert decide(PercentileAtLeast("p", kind), p=percentile - Fraction(1, 10**30), **place) is True
        assert decide(PercentileAtLeast("p", kind), p=None, **place) is None
        assert decide(PercentileAtLeast("p", kind), p=NAN, **place) is False
        assert decide(PercentileAtLeast("p", kind), p=INF, **place) is False

    def test_percentile_at_least_has_a_kind_of_its_own(self) -> None:
        for rule in PercentileAtLeast(70), PercentileAtLeast(70, PercentileKind.WEAK):
            specification = Specification(
                descending=(True,), cut_off=rule, percentile_kind=PercentileKind.STRICT
            )
            found = standings(rows([70, 60, 80, 70]), specification)
            assert (found[1].percentile, found[1].qualification) == (25.0, Qualification.QUALIFIED)

    def test_percentile_at_least_by_fractions(self) -> None:
        assert decide(PercentileAtLeast(Decimal("33.333333333333333333")), rank=3, size=3) is True
        assert decide(PercentileAtLeast(Decimal("33.333333333333333334")), rank=3, size=3) is False
        assert decide(PercentileAtLeast(100 / 3), rank=3, size=3) is True

    def test_percent_rank_of_one(self) -> None:
        rule = PercentileAtLeast("p", PercentileKind.PERCENT_RANK)
        assert decide(rule, p=0) is True
        assert decide(rule, p=1) is False


class TestLogic:
    @pytest.mark.parametrize(
        ("one", "other", "both", "either"),
        [
            (True, True, True, True),
            (True, False, False, True),
            (True, None, None, True),
            (False, False, False, False),
            (False, None, False, None),
            (None, None, None, None),
        ],
    )
    def test_truth_tables(
        self, one: bool | None, other: bool | None, both: bool | None, either: bool | None
    ) -> None:
        for left, right in (one, other), (other, one):
            assert decide(AllOf([DECIDED[left], DECIDED[right]])) is both
            assert decide(AnyOf((DECIDED[left], DECIDED[right]))) is either

    @pytest.mark.parametrize(("value", "expected"), [(True, False), (False, True), (None, None)])
    def test_not(self, value: bool | None, expected: bool | None) -> None:
        assert decide(Not(DECIDED[value])) is expected

    def test_none_of_them(self) -> None:
        assert decide(AllOf(())) is True
        assert decide(AnyOf(())) is False

    def test_nested(self) -> None:
        rule = AllOf([AnyOf([TopCount(1), AtLeast("v", 50)]), Not(AtMost("v", 40))])
        assert decide(rule, rank=2, size=2, v=50) is True
        assert decide(rule, rank=2, size=2, v=49) is False
        assert decide(rule, rank=1, size=2, v=40) is False
        assert decide(rule, rank=1, size=2, v=None) is None


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

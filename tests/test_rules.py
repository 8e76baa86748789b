"""Rules of cut-offs in the reference, and how they come to a qualification."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from leaderboard.kinds import PercentileKind, Qualification, RankKind
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
    Tally,
    TopCount,
    TopPercent,
    standings,
)
from tests.entries import DOWN, INF, NAN, rows, statuses

DECIDED = {True: AtLeast(1, 1), False: AtLeast(0, 1), None: AtLeast(None, 1)}


def decide(rule: Rule, *, rank: int = 1, size: int = 1, tied: int = 1, **operands: Any) -> bool | None:
    tally = Tally(better=rank - 1, tied=tied, worse=size - rank + 1 - tied, earlier=0, levels=rank - 1)
    return rule.decide(Entry(key=1, terms=(0,), operands=operands), tally)


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

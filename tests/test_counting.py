"""Which entry of a member counts in the reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from leaderboard.kinds import Counting, Qualification
from leaderboard.reference import Entry, Specification, Standing, order, standings
from tests.entries import DOWN, INF, NAN


def counted(entries: Sequence[Entry], counting: Counting, **options: Any) -> list[Any]:
    specification = Specification(descending=(True,), member=True, counting=counting)
    return [entry.key for entry in order(entries, specification, **options)]


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

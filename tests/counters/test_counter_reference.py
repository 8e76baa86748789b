"""The reference of counters against values worked out by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from leaderboard.reference import Counter, Delete, Empty, Put, Transaction, counted, rows_after
from leaderboard.reference.counters import Write

ROWS: list[dict[str, Any]] = [
    {"of": 1, "n": 3, "public": True},
    {"of": 1, "n": None, "public": None},
    {"of": 1, "n": 4, "public": False},
    {"of": None, "n": 100, "public": True},
    {"of": 9, "n": 100, "public": True},
]


def counter(function: Any, **options: Any) -> Counter:
    return Counter(function=function, key=lambda row: row["of"], **options)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("count", {1: 2, 2: 0}),
        ("sum", {1: 7, 2: 0}),
        ("avg", {1: Fraction(7, 2), 2: None}),
        ("min", {1: 3, 2: None}),
        ("max", {1: 4, 2: None}),
    ],
)
def test_each_function(function: Any, expected: dict[int, Any]) -> None:
    assert counted(counter(function, value=lambda row: row["n"]), ROWS, [1, 2]) == expected


def test_rows_are_counted_whatever_they_hold() -> None:
    assert counted(counter("count"), ROWS, [1, 2]) == {1: 3, 2: 0}


def test_a_filter_that_is_unknown_leaves_a_row_out() -> None:
    assert counted(counter("count", matches=lambda row: row["public"]), ROWS, [1]) == {1: 1}


def test_a_history_leaves_what_is_committed() -> None:
    history: list[Write] = [
        Put("a", {"n": 1}),
        Transaction(
            (Put("b", {"n": 2}), Transaction((Delete("a"),), is_committed=False), Put("a", {"n": 3}))
        ),
        Transaction((Empty(), Put("c", {"n": 4})), is_committed=False),
        Delete("z"),
    ]
    assert rows_after(history) == {"a": {"n": 3}, "b": {"n": 2}}
    assert rows_after([*history, Empty(), Put("d", {})], {"z": {}}) == {"d": {}}

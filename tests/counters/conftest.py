from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.counters.rows import ACTIONS, Rows, act_by_database, assert_exact, make_rows, settle


@pytest.fixture
def rows() -> Iterator[Rows]:
    yield make_rows()
    assert_exact()


@pytest.fixture
def cascades(rows: Rows) -> None:
    settle()
    for action in ACTIONS:
        act_by_database(*action)

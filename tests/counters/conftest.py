from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.counters.rows import ACTIONS, Rows, act_by_database, assert_exact, make_rows, settle, sweep


@pytest.fixture
def rows() -> Iterator[Rows]:
    yield make_rows()
    assert_exact()


@pytest.fixture
def cascades(rows: Rows) -> None:
    settle()
    for action in ACTIONS:
        act_by_database(*action)


@pytest.fixture
def committing(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let a test commit; what it leaves is swept away, in less time than Django's flush takes."""
    with django_db_blocker.unblock():
        yield
        sweep()

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import setup_databases, teardown_databases

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


@pytest.fixture(scope="session")
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Make the test database, which pytest-django does only where a test is marked."""
    with django_db_blocker.unblock():
        made = []
        if not connection.settings_dict["NAME"].startswith("test_"):
            made = setup_databases(verbosity=0, interactive=False, aliases={"default": {}})
        yield
        teardown_databases(made, verbosity=0)


@pytest.fixture
def committing(database: None, django_db_blocker: Any) -> Iterator[None]:
    """Let a test commit; what it leaves is swept away, in less time than Django's flush takes."""
    with django_db_blocker.unblock():
        yield
        sweep()

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import setup_databases, teardown_databases

from tests.counters.models import Blog
from tests.counters.rows import ACTIONS, Rows, act_by_database, assert_exact, make_rows, settle, sweep
from tests.counters.sessions import Session, sessions


@pytest.fixture
def rows() -> Iterator[Rows]:
    yield make_rows()
    assert_exact()


@pytest.fixture
def committed_rows(committing: None) -> Iterator[Rows]:
    made = make_rows()
    # Or a chain would lead to one site, for which all of them wait.
    Blog.objects.filter(pk=made.other_blog.pk).update(site=None)
    yield made
    assert_exact()


@pytest.fixture
def two() -> Iterator[list[Session]]:
    with sessions(2) as opened:
        yield opened


@pytest.fixture
def three() -> Iterator[list[Session]]:
    with sessions(3) as opened:
        yield opened


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

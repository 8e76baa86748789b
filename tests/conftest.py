from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator

import pytest
from django.db.backends.postgresql.operations import DatabaseOperations
from django.db.models.signals import post_migrate
from django.test.utils import isolate_apps
from hypothesis import HealthCheck, Phase, settings

from tests.attempts import store
from tests.boards import Boards
from tests.examples import begin_on_empty_files
from tests.flushing import flush_of_rows

# A shell lets jobs in its background ignore SIGINT, and so would the processes that are interrupted here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Nobody's permissions are looked at here, and they would be made anew after every flush.
post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")

# Of a hundred tables PostgreSQL makes new files for a fifth of a second, and few have rows after a test.
DatabaseOperations.sql_flush = flush_of_rows  # type: ignore[assignment, method-assign]

# A server answers in its own time, which is no property of the code under test.
settings.register_profile(
    "default", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", parent=settings.get_profile("default"), max_examples=5000)
settings.register_profile("matrix", parent=settings.get_profile("default"), max_examples=25)
# A defect need not be shown by its smallest example.
settings.register_profile(
    "mutations", parent=settings.get_profile("default"), max_examples=60, phases=[Phase.generate]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-golden", action="store_true", help="write the files of tests/golden anew")


def pytest_collection_finish() -> None:
    # What has been imported stays; to look through it time and again takes a twentieth of the time.
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _small_indexes(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("plans") is None:
        return
    request.getfixturevalue("db")
    begin_on_empty_files()


@pytest.fixture
def data() -> None:
    store()


@pytest.fixture(
    params=[{"": "overall"}, {"": "members"}, {"o_": "overall", "m_": "members"}],
    ids=["overall", "members", "both"],
)
def boards(request: pytest.FixtureRequest, data: None) -> Boards:
    return Boards(request.param)


@pytest.fixture
def isolated() -> Iterator[None]:
    with isolate_apps("tests.testapp"):
        yield

"""Starts the database before pytest-django reads the settings; named by ``-p`` in pyproject.toml."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from example.embedded import database_url

_stack = ExitStack()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, object, object]:
    os.environ["DATABASE_URL"] = _stack.enter_context(database_url())
    return (yield)


def pytest_unconfigure() -> None:
    _stack.close()

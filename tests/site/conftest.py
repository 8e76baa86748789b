from __future__ import annotations

import pytest
from django.conf import settings

# Tests of whatever apps there are would find those of the site: so these have a process of their own.
if settings.SETTINGS_MODULE != "tests.site.settings":
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Let every test read and write."""

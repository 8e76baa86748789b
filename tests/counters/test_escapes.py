"""Filters may have any text, percent signs too."""

from __future__ import annotations

import pytest
from django.db import connection

from leaderboard.counters.batches import _escaped


@pytest.mark.django_db
@pytest.mark.parametrize("pattern", ["%(x%", "%s", "100%", "%%", "%(keys"])
def test_only_what_is_given_is_a_parameter(pattern: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_escaped(f"SELECT '{pattern}', 1 = ANY(%(keys)s)"), {"keys": [1]})
        assert cursor.fetchone() == (pattern, True)

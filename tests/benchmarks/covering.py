"""Attempts that have the indexes from which their boards are counted, in the model and in the table."""

from __future__ import annotations

from typing import ClassVar

from django.db import connection

from tests.benchmarks.paging import execute
from tests.testapp.models import MEMBERS, Attempt

__all__ = ["CoveredAttempt", "cover", "uncover"]

# Boards with and without members share those on the terms.
*_, OVERALL_SIZE = Attempt.objects.boards["overall"].indexes("overall", covering=True)


class CoveredAttempt(Attempt):
    """The same rows: a board reads by the indexes that its model says it has."""

    class Meta:
        app_label = "benchmarks"
        proxy = True
        indexes: ClassVar = [*MEMBERS.indexes("covering", covering=True), OVERALL_SIZE]


def cover() -> None:
    """Give the table these indexes."""
    with connection.schema_editor() as editor:
        for index in CoveredAttempt._meta.indexes:
            editor.add_index(Attempt, index)
    execute("VACUUM ANALYZE testapp_attempt")


def uncover() -> None:
    """Drop those that the table has."""
    execute(f"DROP INDEX IF EXISTS {', '.join(index.name for index in CoveredAttempt._meta.indexes)}")

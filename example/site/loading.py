"""What the site shows, loaded once."""

from __future__ import annotations

from django.db import connection, transaction

from example.assessments.models import Test
from example.assessments.real import load_boston, load_icpc
from example.assessments.synthetic import load_synthetic
from example.talk.sample import load_sample

__all__ = ["load_once"]


def load_once() -> bool:
    """Load all tests and posts unless there are some, and tell whether that was done."""
    if Test.objects.exists():
        return False
    with transaction.atomic():
        load_synthetic()
        load_boston()
        load_icpc()
        load_sample()
    with connection.cursor() as cursor:
        # What was just loaded is not known to the planner yet; index-only scans need a vacuum.
        cursor.execute("VACUUM ANALYZE assessments_attempt, assessments_candidate, talk_comment, talk_post")
    return True

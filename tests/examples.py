"""Hypothesis beside Django, and tables whose files are empty."""

from __future__ import annotations

from django.apps import apps
from django.db import connection
from hypothesis.extra.django import TestCase

__all__ = ["HypothesisTestCase", "begin_on_empty_files"]

# Of what an example rolls back, dead rows stay for as long as the transaction around it lasts.
EXAMPLES_A_FILE = 200


def begin_on_empty_files() -> None:
    """Give the tables new files, as dead rows, in their indexes too, make reading slow and others cheaper."""
    models = apps.get_app_config("testapp").get_models()
    tables = [model._meta.db_table for model in models if model._meta.managed and not model._meta.proxy]
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(map(connection.ops.quote_name, tables))} CASCADE")


class HypothesisTestCase(TestCase):
    """A test case whose examples take as long in the end as in the beginning, however many they are."""

    examples = 0

    def setup_example(self) -> None:
        self.examples += 1
        if self.examples % EXAMPLES_A_FILE == 0:
            begin_on_empty_files()
        super().setup_example()  # type: ignore[no-untyped-call]

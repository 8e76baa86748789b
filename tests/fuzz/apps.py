from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import pre_migrate


class FuzzConfig(AppConfig):
    name = "tests.fuzz"

    def ready(self) -> None:
        # Before the tables are made, since some are in it.
        pre_migrate.connect(make_schema, sender=self)


def make_schema(*, using: str, **_: Any) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS sch")

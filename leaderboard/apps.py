"""The Django app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.db import connections
from django.db.models.signals import post_migrate

from leaderboard.counters.checks import check_counter
from leaderboard.counters.fields import CounterField
from leaderboard.counters.registry import register_counters
from leaderboard.counters.upkeep import after_migrations
from leaderboard.orm.migrations import order_triggers, write_zones

__all__ = ["LeaderboardConfig"]


class LeaderboardConfig(AppConfig):
    """Leaderboards for Django on PostgreSQL."""

    name = "leaderboard"
    verbose_name = "Leaderboards"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        order_triggers()
        write_zones()
        register_counters(apps)
        CounterField.checked_by = staticmethod(check_counter)
        post_migrate.connect(_activate, sender=self)


def _activate(using: str, **_: Any) -> None:
    if connections[using].vendor == "postgresql":
        after_migrations(using)

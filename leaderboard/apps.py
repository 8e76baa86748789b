"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["LeaderboardConfig"]


class LeaderboardConfig(AppConfig):
    """Leaderboards for Django on PostgreSQL."""

    name = "leaderboard"
    verbose_name = "Leaderboards"
    default_auto_field = "django.db.models.BigAutoField"

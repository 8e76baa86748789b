"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig


class RacesConfig(AppConfig):
    """Races with qualifying standards."""

    name = "example.races"

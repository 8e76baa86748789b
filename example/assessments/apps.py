"""The app of the tests."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["AssessmentsConfig"]


class AssessmentsConfig(AppConfig):
    """Tests, candidates and their attempts."""

    name = "example.assessments"

"""Tags and filters of the site's templates: ``{% load site %}``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.template import Library

from leaderboard.templatetags.leaderboard import time_taken

__all__ = ["as_time", "cut_off", "kind", "register", "signed"]

register = Library()


@register.filter
def kind(qualification: Any) -> str:
    """Return the class of a badge."""
    return str(qualification).replace("_", "-")


@register.filter
def signed(number: int) -> str:
    """Return a number with its sign; nothing before zero."""
    return f"{number:+,}".replace("-", "−") if number else "0"


@register.filter
def cut_off(test: Any) -> str:
    """Return what qualifies at a test, in words."""
    if test.is_timed:
        return "by age and gender" if test.most_time is None else f"at most {time_taken(test.most_time)}"
    return "none" if test.least_score is None else f"at least {test.least_score} points"


@register.filter
def as_time(value: timedelta | None) -> str:
    """Return a duration as ``0:30:00``, whatever its sign."""
    return "" if value is None else time_taken(abs(value))

"""What is wrong with a request."""

from __future__ import annotations

from django.core.exceptions import BadRequest

__all__ = ["InvalidParameter"]


class InvalidParameter(BadRequest):
    """Raised for a parameter that cannot be right; of a request, Django makes a response of status 400.

    ``parameter`` is its name and ``reason`` says what is wrong, for people.
    """

    def __init__(self, parameter: str, reason: str) -> None:
        super().__init__(f"{parameter}: {reason}")
        self.parameter = parameter
        self.reason = reason

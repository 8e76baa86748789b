"""The tables of the app itself."""

from __future__ import annotations

from django.db import models

__all__ = ["CounterState"]


class CounterState(models.Model):
    """What a counter was built for. A counter whose fingerprint differs is counted anew on every read.

    ``built_to`` is the last key of a backfill that has not come to its end.
    """

    name = models.CharField(max_length=200, primary_key=True)
    fingerprint = models.CharField(max_length=64)
    built_to = models.TextField(null=True)  # noqa: DJ001 - a key may be the empty text
    built_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name

"""The tables of the app itself."""

from __future__ import annotations

from django.db import models

__all__ = ["CounterState"]


class CounterState(models.Model):
    """What a counter was built for. It is counted anew on every read unless all of this still holds.

    ``relation`` and ``attribute`` are PostgreSQL's numbers of its table and column: a column that was made
    anew has another one, in a restored database too. ``kept_by`` are the triggers that keep it, and
    ``stopped`` those that were missing at some time. ``waits`` is whether rows may wait for it in a journal.
    ``built_to`` is the last key of a backfill that has not come to its end.
    """

    name = models.CharField(max_length=200, primary_key=True)
    fingerprint = models.CharField(max_length=64)
    relation = models.BigIntegerField()
    attribute = models.SmallIntegerField()
    kept_by = models.TextField()
    stopped = models.TextField(default="")
    waits = models.BooleanField()
    built_to = models.TextField(null=True)  # noqa: DJ001 - a key may be the empty text
    built_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name

"""Entries and counters in Django's admin; imported by the ``admin.py`` of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from leaderboard.counters.fields import CounterField
from leaderboard.endpoints.changelist import PREFIX, BoardChangeList, BoundedPaginator, ByMetric
from leaderboard.endpoints.formats import FORMATS
from leaderboard.expressions.qualification import QualificationChoices
from leaderboard.orm.models import field_names
from leaderboard.querysets.manager import LeaderboardQuerySet

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = object

__all__ = ["CounterAdmin", "LeaderboardAdmin", "QualificationFilter"]


class CounterAdmin(ModelAdmin):
    """Shows the counters of a model in its forms, read-only: a mixin for ``ModelAdmin``."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        names = super().get_readonly_fields(request, obj)
        hidden = {*names, *(self.get_exclude(request, obj) or ())}
        counters = [field.name for field in self.model._meta.fields if isinstance(field, CounterField)]
        return [*names, *(name for name in counters if name not in hidden)]


class QualificationFilter(admin.SimpleListFilter):
    """Filters the list of a :class:`LeaderboardAdmin` by the qualification.

    It is worked out for all boards that are shown.
    """

    title = _("qualification")
    parameter_name = "qualification"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return QualificationChoices.choices

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        if value is None:
            return queryset
        if value not in QualificationChoices.values:
            return queryset.none()
        return queryset.with_qualification(prefix=PREFIX).filter(**{f"{PREFIX}qualification": value})


def _column(metric: str, description: Any) -> Any:
    """Return the method that shows a metric in a column, or among the fields that are read only."""

    @admin.display(description=description, ordering=ByMetric(metric))
    def shown(self: Any, entry: Any) -> Any:
        value = self.get_metric(entry, metric)
        # A form would show None as that.
        return self.get_empty_value_display() if value is None else FORMATS[metric](value)

    named: Any = shown
    named.metric = metric
    return named


class LeaderboardAdmin(CounterAdmin):
    """Shows where entries stand on their board: a mixin for ``ModelAdmin``.

    ``rank``, ``percentile``, ``time_taken`` and ``qualification`` may be in ``list_display``, where they can
    be sorted by, and in ``readonly_fields``. ``board`` names the board, the first one unless it is given. A
    list is counted up to ``counted_limit`` entries and has pages for so many. It shows metrics of entries
    whose boards have at most ``ranked_limit`` entries together, and of any board where it is filtered to
    that and sorted by the rank.
    """

    board: str | None = None
    counted_limit = 10_000
    ranked_limit = 100_000

    show_full_result_count = False

    rank = _column("rank", _("rank"))
    percentile = _column("percentile", _("percentile"))
    time_taken = _column("time_taken", _("time taken"))
    qualification = _column("qualification", _("qualification"))

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the entries, of the board that is named.

        Raises ``ImproperlyConfigured`` where the model's default manager declares no boards.
        """
        queryset: Any = super().get_queryset(request)
        if not isinstance(queryset, LeaderboardQuerySet):
            raise ImproperlyConfigured(
                f"The default manager of {self.model._meta.label} must be a LeaderboardManager, of which "
                f"{type(self).__name__} shows a board."
            )
        return queryset if self.board is None else queryset.board(self.board)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return BoardChangeList

    def get_paginator(
        self,
        request: HttpRequest,
        queryset: Any,
        per_page: int,
        orphans: int = 0,
        allow_empty_first_page: bool = True,
    ) -> Any:
        # What is at the limit must be neither one page nor shown whole: it may be no more than a beginning.
        limit = max(self.counted_limit, per_page + 1, self.list_max_show_all + 1)
        return BoundedPaginator(queryset, per_page, orphans, allow_empty_first_page, limit=limit)

    def get_metric(self, entry: Any, metric: str) -> Any:
        """Return a metric of an entry: as the list has found it, or else as it stands now."""
        name = f"{PREFIX}{metric}"
        if not hasattr(entry, name):
            standing = self._standing_of(entry)
            for each in FORMATS:
                setattr(entry, f"{PREFIX}{each}", getattr(standing, each, None))
        return getattr(entry, name)

    def _standing_of(self, entry: Any) -> Any:
        """Return the standing of an entry; None where it is not stored, as in a form for a new one."""
        if entry._state.adding:
            return None
        entries: Any = self.model._default_manager.all()
        entries = entries if self.board is None else entries.board(self.board)
        try:
            return entries.get_standing(entry)
        except self.model.DoesNotExist:
            return None

    def metrics_in(self, names: Any) -> list[str]:
        """Return the metrics among the names or functions of columns."""
        fields = field_names(self.model)
        columns = [getattr(self, name, None) if isinstance(name, str) else name for name in names]
        found = [
            getattr(column, "metric", None)
            for name, column in zip(names, columns, strict=True)
            if name not in fields
        ]
        return [*dict.fromkeys(metric for metric in found if metric is not None)]

"""Filters of django-filter, which is to be installed with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django_filters import MultipleChoiceFilter

from leaderboard.expressions.qualification import QualificationChoices

__all__ = ["QualificationFilter"]

# Begins the name of the qualification that is filtered by, beside those that a page annotates.
FILTERED = "_filtered_"


class QualificationFilter(MultipleChoiceFilter):
    """Shows entries of one qualification or of several, with the ranks that they have anyway.

    The choices are those of :class:`~leaderboard.kinds.Qualification` unless given. Entries without a rank,
    such as those that are pending, are shown by lists of ``standings()`` and on no page.
    """

    def __init__(self, **options: Any) -> None:
        options.setdefault("choices", QualificationChoices.choices)
        super().__init__(**options)

    def filter(self, qs: Any, value: Sequence[str]) -> Any:
        """Return the entries of a queryset that have one of these qualifications; all for none."""
        if not value:
            return qs
        view = qs.with_qualification(prefix=FILTERED)
        method = view.exclude if self.exclude else view.filter
        return method(**{f"{FILTERED}qualification__in": value})

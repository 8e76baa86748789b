"""Sites of Django's admin, one for each way of listing entries."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.urls import path

from leaderboard.endpoints.admin import CounterAdmin, LeaderboardAdmin, QualificationFilter
from tests.counters.models import Post
from tests.testapp.models import Attempt

COLUMNS: tuple[str, ...] = ("id", "rank", "percentile", "time_taken", "qualification", "candidate")


class AttemptAdmin(LeaderboardAdmin, admin.ModelAdmin):  # type: ignore[type-arg]
    board: str | None = "members"
    list_display = COLUMNS
    list_filter: ClassVar[Any] = ("test", QualificationFilter)
    search_fields = ("candidate__name", "comments__text")
    readonly_fields: ClassVar[Any] = ("rank", "time_taken")
    list_select_related = ("candidate",)
    list_per_page = 4
    actions: Any = None


class LargeAdmin(AttemptAdmin):
    """As where boards are large."""

    counted_limit = 5
    ranked_limit = 2
    list_per_page = 2
    list_max_show_all = 3


class WholeAdmin(AttemptAdmin):
    """One board of the whole table, with actions."""

    board = "everything"
    list_display = ("id", "rank")
    actions = ()


class EditedAdmin(AttemptAdmin):
    list_display = (*COLUMNS, "score")
    list_editable = ("score",)


class PlainAdmin(AttemptAdmin):
    board = None
    list_display = ("id", "score")
    readonly_fields = ()


class PostAdmin(CounterAdmin, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("title", "comment_count")
    exclude = ("rating", "tags")
    readonly_fields = ("karma",)


def site_of(name: str, model: Any, model_admin: Any) -> admin.AdminSite:
    site = admin.AdminSite(name=name)
    site.register(model, model_admin)
    return site


SITES = {
    "attempts": site_of("attempts", Attempt, AttemptAdmin),
    "large": site_of("large", Attempt, LargeAdmin),
    "whole": site_of("whole", Attempt, WholeAdmin),
    "edited": site_of("edited", Attempt, EditedAdmin),
    "plain": site_of("plain", Attempt, PlainAdmin),
    "posts": site_of("posts", Post, PostAdmin),
}

urlpatterns = [path(f"{name}/", site.urls) for name, site in SITES.items()]

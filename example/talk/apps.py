"""The app of the blog."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["TalkConfig"]


class TalkConfig(AppConfig):
    """Blogs, their posts and what is said about them."""

    name = "example.talk"

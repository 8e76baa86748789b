from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

TEMPLATE = """{% for entry in board.entries %}{{ entry.standing.rank }}. {{ entry.candidate__name }}
{% endfor %}{% if board.next %}<a href="{{ board.next }}">next</a>{% endif %}"""


@pytest.fixture(autouse=True)
def urls(settings: Any) -> Iterator[None]:
    settings.ROOT_URLCONF = "tests.endpoints.urls"
    loaders = [("django.template.loaders.locmem.Loader", {"board.html": TEMPLATE})]
    settings.TEMPLATES = [
        {"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": loaders}}
    ]
    cache.clear()
    yield
    cache.clear()

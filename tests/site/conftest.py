from __future__ import annotations

from typing import Any

import pytest

from example.site import settings as site


@pytest.fixture(autouse=True)
def _site(settings: Any, db: None) -> None:
    for name in ("ROOT_URLCONF", "TEMPLATES", "STATIC_URL", "STATICFILES_DIRS"):
        setattr(settings, name, getattr(site, name))
    # What explains statements would be counted too; test_computed.py has it.
    settings.MIDDLEWARE = [name for name in site.MIDDLEWARE if not name.endswith(".Computed")]

"""The settings of the site for its tests, which tests/test_site.py runs."""

from __future__ import annotations

from example.site.settings import *  # noqa: F403
from example.site.settings import DATABASES
from example.site.settings import MIDDLEWARE as SITE_MIDDLEWARE

# What explains statements would be counted too; test_computed.py has it.
MIDDLEWARE = [name for name in SITE_MIDDLEWARE if not name.endswith(".Computed")]
# Beside the database of the tests that run these.
DATABASES["default"]["TEST"] = {"NAME": "test_site"}

"""Django settings of the example; the database is the one that ``DATABASE_URL`` names."""

from __future__ import annotations

import os

import dj_database_url

SECRET_KEY = "example"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["pgtrigger", "leaderboard", "example.races", "example.talk"]
DATABASES = {"default": dj_database_url.parse(os.environ.get("DATABASE_URL", "postgresql:///leaderboard"))}

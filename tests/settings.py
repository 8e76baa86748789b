from __future__ import annotations

import os
from typing import Any

import dj_database_url

SECRET_KEY = "tests"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.admin",
    "pgtrigger",
    "leaderboard",
    "tests.testapp",
    "tests.quiz",
    "tests.schemas",
    "tests.fuzz",
    "tests.counters",
]
# Tables of apps without migrations are made before all others, those of the tests too.
MIGRATION_MODULES = {"contenttypes": None, "auth": None, "admin": None}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
# tests/server.py starts the embedded server before Django reads this.
DATABASES = {"default": dj_database_url.parse(os.environ.get("DATABASE_URL", "postgresql:///leaderboard"))}
if os.environ.get("LEADERBOARD_SERVER_SIDE_BINDING"):
    DATABASES["default"]["OPTIONS"] = {"server_side_binding": True}
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}

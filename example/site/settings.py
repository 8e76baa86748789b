"""Django settings of the site: those of the example, and what pages need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from example.settings import *  # noqa: F403
from example.settings import INSTALLED_APPS as EXAMPLE_APPS

HERE = Path(__file__).parent

# Pages say what is wrong, not how it came about; static files are served all the same.
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", "testserver"]
INSTALLED_APPS = ["django.contrib.staticfiles", "django_htmx", *EXAMPLE_APPS, "example.assessments"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "example.site.headers.ContentPolicy",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "example.site.computed.Computed",
]
ROOT_URLCONF = "example.site.urls"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Before those of apps: the table of a board is the site's own.
        "DIRS": [HERE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": ["django.template.context_processors.request"],
            "libraries": {"site": "example.site.tags"},
        },
    }
]
STATIC_URL = "/static/"
STATICFILES_DIRS = [HERE / "static"]
CSRF_COOKIE_SAMESITE = "Strict"
# An error of the site itself is told where it was started; without this, DEBUG=False mails it to nobody.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"terminal": {"class": "logging.StreamHandler", "level": "ERROR"}},
    "loggers": {"django.request": {"handlers": ["terminal"], "propagate": False}},
}

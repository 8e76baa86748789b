"""The settings of the tests, with tables and endpoints of the benchmarks, which the tests need not make."""

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES as SERVERS
from tests.settings import INSTALLED_APPS as APPS

INSTALLED_APPS = [*APPS, "tests.benchmarks"]
ROOT_URLCONF = "tests.benchmarks.urls"
ALLOWED_HOSTS = ["*"]
# Who serves many requests does not connect for each.
DATABASES = {name: {**server, "CONN_MAX_AGE": None} for name, server in SERVERS.items()}

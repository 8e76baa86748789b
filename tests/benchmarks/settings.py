"""The settings of the tests, with the tables of the benchmarks, which the tests need not make."""

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS as APPS

INSTALLED_APPS = [*APPS, "tests.benchmarks"]

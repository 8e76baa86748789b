"""Projects of their own, written into a folder and run by ``python -m django`` on databases of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dj_database_url
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from tests.forks import run

__all__ = ["DRIFT", "Project", "database"]

SETTINGS = """
import os

import dj_database_url

SECRET_KEY = "project"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["pgtrigger", "leaderboard", {apps}]
DATABASES = {{
    alias: dj_database_url.parse(url)
    for alias, _, url in (part.partition("=") for part in os.environ["DATABASES"].split())
}}
"""
HEAD = """
from django.db import models
from django.db.models import Avg, Count, F, Max, Min, Q, Sum

from leaderboard import CounterField, Inline, Journal

"""
DRIFT = """
from leaderboard.counters import check
print([(report.counters, report.wrong, report.left_over, report.drifts) for report in check()
       if report.wrong or report.left_over])
"""


@contextmanager
def database(name: str) -> Iterator[str]:
    """Create a database beside the one of the tests, and yield its URL."""
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}"')
    url = os.environ["DATABASE_URL"]
    try:
        yield f"{url.rpartition('/')[0]}/{name}"
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


class Project:
    """A project in a folder. ``manage()`` runs a command in a process of its own, as models load once."""

    def __init__(self, folder: Path, **urls: str) -> None:
        self.folder = folder
        self.urls = urls
        self.apps: list[str] = []
        self.settings = ""

    def app(self, name: str, models: str) -> None:
        """Write the models of an app, anew where it exists."""
        package = self.folder / name
        (package / "migrations").mkdir(parents=True, exist_ok=True)
        for path in (package / "__init__.py", package / "migrations" / "__init__.py"):
            path.touch()
        (package / "models.py").write_text(HEAD + textwrap.dedent(models))
        if name not in self.apps:
            self.apps.append(name)
        apps = ", ".join(f'"{app}"' for app in self.apps)
        (self.folder / "project_settings.py").write_text(SETTINGS.format(apps=apps) + self.settings)

    def environment(self, **more: str) -> dict[str, str]:
        databases = " ".join(f"{alias}={url}" for alias, url in self.urls.items())
        paths = [str(self.folder), str(Path(__file__).parents[2])]
        return {
            **os.environ,
            "DATABASES": databases,
            "DJANGO_SETTINGS_MODULE": "project_settings",
            "PYTHONPATH": os.pathsep.join(paths),
            # Edits within a second would be missed by the time of a file.
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONWARNINGS": "error",
            **more,
        }

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "django", *arguments]

    def run(self, *arguments: str, answers: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return run(
            self.command(*arguments)[1:], cwd=self.folder, env=self.environment(**more), answers=answers
        )

    def manage(self, *arguments: str, answers: str = "", code: int = 0) -> str:
        """Run a command that ends with ``code``, and return what it prints."""
        done = self.run(*arguments, answers=answers)
        printed = done.stdout + done.stderr
        assert done.returncode == code, f"{arguments} ended with {done.returncode}:\n{printed}"
        return printed

    def manage_all(self, *commands: str, answers: str = "") -> str:
        """Run several commands in one process, and return what they print."""
        calls = "".join(
            f"importlib.invalidate_caches()\ncall_command(*{command.split()!r})\n" for command in commands
        )
        head = "import importlib\nfrom django.core.management import call_command\n"
        return self.shell(head + calls, answers=answers)

    def shell(self, code: str, answers: str = "") -> str:
        """Run Python in the project, with its models at hand, and return what it prints."""
        script = self._script("script.py", code)
        done = run([str(script)], cwd=self.folder, env=self.environment(), answers=answers)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def writer(self, code: str) -> Iterator[None]:
        """Run Python in the project, in the background, until the block ends."""
        script = self._script("writer.py", code)
        process = subprocess.Popen([sys.executable, str(script)], cwd=self.folder, env=self.environment())
        try:
            yield
            assert process.poll() is None
        finally:
            process.kill()
            process.wait()

    def _script(self, name: str, code: str) -> Path:
        names = "".join(f"from {app}.models import *\n" for app in self.apps)
        script = self.folder / name
        script.write_text(f"import django\ndjango.setup()\n{names}{textwrap.dedent(code)}")
        return script

    def migrations(self, app: str) -> list[str]:
        """Return the names of the migrations of an app, as their files have it."""
        return sorted(p.stem for p in (self.folder / app / "migrations").glob("0*.py"))

    def text(self, app: str, name: str) -> str:
        (path,) = (self.folder / app / "migrations").glob(f"{name}*.py")
        return path.read_text()

    def sql(self, statement: str, alias: str = "default") -> list[Any]:
        """Execute a statement on a connection of its own, and return the first column of what comes."""
        with self.connected(alias) as other, other.cursor() as cursor:
            cursor.execute(statement)
            return [row[0] for row in cursor.fetchall()] if cursor.description else []

    @contextmanager
    def connected(self, alias: str = "default") -> Iterator[BaseDatabaseWrapper]:
        known = connections["default"].settings_dict
        settings: dict[str, Any] = {**known, **dj_database_url.parse(self.urls[alias])}
        settings["OPTIONS"] = known["OPTIONS"]
        other = type(connections["default"])(settings, f"project_{alias}")
        try:
            yield other
        finally:
            other.close()

    def columns(self, table: str) -> list[Any]:
        return self.sql(
            f"SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0"
        )

    def functions(self, alias: str = "default") -> Sequence[str]:
        """Return the functions of triggers in the database."""
        return self.sql("SELECT proname FROM pg_proc WHERE proname ~ '^(pgtrigger|leaderboard)_'", alias)

    def triggers(self, alias: str = "default") -> Sequence[str]:
        return self.sql("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal", alias)

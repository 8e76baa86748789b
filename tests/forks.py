"""Processes that have Django and the library when they begin, as copies of one that has imported them.

Half of what a command of a small project takes is what it imports.
"""

from __future__ import annotations

import atexit
import functools
import gc
import json
import os
import runpy
import select
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["run"]

ROOT = Path(__file__).parents[1]
SECONDS = 120
# What needs no settings.
IMPORTED = (
    "dj_database_url",
    "django.core.mail",
    "django.core.management",
    "django.db.backends.postgresql.base",
    "django.db.migrations.autodetector",
    "django.template.response",
    "django.urls",
    "django.utils.log",
    "django.views.debug",
    "django.views.generic",
    "logging.config",
    "pgtrigger",
    "leaderboard",
    "leaderboard.counters",
)


def run(
    arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], answers: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run what ``python`` would run with some arguments, a script or ``-m`` and a module, to its end."""
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder, name)) for name in ("in", "out", "err")]
        Path(files[0]).write_text(answers)
        code = _ask(json.dumps({"arguments": arguments, "cwd": str(cwd), "env": {**env}, "files": files}))
        out, err = (Path(file).read_text() for file in files[1:])
    return subprocess.CompletedProcess(arguments, code, out, err)


def _ask(request: str) -> int:
    server = _server()
    assert server.stdin is not None and server.stdout is not None
    server.stdin.write(f"{request}\n")
    server.stdin.flush()
    if not select.select([server.stdout], [], [], SECONDS)[0]:
        server.kill()
        _server.cache_clear()
        raise TimeoutError(f"Not done in {SECONDS} seconds: {request}")
    return int(server.stdout.readline())


@functools.cache
def _server() -> subprocess.Popen[str]:
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "error"}
    env.pop("DJANGO_SETTINGS_MODULE", None)
    server = subprocess.Popen([sys.executable, "-m", "tests.forks"], cwd=ROOT, env=env, **pipes)

    def end() -> None:
        server.communicate()

    atexit.register(end)
    return server


def _requested() -> dict[str, Any]:
    """Return a request in a process for it; the one that is asked ends when nobody asks any more."""
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            request: dict[str, Any] = json.loads(line)
            return request
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
    sys.exit()


def _begin(arguments: list[str], cwd: str, env: dict[str, str], files: list[str]) -> None:
    given, *taken = files
    os.dup2(os.open(given, os.O_RDONLY), 0)
    for number, file in enumerate(taken, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    # What it had before may have read what is for the next process.
    sys.stdin = os.fdopen(0)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.path[:0] = [cwd, *env["PYTHONPATH"].split(os.pathsep)]
    try:
        if arguments[0] == "-m":
            sys.argv = arguments[1:]
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = arguments
            runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as ended:
        _end(ended.code)
    except BaseException:
        traceback.print_exc()
        _end(1)
    _end(None)


def _end(code: object) -> NoReturn:
    """End as Python does, without taking apart what was imported: that takes longer than most scripts."""
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
    atexit._run_exitfuncs()
    for file in (sys.stdout, sys.stderr):
        file.flush()
    os._exit(0 if code is None else code if isinstance(code, int) else 1)


if __name__ == "__main__":
    for name in IMPORTED:
        import_module(name)
    # What a copy looks through for garbage is copied, page by page.
    gc.collect()
    gc.freeze()
    _begin(**_requested())

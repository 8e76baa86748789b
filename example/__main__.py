"""``python -m example demo`` shows leaderboards, ``serve`` has a site of them, ``check`` compares places."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from example.embedded import database_url

AGAIN_SECONDS = 0.05
HOST = "127.0.0.1"


def _rows(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number up to 65535")
    return int(text)


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{text!r} is not a file")
    return path


def main() -> int:
    """Run the command that the arguments name, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m example", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="leaderboards of real results and of a large synthetic race")
    demo.add_argument(
        "--rows", type=_rows, default=200_000, help="runners of the synthetic race, and comments of the blog"
    )
    check = commands.add_parser("check", help="compare the ranks with the places of a results file")
    check.add_argument("path", type=_file)
    serve = commands.add_parser("serve", help="a site of tests, their candidates and what is said about them")
    serve.add_argument("--port", type=_port, default=8000, help="0 is any that is free")
    arguments = parser.parse_args()
    settings = "example.site.settings" if arguments.command == "serve" else "example.settings"
    if arguments.command == "serve" and (reason := _taken(arguments.port)):
        # Told at once, and not when all is loaded.
        print(f"Port {arguments.port} cannot be had: {reason}. Try another one by --port.", file=sys.stderr)
        return 2
    try:
        with interrupts_kept(), database_url() as url:
            os.environ["DATABASE_URL"] = url
            os.environ["DJANGO_SETTINGS_MODULE"] = settings
            return _run(arguments)
    except BaseException as error:
        if not was_interrupted(error):
            raise
        print("\nInterrupted.", file=sys.stderr)
        return 130


@contextlib.contextmanager
def interrupts_kept() -> Iterator[None]:
    """Interrupt once more where an interrupt comes in a ``__del__`` or a callback.

    Python reports what is raised there, and goes on. Django 6.1 runs a ``__del__`` for every model instance,
    hundreds in a row where a batch of them is no longer needed.
    """
    hook = sys.unraisablehook
    handler = signal.signal(signal.SIGALRM, signal.default_int_handler)

    def again(unraisable: sys.UnraisableHookArgs) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            # Later, as what is raised by a hook is lost as well.
            signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
        else:
            hook(unraisable)

    sys.unraisablehook = again
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        sys.unraisablehook = hook


def was_interrupted(error: BaseException | None) -> bool:
    """Tell whether an error is an interrupt, or came of one.

    A connection that is interrupted while it waits may fail to roll back, and that error is raised instead.
    """
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _run(arguments: argparse.Namespace) -> int:
    # Models can be imported only when the settings know the database.
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import call_command
    from django.db import OperationalError, connection, connections

    try:
        django.setup()
        if connection.vendor != "postgresql":
            raise ImproperlyConfigured(f"it is {connection.vendor}, where the example needs PostgreSQL")
        connection.ensure_connection()
    except (ImproperlyConfigured, OperationalError, ValueError) as error:
        print(f"DATABASE_URL names no database that can be used: {error}", file=sys.stderr)
        return 2
    try:
        call_command("migrate", verbosity=0)
        if arguments.command == "check":
            from example.check import run_check

            return run_check(arguments.path)
        if arguments.command == "serve":
            return _serve(arguments.port)
        from example import demo
        from example.talk import demo as talk

        demo.run_demo(arguments.rows)
        talk.run_demo(arguments.rows)
        return 0
    finally:
        connections.close_all()


def _taken(port: int) -> str | None:
    """Return why a port cannot be had."""
    with socket.socket() as probe:
        # As servers do, or a port that was served a moment ago would seem to be taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return error.strerror
    return None


def _serve(port: int) -> int:
    from example.site.loading import load_once
    from example.site.serving import serve

    print("Loading tests and posts, unless they are there …", flush=True)
    load_once()
    try:
        serve(HOST, port)
    except KeyboardInterrupt:
        # Which is how one ends it.
        print("\nClosed.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

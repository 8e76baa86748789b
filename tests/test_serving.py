from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pytest

from tests.test_example import ROOT, environment, example

SITE = [sys.executable, "-m", "example", "serve", "--port"]


def test_a_site_opens_and_leaves_nothing_behind() -> None:
    with tempfile.TemporaryDirectory(prefix="site-", dir="/tmp") as folder:
        # The folder must be open to the server's user, as /tmp is.
        Path(folder).chmod(0o1777)
        with subprocess.Popen(
            [*SITE, "0"],
            cwd=ROOT,
            env=environment(TMPDIR=folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                assert "Loading" in process.stdout.readline()
                found = re.match(r"(http://127\.0\.0\.1:\d+/)  \(Ctrl-C ends it\)", process.stdout.readline())
                assert found is not None
                with urllib.request.urlopen(found[1]) as page:
                    text = page.read().decode()
                for path in re.findall(r'(?:src|href)="/([^"]+)"', text):
                    with urllib.request.urlopen(found[1] + path) as linked:
                        assert linked.status == 200
                (pid_file,) = Path(folder).glob("leaderboard-*/data/postmaster.pid")
                server = int(pid_file.read_text().split()[0])
                process.send_signal(signal.SIGINT)
                rest, errors = process.communicate(timeout=60)
            finally:
                process.kill()
        assert "Data structures" in text
        assert "/static/django_htmx/htmx" in text
        assert (process.returncode, rest.strip(), errors) == (0, "Closed.", "")
        assert list(Path(folder).iterdir()) == []
        with pytest.raises(ProcessLookupError):
            os.kill(server, 0)


def test_a_port_that_cannot_be_had() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = example("serve", f"--port={port}")
    assert done.returncode == 2
    assert f"Port {port} cannot be had: Address already in use." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_the_port_is_one(port: str) -> None:
    done = example("serve", f"--port={port}")
    assert done.returncode == 2
    assert f"argument --port: '{port}' is not a whole number up to 65535" in done.stderr


def test_migrations_are_those_of_the_models() -> None:
    command = [sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run"]
    settings = {"DJANGO_SETTINGS_MODULE": "example.site.settings", "DATABASE_URL": os.environ["DATABASE_URL"]}
    done = subprocess.run(command, cwd=ROOT, env=environment(**settings), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr

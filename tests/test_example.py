from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from example.__main__ import interrupts_kept, was_interrupted
from tests.forks import run

ROOT = Path(__file__).parents[1]
WHOLE = ROOT.parent / "shared" / "data"
HEADER = "bib,category,gender,age,country,official_seconds"
PLACED = f"{HEADER},overall_place,gender_place,division_place"


def environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")}
    return {**kept, **more}


def example(*arguments: str, database_url: str = "") -> subprocess.CompletedProcess[str]:
    env = environment(**({"DATABASE_URL": database_url} if database_url else {}))
    return run(["-m", "example", *arguments], cwd=ROOT, env={"PYTHONPATH": str(ROOT), **env})


def test_demo_shows_ranks_and_what_a_cut_off_does() -> None:
    done = example("demo", "--rows", "2000")
    assert done.returncode == 0, done.stderr
    ranks = re.findall(r"^ {2,}(\d+)  \w+ .* \d:\d\d:\d\d ", done.stdout, re.MULTILINE)
    assert ranks[:10] == [str(rank) for rank in range(1, 11)]
    assert "2:08:37" in done.stdout
    before, after = re.findall(r"within \d:\d\d:\d\d: (\d+) of \d+ qualified", done.stdout)
    assert int(before) > int(after) > 0
    assert "->" in done.stdout
    assert "RANK() OVER" in done.stdout
    assert "WindowAgg" in done.stdout
    assert "2,000 of 2,000" in done.stderr


def test_demo_leaves_nothing_behind_when_interrupted() -> None:
    with tempfile.TemporaryDirectory(prefix="demo-", dir="/tmp") as folder:
        # The folder must be open to the server's user, as /tmp is.
        Path(folder).chmod(0o1777)
        with subprocess.Popen(
            [sys.executable, "-m", "example", "demo", "--rows", "50000000"],
            cwd=ROOT,
            env=environment(TMPDIR=folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stderr is not None
                # The real results are there, and the synthetic ones are being loaded.
                assert "400 of 400" in process.stderr.readline()
                (pid_file,) = Path(folder).glob("leaderboard-*/data/postmaster.pid")
                server = int(pid_file.read_text().split()[0])
                process.send_signal(signal.SIGINT)
                _, errors = process.communicate(timeout=60)
            finally:
                # A demo that is not interrupted would load for hours.
                process.kill()
        assert process.returncode == 130
        assert "Traceback" not in errors
        assert list(Path(folder).iterdir()) == []
        with pytest.raises(ProcessLookupError):
            os.kill(server, 0)


class Interrupting:
    """Interrupts the program when it is no longer needed."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def test_an_interrupt_of_a_destructor_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[sys.UnraisableHookArgs] = []
    monkeypatch.setattr(sys, "unraisablehook", reported.append)
    handler = signal.getsignal(signal.SIGALRM)
    Interrupting()
    assert len(reported) == 1
    with pytest.raises(KeyboardInterrupt), interrupts_kept():
        Interrupting()
        time.sleep(30)
    assert len(reported) == 1
    assert signal.getsignal(signal.SIGALRM) is handler
    assert sys.unraisablehook == reported.append


class Failing:
    """Fails when it is no longer needed."""

    def __del__(self) -> None:
        raise ValueError


def test_other_errors_of_destructors_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: reported.append(unraisable.exc_type))
    with interrupts_kept():
        Failing()
    assert reported == [ValueError]


def test_an_error_on_the_way_out_of_an_interrupt_is_one() -> None:
    def rolled_back(error: type[BaseException]) -> BaseException:
        with pytest.raises(RuntimeError) as raised:
            try:
                raise error
            finally:
                try:
                    raise ValueError("the connection is active")
                except ValueError as cause:
                    raise RuntimeError from cause
        return raised.value

    assert was_interrupted(KeyboardInterrupt())
    assert was_interrupted(rolled_back(KeyboardInterrupt))
    assert not was_interrupted(rolled_back(OSError))
    assert not was_interrupted(SystemExit(2))


def test_migrations_are_those_of_the_models() -> None:
    command = [sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run"]
    settings = {"DJANGO_SETTINGS_MODULE": "example.settings", "DATABASE_URL": os.environ["DATABASE_URL"]}
    done = subprocess.run(command, cwd=ROOT, env=environment(**settings), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_loader_reports_broken_lines_and_loads_the_others(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    lines = [
        PLACED,
        "1,open,M,30,KEN,8000,1,1,1",
        "2,open,M,thirty,KEN,8100,2,2,2",
        "3,open,X,30,KEN,8200,3,3,3",
        "4,open,F,30,KEN",
        '5,open,F,30,"KEN,8400,4,1,1',
        "1,open,M,30,KEN,8500,5,4,4",
        "",
        "6,open,F,30,KEN,-5,6,2,2",
        "7\0,open,F,30,KEN,8600,6,2,2",
        "W1,wheelchair,M,30,KEN,5000,1,1,1",
        "8,open,F,30,KEN,8700,7,3,3",
        "9,open,F,30,KEN,99999999999999999999,7,3,3",
    ]
    path.write_bytes("\n".join(lines).encode() + b"\n10,open,M\xff,30,KEN,8800,8,5,5\n")
    done = example("check", str(path))
    assert "2 loaded, 1 left out, 9 broken lines." in done.stdout, done.stderr
    numbers = [int(number) for number in re.findall(r"^  line (\d+): ", done.stdout, re.MULTILINE)]
    assert numbers == [3, 4, 5, 6, 7, 9, 10, 13, 14]
    assert done.returncode == 0, done.stderr


def test_a_header_without_a_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("bib,gender\n1,M\n")
    done = example("check", str(path))
    assert done.returncode == 2
    assert "no column 'category', 'age', 'official_seconds'" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_finds_an_inversion(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text(
        f"{PLACED}\n1,open,M,30,KEN,8000,1,1,1\n2,open,M,30,KEN,8200,2,2,2\n3,open,M,30,KEN,8100,3,3,3\n"
    )
    done = example("check", str(path))
    assert done.returncode == 1
    assert "overall_place: 3 entries on 1 boards, 1 inversions." in done.stdout


@pytest.mark.parametrize("text", ["", f"{HEADER}\n", f"{HEADER}\n1,open,M,30,KEN,8000\n"])
def test_a_file_without_places_is_no_agreement(text: str, tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text(text)
    done = example("check", str(path))
    assert done.returncode == 2
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite:///races.db", "it is sqlite"),
        ("nonsense", "is unknown"),
        ("postgresql://nobody@127.0.0.1:1/nothing", "refused"),
    ],
)
def test_a_database_that_cannot_be_used(url: str, reason: str) -> None:
    done = example("demo", database_url=url)
    assert done.returncode == 2
    assert re.search(f"DATABASE_URL names no database that can be used: .*{reason}", done.stderr)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("rows", ["0", "many", "-1"])
def test_the_number_of_rows_is_one(rows: str) -> None:
    done = example("demo", f"--rows={rows}")
    assert done.returncode == 2
    assert f"argument --rows: '{rows}' is not a whole number from 1 up" in done.stderr


@pytest.mark.skipif(not WHOLE.is_dir(), reason="the whole results files are not there")
@pytest.mark.parametrize(
    ("year", "loaded", "divisions", "inversions"), [(2014, "31,931", 20, 0), (2010, "22,690", 19, 21)]
)
def test_ranks_agree_with_published_places(year: int, loaded: str, divisions: int, inversions: int) -> None:
    done = example("check", str(WHOLE / f"boston_{year}.csv"))
    assert done.returncode == (1 if inversions else 0), done.stderr
    assert f"{loaded} loaded" in done.stdout
    assert " 0 broken lines" in done.stdout
    assert f"0 of {loaded} times taken differ" in done.stdout
    for name, boards in (("overall_place", 1), ("gender_place", 2), ("division_place", divisions)):
        assert f"{name}: {loaded} entries on {boards} boards, {inversions} inversions." in done.stdout

"""``python -m tests.mutations``: defects put into the SQL side one at a time, each of which a test must find.

Each mutation replaces a piece of the library's text in a copy of the project, where the tests that are
named with it then run. Exits with 1 where a mutation survives, or where its text is no longer there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from example.embedded import database_url
from tests.defects import MUTATIONS, Mutation

ROOT = Path(__file__).parent.parent


def defective(mutation: Mutation) -> str | None:
    """Return the module with the defect, or None where what it replaces is not there exactly once."""
    text = (ROOT / "leaderboard" / f"{mutation.module}.py").read_text()
    return text.replace(mutation.text, mutation.mutant) if text.count(mutation.text) == 1 else None


@contextmanager
def mutated(mutation: Mutation) -> Iterator[Path | None]:
    """Yield a copy of the project with the defect, or None where it cannot be put in."""
    text = defective(mutation)
    if text is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder)
        for name in ("leaderboard", "migrations", "example", "tests", "pyproject.toml"):
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy)
        (copy / "leaderboard" / f"{mutation.module}.py").write_text(text)
        yield copy


def killed_by(mutation: Mutation, url: str) -> str:
    """Return the test that found the defect; nothing where none did."""
    with mutated(mutation) as copy:
        return "" if copy is None else failing_test(copy, [mutation.tests], url)


def failing_test(folder: Path, tests: list[str], url: str) -> str:
    """Return the first test that fails; nothing where all pass."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "--tb=no",
            "--no-header",
            *(path for test in tests for path in test.split()),
        ],
        cwd=folder,
        env={**os.environ, "DATABASE_URL": url, "HYPOTHESIS_PROFILE": "mutations"},
        capture_output=True,
        text=True,
    )
    failed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    if done.returncode != int(bool(failed)):
        raise RuntimeError(f"pytest did not run:\n{done.stdout}{done.stderr}")
    return failed[0].rpartition("::")[2] if failed else ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("only", nargs="*", help="parts of the names of the mutations to try")
    only = parser.parse_args().only
    survivors = 0
    with database_url() as url:
        if test := failing_test(ROOT, sorted({mutation.tests for mutation in MUTATIONS}), url):
            print(f"{test} fails without any mutation.", file=sys.stderr)
            return 1
        for mutation in MUTATIONS:
            if only and not any(part in mutation.name for part in only):
                continue
            test = killed_by(mutation, url)
            survivors += not test
            print(f"{mutation.name}\t{'killed by ' + test if test else 'SURVIVED'}", flush=True)
    return int(survivors > 0)


if __name__ == "__main__":
    sys.exit(main())

"""What README.md and docs/ show is what happens.

Every Python block runs, page by page and in order, in one namespace a page, on the database. A page begins
with the models of the README's quickstart and the rows of docs/index.md; models that it declares get tables,
and test cases that it declares are run. What comes out is told by comments:

- ``expression  # -> value``: both have the same ``repr()``, a queryset that of its list. A value may go on
  in the comment lines right below, or begin there; the next statement then follows a blank line.
- ``statement  # raises Error: message``: it raises the error, and that is how its message begins.

A block of SQL is what the last queryset of the Python block before it compiles to, apart from white space and
double quotes, which versions of Django set differently. The lines of a text block stand in what the last
expression before it gives, in that order. Blocks for the console name commands that exist.
"""

from __future__ import annotations

import ast
import inspect
import re
import unittest
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

import pytest
from asgiref.sync import async_to_sync
from django.apps import AppConfig, apps
from django.core.management import get_commands
from django.db import connection, models, transaction
from django.test.utils import isolate_apps
from hypothesis import settings

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
INDEX = ROOT / "docs" / "index.md"
PAGES = [README, *sorted(INDEX.parent.glob("*.md"))]

RESULT = re.compile(r"#\s*(->|raises )(.*)", re.DOTALL)


class Block(NamedTuple):
    """A fenced block of a page, and the number of the line that opens it."""

    page: Path
    line: int
    language: str
    code: str


class Exams(AppConfig):
    """The app of a reader, which is in no package."""

    name = "exams"
    path = str(ROOT / "docs")


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    return [
        Block(page, text.count("\n", 0, fence.start()) + 1, fence[1], fence[2])
        for fence in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    ]


def first(page: Path) -> Block:
    return next(block for block in blocks(page) if block.language == "python")


def prose(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", prose(page)))


def anchors(page: Path) -> list[str]:
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def comment_after(lines: list[str], statement: ast.stmt) -> str:
    """Return the comment behind a statement and in the lines right below."""
    end = statement.end_lineno or 0
    tail = lines[end - 1].encode()[statement.end_col_offset :].decode().strip()
    below = []
    for line in lines[end:]:
        if not line.startswith("#"):
            break
        below.append(line)
    if not tail and below:
        tail = below.pop(0)
    return " ".join([tail, *(line.removeprefix("#").strip() for line in below)])


def shown(value: Any) -> str:
    return repr(list(value) if isinstance(value, models.QuerySet) else value)


def value_of(code: CodeType, names: dict[str, Any]) -> Any:
    value = eval(code, names)
    if inspect.iscoroutine(value):

        async def wait() -> Any:
            return await value

        return async_to_sync(wait)()
    return value


def execute(statement: ast.stmt, names: dict[str, Any], place: str) -> Any:
    """Run a statement, and return the value of an expression; make the table of a model, run a test case."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    if isinstance(statement, ast.Expr):
        return value_of(compile(ast.Expression(statement.value), place, "eval", flags), names)
    # A module of one statement, which may be an expression too.
    value_of(compile(ast.Module([statement], []), place, "exec", flags), names)
    declared = names.get(getattr(statement, "name", ""))
    if isinstance(statement, ast.ClassDef) and isinstance(declared, type):
        if issubclass(declared, models.Model) and not declared._meta.abstract:
            connection.check_constraints()  # a table with checks to come cannot be referred to
            with connection.schema_editor() as editor:
                editor.create_model(declared)
        elif issubclass(declared, unittest.TestCase):
            for name in unittest.TestLoader().getTestCaseNames(declared):
                result = unittest.TestResult()
                declared(name)(result)
                assert result.testsRun == 1 and result.wasSuccessful(), result.errors + result.failures
    return None


def run(block: Block, names: dict[str, Any]) -> list[Any]:
    """Run a Python block and compare what comes out; return the values of its expressions."""
    lines = block.code.splitlines()
    values, wrong, compared = [], [], 0
    for statement in ast.parse(block.code).body:
        place = f"{block.page.name}:{block.line + statement.lineno}"
        expected = RESULT.search(comment_after(lines, statement))
        compared += expected is not None
        if expected is not None and expected[1] != "->":
            error, _, message = expected[2].partition(":")
            with pytest.raises(eval(error, names)) as raised, transaction.atomic():
                shown(execute(statement, names, place))
            if not str(raised.value).startswith(message.strip()):
                wrong.append(f"{place} raises {raised.value}")
            continue
        value = execute(statement, names, place)
        found = shown(value)
        if isinstance(statement, ast.Expr):
            values.append(value)
        if expected is not None and found != shown(eval(expected[2].strip(), names)):
            wrong.append(f"{place} gives {found}")
    assert not wrong, "\n".join(wrong)
    assert compared == len(re.findall(r"#\s*(?:->|raises )", block.code)), f"{block} has results of nothing"
    return values


def normal(sql: str) -> str:
    return re.sub(r"(?<=\() | (?=\))", "", " ".join(sql.replace('"', "").split()))


def check_output(block: Block, value: Any) -> None:
    """Compare a block of SQL or text with the value before it."""
    if block.language == "sql":
        compiled = connection.ops.compose_sql(*value.query.sql_with_params())  # type: ignore[attr-defined]
        assert normal(compiled) == normal(block.code), compiled
    else:
        rest = iter([line.strip() for line in str(value).splitlines()])
        for line in block.code.splitlines():
            assert line.strip() in rest, f"{line!r} is not in order in\n{value}"


def check_console(block: Block) -> None:
    for line in block.code.splitlines():
        command, _, argument = line.removeprefix("$ ").rpartition(" ")
        if command == "make":
            assert re.search(rf"^{argument}:", (ROOT / "Makefile").read_text(), re.MULTILINE), line
        elif command == "pip install":
            assert f'name = "{argument}"' in (ROOT / "pyproject.toml").read_text(), line
        elif command == "python manage.py":
            assert argument in get_commands(), line
        else:
            module = re.fullmatch(r"python -m (tests\.\w+)", command)
            assert module and find_spec(f"{module[1]}.{argument}"), line


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The namespace that a page begins with."""
    names: dict[str, Any] = {"__name__": "exams.models"}
    profile = settings.get_current_profile_name()
    app = Exams("exams", ModuleType("exams"))
    monkeypatch.setitem(apps.app_configs, app.label, app)
    with isolate_apps(app), connection.cursor() as cursor:  # type: ignore[arg-type]
        cursor.execute("CREATE SCHEMA exams")
        cursor.execute("SET LOCAL search_path TO exams")
        run(first(README), names)
        run(first(INDEX), names)
        yield names
    settings.load_profile(profile)


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_a_page_is_right(page: Path, names: dict[str, Any]) -> None:
    values: list[Any] = []
    for block in blocks(page):
        if block.language == "python" and block not in (first(README), first(INDEX)):
            values = run(block, names)
        elif block.language in ("sql", "text"):
            check_output(block, values[-1])
        elif block.language != "python":
            assert block.language in ("", "console"), block
            check_console(block)


@pytest.mark.django_db
def test_the_quickstart_gives_what_it_says(names: dict[str, Any]) -> None:
    _, use = (block for block in blocks(README) if block.language == "python")
    everything, passed, by_percentile, top, around, standing, among_friends = run(use, names)
    order = [("Ada", 1), ("Grace", 2), ("Alan", 2), ("Edsger", 4)]
    unranked = [("Ada", None), ("Barbara", None), ("Kurt", None)]
    assert {(e.candidate, e.rank) for e in everything} == {*order, *unranked}
    assert {(e.candidate, e.rank) for e in passed} == {*order[:3], unranked[0], unranked[2]}
    assert [e.rank for e in by_percentile] == [1, 2, 2, 4, None, None, None]
    assert [(e.candidate, e.rank) for e in top] == [(e.candidate, e.rank) for e in around] == order
    assert (standing.rank, standing.board_size, standing.percentile) == (1, 4, 100.0)
    assert [(e.candidate, e.rank) for e in among_friends] == [("Grace", 1), ("Alan", 1)]


@pytest.mark.django_db
def test_what_is_wrong_fails(names: dict[str, Any]) -> None:
    rows = names["Test"].objects.all()
    check_output(Block(INDEX, 0, "sql", str(rows.query)), rows)
    check_output(Block(INDEX, 0, "text", "a\nc"), "a\n b\n c")
    wrong: list[Callable[[], object]] = [
        lambda: check_output(Block(INDEX, 0, "sql", "SELECT 1"), rows),
        lambda: check_output(Block(INDEX, 0, "text", "c\na"), "a\nb\nc"),
    ]
    for command in ("make nothing", "python -m tests.benchmarks nothing", "rm -r /"):
        wrong.append(partial(check_console, Block(INDEX, 0, "console", command)))
    for code in (
        "1 + 1  # -> 3",
        "1 + 1  # -> 2.0",
        "[1, 2]\n# -> [1,\n#     3]",
        "if True:\n    1  # -> 1",
        "1  # raises ValueError",
        "int('x')  # raises ValueError: nothing of the kind",
        "test.attempts.standings().count()  # -> 8",
        "class T(__import__('unittest').TestCase):\n    def test_it(self):\n        assert False",
    ):
        wrong.append(partial(run, Block(INDEX, 0, "python", code), names))
    for check in wrong:
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            check()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    assert len(set(anchors(page))) == len(anchors(page))
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_and_every_check_is_listed() -> None:
    assert {page.name for page in PAGES[1:]} - set(links(INDEX)) == {INDEX.name}
    issued = set(re.findall(r"leaderboard\.[EW]\d{3}", (ROOT / "leaderboard" / "checks.py").read_text()))
    headings = re.findall(r"^## (leaderboard\.\w+)$", prose(INDEX.with_name("checks.md")), re.MULTILINE)
    assert headings == sorted(issued)

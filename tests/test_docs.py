"""What README.md and docs/ show is what happens.

Every Python block runs, page by page and in order, in one namespace a page, on the database. A page begins
with the models of the README's quickstart and the rows of docs/index.md; models that it declares get tables,
and test cases that it declares are run. What comes out is told by comments:

- ``expression  # -> value``: both have the same ``repr()``, a queryset that of its list. A value may go on
  in the comment lines right below, or begin there; the next statement then follows a blank line.
- ``statement  # raises Error: message``: it raises the error, whose message has these words.

A block of SQL is what the last queryset of the Python block before it compiles to, apart from white space and
double quotes, which versions of Django set differently. The lines of a text block stand in what the last
expression before it gives, in that order. Blocks for the console name commands that exist.
"""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
import unittest
from collections.abc import Collection, Iterator
from itertools import takewhile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pgtrigger
import pytest
from asgiref.sync import async_to_sync
from django.apps import AppConfig, apps
from django.core.management import get_commands
from django.db import connection, models, transaction
from django.test.utils import isolate_apps
from hypothesis import settings

from leaderboard.counters import registry, state
from leaderboard.counters.registry import register_counters, registered
from leaderboard.counters.upkeep import activate_empty
from leaderboard.management.commands.leaderboard import ACTIONS

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
INDEX = ROOT / "docs" / "index.md"
PAGES = [README, *sorted(INDEX.parent.glob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")


class Block(NamedTuple):
    """A fenced block of a page, and the number of the line that opens it."""

    page: Path
    line: int
    language: str
    code: str


def blocks(page: Path, languages: str = r"\w*") -> list[Block]:
    text = page.read_text()
    return [
        Block(page, text.count("\n", 0, fence.start()) + 1, fence[1], fence[2])
        for fence in re.finditer(rf"^```({languages})\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    ]


def prose(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> list[str]:
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def comment_after(code: str, statement: ast.stmt) -> str:
    """Return the comment behind a statement and in the lines right below."""
    behind, *below = code.splitlines()[(statement.end_lineno or 0) - 1 :]
    behind = behind.encode()[statement.end_col_offset or 0 :].decode()
    lines = [behind, *takewhile(lambda line: line.startswith("#"), below)]
    return " ".join(line.strip().removeprefix("#").strip() for line in lines).strip()


def shown(value: Any) -> str:
    return repr(list(value) if isinstance(value, models.QuerySet) else value)


async def awaited(value: Any) -> Any:
    return await value


def make_tables(declared: list[type[models.Model]]) -> None:
    """Make the tables of models, and install what keeps their counters, as a migration does."""
    if not declared:
        return
    connection.check_constraints()  # what is still to be checked keeps a table from being referred to
    register_counters(declared[0]._meta.apps)
    kept = [each for each in registered() if each.model in declared]
    side_tables = [group.journal_model for registration in kept for group in registration.groups]
    with connection.schema_editor() as editor:
        for model in [*declared, *side_tables]:
            triggers, model._meta.triggers = getattr(model._meta, "triggers", []), []  # type: ignore[attr-defined]
            editor.create_model(model)
            model._meta.triggers = triggers  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        for registration in kept:
            for model, trigger in registration.triggers:
                cursor.execute(trigger.compile(model).install_sql)
    activate_empty("default")
    declared.clear()


def execute(statement: ast.stmt, names: dict[str, Any], place: str) -> Any:
    """Run a statement, and return the value of an expression; run a test case."""
    tree = ast.Expression(statement.value) if isinstance(statement, ast.Expr) else ast.Module([statement], [])
    mode = "eval" if isinstance(statement, ast.Expr) else "exec"
    value = eval(compile(tree, place, mode, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    declared: Any = names[statement.name] if isinstance(statement, ast.ClassDef) else object
    if issubclass(declared, unittest.TestCase):
        for name in unittest.TestLoader().getTestCaseNames(declared):
            result = unittest.TestResult()
            declared(name)(result)
            assert result.testsRun == 1 and result.wasSuccessful(), result.errors + result.failures
    return async_to_sync(awaited)(value) if inspect.iscoroutine(value) else value


def run(block: Block, names: dict[str, Any]) -> list[Any]:
    """Run a Python block and compare what comes out; return the values of its statements."""
    values: list[Any] = []
    declared: list[type[models.Model]] = []
    wrong, results = [], 0
    for statement in ast.parse(block.code).body:
        if not isinstance(statement, ast.ClassDef):
            make_tables(declared)
        place = f"{block.page.name}:{block.line + statement.lineno}"
        expected = re.match(r"(->|raises) (.*)", comment_after(block.code, statement))
        results += expected is not None
        if expected is not None and expected[1] == "raises":
            error, _, message = expected[2].partition(": ")
            match = re.escape(message) or None
            with pytest.raises(eval(error, names), match=match), transaction.atomic():
                shown(execute(statement, names, place))
            values.append(None)
            continue
        values.append(execute(statement, names, place))
        if isinstance(statement, ast.ClassDef) and issubclass(names[statement.name], models.Model):
            declared.append(names[statement.name])
        found = shown(values[-1])
        if expected is not None and found != shown(eval(expected[2], names)):
            wrong.append(f"{place} gives {found}")
    make_tables(declared)
    assert not wrong, "\n".join(wrong)
    assert results == len(re.findall("# (?:->|raises) ", block.code)), f"{block} has results of no statement"
    return values


def normal(sql: str) -> str:
    return re.sub(r"(?<=\() | (?=\))", "", " ".join(sql.replace('"', "").split()))


def arguments_of(command: str) -> Collection[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    match command.split():
        case ["make"]:
            return re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        case ["pip", "install"]:
            return {
                project["name"],
                *(f"{project['name']}[{name}]" for name in project["optional-dependencies"]),
            }
        case ["python", "manage.py"]:
            return get_commands()
        case ["python", "manage.py", "leaderboard"]:
            return ACTIONS
        case ["python", "-m", "tests.benchmarks"]:
            return [path.stem for path in (ROOT / "tests" / "benchmarks").glob("*.py")]
    return ()


def check(block: Block, names: dict[str, Any], before: Any = None) -> Any:
    """Check a block that follows a value; return the value that is then the last one."""
    match block.language:
        case "python":
            return run(block, names)[-1]
        case "sql":
            sql = connection.ops.compose_sql(*before.query.sql_with_params())  # type: ignore[attr-defined]
            assert normal(sql) == normal(block.code), sql
        case "text":
            rest = iter([line.strip() for line in str(before).splitlines()])
            for line in block.code.splitlines():
                assert line.strip() in rest, f"{line!r} is not in order in\n{before}"
        case "console" | "":
            for line in block.code.splitlines():
                command, _, argument = line.rpartition(" ")
                assert argument.strip('"') in arguments_of(command), line
        case language:
            raise AssertionError(f"nothing checks {language!r}")
    return before


def prelude() -> list[Block]:
    """Return what every page begins with: the models of the README, and the rows of the index."""
    _, declaration, *_ = blocks(README, "python")
    return [declaration, blocks(INDEX, "python")[0]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The namespace that a page begins with."""
    names: dict[str, Any] = {"__name__": "exams.models"}
    profile = settings.get_current_profile_name()
    settings.register_profile("docs", settings.get_profile(profile), max_examples=20)
    settings.load_profile("docs")
    # The app of a reader, which is in no package.
    module: Any = SimpleNamespace(__name__="exams", __path__=[str(INDEX.parent)])
    app = AppConfig("exams", module)
    monkeypatch.setitem(apps.app_configs, app.label, app)
    # Counters of other tests have no tables here, and those of this page none elsewhere.
    monkeypatch.setattr(registry, "_registrations", {})
    monkeypatch.setattr(pgtrigger.registry, "_registry", pgtrigger.registry._Registry())
    with isolate_apps(app), connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA exams")
        # What is known of counters is where it always is.
        cursor.execute("SET LOCAL search_path TO exams, public")
        for block in prelude():
            run(block, names)
        yield names
    settings.load_profile(profile)
    state.forget()


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_a_page_is_right(page: Path, names: dict[str, Any]) -> None:
    value = None
    for block in blocks(page):
        if block not in prelude():
            value = check(block, names, value)


@pytest.mark.django_db
def test_the_quickstart_gives_what_it_says(names: dict[str, Any]) -> None:
    _, _, use, *_ = blocks(README, "python")
    _, everything, passed, by_percentile, top, ranked, around, page, standing, among_friends = run(use, names)
    order = [("Ada", 1), ("Grace", 2), ("Alan", 2), ("Edsger", 4)]
    unranked = [("Ada", None), ("Barbara", None), ("Kurt", None)]
    assert {(e.candidate, e.rank) for e in everything} == {*order, *unranked}
    assert {(e.candidate, e.rank) for e in passed} == {*order[:3], unranked[0], unranked[2]}
    assert [e.rank for e in by_percentile] == [1, 2, 2, 4, None, None, None]
    assert [[(e.candidate, e.rank) for e in found] for found in (top, ranked, around)] == [order] * 3
    assert [(e.candidate, e.rank) for e in page] == order[
        1 + [pk for pk, _ in order].index(names["attempt"].candidate) :
    ]
    assert (standing.rank, standing.board_size, standing.percentile) == (1, 4, 100.0)
    assert {(e.candidate, e.rank) for e in among_friends} == {("Grace", 1), ("Alan", 1)}


@pytest.mark.django_db
def test_no_model_is_taken_for_tests(names: dict[str, Any]) -> None:
    """As pytest's python_classes does by default, with a warning for each model."""
    declared = [
        value for value in names.values() if inspect.isclass(value) and issubclass(value, models.Model)
    ]
    assert {model.__name__ for model in declared} >= {"Test", "Attempt"}
    named = [model for model in declared if model.__name__.startswith("Test")]
    assert not [model for model in named if getattr(model, "__test__", True)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "block",
    [
        "python:1 + 1  # -> 3",
        "python:1 + 1  # -> 2.0",
        "python:[1, 2]\n# -> [1,\n#     3]",
        "python:if True:\n    1  # -> 1",
        "python:1  # raises ValueError",
        "python:int('x')  # raises ValueError: nothing of the kind",
        "python:test.attempts.standings().count()  # -> 8",
        "python:class T(unittest.TestCase):\n    def test_it(self):\n        assert False",
        *("sql:SELECT 1", "text:b\na", "console:make nothing", "console:rm -r /", "ruby:puts 1"),
    ],
)
def test_what_is_wrong_fails(block: str, names: dict[str, Any]) -> None:
    language, _, code = block.partition(":")
    before = names["Test"].objects.all() if language == "sql" else "a\nb"
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(Block(INDEX, 0, language, code), names | {"unittest": unittest}, before)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    assert len(set(anchors(page))) == len(anchors(page))
    for link in LINK.findall(prose(page)):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_and_every_check_is_listed() -> None:
    assert {page.name for page in PAGES[1:]} - set(LINK.findall(prose(INDEX))) == {INDEX.name}
    issued = {
        check
        for path in (ROOT / "leaderboard").glob("*/checks.py")
        for check in re.findall(r"leaderboard\.[EW]\d{3}", path.read_text())
    }
    headings = re.findall(r"^## (leaderboard\.\w+)$", prose(INDEX.with_name("checks.md")), re.MULTILINE)
    assert headings == sorted(issued)

"""Each floor imports only from floors below, nothing goes in a circle, and one package is the fence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "leaderboard"
FLOORS = [
    {"kinds"},
    {"reference", "orm"},
    {"expressions"},
    {"declaration", "triggers"},
    {"standings", "journal"},
    {"querysets", "counters"},
    {"endpoints"},
    {"leaderboard", "testing", "management", "templatetags"},
    {"models", "apps"},
]
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}
MODULES = sorted(PACKAGE.rglob("*.py"))
# What Django documents, and says where to import it from.
DOCUMENTED = {
    "django.apps",
    "django.conf",
    "django.apps.registry",
    "django.contrib",
    "django.contrib.admin.views.main",
    "django.contrib.postgres.aggregates",
    "django.contrib.postgres.indexes",
    "django.core.cache",
    "django.core.checks",
    "django.core.exceptions",
    "django.core.management.base",
    "django.core.paginator",
    "django.core.serializers.json",
    "django.core.signing",
    "django.db",
    "django.db.models",
    "django.db.models.functions",
    "django.db.models.lookups",
    "django.db.models.signals",
    "django.http",
    "django.template",
    "django.template.response",
    "django.urls",
    "django.utils",
    "django.utils.cache",
    "django.utils.deconstruct",
    "django.utils.functional",
    "django.utils.http",
    "django.utils.timezone",
    "django.utils.translation",
    "django.views",
}
DOCUMENTED_ATTRIBUTES = {"_base_manager", "_default_manager", "_meta", "_state"}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path) for path in MODULES}


def imports_of(path: Path) -> Iterator[str]:
    """Yield the modules of ours that one imports, wherever in its text, those for type checking too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            module = node.module or ""
            if module.split(".")[0] == "leaderboard":
                for alias in node.names:
                    inner = f"{module}.{alias.name}"
                    yield inner if inner in NAMES else module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "leaderboard")


def folder_of(name: str) -> str:
    """Return the part of the package that a module is in: the name of its folder, or its own."""
    return name.split(".")[1] if "." in name else name


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_only_from_floors_below(path: Path) -> None:
    own = folder_of(name_of(path))
    for imported in map(folder_of, imports_of(path)):
        assert imported == own or FLOOR[imported] < FLOOR[own], f"{own} imports {imported}"


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {name_of(path): set(imports_of(path)) - {name_of(path)} for path in MODULES}
    assert len(list(TopologicalSorter(graph).static_order())) >= len(MODULES)


def test_no_folder_imports_itself_by_way_of_others() -> None:
    graph: dict[str, set[str]] = {}
    for path in MODULES:
        own = folder_of(name_of(path))
        graph.setdefault(own, set()).update(set(map(folder_of, imports_of(path))) - {own})
    assert set(TopologicalSorter(graph).static_order()) == set(FLOOR) & {*graph}


def test_every_part_of_the_package_has_a_floor() -> None:
    assert {folder_of(name_of(path)) for path in MODULES} == set(FLOOR)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_is_imported_inside_a_function(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            assert not [n for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)]


@pytest.mark.parametrize("folder", ["leaderboard", "tests", "example"])
def test_no_module_is_longer_than_five_hundred_lines(folder: str) -> None:
    written = [path for path in (ROOT / folder).rglob("*.py") if path.parent.name != "migrations"]
    lengths = {path: len(path.read_text().splitlines()) for path in written}
    assert {str(path): length for path, length in lengths.items() if length > 500} == {}


def test_the_reference_shares_no_code_with_the_sql_side() -> None:
    text = "".join(path.read_text() for path in (PACKAGE / "reference").glob("*.py"))
    imported = set(re.findall(r"^from ([\w.]*)|^import ([\w.]*)", text, re.MULTILINE))
    roots = {name for names in imported for name in names if name.startswith(("leaderboard", "django"))}
    assert {name for name in roots if not name.startswith("leaderboard.reference.")} == {"leaderboard.kinds"}


# What an extra brings, and the only module that imports it.
EXTRAS = {
    "django_filters": "leaderboard.endpoints.filters",
    "ninja": "leaderboard.endpoints.ninja",
    "pydantic": "leaderboard.endpoints.ninja",
    "rest_framework": "leaderboard.endpoints.drf",
}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_else_needs_what_an_extra_brings(path: Path) -> None:
    assert not {*EXTRAS.values()} & {*imports_of(path)}
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert EXTRAS.get(name.split(".")[0], name_of(path)) == name_of(path), name


# The fence


def outside() -> list[Path]:
    return [path for path in MODULES if folder_of(name_of(path)) != "orm"]


@pytest.mark.parametrize("path", outside(), ids=name_of)
def test_only_the_fence_imports_what_django_does_not_document(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "django":
            assert node.module in DOCUMENTED


def underscored(path: Path) -> set[str]:
    """Return the names with an underscore that a module defines or sets on itself."""
    defined: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            defined.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            defined.add(node.attr)
    return defined


def test_only_the_fence_reads_private_attributes() -> None:
    from tests.contract import CONTRACT

    ours = {name for path in MODULES for name in underscored(path)}
    djangos = {name for leaning in CONTRACT.values() for name in leaning.names() if name.startswith("_")}
    allowed = (ours - djangos) | DOCUMENTED_ATTRIBUTES
    for path in outside():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and re.match("_[^_]", node.attr):
                assert node.attr in allowed, f"{name_of(path)}:{node.lineno} reads {node.attr}"


# Names of Django's queries that are names of documented things too.
SHARED = """
    __init__ add alias as_sql attname auto_created clone column combine compile contains_aggregate
    contains_over_clause copy db_table deconstruct delete descending distinct expression extra field function
    get_source_expressions model multiple name null nulls_first nulls_last order_by output_field pk
    primary_key query quote_name resolve_expression rhs select_for_update select_related
    set_source_expressions target update update_or_create value
"""


def test_only_the_fence_reads_what_is_listed_of_queries() -> None:
    from tests.contract import CONTRACT

    private = {name for leaning in CONTRACT.values() for name in leaning.names()} - {*SHARED.split()}
    for path in outside():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                assert node.attr not in private, f"{name_of(path)}:{node.lineno} reads {node.attr}"

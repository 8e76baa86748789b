"""What is leaned on in Django is there, is listed whole, and is named when it moves."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.db.models.expressions import Col
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler

from tests.contract import CONTRACT, IMPORTS, moved

FENCE = Path(__file__).parent.parent / "leaderboard" / "orm"
DOCUMENTED = {
    "asgiref.sync",
    "django.conf",
    "django.core.exceptions",
    "django.db",
    "django.db.migrations.serializer",
    "django.db.migrations.writer",
    "django.db.models",
    "django.db.models.lookups",
    "django.utils.functional",
    "django.utils.timezone",
}


def test_the_installed_django_has_all_that_is_leaned_on() -> None:
    assert moved() == []


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Query, "add_q"),
        (Query, "build_filter"),
        (Query, "is_nullable"),
        (SQLCompiler, "_order_by_pairs"),
        (SQLCompiler, "collapse_group_by"),
        (Col, "_output_field_or_none"),
        (Col, "select_format"),
    ],
)
def test_what_a_django_moves_is_named(owner: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The drill for a new Django, with each of these gone as if it had been renamed."""
    where = next(base for base in owner.__mro__ if name in vars(base))
    monkeypatch.setattr(where, f"{name}_renamed", vars(where)[name], raising=False)
    monkeypatch.delattr(where, name)
    # A query that makes the samples may need the very method, and fails by its name.
    try:
        gone = moved()
    except AttributeError as error:
        gone = [str(error)]
    assert any(name in line for line in gone)


def test_a_changed_signature_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def collapse_group_by(self: Any, expressions: Any, having: Any, qualify: Any) -> Any: ...

    def set_limits(self: Any, *, start: int, stop: int) -> None: ...

    monkeypatch.setattr(SQLCompiler, "collapse_group_by", collapse_group_by)
    monkeypatch.setattr(Query, "set_limits", set_limits)
    sql = "django.db.models.sql"
    assert moved() == [
        f"{sql}.Query.set_limits(high=1)",
        f"{sql}.compiler.SQLCompiler.collapse_group_by(expressions, having), which is overridden",
    ]


def test_a_module_that_is_gone_is_named() -> None:
    assert moved(imports={"django.db.models.sql.gone": "Name"}) == ["django.db.models.sql.gone.Name"]


def sources() -> Iterator[ast.Module]:
    for path in FENCE.glob("*.py"):
        yield ast.parse(path.read_text())


def test_every_import_is_listed() -> None:
    imported: dict[str, set[str]] = {}
    for source in sources():
        for node in ast.walk(source):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("django."):
                imported.setdefault(str(node.module), set()).update(alias.name for alias in node.names)
    # RawSQL is documented, but in this module only.
    imported["django.db.models.expressions"] -= {"RawSQL"}
    undocumented = {module: names for module, names in imported.items() if module not in DOCUMENTED}
    assert undocumented == {module: set(names.split()) for module, names in IMPORTS.items()}


def public_in(*names: str) -> set[str]:
    return {name for path in names for name in dir(getattr(import_module("django.db.models"), path))}


# What these have is documented, or looks like it: the same name may be an attribute of ours.
AMBIGUOUS = {
    # One of the two, or none, by version.
    *("quote_name", "quote_name_unless_alias", "_fetch_mode"),
    *("all", "annotate", "aggregate", "filter", "get", "values", "distinct", "join", "update", "delete"),
    *("alias", "copy", "field", "name", "label", "query", "model", "output_field", "get_field", "get_fields"),
    "get_lookup",
    *("get_source_expressions", "resolve_expression", "conditional", "db", "expression", "extra", "value"),
    *("column", "connection", "index", "replace", "using"),
}


def test_every_private_name_that_the_fence_uses_is_listed() -> None:
    """Whatever attribute or method of a query, a compiler, a node or a queryset is named in the fence."""
    listed = {name for leaning in CONTRACT.values() for name in leaning.names()}
    known: set[str] = set()
    for owner in ("sql.Query", "sql.where.WhereNode", "sql.compiler.SQLCompiler", "expressions.Col"):
        module, _, name = f"django.db.models.{owner}".rpartition(".")
        leaning = CONTRACT[f"{module}.{name}"]
        known |= {*dir(leaning.sample())}
    known |= {name for name in dir(CONTRACT["django.db.models.QuerySet"].sample()) if name.startswith("_")}
    used = {node.attr for source in sources() for node in ast.walk(source) if isinstance(node, ast.Attribute)}
    used = {name for name in used & known if not name.startswith("__")}
    assert used - AMBIGUOUS - listed == set()


def test_nothing_is_listed_that_the_fence_does_not_use() -> None:
    used: set[str] = set()
    for source in sources():
        for node in ast.walk(source):
            if isinstance(node, ast.Attribute):
                used.add(node.attr)
            elif isinstance(node, ast.FunctionDef):
                used.add(node.name)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                used.add(node.target.id)
    listed = {name for leaning in CONTRACT.values() for name in leaning.names()}
    assert listed - used == set()


def test_what_we_override_calls_what_it_replaces() -> None:
    """An override that forgets its parent would hide what a new Django does there."""
    for path in FENCE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name in {
                "build_filter",
                "change_aliases",
                "collapse_group_by",
                "combine",
                "table_alias",
            }:
                body = ast.unparse(node)
                assert f"super().{node.name}(" in body, f"{path.name}: {node.name}"
    assert inspect.isfunction(Query.build_filter)

"""Lower layers never import higher ones."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "leaderboard"
LAYERS = [
    {"kinds", "structure"},
    {"reference", "expressions"},
    {"cutoffs", "derived"},
    {"board"},
    {"metrics", "indexes"},
    {"population", "checks"},
    {"standings"},
    {"sql"},
    {"derived_queryset"},
    {"query"},
    {"__init__", "apps", "testing"},
]
LAYER = {module: number for number, modules in enumerate(LAYERS) for module in modules}


def module_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_a_module_imports_only_lower_layers(path: Path) -> None:
    module = module_of(path)
    source = ast.parse(path.read_text())
    # What is under TYPE_CHECKING is no dependency of the module when imported.
    source.body = [node for node in source.body if not isinstance(node, ast.If)]
    for node in ast.walk(source):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("leaderboard."):
            imported = (node.module or "").split(".")[1]
            assert imported == module or LAYER[imported] < LAYER[module], f"{module} imports {imported}"


def test_the_reference_shares_no_code_with_the_sql_side() -> None:
    source = ast.parse((PACKAGE / "reference.py").read_text())
    imported = {
        (node.module or "").split(".")[0] + "." + (node.module or "").partition(".")[2]
        for node in ast.walk(source)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("leaderboard", "django"))
    }
    assert imported == {"leaderboard.kinds"}

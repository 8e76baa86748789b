"""Pages that a framework serves: walked to the end and back, and held to the reference and their schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jsonschema import Draft202012Validator

from leaderboard.testing import reference_standings
from tests.testapp.models import Attempt, Test

__all__ = ["everyone", "matches", "shown", "view", "walk"]


def view(test: Test) -> Any:
    return Attempt.objects.board("members").on_board(test=test)


def everyone(test: Test) -> list[tuple[Any, ...]]:
    """Return key, rank, board size, percentile and qualification of the ranked, as the reference has them."""
    board = view(test)
    expected = reference_standings(board)
    figures = [(entry.pk, expected[entry.pk]) for entry in board.ranked()]
    return [(pk, of.rank, of.board_size, of.percentile, of.qualification) for pk, of in figures]


def shown(entry: dict[str, Any]) -> tuple[Any, ...]:
    names = ("rank", "board_size", "percentile", "qualification")
    return (entry["id"], *(entry["standing"][name] for name in names))


def walk(ask: Callable[[str], Any], url: str, side: str, items: str) -> list[list[tuple[Any, ...]]]:
    """Return the pages from a URL on, to one side, each by its entries."""
    pages = []
    while url:
        page = ask(url)
        pages.append([shown(entry) for entry in page[items]])
        url = page[side]
        assert len(pages) < 100
    return pages


def matches(found: Any, schema: dict[str, Any], document: dict[str, Any]) -> None:
    """See that what was found is as a schema of an OpenAPI document says."""
    whole = {**schema, "components": document["components"]}
    Draft202012Validator(_with_null(whole)).validate(found)


def _with_null(schema: Any) -> Any:
    """Return a schema in the words of JSON Schema, which has no ``nullable``, as OpenAPI 3.0 has."""
    if isinstance(schema, list):
        return [_with_null(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {name: _with_null(part) for name, part in schema.items() if name != "nullable"}
    return {"anyOf": [parts, {"type": "null"}]} if schema.get("nullable") is True else parts

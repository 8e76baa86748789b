"""The parameters of pages as OpenAPI describes them, whatever framework serves the document."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from leaderboard.endpoints.page import ENDS, MOST, Pager

__all__ = ["Described", "parameters_of"]


class Described(NamedTuple):
    """A parameter of the query: its name, what it is for, and the schema of its values."""

    name: str
    description: str
    schema: dict[str, Any]


def parameters_of(pager: Pager, view: Any = None) -> list[Described]:
    """Return the parameters that a pager reads, of whatever board, or of that of a queryset."""
    described = [
        Described(
            "size",
            "How many entries the page has.",
            {"type": "integer", "minimum": 1, "maximum": pager.max_size, "default": pager.size},
        ),
        _ordering(pager, view),
        Described("cursor", "The page after another one, or before it.", {"type": "string"}),
        Described(
            "rank",
            "The page that begins at this position of the board.",
            {"type": "integer", "minimum": 1, "maximum": MOST},
        ),
        Described("page", "The first page, or the last one.", {"type": "string", "enum": [*ENDS]}),
    ]
    return [*described, *_members(view)]


def _members(view: Any) -> list[Described]:
    member = None if view is None else view.leaderboard.member
    text = {"type": "string"}
    if isinstance(member, tuple):
        about = "The page with the member who has this {}."
        return [Described(f"member.{name}", about.format(name), text) for name in member]
    is_of_none = view is not None and member is None
    return [] if is_of_none else [Described("member", "The page with this member.", text)]


def _ordering(pager: Pager, view: Any) -> Described:
    schema: dict[str, Any] = {"type": "string", "default": pager.ordering}
    about = "The order of the entries: names separated by commas, with a minus before one to turn it round."
    if view is None:
        return Described("ordering", about, schema)
    names = pager.orderings(view).names
    part = f"-?({'|'.join(map(re.escape, names))})"
    allowed = f"{about} Allowed are {', '.join(names)}."
    return Described("ordering", allowed, {**schema, "pattern": f"^{part}(,{part})*$"})

"""A defect that the tests must find."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PROPERTIES", "Mutation"]

PROPERTIES = "tests/test_properties.py"


class Mutation(NamedTuple):
    """A defect: what it is, the module, the text and what takes its place, and the tests to find it."""

    name: str
    module: str
    text: str
    mutant: str
    tests: str = PROPERTIES

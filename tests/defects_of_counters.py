"""Defects of the upkeep of counters, beside those of their triggers, which programs find."""

from __future__ import annotations

from tests.mutant import Mutation

__all__ = ["COUNTERS"]

COUNTERS = (
    Mutation(
        "two that mend add the same difference",
        "counters/batches",
        "            if alone:\n",
        "            if False:\n",
        "tests/counters/test_writers.py",
    ),
)

"""Defects of what reads little: counted standings, covering indexes, the first of every board."""

from __future__ import annotations

from tests.mutant import Mutation

__all__ = ["READS"]

COUNTED = "tests/test_counted.py"

READS = (
    Mutation(
        "an entry that has moved is counted",
        "standings/counted",
        "figures.restrict(not_distinct(column, value))",
        "figures.restrict(not_distinct(column, column))",
        COUNTED,
    ),
    Mutation(
        "members are chosen among the better entries",
        "standings/counted",
        "if order is not None and self._counts_best:",
        "if order is not None:",
        COUNTED,
    ),
    Mutation(
        "a member's best entry decides whatever counts",
        "standings/counted",
        "if parts and self._counts_best:",
        "if parts:",
        COUNTED,
    ),
    Mutation(
        "no other entry of a member counts",
        "standings/counted",
        "rows.restrict(_before(self._counting_order))",
        "rows.restrict(_before(self._by_all))",
        COUNTED,
    ),
    Mutation(
        "who is tied is before",
        "expressions/bounds",
        "    if or_tied:\n",
        "    if True:\n",
        COUNTED,
    ),
    Mutation(
        "NULL comes before what orders ties",
        "expressions/bounds",
        "return None if later else not_null(order.expression)",
        "return not_null(order.expression) if later else None",
        COUNTED,
    ),
    Mutation(
        "a covering index leaves out what expressions are made of",
        "declaration/indexes",
        "needed = [*sources_of(*within, *map(as_written, terms), *member), *key]",
        "needed = [*sources_of(*member), *key]",
        "tests/test_covering.py",
    ),
    Mutation(
        "any index on the terms covers a board",
        "declaration/coverage",
        "        and needed <= {",
        "        and set() <= {",
        "tests/test_covering.py",
    ),
    Mutation(
        "the first of each board without those that tie",
        "orm/columns",
        "ROWS WITH TIES",
        "ROWS ONLY",
        "tests/test_each.py",
    ),
    Mutation(
        "the first of each board are cut off in a view too",
        "querysets/each",
        "n if is_whole else None",
        "n",
        "tests/test_each.py",
    ),
    Mutation(
        "the board of NULL has no first entries",
        "querysets/each",
        "(False, True) if declaration.null_is_a_board",
        "(None,) if declaration.null_is_a_board",
        "tests/test_each.py",
    ),
)

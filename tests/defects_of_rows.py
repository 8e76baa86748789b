"""Defects of how one entry is read by its key."""

from __future__ import annotations

from tests.mutant import Mutation

__all__ = ["ROWS"]

GET = "tests/test_get.py"
COUNTED = "tests/test_counted.py"
EACH = "tests/test_each.py"

ROWS = (
    Mutation(
        "a key that is compared in its own way is taken for a plain one",
        "orm/held",
        "is_plain = type(column) is Col and kind in PLAIN and not query.is_sliced",
        "is_plain = not query.is_sliced",
        GET,
    ),
    Mutation(
        "an annotation that is called as the key is not seen",
        "orm/held",
        "if not is_key or field.is_relation or name in query.annotations or",
        "if not is_key or field.is_relation or",
        GET,
    ),
    Mutation(
        "rows are written with their DISTINCT",
        "orm/held",
        "        or query.distinct\n",
        "",
        GET,
    ),
    Mutation(
        "columns are read in whatever order they are selected",
        "orm/written",
        "if [*map(_source, compiler.select)] == handed_on and",
        "if len(compiler.select) == len(handed_on) and",
        GET,
    ),
    Mutation(
        "what a queryset does in its own way is passed by",
        "querysets/counted",
        "if not self._may_be_held or not all(is_known(getattr(type(self), name)) for name in READERS):",
        "if not self._may_be_held:",
        GET,
    ),
    Mutation(
        "the first of several rows with a key is the one",
        "querysets/counted",
        "if rows is None or len(rows) > 1:",
        "if rows is None:",
        GET,
    ),
    Mutation(
        "what is counted twice is in one level",
        "orm/levels",
        "if sum(map(_subqueries_in, shown)) > sum(map(_subqueries_in, made_of)):",
        "if False:",
        GET,
    ),
    Mutation(
        "a rank that is read alone is that of the entry that counts",
        "standings/tally",
        "order = self._counting_order\n",
        "order = self._by_terms\n",
        COUNTED,
    ),
    Mutation(
        "boards by a subquery are grouped by what it refers to",
        "orm/levels",
        "if are_columns and len({*selected}) == len(selected):",
        "if True:",
        EACH,
    ),
)

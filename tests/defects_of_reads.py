"""Defects of what reads little: counted standings, covering indexes, the first of every board."""

from __future__ import annotations

from tests.mutant import Mutation

__all__ = ["READS"]

COUNTED = "tests/test_counted.py"
WRITTEN = "tests/test_written.py"
PAGING = "tests/test_paging.py"
SUPPOSED = "tests/test_supposed.py"
BOOKMARKS = "tests/test_bookmarks.py"

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
        "rows.restrict(comes_before(self._counting_order))",
        "rows.restrict(comes_before(self._by_all))",
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
    Mutation(
        "SQL is kept for other time zones",
        "orm/written",
        "return connection.alias, settings.USE_TZ, settings.TIME_ZONE, get_current_timezone()",
        "return connection.alias",
        WRITTEN,
    ),
    Mutation(
        "SQL that may change is kept",
        "standings/shared",
        'return is_shareable(declaration, model) and declaration.prepared(("lasting", model), once)',
        "return is_shareable(declaration, model)",
        WRITTEN,
    ),
    Mutation(
        "NULL is written as any value",
        "standings/counted",
        "nulls = tuple(value is None for value in place.row)",
        "nulls = ()",
        WRITTEN,
    ),
    Mutation(
        "a metric of one's own is not asked",
        "querysets/counted",
        "and self._has_own_metrics",
        "and True",
        WRITTEN,
    ),
    Mutation(
        "a page begins one later",
        "querysets/pages",
        "keys = view[position - 1 : position - 1 + size]",
        "keys = view[position : position + size]",
        PAGING,
    ),
    Mutation(
        "who ties with the first of a page is counted from there",
        "standings/run",
        "return Case(When(self._is_tied, then=number), default=others, output_field=BIGINT)",
        "return others",
        PAGING,
    ),
    Mutation(
        "a tie ends with the page",
        "standings/run",
        "if with_ties:",
        "if False:",
        PAGING,
    ),
    Mutation(
        "a page backwards counts from its first",
        "standings/run",
        'return self.counted.ordinal - Window(Count("*"), output_field=BIGINT)',
        "return self.counted.ordinal - Value(1, BIGINT)",
        PAGING,
    ),
    Mutation(
        "a page does not see that its entry has moved",
        "standings/run",
        "checked.restrict(Exact(checked.column(name), Value(True, BOOLEAN)))",
        "pass",
        PAGING,
    ),
    Mutation(
        "a page does not see that its position has moved",
        "standings/run",
        "checked.restrict(Exact(checked.column(ordinal), Value(run.position, BIGINT)))",
        "pass",
        PAGING,
    ),
    Mutation(
        "places of a page backwards are counted forwards",
        "standings/run",
        "dense - one + nth if self._later else dense + one - nth",
        "dense - one + nth",
        PAGING,
    ),
    Mutation(
        "a page with a filter is read as a whole",
        "querysets/pages",
        "and query.shows_all_rows_of([*page.known, page.condition])",
        "and True",
        PAGING,
    ),
    Mutation(
        "who would be is not among the board",
        "standings/supposed",
        "return plus_one(super().size)",
        "return super().size",
        SUPPOSED,
    ),
    Mutation(
        "who would be ties with the better ones only",
        "standings/supposed",
        "return plus_one(super().modified)",
        "return super().modified",
        SUPPOSED,
    ),
    Mutation(
        "own entries are rivals of who would be",
        "standings/supposed",
        "rows.restrict(Negation(all_of([not_distinct(part, value) for part, value in own])))",
        "pass",
        SUPPOSED,
    ),
    Mutation(
        "what is stored is a rival of what would be",
        "standings/supposed",
        "rows.restrict(Negation(all_of([equal(F(name), value) for name, value in own])))",
        "pass",
        SUPPOSED,
    ),
    Mutation(
        "who would be comes first among ties",
        "standings/supposed",
        "plus_one(self._number(order, or_tied=True))",
        "plus_one(self._number(order))",
        SUPPOSED,
    ),
    Mutation(
        "a page beside a bookmark loses an entry",
        "querysets/pages",
        "if page.later is None or page.key is None:",
        "if page.later is None:",
        BOOKMARKS,
    ),
    Mutation(
        "a bookmark is no place",
        "querysets/pages",
        "side = self if mark is None else",
        "side = self if True else",
        BOOKMARKS,
    ),
)

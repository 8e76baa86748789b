"""Defects of boards over HTTP: cursors, orders, files, and whether a client has it already."""

from __future__ import annotations

from tests.mutant import Mutation

__all__ = ["ENDPOINTS"]

PAGER = "tests/endpoints/test_pager.py"
ORDERING = "tests/endpoints/test_ordering.py"
CURSOR = "tests/endpoints/test_cursor.py"
PARAMETERS = "tests/endpoints/test_parameters.py"
VIEW = "tests/endpoints/test_board_view.py"
EXPORT = "tests/endpoints/test_export.py"
HISTOGRAM = "tests/endpoints/test_histogram.py"
WHAT_IF = "tests/endpoints/test_what_if.py"
DRF = "tests/endpoints/test_drf.py"
NINJA = "tests/endpoints/test_ninja.py"
FILTERS = "tests/endpoints/test_filters.py"
ANY_REQUEST = "tests/endpoints/test_any_request.py"

ENDPOINTS = (
    Mutation(
        "a percentile goes up as a rank does",
        "endpoints/ordering",
        'PLACES = {"rank": False, "percentile": True}',
        'PLACES = {"rank": False, "percentile": False}',
        ORDERING,
    ),
    Mutation(
        "what orders ties is not turned with the board",
        "endpoints/ordering",
        "OrderBy(tie.expression, tie.descending != back)",
        "OrderBy(tie.expression, tie.descending)",
        ORDERING,
    ),
    Mutation(
        "any name is a field to order by",
        "endpoints/ordering",
        "if name not in self._names:",
        "if False:",
        ORDERING,
    ),
    Mutation(
        "a page backwards is in the order of the board",
        "endpoints/walks",
        "return [*page][::-1] if self._turns else [*page]",
        "return [*page]",
        PAGER,
    ),
    Mutation(
        "a board of any size is sorted",
        "endpoints/walks",
        "if limit is not None and view",
        "if False and view",
        ORDERING,
    ),
    Mutation(
        "there is always a page before a cursor",
        "endpoints/page",
        "is_between and walk.has_beside(shown[:1], later=False)",
        "is_between",
        PAGER,
    ),
    Mutation(
        "a page before a cursor begins with the entry too many",
        "endpoints/page",
        "shown = entries[-size:]",
        "shown = entries[:size]",
        PAGER,
    ),
    Mutation(
        "a cursor is of any filter",
        "endpoints/cursor",
        "sql,\n            sorted(",
        "sorted(",
        CURSOR,
    ),
    Mutation(
        "a cursor is of any value of a filter",
        "endpoints/cursor",
        "sorted(repr(value) for value in params if isinstance(value, BOUND)),",
        "",
        CURSOR,
    ),
    Mutation(
        "a NUL byte goes to the database",
        "endpoints/parameters",
        'if "\\0" in value:',
        "if False:",
        PARAMETERS,
    ),
    Mutation(
        "half of a surrogate pair goes to the database",
        "endpoints/parameters",
        "if SURROGATES.search(value) else None",
        "if False else None",
        PARAMETERS,
    ),
    Mutation(
        "a filter that meets many rows shows entries several times",
        "endpoints/filtering",
        "if joined_many_rows(held.query) is not None:",
        "if joined_many_rows(view.query) is not None:",
        "tests/endpoints/test_board_view.py",
    ),
    Mutation(
        "a value that is looked at later is no fault of the request",
        "endpoints/filtering",
        "        statement_of(held.query, connections[held.db])\n",
        "",
        VIEW,
    ),
    Mutation(
        "a moment without a zone is one of another",
        "endpoints/filtering",
        "timezone.get_default_timezone())",
        "timezone.get_fixed_timezone(0))",
        VIEW,
    ),
    Mutation(
        "a file is begun before anything is known of it",
        "endpoints/export",
        '    first = next(parts, "")\n    yield ""\n',
        '    yield ""\n    first = next(parts, "")\n',
        VIEW,
    ),
    Mutation(
        "a page in another order is cut from all entries",
        "endpoints/walks",
        "return [*rows[:size]]",
        "return [*rows][:size]",
        ANY_REQUEST,
    ),
    Mutation(
        "a test that does not exist has an empty board",
        "endpoints/views",
        "        if not page.entries:\n            require_board(view)",
        "",
        VIEW,
    ),
    Mutation(
        "two contents have one time",
        "endpoints/freshness",
        "max(now, last[1] + 1)",
        "now",
        VIEW,
    ),
    Mutation(
        "a later time is a newer one",
        "endpoints/freshness",
        "known = modified if since in (None, modified) else None",
        "known = modified",
        VIEW,
    ),
    Mutation(
        "a formula behind a semicolon is one",
        "endpoints/export",
        "(^|[\\t\\r\\n;|])",
        "(^)",
        EXPORT,
    ),
    Mutation(
        "NULL is in the last range",
        "endpoints/histogram",
        ".filter(not_null(expression))",
        "",
        HISTOGRAM,
    ),
    Mutation(
        "who qualifies now is who would",
        "endpoints/what_if",
        "qualified_now=counted(lambda now, then: now)",
        "qualified_now=counted(lambda now, then: then)",
        WHAT_IF,
    ),
    Mutation(
        "what else was asked for does not tell views apart",
        "endpoints/links",
        "return repr(sorted((name, values)",
        "return '' and repr(sorted((name, values)",
        DRF,
    ),
    Mutation(
        "a link keeps the member who was on a page",
        "endpoints/links",
        'name == "member" or name.startswith("member.")',
        "False",
        DRF,
    ),
    Mutation(
        "a half rank is cut to a whole one",
        "endpoints/drf",
        "if value != int(value):",
        "if False:",
        DRF,
    ),
    Mutation(
        "entries of which the same is shown are one in a file",
        "endpoints/export",
        ", *key_names(view.model)",
        "",
        EXPORT,
    ),
    Mutation(
        "what a field makes of its value is not in a file",
        "orm/models",
        "return descriptor.__get__ is DeferredAttribute.__get__",
        "return issubclass(descriptor, DeferredAttribute)",
        EXPORT,
    ),
    Mutation(
        "whole columns are taken for safe",
        "endpoints/export",
        "kinds == {str} and",
        "kinds == {str} or",
        EXPORT,
    ),
    Mutation(
        "a page of a board that is not there is empty",
        "endpoints/drf",
        "        if not self.page.entries:\n            require_board(queryset)\n",
        "",
        DRF,
    ),
    Mutation(
        "a page is documented to be larger than it may be",
        "endpoints/openapi",
        '"maximum": pager.max_size',
        '"maximum": 200',
        NINJA,
    ),
    Mutation(
        "orders are documented of whatever board",
        "endpoints/ninja",
        "_input(self.pager, queryset)",
        "_input(self.pager, None)",
        NINJA,
    ),
    Mutation(
        "those whom a filter leaves out are shown",
        "endpoints/filters",
        "view.exclude if self.exclude else view.filter",
        "view.filter",
        FILTERS,
    ),
)

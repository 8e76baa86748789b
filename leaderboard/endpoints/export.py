"""Whole boards as CSV and JSON Lines, from a cursor of the server, in memory that does not grow."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from io import StringIO
from typing import Any

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from leaderboard.endpoints.page import METRICS, Pager
from leaderboard.endpoints.representation import Columns, standing_of
from leaderboard.kinds import RankKind

__all__ = ["FORMATS", "ExportResponse", "cell", "export"]

# So many rows are in memory at a time.
ROWS = 500
# Begins the name of the rank that rows are in order by.
ORDER = "_export_"
# Where a spreadsheet would begin a formula: in a cell, or in what it takes for one by another delimiter, by
# which quotes are none. Blanks and quotes before it may be dropped, and wide signs are read as others.
FORMULA = re.compile(r"""(^|[\t\r\n;|])(?=[\s"\ufeff\u200b]*[=+\-@＝＋－＠])""")


class ExportResponse(StreamingHttpResponse):
    """A response that is read part by part, by an asynchronous server too."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        # Django's own would read all of a synchronous iterator at once.
        parts = iter(self)
        while part := await sync_to_async(lambda: next(parts, b""))():
            yield part


def export(view: Any, columns: Columns, pager: Pager, kind: str) -> ExportResponse:
    """Return a response with all entries of a view of one board, in its order, those not ranked at the end.

    ``kind`` is one of ``FORMATS``. They are read while the response is sent, but for the first of them: what
    the database finds wrong is raised here, where it can still be told.
    """
    rows = pager.with_metrics(view).with_rank(RankKind.ORDINAL, prefix=ORDER).order_by(f"{ORDER}rank")
    content_type, lines = FORMATS[kind]
    parts = _begun(lines(rows.iterator(chunk_size=ROWS), columns, pager.prefix))
    next(parts)
    response = ExportResponse(parts, content_type=content_type)
    name = f"{view.model._meta.model_name}.{kind}"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    return response


def _begun(parts: Iterator[str]) -> Iterator[str]:
    """Yield nothing, with the first of some parts at hand, then all of them."""
    first = next(parts, "")
    yield ""
    if first:
        yield first
    yield from parts


def _csv(rows: Iterable[Any], columns: Columns, prefix: str) -> Iterator[str]:
    buffer = StringIO()
    writer = csv.writer(buffer)
    metrics: list[str] | None = None
    for number, row in enumerate(rows):
        standing = standing_of(row, prefix)
        if metrics is None:
            metrics = [*standing]
            writer.writerow(map(cell, [*metrics, *columns.names]))
        writer.writerow(map(cell, [*standing.values(), *columns.values(row)]))
        if number % ROWS == ROWS - 1:
            yield _taken(buffer)
    if metrics is None:
        writer.writerow(map(cell, [*METRICS, *columns.names]))
    yield _taken(buffer)


def _json_lines(rows: Iterable[Any], columns: Columns, prefix: str) -> Iterator[str]:
    for row in rows:
        shown = {"standing": standing_of(row, prefix), **columns.of(row)}
        yield f"{json.dumps(shown, ensure_ascii=False)}\n"


def _taken(buffer: StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def cell(value: Any) -> Any:
    """Return a value as a cell of CSV, which no spreadsheet takes for a formula.

    A text that would begin one gets an apostrophe before it, as in ``'=1+1``; numbers are numbers.
    """
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return FORMULA.sub(r"\1'", text)


FORMATS: dict[str, tuple[str, Callable[[Iterable[Any], Columns, str], Iterator[str]]]] = {
    "csv": ("text/csv; charset=utf-8", _csv),
    "jsonl": ("application/jsonl", _json_lines),
}

"""Whole boards as CSV and JSON Lines, from a cursor of the server, in memory that does not grow."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from io import StringIO
from itertools import islice
from typing import Any

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from leaderboard.endpoints.page import Pager
from leaderboard.endpoints.representation import Column, Columns, figure, plain_column, standing_columns
from leaderboard.kinds import RankKind
from leaderboard.orm.models import key_names

__all__ = ["FORMATS", "ExportResponse", "cell", "export"]

# So many rows are in memory at a time.
ROWS = 1000
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
    rows = pager.with_metrics(view).with_rank(RankKind.ORDINAL, prefix=ORDER)
    # By the key as well, by which DISTINCT tells entries apart of which the same is shown.
    rows = rows.order_by(f"{ORDER}rank", *key_names(view.model))
    content_type, write = FORMATS[kind]
    parts = _begun(write(Sheet(rows, columns, pager.prefix)))
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


class Sheet:
    """The metrics of the rows of a queryset, called ``metrics``, and what else is shown of them, ``others``.

    It is converted column by column, for what is alike in all of one to be found out once.
    """

    def __init__(self, rows: Any, columns: Columns, prefix: str) -> None:
        standing = standing_columns(rows, prefix)
        self.metrics = [column.name for column in standing]
        self.others = columns.names
        self._rows = rows
        self._columns: Sequence[Column] = [*standing, *columns.columns]

    def parts(self) -> Iterator[Sequence[Sequence[Any]]]:
        """Yield the columns of some rows, then those of the next ones, as values that JSON has."""
        rows = self._read()
        while some := [*islice(rows, ROWS)]:
            columns = [*zip(*some, strict=True)]
            number = len(self.metrics)
            metrics = [plain_column(column, figure) for column in columns[:number]]
            yield [*metrics, *map(plain_column, columns[number:])]

    def _read(self) -> Iterator[tuple[Any, ...]]:
        paths = [column.path for column in self._columns]
        if None not in paths:
            # Instances, of which there is nothing else to be known, take longer than all the rest.
            return iter(self._rows.prefetch_related(None).values_list(*paths).iterator(chunk_size=ROWS))
        readers = [column.read for column in self._columns]
        entries = self._rows.iterator(chunk_size=ROWS)
        return (tuple(read(entry) for read in readers) for entry in entries)


def _csv(sheet: Sheet) -> Iterator[str]:
    buffer = StringIO()
    writer = csv.writer(buffer)
    writer.writerow(map(cell, [*sheet.metrics, *sheet.others]))
    for columns in sheet.parts():
        writer.writerows(zip(*map(_cells, columns), strict=True))
        yield _taken(buffer)
    yield _taken(buffer)


def _json_lines(sheet: Sheet) -> Iterator[str]:
    encode = json.JSONEncoder(ensure_ascii=False).encode
    number = len(sheet.metrics)
    for columns in sheet.parts():
        lines = []
        for row in zip(*columns, strict=True):
            standing = dict(zip(sheet.metrics, row[:number], strict=True))
            others = dict(zip(sheet.others, row[number:], strict=True))
            lines.append(encode({"standing": standing, **others}))
        yield "\n".join([*lines, ""])


def _taken(buffer: StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _cells(values: Sequence[Any]) -> Sequence[Any]:
    kinds = {*map(type, values)} - {type(None)}
    # What begins a cell begins a line of all of them, and a line may begin a formula as well.
    is_safe = kinds <= {int, float} or (
        kinds == {str} and not FORMULA.search("\n".join(filter(None, values)))
    )
    return values if is_safe else [cell(value) for value in values]


def cell(value: Any) -> Any:
    """Return a value as a cell of CSV, which no spreadsheet takes for a formula.

    A text that would begin one gets an apostrophe before it, as in ``'=1+1``; numbers are numbers.
    """
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return FORMULA.sub(r"\1'", text)


FORMATS: dict[str, tuple[str, Callable[[Sheet], Iterator[str]]]] = {
    "csv": ("text/csv; charset=utf-8", _csv),
    "jsonl": ("application/jsonl", _json_lines),
}

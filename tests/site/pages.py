"""Pages as tests read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.test import Client


@dataclass
class Row:
    """A row of a table: its cells, and whether it is marked."""

    cells: list[str]
    is_own: bool


@dataclass
class Page:
    """What a response shows: all text, the rows of each table, links by their ``rel``."""

    status: int
    html: str
    text: str = ""
    tables: list[list[Row]] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)

    @property
    def board(self) -> list[Row]:
        """The rows of the first table, without its head."""
        return self.tables[0]


class Reader(HTMLParser):
    """Reads a page, and sees that what is opened is closed."""

    VOID = frozenset({"meta", "link", "input", "rect", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.tables: list[list[Row]] = []
        self.links: dict[str, str] = {}
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "id" in given:
            self.ids.append(given["id"] or "")
        if tag in ("dt", "dd"):
            self.texts.append(" ")
        if tag == "tbody":
            self.tables.append([])
        if tag == "tr" and "tbody" in self.open:
            self.tables[-1].append(Row([], given.get("aria-current") == "true"))
        if tag in ("td", "th") and "tbody" in self.open:
            self.tables[-1][-1].cells.append("")
        if tag == "a" and "rel" in given:
            self.links[given["rel"] or ""] = given["href"] or ""
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.VOID:
            return
        assert self.open and self.open[-1] == tag, f"{tag} closes {self.open}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if "tbody" in self.open and ("td" in self.open or "th" in self.open):
            self.tables[-1][-1].cells[-1] += data


def read(response: Any) -> Page:
    """Return a response as a page whose elements nest, and whose ids are each there once."""
    html = response.content.decode()
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    assert len({*reader.ids}) == len(reader.ids), sorted(reader.ids)
    text = " ".join("".join(reader.texts).split())
    for table in reader.tables:
        for row in table:
            row.cells = [" ".join(cell.split()) for cell in row.cells]
    return Page(response.status_code, html, text, reader.tables, reader.links)


def get(url: str, *, htmx: bool = False, **parameters: Any) -> Page:
    """Return the page that a browser gets."""
    headers = {"accept": "text/html", **({"hx-request": "true"} if htmx else {})}
    return read(Client().get(url, parameters, headers=headers))

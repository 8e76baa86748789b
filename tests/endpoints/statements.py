"""What is sent to the database while something is asked for, apart from its parameters, and what it gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection

__all__ = ["Sent", "outer", "statements"]

# Texts and names, in which a parenthesis is none.
QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""")
AGGREGATE = re.compile(r"SELECT( (COUNT|MIN|MAX|SUM|AVG)( FILTER)?( AS \?)?,?)+ FROM ")

LIMITS = re.compile(r"\b(?:LIMIT|FETCH FIRST) (\d+)\b")
KEYS = re.compile(r""""\w+"\."id" (= %s|IN \((%s(, )?)+\))\)*$""")


@dataclass(frozen=True, slots=True)
class Sent:
    """A statement, its parameters as ``%s``, and how many rows it gave."""

    sql: str
    rows: int

    def has_limit(self, most: int) -> bool:
        """Return whether something in it gives several rows, and no more than so many."""
        return any(1 < int(number) <= most for number in LIMITS.findall(self.sql))

    def is_bounded(self, most: int) -> bool:
        """Return whether it says that it gives no more rows than so many, or a few of what it counts.

        What reads a page by a run has the limit where that begins, and what finds one entry names its key.
        """
        text = outer(self.sql)
        if (limit := re.search(r" LIMIT (\d+)", text)) is not None:
            return int(limit.group(1)) <= most
        if AGGREGATE.match(text) or " GROUP BY " in text:
            return True
        return self.has_limit(most) or KEYS.search(self.sql) is not None


@contextmanager
def statements() -> Iterator[list[Sent]]:
    """Yield what is sent, without savepoints."""
    found: list[Sent] = []

    def send(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if "SAVEPOINT" not in sql:
            found.append(Sent(sql, context["cursor"].rowcount))
        return result

    with connection.execute_wrapper(send):
        yield found


def outer(sql: str) -> str:
    """Return a statement without whatever is in parentheses, its texts and names as ``?``."""
    kept, depth = [], 0
    for letter in QUOTED.sub("?", sql):
        depth += letter == "("
        if not depth:
            kept.append(letter)
        depth -= letter == ")"
    return "".join(kept)

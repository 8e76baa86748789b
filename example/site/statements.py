"""Statements with a line for each clause; quicker than a parser, as every page has some of them."""

from __future__ import annotations

import re

__all__ = ["indented"]

TOKEN = re.compile(
    r"""'(?:[^']|'')*' | "[^"]*" | [()]
    | \b(?:SELECT|FROM|WHERE|HAVING|LIMIT|OFFSET|UNION|WITH|SET|VALUES|RETURNING|WINDOW
        |GROUP\ BY|ORDER\ BY|(?:INNER|LEFT|LEFT\ OUTER|CROSS)\ JOIN(?:\ LATERAL)?)\b
    | [^'"()A-Z]+ | .""",
    re.VERBOSE | re.DOTALL,
)
# These stay in the line where they stand in the parentheses of an expression.
INLINE = {"ORDER BY", "FROM"}
STEP = "    "


def indented(sql: str) -> str:
    """Return a statement with its clauses on lines of their own, a subquery further to the right."""
    out: list[str] = []
    # Whether what a parenthesis holds is a statement.
    opened: list[bool] = []
    depth = 0
    tokens = [match[0] for match in TOKEN.finditer(sql)]
    for number, token in enumerate(tokens):
        if token == "(":
            is_statement = tokens[number + 1 : number + 2] in (["SELECT"], ["WITH"], ["VALUES"])
            opened.append(is_statement)
            depth += is_statement
            out.append(token)
        elif token == ")":
            if opened and opened.pop():
                depth -= 1
                out.append(f"\n{STEP * depth}")
            out.append(token)
        elif token[0].isupper() and len(token) > 1:
            is_clause = token not in INLINE or not opened or opened[-1]
            out.append(f"\n{STEP * depth}{token}" if is_clause and out else token)
        else:
            out.append(token)
    return re.sub(r" +\n", "\n", "".join(out)).strip()

"""Requests at random: what anybody may write into a URL, and cursors that were written for something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote, quote_plus

from hypothesis import strategies as st

__all__ = ["MARK", "cursors", "queries", "texts"]

# In texts that are asked for and stored, and in no statement.
MARK = "zqxj"
AWKWARD = [
    "",
    " ",
    "\0",
    f"{MARK}\0",
    MARK,
    f"{MARK}'",
    f"{MARK}'; DROP TABLE testapp_attempt; --",
    f'{MARK}"',
    f"{MARK}\\",
    f"{MARK}%s",
    f"%({MARK})s",
    f"{{{MARK}}}",
    f"$${MARK}$$",
    f"{MARK} " * 12,
    "%",
    "_",
    "١٢",
    "１",
    "²",
    "0",
    "-0",
    "1",
    "2",
    "3",
    "-1",
    "+1",
    "1_0",
    "0x10",
    "1.5",
    "1e5",
    "1e400",
    "-1e400",
    "1e999999",
    "9" * 18,
    str(2**31),
    str(2**63 - 1),
    str(2**63),
    "9" * 40,
    "9" * 5000,
    "0." + "3" * 40,
    "NaN",
    "sNaN",
    "-Infinity",
    "null",
    "None",
    "true",
    "[]",
    "1,2",
    '["1", "2"]',
    "2026-03-31",
    "2026-03-31T23:59:00Z",
    "2026-03-31T23:59:00",
    "0001-01-01",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31",
    "9999-12-31T23:59:59-23:59",
    "2026-02-30",
    "1 00:00:30",
    "00:00:30",
    "P1D",
    "P999999999999D",
    "999999999 23:59:59.999999",
    "\ufeff1",
    "\u202e1",
    "\U0001f600",
    "e\u0301",
    "high",
    "candidate",
    "red",
]
# Of a query that is no text in UTF-8, or no query.
FRAGMENTS = [
    "%ED%A0%80",
    "search=%ED%A0%80",
    "member=%ED%B0%80",
    "ordering=%ff",
    "cursor=%C3",
    "size=%",
    "size=%zz",
    "=",
    "&&",
    "size",
    "size==1",
    "?size=1",
    "size=1;rank=2",
    "size[]=1",
    "a" * 200,
    "%00=1",
    "rank=+1",
    "rank=1+",
]

texts = st.sampled_from(AWKWARD) | st.text(max_size=6)


def cursors(real: Sequence[str]) -> st.SearchStrategy[str]:
    """Return cursors of something, some of which were changed."""

    @st.composite
    def changed(draw: st.DrawFn) -> str:
        cursor = draw(st.sampled_from(real))
        position = draw(st.integers(0, len(cursor) - 1))
        how = draw(st.sampled_from(["cut", "twice", "letter", "case", "others", "begun"]))
        if how == "cut":
            return cursor[:position]
        if how == "twice":
            return cursor + cursor[position:]
        if how == "letter":
            return cursor[:position] + draw(st.characters()) + cursor[position + 1 :]
        if how == "case":
            return cursor.swapcase()
        other = draw(st.sampled_from(real))
        if how == "begun":
            return f".{cursor}"
        # What one of them says, as if it had been signed for the other.
        return f"{cursor.partition(':')[0]}:{other.partition(':')[2]}"

    return st.sampled_from(real) | changed()


def orders(names: Sequence[str]) -> st.SearchStrategy[str]:
    part = st.sampled_from([sign + name for name in names for sign in ("", "-")])
    return st.lists(part, min_size=1, max_size=3).map(",".join) | texts


def queries(
    values: Mapping[str, st.SearchStrategy[str]], *, most: int = 5, raw: bool = True
) -> st.SearchStrategy[str]:
    """Return query strings with some parameters, each of a value of its own or any text, or several."""
    pair = st.sampled_from([*values]).flatmap(lambda name: st.tuples(st.just(name), values[name] | texts))
    any_pair = st.tuples(st.sampled_from([*values]) | texts, texts)

    def written(pairs: Sequence[tuple[str, str]], fragments: Sequence[str]) -> str:
        return "&".join([*(f"{quote_plus(name)}={quote(value)}" for name, value in pairs), *fragments])

    some = st.lists(pair | pair | pair | any_pair, max_size=most)
    others: st.SearchStrategy[list[str]] = (
        st.just([]) | st.just([]) | st.just([]) | st.lists(st.sampled_from(FRAGMENTS), max_size=2)
    )
    return st.builds(written, some, others)

"""What is made of a chain in the end: its rows, its values, figures, other querysets, writes."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import NamedTuple

from tests.fuzz.grammar import (
    COLUMNS,
    KEYS,
    LOOKUPS,
    Drawn,
    Text,
    Vocabulary,
    aggregates,
    any_aggregates,
    choice,
    column_conditions,
    conditions,
    leaves,
    numbers,
    single_leaves,
    text,
    total,
    weighted,
)

__all__ = ["End", "ends"]

SIZES = "2134"


class End(NamedTuple):
    """What is made of a chain, under the word CHAIN; PINNED is S on the board of the query around."""

    operation: str
    text: str
    # What the chain is ordered by if it has no total order; nothing where it need not have one.
    order: str = ""
    # Whether the order of the results is told: always, never, or where the chain's is total (None).
    is_ordered: bool | None = False
    # Whether the chain must be on one board.
    is_pinned: bool = False


Kinds = list[tuple[int, Drawn[End]]]


def _end(operation: str, pieces: Text | str, is_ordered: bool | None = False) -> Drawn[End]:
    draw = pieces if callable(pieces) else choice(pieces)
    return lambda random: End(operation, draw(random), is_ordered=is_ordered)


def _in_order(operation: str, pieces: Text, words: Vocabulary) -> Drawn[End]:
    order = total(words)
    return lambda random: End(operation, pieces(random), order(random), is_ordered=True)


def _on_board(operation: str, pieces: Text) -> Drawn[End]:
    return lambda random: End(operation, pieces(random), is_ordered=True, is_pinned=True)


@cache
def _columns(words: Vocabulary) -> Text:
    names = (
        *words.metrics,
        *words.metrics,
        "score",
        "who",
        "laps",
        "grp",
        "grp__name",
        "grp__level",
        "LAST",
    )
    return choice(
        (3, text('"pk", "{one}"', one=names)),
        text('"{one}"', one=names),
        text('"{one}", "{other}"', one=names, other=names),
    )


@cache
def _values(words: Vocabulary) -> Kinds:
    columns = _columns(words)
    return [
        (
            4,
            _end(
                "values", text("CHAIN.{way}({columns})", way=["values_list", "values"], columns=columns), None
            ),
        ),
        (1, _end("values", text('CHAIN.values_list("{one}", flat=True)', one=words.metrics), None)),
        (
            1,
            _end(
                "values",
                text('CHAIN.values_list("pk", F("{one}") + {n})', one=words.whole, n=numbers),
                None,
            ),
        ),
        (
            1,
            _end("values of many", text('CHAIN.values_list("{one}", "notes__points")', one=words.metrics)),
        ),
        (
            3,
            _end(
                "distinct values",
                text(
                    "CHAIN{order}.values_list({columns}).distinct(){more}",
                    order=["", ".order_by()"],
                    columns=columns,
                    more=["", "", ".count()"],
                ),
            ),
        ),
    ]


@cache
def _groups(words: Vocabulary) -> Kinds:
    aggregate = any_aggregates(words)
    name = choice(*words.metrics, *words.metrics, "who", "grp", "grp__name", "flagged", "LAST")
    keys = choice((2, text('"{one}"', one=name)), text('"{one}", "{other}"', one=name, other=name))
    grouped = text(
        "CHAIN{order}.values({keys}).annotate(n={aggregate}{more})",
        order=choice((2, ".order_by()"), ""),
        keys=keys,
        aggregate=aggregate,
        more=choice((3, ""), text(", m={aggregate}", aggregate=aggregate)),
    )

    def in_order(random: Random) -> str:
        drawn = keys(random)
        return f"CHAIN.values({drawn}).annotate(n={aggregate(random)}).order_by({drawn})"

    return [
        (3, _end("group", grouped)),
        (
            2,
            _end(
                "group",
                text(
                    "{grouped}.{way}(n{lookup}={n})",
                    grouped=grouped,
                    way=["filter", "exclude"],
                    lookup=LOOKUPS,
                    n=numbers,
                ),
            ),
        ),
        (3, _end("group in order", in_order, is_ordered=True)),
        (
            1,
            _end(
                "aggregate of groups",
                text(
                    "CHAIN.order_by().values({keys}).annotate(n={aggregate})"
                    '.aggregate(m=Max("n"), k=Count("n"))',
                    keys=keys,
                    aggregate=aggregates(words),
                ),
            ),
        ),
        (6, _end("aggregate", text("CHAIN.aggregate(n={one})", one=aggregate))),
        (2, _end("aggregate", text("CHAIN.aggregate(n={one}, m={other})", one=aggregate, other=aggregate))),
        (
            1,
            _end(
                "aggregate",
                choice(
                    'CHAIN.aggregate(Max("rank"))',
                    text('CHAIN.aggregate(n=Sum("LAST"), m={one})', one=aggregate),
                ),
            ),
        ),
    ]


@cache
def _slices(words: Vocabulary) -> Kinds:
    part = choice(
        text("[:{n}]", n=SIZES),
        text("[{n}:]", n=SIZES),
        text("[{n}:6]", n=SIZES),
    )
    sliced = choice(
        (2, text("list(CHAIN{part})", part=part)),
        text("CHAIN[{n}]", n="01"),
        text("CHAIN[0:7:{n}]", n=SIZES),
        text("CHAIN{part}.values_list({columns})", part=part, columns=_columns(words)),
        text("CHAIN{part}.{way}()", part=part, way=["count", "exists", "first"]),
        "CHAIN[:1].count()",
        (2, text("CHAIN{part}.aggregate(n={one})", part=part, one=any_aggregates(words))),
    )
    ends = choice(
        (2, text("CHAIN.{way}()", way=["first", "last"])),
        "CHAIN.reverse().first()",
        'CHAIN.values_list("pk", flat=True).last()',
        text(
            'CHAIN.{way}("{sign}{metric}", "pk")',
            way=["earliest", "latest"],
            sign=["", "-"],
            metric=words.metrics,
        ),
    )
    distinct = text(
        'CHAIN.order_by("grp", {order}).distinct("grp"){more}', order=total(words), more=["", ".count()"]
    )
    return [
        (5, _in_order("slice", sliced, words)),
        (5, _in_order("pages", text("pages(CHAIN, {n})", n=SIZES), words)),
        (3, _in_order("first and last", ends, words)),
        (1, _in_order("distinct on", distinct, words)),
    ]


@cache
def _tops(words: Vocabulary) -> Kinds:
    places = text("{n}{ties}", n="3124", ties=["", "", ", ties=True"])
    more = choice(
        (4, ""),
        text(".{way}()", way=["count", "exists", "first"]),
        text(".values_list({columns})", columns=_columns(words)),
        text(".aggregate(n={one})", one=any_aggregates(words)),
    )
    filtered = text(".filter(Q({inner}))", inner=single_leaves(words))
    return [
        (5, _on_board("top", text("CHAIN.top({places}){more}", places=places, more=more))),
        (
            1,
            _on_board(
                "pk in top",
                text('M.filter(pk__in=CHAIN.top({places}).values("pk")).order_by("pk")', places=places),
            ),
        ),
        (
            4,
            _end(
                "top of each board",
                text("CHAIN.top_of_each({n}){more}", n=SIZES, more=choice((2, more), filtered)),
                is_ordered=True,
            ),
        ),
        (
            1,
            _end(
                "top of each group",
                text(
                    'P.annotate(n=Subquery(PINNED.top({n}).values("{column}")[:1])).values_list("name", "n")',
                    n=SIZES,
                    column=["score", *words.of("rank")],
                ),
            ),
        ),
    ]


@cache
def _runs(words: Vocabulary) -> Kinds:
    part = choice(text("[:{n}]", n=SIZES), text("[{n}:4]", n="12"))
    filtered = text(".filter({leaf})", leaf=leaves(words))
    more = choice(
        (3, ""),
        filtered,
        ".reverse()",
        part,
        text(".reverse(){part}", part=part),
        text("{filtered}{part}", filtered=filtered, part=part),
        (
            5,
            text(
                "{view}.{way}()",
                view=choice((2, ""), filtered),
                way=["count", "count", "exists", "exists", "first", "last"],
            ),
        ),
        text(".values_list({columns})", columns=_columns(words)),
        text(".aggregate(n={one})", one=any_aggregates(words)),
    )
    entries = choice((5, text("placed_entry(CHAIN.ranked(), {n})", n="0123")), text("entry({n})", n="0123"))
    return [
        (5, _on_board("ranked", text("CHAIN.ranked(){more}", more=more))),
        (1, _on_board("ranked", text("pages(CHAIN.ranked(), {n})", n=SIZES))),
        (1, _on_board("pk in ranked", choice('M.filter(pk__in=CHAIN.ranked()).order_by("pk")'))),
        (
            1,
            _end(
                "ranked of each group",
                text(
                    "P.{way}(Exists(PINNED.ranked())).annotate(n=Subquery(PINNED.ranked().reverse()"
                    '.values("{column}")[:1])).values_list("name", "n")',
                    way=["filter", "exclude"],
                    column=["score", *words.of("rank")],
                ),
            ),
        ),
        (
            5,
            _on_board(
                "page",
                text(
                    "CHAIN.page({n}{where}){more}",
                    n=SIZES,
                    where=choice(
                        "",
                        text(", at_rank={n}", n="1234"),
                        (2, text(", {way}={entry}", way=["after", "before"], entry=entries)),
                    ),
                    more=more,
                ),
            ),
        ),
        (
            5,
            _on_board(
                "around",
                text(
                    "CHAIN.around(pk={key}, before={before}, after={after}){more}",
                    key=choice((4, text("placed(CHAIN.ranked(), {n})", n="0123")), KEYS),
                    before="0123",
                    after="0123",
                    more=more,
                ),
            ),
        ),
    ]


@cache
def _combined(words: Vocabulary) -> Kinds:
    condition = conditions(words)
    # The metrics of R may be in another order than those of S.
    union = choice(
        text(
            "S.filter({one}).{way}(S.filter({other}))",
            one=condition,
            way=["union", "intersection", "difference"],
            other=condition,
        ),
        *(
            text(
                f"S.filter({{one}}).{columns}.{{way}}(R.filter({{other}}).{columns}{{all}})",
                one=condition,
                way=ways,
                other=condition,
                all=all_,
            )
            for columns in ['values_list("pk", "rank")', 'values_list("rank", "who")', 'values("rank")']
            for ways, all_ in [(["union"], ["", ", all=True"]), (["intersection", "difference"], [""])]
        ),
    )
    in_order = text(
        'S.filter({one}).values_list("rank", "pk").{way}(R.filter({other}).values_list("rank", "pk"))'
        ".order_by({order}){part}",
        one=condition,
        other=condition,
        way=["union", "intersection", "difference"],
        order=['"rank", "pk"', '"-rank", "pk"', 'F("rank").desc(), "-pk"'],
        part=["", "[:3]", "[1:4]", ".first()"],
    )
    return [
        (4, _end("union", text("{union}{more}", union=union, more=["", "", ".count()", ".exists()"]))),
        (1, _end("union in order", in_order, is_ordered=True)),
        (
            2,
            _end(
                "combine with entries",
                text(
                    '({one} {sign} {other}).values_list("pk", flat=True)',
                    one=choice("CHAIN", text("M.filter({leaf})", leaf=column_conditions)),
                    sign="|&^",
                    other=choice(
                        text("M.filter({leaf})", leaf=column_conditions),
                        text("S.filter({leaf})", leaf=leaves(words)),
                    ),
                ),
            ),
        ),
    ]


@cache
def _elsewhere(words: Vocabulary) -> Kinds:
    """Queries of other models, and of this one, that refer to the chain."""
    groups = choice(
        text(
            'P.{way}(Exists(CHAIN.filter({more}grp=OuterRef("pk")))).values_list("name")',
            way=["filter", "exclude"],
            more=choice("", text("Q({leaf}), ", leaf=leaves(words))),
        ),
        text(
            'P.annotate(n=Subquery(CHAIN.filter(grp=OuterRef("pk")).order_by({order}).values("{column}")[:1]))'
            '.values_list("name", "n")',
            order=total(words),
            column=[*words.metrics, "score"],
        ),
        text(
            'P.annotate(n=Subquery(CHAIN.order_by().filter(grp=OuterRef("pk")).values("grp")'
            '.annotate(n={one}).values("n"))).values_list("name", "n")',
            one=any_aggregates(words),
        ),
        text(
            'P.filter(Exists(CHAIN.filter(grp=OuterRef("pk"), {metric}{lookup}=OuterRef("level"))))'
            '.values_list("name")',
            metric=words.whole,
            lookup=LOOKUPS,
        ),
        'P.filter(pk__in=CHAIN.values("grp")).values_list("name")',
        'P.filter(ENTRIES__in=CHAIN).values_list("name")',
        'P.filter(ENTRIES__in=CHAIN.values("pk")).distinct().count()',
    )
    notes = choice(
        'N.filter(entry__in=CHAIN).values_list("points")',
        text(
            'N.annotate(n=Subquery(CHAIN.filter(notes=OuterRef("pk")).values("{metric}")[:1]))'
            '.values_list("points", "n")',
            metric=words.metrics,
        ),
        text(
            'N.filter(Exists(CHAIN.filter(notes=OuterRef("pk"), {metric}{lookup}=OuterRef("points"))))'
            '.values_list("points")',
            metric=words.whole,
            lookup=LOOKUPS,
        ),
    )
    entries = text(
        "M.{way}(pk__in=CHAIN{values}){more}",
        way=["filter", "filter", "exclude"],
        values=["", '.values("pk")'],
        more=["", ".count()", '.aggregate(n=Sum("score"))'],
    )
    in_a_slice = text('M.filter(pk__in=CHAIN[:{n}].values("pk")).order_by("pk")', n=SIZES)
    return [
        (4, _end("in a query of groups", groups)),
        (2, _end("in a query of notes", notes)),
        (2, _end("pk in", entries)),
        (1, _in_order("pk in a slice", in_a_slice, words)),
        (
            2,
            _end(
                "prefetch",
                choice(
                    "prefetched(CHAIN)",
                    'noted(CHAIN.prefetch_related("notes"))',
                    'grouped(CHAIN.select_related("grp"))',
                ),
            ),
        ),
    ]


@cache
def ends(words: Vocabulary) -> Drawn[End]:
    explained = text(
        "explained(CHAIN{population}{options})",
        population=[
            "",
            "",
            '.as_population().standings("n_")',
            '.as_population().with_rank(prefix="n_").filter(n_rank=1)',
        ],
        options=["", ", analyze=True", ', format="json"', ', format="json", analyze=True'],
    )
    return weighted(
        (6, _end("rows", "CHAIN", None)),
        *_values(words),
        (3, _end("count", choice("CHAIN.count()", "CHAIN.exists()", "len(CHAIN)"))),
        (1, _end("contains", text("CHAIN.contains(entry({n}))", n="01234"))),
        (
            2,
            _end(
                "in_bulk",
                choice(text("CHAIN.in_bulk([{one}, {other}])", one=KEYS, other=KEYS), "CHAIN.in_bulk()"),
            ),
        ),
        (
            2,
            _end(
                "get",
                choice(text("CHAIN.get(pk={key})", key=KEYS), text("CHAIN.get({leaf})", leaf=leaves(words))),
            ),
        ),
        (1, _end("iterator", "list(CHAIN.iterator(chunk_size=2))", None)),
        (1, _end("pickle the rows", "pickled(CHAIN)", None)),
        (3, _end("explain", explained)),
        (2, _end("update", text("updated(CHAIN, {column}={n})", column=COLUMNS, n=numbers))),
        (2, _end("delete", "deleted(CHAIN)")),
        (2, _end("get_standing", "standings_of(CHAIN)")),
        *_groups(words),
        *_slices(words),
        *_tops(words),
        *_runs(words),
        *_combined(words),
        *_elsewhere(words),
    )

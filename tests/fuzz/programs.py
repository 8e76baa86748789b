"""Programs as they are drawn, and what is drawn for them: rows, querysets with standings, and a chain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from random import Random

from hypothesis import strategies as st

from tests.fuzz.boards import DECLARATIONS
from tests.fuzz.ends import End, ends
from tests.fuzz.grammar import Drawn, Vocabulary, choice, column_conditions, leaves, one_of, text
from tests.fuzz.steps import Step, steps

__all__ = ["Base", "Program", "Row", "drawn", "programs"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """An entry to be stored, and the points of its notes; ``seconds`` is what it took."""

    grp: str | None = "a"
    who: str | None = "a"
    score: int | None = 0
    laps: int = 0
    made: int | None = 0
    seconds: int | None = 0
    flagged: bool | None = False
    notes: tuple[int, ...] = ()

    def __repr__(self) -> str:
        values = ((field, getattr(self, field.name)) for field in fields(self))
        shown = [f"{field.name}={value!r}" for field, value in values if value != field.default]
        return f"Row({', '.join(shown)})"


@dataclass(frozen=True)
class Base:
    """How the querysets ``S`` and ``R`` with standings are made, and which they have."""

    text: str
    other: str
    words: Vocabulary
    # Which of the names of ``within`` are pinned.
    pinned: frozenset[str]
    # Whether a column that is derived is shown under two names.
    is_doubled: bool
    # Whether all metrics are shown, of the kinds that the board declares.
    is_whole: bool


@dataclass(frozen=True)
class Program:
    """What is run, on which rows; ``is_ordered`` tells whether the order of its results is determined."""

    rows: Sequence[Row]
    base: str
    other: str
    text: str
    is_ordered: bool
    operations: Sequence[str]

    def __repr__(self) -> str:
        lines = [f"rows = {list(self.rows)!r}", f"S = {self.base}"]
        if re.search(r"\bR\b", self.text):
            lines.append(f"R = {self.other}")
        return "\n".join([*lines, self.text])


def programs() -> st.SearchStrategy[Program]:
    """Return a strategy for programs."""
    # Pieces that are strategies of their own would be slower, and Hypothesis would try each program several
    # times, with one piece put in the place of another.
    return st.randoms(use_true_random=False).map(drawn)


def drawn(random: Random) -> Program:
    base = _base(random)
    draw_step, draw_end = steps(base.words), ends(base.words)
    chain = [draw_step(random) for _ in range(_few(random))]
    end = draw_end(random)
    if end.operation == "get_standing" and not base.is_whole:
        end = End("rows", "CHAIN", is_ordered=None)
    if end.operation in NARROWING and any(step.operation == "window" for step in chain):
        # It is refused, since the window would be of the entries shown only.
        end = End("rows", "CHAIN", is_ordered=None)
    return _assembled(_rows(random), base, chain, end)


NARROWING = ("top of each board", "around", "page")

_few = one_of(0, 0, 1, 1, 1, 2, 2, 2, 3, 4)
_many = one_of(0, 1, 2, *range(3, 15), *range(7, 15), *range(7, 15))
# The first of the values is what a row is shrunk to, which is also the default.
_grp = one_of("a", "a", "a", "b", "b", "c", None)
_who = one_of("a", "b", "a", "b", "c", "d", None)
_score = one_of(0, 1, 1, 2, 2, 2, 3, None)
_laps = one_of(0, 1, 2)
_made = one_of(0, 0, 1, 2, None)
_seconds = one_of(0, 0, 1, 1, 2, 3, None)
_flagged = one_of(False, False, False, False, False, False, True, None)
_notes: Drawn[tuple[int, ...]] = one_of((), (1,), (2,), (1, 1), (1, 2, 3))


def _rows(random: Random) -> list[Row]:
    return [
        Row(
            grp=_grp(random),
            who=_who(random),
            score=_score(random),
            laps=_laps(random),
            made=_made(random),
            seconds=_seconds(random),
            flagged=_flagged(random),
            notes=_notes(random),
        )
        for _ in range(_many(random))
    ]


METRICS = ("rank", "board_size", "percentile", "qualification")
# Ways to ask for metrics: the text, and others for the same metrics.
WAYS = {
    ".standings()": [
        ".standings()",
        '.with_rank("dense").standings()',
        ".with_percentile().with_qualification().standings()",
    ],
    '.with_rank("dense").standings()': [".standings()", '.standings().with_rank("ordinal").with_rank()'],
    ".with_rank()": [".with_rank()", '.with_rank("modified").with_rank()'],
    '.with_rank("ordinal").with_board_size()': ['.with_board_size().with_rank("ordinal")'],
    '.standings().with_rank("modified")': ['.with_rank("modified").standings().with_rank("modified")'],
    '.with_rank().with_percentile("mean")': [
        '.with_percentile("strict").with_percentile("mean").with_rank()'
    ],
}
_board = one_of(*DECLARATIONS)
_way = choice((3, ".standings()"), *WAYS)
_view = choice((3, ""), text(".filter({condition})", condition=column_conditions))
FRACTIONAL = '.with_rank("fractional", prefix="f_")'


def _base(random: Random) -> Base:
    board, way = _board(random), _way(random)
    metrics = _metrics(board, way)
    pinned: set[str] = set()
    start = "M"
    if random.randrange(10) == 9:
        start = 'G["a"].ENTRIES.all()'
        pinned.add("grp")
    view = _view(random)
    population = ".as_population()" if view and random.randrange(2) else ""
    pin, names = one_of(*_pins(board))(random)
    pinned.update(names)
    base = f'{start}.board("{board}"){view}{population}{way}{pin}'
    if random.randrange(2):
        base = f'{start}.board("{board}"){view}{pin}{population}{way}'
    other = f'M.board("{board}"){choice(*WAYS[way])(random)}'
    if random.randrange(10) == 9:
        base, other = f"{base}{FRACTIONAL}", f"{other}{FRACTIONAL}"
        metrics += ("f_rank",)
    among, current, is_doubled = "", board, False
    if random.randrange(10) >= 7:
        current = _board(random)
        among = choice((2, ""), text(".filter({leaf}).as_population()", leaf=leaves(Vocabulary(metrics))))(
            random
        )
        is_doubled = (current == board and not among) or "time_taken" in metrics
        more = f'{among}.board("{current}").standings("o_")'
        base, other = f"{base}{more}", f"{other}{more}"
        metrics += tuple(f"o_{metric}" for metric in _metrics(current, ".standings()"))
    # Two populations are never one, even where they are equal views.
    other = base if population or among else other
    within = tuple(DECLARATIONS[current].get("within", ()))
    is_whole = "o_rank" in metrics or way.endswith(".standings()")
    return Base(base, other, Vocabulary(metrics, within), frozenset(pinned), is_doubled, is_whole)


Pin = tuple[str, tuple[str, ...]]
NO_PINS: list[Pin] = [("", ())] * 3


def _pins(board: str) -> list[Pin]:
    """Return conditions that hold names of ``within`` to a value, as steps, with those names."""
    of_group: Pin = ('.filter(grp=G["a"])', ("grp",))
    match DECLARATIONS[board].get("within"):
        case ["grp"]:
            pins: list[Pin] = [
                ('.on_board(grp=G["a"])', ("grp",)),
                ('.filter(grp_id=G["a"].pk, laps__lte=1)', ("grp",)),
            ]
        case ["grp", "laps"]:
            pins = [('.on_board(grp=G["a"], laps=0)', ("grp", "laps")), (".filter(laps=1)", ("laps",))]
        case _:
            pins = [(".on_board()", ())]
    return [*NO_PINS, *pins, of_group]


def _metrics(board: str, way: str) -> tuple[str, ...]:
    if "standings" in way:
        return (*METRICS, "time_taken") if "time_taken" in DECLARATIONS[board] else METRICS
    return tuple(name for name in METRICS if f"with_{name}(" in way)


def _assembled(rows: list[Row], base: Base, chain: list[Step], end: End) -> Program:
    """Return the program of pieces that were drawn, each of which may need something of the others."""
    operations = [step.operation for step in chain]
    # Where nothing is annotated, the metric that every queryset has.
    queryset, last = "S", "rank"
    for position, step in enumerate(chain):
        if (base.is_doubled and step.operation == "window") or (
            "window" in operations and step.operation == "annotate a metric"
        ):
            # One column under two names, a condition on a window and an expression that is not selected, as
            # in an order or beside |, are an IndexError in Django.
            continue
        new = f"a{position}"
        piece = step.text.replace("LAST", last).replace("NEW", new)
        if step.operation == "combine" and "distinct" in operations[:position]:
            # Django combines distinct rows with distinct ones only.
            piece = f"{piece[:-1]}.distinct())"
        if step.operation in ("annotate", "annotate an aggregate", "window"):
            last = new
        queryset = piece.replace("CHAIN", queryset) if "CHAIN" in piece else f"{queryset}{piece}"

    is_total = _is_total(operations)
    if end.order and not is_total:
        queryset = f"{queryset}.order_by({end.order})"
    if end.is_pinned:
        # What holds one side of | to a value does not hold the other.
        pinned = frozenset() if "combine" in operations else base.pinned
        values = [OTHER_VALUES[name] for name in base.words.within if name not in pinned]
        queryset = f"{queryset}.filter({', '.join(values)})" if values else queryset
    whole = end.text.replace("CHAIN", queryset).replace("LAST", last)
    whole = whole.replace("PINNED", OF_GROUP[base.words.within])
    if JOINED.search(whole):
        # Where a column is compared so on one side of a negated ^, or of ^ between querysets, Django has an
        # inner join and loses rows. Where an annotation is compared it has an outer one, as it should.
        whole = whole.replace(" ^ ", " | ")
        if "window" in operations and "combine" in operations:
            # The same beside |, where the rows that are lost are missing from the window.
            whole = JOINED.sub('F("laps")', whole)
    is_ordered = is_total if end.is_ordered is None else end.is_ordered
    return Program(rows, base.text, base.other, whole, is_ordered, (*operations, end.operation))


JOINED = re.compile(r'F\("(grp__level|notes__points)"\)')
OTHER_VALUES = {"grp": 'grp=G["a"]', "laps": "laps=0"}
OF_GROUP = {
    (): 'S.filter(grp=OuterRef("pk"))',
    ("grp",): 'S.on_board(grp=OuterRef("pk"))',
    ("grp", "laps"): 'S.on_board(grp=OuterRef("pk"), laps=0)',
}


def _is_total(operations: list[str]) -> bool:
    """Tell whether the rows of a chain have a total order."""
    orders = [name for name in operations if name.startswith("order_by")]
    if not orders:
        return False
    # An order that ends in a metric is made total by the primary key where the rows are those of the table.
    return orders[-1] == "order_by" or not {"distinct", "annotate an aggregate"} & {*operations}

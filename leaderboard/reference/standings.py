"""Standings by definition, in plain Python: the oracle that the SQL side is tested against.

Nothing here is shared with the SQL side, and clarity wins over speed. Values compare as PostgreSQL orders
them: NaN equals itself and lies above infinity, text goes by code point (collation C), numbers are exact
whatever their types.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cmp_to_key, partial
from typing import Any

from leaderboard.kinds import Counting, PercentileKind, Qualification, RankKind

__all__ = [
    "AllOf",
    "AnyOf",
    "AtLeast",
    "AtMost",
    "Entry",
    "Not",
    "PercentOf",
    "PercentileAtLeast",
    "Rule",
    "Specification",
    "Standing",
    "Tally",
    "TopCount",
    "TopPercent",
    "order",
    "standings",
    "time_taken",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row: its raw values, with None for NULL.

    ``key`` is the primary key, unique and orderable; ``terms`` are the values of the ordering terms,
    ``ties`` of what orders ties, ``board`` those of ``within``; ``counting`` is the value of the field that
    ``Counting.LATEST`` and ``Counting.FIRST`` go by; ``operands`` are what the rules of a cut-off look up by
    name.
    """

    key: Any
    terms: tuple[Any, ...]
    ties: tuple[Any, ...] = ()
    board: tuple[Any, ...] = ()
    member: Any = None
    eligible: bool | None = True
    counting: Any = None
    operands: Mapping[str, Any] = field(default_factory=dict)
    time_taken: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """What a board declares: a flag ``descending`` for each ordering term, and the kinds of metric.

    ``ties_descending`` has one for each of an entry's ``ties``. With ``member``, one entry of each member
    counts: the one that ``counting`` names. With ``null_is_a_board``, NULL is one value of a board. Raises
    ``ValueError`` where there is no ordering term.
    """

    descending: tuple[bool, ...]
    ties_descending: tuple[bool, ...] = ()
    null_is_a_board: bool = False
    member: bool = False
    counting: Counting = Counting.BEST
    rank_kind: RankKind = RankKind.COMPETITION
    percentile_kind: PercentileKind = PercentileKind.WEAK
    cut_off: Rule | None = None

    def __post_init__(self) -> None:
        if not self.descending:
            raise ValueError(f"descending must have a flag for each ordering term, not {self.descending!r}")


@dataclass(frozen=True, slots=True)
class Standing:
    """What is derived for one entry; ``rank`` and ``percentile`` (0 to 100) are None where it is unranked."""

    rank: int | Decimal | None
    board_size: int
    percentile: float | None
    time_taken: timedelta | None
    qualification: Qualification


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many entries of its board are better than, equal to (itself included) and worse than an entry.

    ``earlier`` of the equal ones have a lower primary key, and the better ones have ``levels`` different
    values among them.
    """

    better: int
    tied: int
    worse: int
    earlier: int
    levels: int

    @property
    def size(self) -> int:
        return self.better + self.tied + self.worse

    def rank(self, kind: RankKind) -> int | Decimal:
        """The rank from 1, by the methods of ``scipy.stats.rankdata``; FRACTIONAL is a Decimal."""
        first = self.better + 1
        last = self.better + self.tied
        ranks: dict[RankKind, int | Decimal] = {
            RankKind.COMPETITION: first,
            RankKind.MODIFIED: last,
            RankKind.DENSE: self.levels + 1,
            RankKind.ORDINAL: first + self.earlier,
            RankKind.FRACTIONAL: Decimal(first + last) / 2,
        }
        return ranks[kind]

    def percentile(self, kind: PercentileKind) -> Fraction:
        """The exact percentile from 0 to 100, higher being better.

        The first four are those of ``scipy.stats.percentileofscore``, and the last one is PostgreSQL's
        ``percent_rank()`` over a window that is ordered worst first.
        """
        if kind == PercentileKind.PERCENT_RANK:
            return Fraction(100 * self.worse, self.size - 1) if self.size > 1 else Fraction(0)
        strict = Fraction(100 * self.worse, self.size)
        weak = Fraction(100 * (self.worse + self.tied), self.size)
        percentiles = {
            PercentileKind.STRICT: strict,
            PercentileKind.WEAK: weak,
            PercentileKind.MEAN: (strict + weak) / 2,
            PercentileKind.SCIPY_RANK: Fraction(50 * (2 * self.worse + self.tied + 1), self.size),
        }
        return percentiles[kind]


class Rule(ABC):
    """A cut-off. A string among the arguments of a rule names an operand of the entry.

    Any other argument is the value itself. An operand that is None makes the decision None, which is
    unknown; a name that the entry has no operand of raises ``KeyError``.
    """

    __slots__ = ()

    @abstractmethod
    def decide(self, entry: Entry, tally: Tally) -> bool | None:
        """Whether a ranked entry passes, or None where that is unknown."""


@dataclass(frozen=True, slots=True)
class AtLeast(Rule):
    """value >= threshold"""

    value: object
    threshold: object

    def decide(self, entry: Entry, tally: Tally) -> bool | None:
        return _at_least(_operand(entry, self.value), _operand(entry, self.threshold))


@dataclass(frozen=True, slots=True)
class AtMost(Rule):
    """value <= threshold"""

    value: object
    threshold: object

    def decide(self, entry: Entry, tally: Tally) -> bool | None:
        return _at_least(_operand(entry, self.threshold), _operand(entry, self.value))


@dataclass(frozen=True, slots=True)
class PercentOf(Rule):
    """100·value >= percent·maximum; value and maximum may be durations, else ``TypeError`` if one is"""

    value: object
    maximum: object
    percent: object

    def decide(self, entry: Entry, tally: Tally) -> bool | None:
        value, maximum = _operand(entry, self.value), _operand(entry, self.maximum)
        if None not in (value, maximum) and isinstance(value, timedelta) != isinstance(maximum, timedelta):
            raise TypeError(f"value and maximum must both be durations or neither: {value!r}, {maximum!r}")
        return _at_least(_product(100, value), _product(_operand(entry, self.percent), maximum))


@dataclass(frozen=True, slots=True)
class TopCount(Rule):
    """rank of ``kind`` <= count"""

    count: object
    kind: RankKind = RankKind.COMPETITION

    def decide(self, entry: Entry, tally: Tally) -> bool | None:
        return _at_least(_operand(entry, self.count), tally.rank(self.kind))


@dataclass(frozen=True, slots=True)
class TopPercent(Rule):
    """100·rank of ``kind`` <= percent·board size"""

    percent: object
    kind: RankKind = RankKind.COMPETITION

    def decide(self, entry: Entry, tally: Tally) -> bool | None:
        allowed = _product(_operand(entry, self.percent), tally.size)
        return _at_least(allowed, 100 * tally.rank(self.kind))


@dataclass(frozen=True, slots=True)
class PercentileAtLeast(Rule):
    """percentile of ``kind`` >= percent, whatever kind of percentile the board displays"""

    percent: object
    kind: PercentileKind = PercentileKind.WEAK

    def decide(self, entry: Entry, tally: Tally) -> bool | None:
        return _at_least(tally.percentile(self.kind), _number(_operand(entry, self.percent)))


@dataclass(frozen=True, slots=True)
class AllOf(Rule):
    """AND in SQL's three-valued logic: one False makes it False, else one None makes it None."""

    rules: Sequence[Rule]

    def decide(self, entry: Entry, tally: Tally) -> bool | None:
        decisions = [rule.decide(entry, tally) for rule in self.rules]
        if False in decisions:
            return False
        return None if None in decisions else True


@dataclass(frozen=True, slots=True)
class AnyOf(Rule):
    """OR in SQL's three-valued logic: one True makes it True, else one None makes it None."""

    rules: Sequence[Rule]

    def decide(self, entry: Entry, tally: Tally) -> bool | None:
        decisions = [rule.decide(entry, tally) for rule in self.rules]
        if True in decisions:
            return True
        return None if None in decisions else False


@dataclass(frozen=True, slots=True)
class Not(Rule):
    """NOT in SQL's three-valued logic: None remains None."""

    rule: Rule

    def decide(self, entry: Entry, tally: Tally) -> bool | None:
        decision = self.rule.decide(entry, tally)
        return None if decision is None else not decision


def standings(
    entries: Iterable[Entry], specification: Specification, *, population: Collection[Any] | None = None
) -> dict[Any, Standing]:
    """The standing of every entry by its key, in the order given, the unranked ones included.

    With ``population``, a collection of keys, only those entries are ranked, and members, ties,
    percentiles and cut-offs are decided among them alone. Raises as ``order`` does.
    """
    entries = list(entries)
    boards: dict[Any, list[Entry]] = {}
    for entry in order(entries, specification, population=population):
        boards.setdefault(_places(entry.board), []).append(entry)
    tallies: dict[Any, Tally] = {}
    for board in boards.values():
        tallies |= _tallies(board, specification)

    result = {}
    for entry in entries:
        tally = tallies.get(entry.key)
        result[entry.key] = Standing(
            rank=None if tally is None else tally.rank(specification.rank_kind),
            board_size=len(boards.get(_places(entry.board), [])),
            percentile=None if tally is None else float(tally.percentile(specification.percentile_kind)),
            time_taken=entry.time_taken,
            qualification=_qualification(entry, specification, population, tally),
        )
    return result


def order(
    entries: Iterable[Entry], specification: Specification, *, population: Collection[Any] | None = None
) -> list[Entry]:
    """The ranked entries of all boards, best terms first, then by what orders ties, then by primary key.

    Raises ``ValueError`` where two entries share a key, or an entry has not one term for each flag of
    ``specification.descending``.
    """
    keys = set()
    candidates = []
    for entry in entries:
        if entry.key in keys:
            raise ValueError(f"entries must have unique keys, but {entry.key!r} occurs twice")
        if len(entry.terms) != len(specification.descending):
            raise ValueError(f"terms of entry {entry.key!r} must match descending, not {entry.terms!r}")
        keys.add(entry.key)
        if not _is_excluded(entry, specification, population) and not _has_null(entry.terms):
            candidates.append(entry)

    if specification.member:
        rivals: dict[Any, list[Entry]] = {}
        for entry in candidates:
            rivals.setdefault((_places(entry.board), _place(entry.member)), []).append(entry)
        candidates = [_counting_entry(group, specification) for group in rivals.values()]
    return _in_order(_by_ties(candidates, specification), specification)


def time_taken(
    start: date | time | None,
    finish: date | time | None,
    *,
    now: datetime | None = None,
    paused: timedelta | None = None,
    allowance: timedelta | None = None,
    penalty: timedelta | None = None,
) -> timedelta | None:
    """``finish - start`` less ``paused`` and ``allowance`` plus ``penalty``; None where one end is missing.

    With ``now``, an entry that is not finished runs up to it. A negative result is returned as it is.
    """
    end = now if finish is None else finish
    if start is None or end is None:
        return None
    taken: timedelta = _instant(end) - _instant(start)
    return taken - (paused or timedelta(0)) - (allowance or timedelta(0)) + (penalty or timedelta(0))


def _has_null(values: Iterable[Any]) -> bool:
    return any(value is None for value in values)


def _instant(value: Any) -> Any:
    if isinstance(value, time):
        return datetime.combine(date.min, value)
    # Python compares and subtracts two times of one zone by the clock on the wall, even across a change
    # of its offset; a timestamptz is a point in time.
    return value if getattr(value, "tzinfo", None) is None else value.astimezone(UTC)


def _place(value: Any) -> tuple[bool, Any]:
    """A key that sorts as PostgreSQL sorts the value: all NaNs are equal, and after everything else."""
    is_nan = value.is_nan() if isinstance(value, Decimal) else isinstance(value, float) and math.isnan(value)
    if is_nan:
        return (True, None)
    if isinstance(value, list):
        return (False, tuple(_place(item) for item in value))
    return (False, _instant(value) if isinstance(value, datetime) else value)


def _places(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(_place(value) for value in values)


def _compare(specification: Specification, one: Entry, other: Entry) -> int:
    """-1 where the terms of ``one`` are better, 1 where they are worse, 0 in a tie."""
    for left, right, descending in zip(
        _places(one.terms), _places(other.terms), specification.descending, strict=True
    ):
        if left != right:
            return -1 if (left > right) == descending else 1
    return 0


def _in_order(entries: Iterable[Entry], specification: Specification) -> list[Entry]:
    # A stable sort leaves equal entries in the order given.
    return sorted(entries, key=cmp_to_key(partial(_compare, specification)))


def _by_key(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: entry.key)


def _by_ties(entries: Iterable[Entry], specification: Specification) -> list[Entry]:
    """By the values of ``ties``, NULL last in each, then by key."""
    result = _by_key(entries)
    # From the last to the first, each sort being stable.
    for position, descending in reversed(list(enumerate(specification.ties_descending))):
        known = [entry for entry in result if entry.ties[position] is not None]
        unknown = [entry for entry in result if entry.ties[position] is None]
        groups: dict[Any, list[Entry]] = {}
        for entry in known:
            groups.setdefault(_place(entry.ties[position]), []).append(entry)
        ordered = sorted(groups, reverse=descending)
        result = [entry for place in ordered for entry in groups[place]] + unknown
    return result


def _counting_entry(rivals: list[Entry], specification: Specification) -> Entry:
    """The entry that counts of those of one member on one board."""
    if specification.counting == Counting.BEST:
        return _in_order(_by_key(rivals), specification)[0]
    known = [_place(entry.counting) for entry in rivals if entry.counting is not None]
    if known:
        wanted = max(known) if specification.counting == Counting.LATEST else min(known)
        rivals = [entry for entry in rivals if _place(entry.counting) == wanted]
    return min(rivals, key=lambda entry: entry.key)


def _tallies(board: list[Entry], specification: Specification) -> dict[Any, Tally]:
    """The tally of each entry of a board by its key; the entries are in order."""
    ties: list[list[Entry]] = []
    for entry in board:
        if ties and _compare(specification, ties[-1][0], entry) == 0:
            ties[-1].append(entry)
        else:
            ties.append([entry])
    tallies = {}
    better = 0
    for level, tied in enumerate(ties):
        for earlier, entry in enumerate(tied):
            tallies[entry.key] = Tally(
                better=better,
                tied=len(tied),
                worse=len(board) - better - len(tied),
                earlier=earlier,
                levels=level,
            )
        better += len(tied)
    return tallies


def _is_excluded(entry: Entry, specification: Specification, population: Collection[Any] | None) -> bool:
    return (
        entry.eligible is not True
        or (_has_null(entry.board) and not specification.null_is_a_board)
        or (specification.member and entry.member is None)
        or (population is not None and entry.key not in population)
    )


def _qualification(
    entry: Entry, specification: Specification, population: Collection[Any] | None, tally: Tally | None
) -> Qualification:
    if _is_excluded(entry, specification, population):
        return Qualification.EXCLUDED
    if _has_null(entry.terms):
        return Qualification.PENDING
    if tally is None:
        return Qualification.SUPERSEDED
    decision = None if specification.cut_off is None else specification.cut_off.decide(entry, tally)
    if decision is None:
        return Qualification.NO_CUT_OFF
    return Qualification.QUALIFIED if decision else Qualification.NOT_QUALIFIED


def _operand(entry: Entry, argument: object) -> Any:
    return entry.operands[argument] if isinstance(argument, str) else argument


def _at_least(one: Any, other: Any) -> bool | None:
    return None if one is None or other is None else _place(one) >= _place(other)


def _number(value: Any) -> Fraction | float | None:
    """The exact number, a duration's in microseconds; a float only for NaN and the infinities."""
    if value is None:
        return None
    if isinstance(value, timedelta):
        return Fraction(value // timedelta(microseconds=1))
    if value in (math.inf, -math.inf) or _place(value) == _place(math.nan):
        return float(value)
    # PostgreSQL casts double precision to numeric with 15 significant digits.
    return Fraction(f"{value:.15g}") if isinstance(value, float) else Fraction(value)


def _product(one: Any, other: Any) -> Fraction | float | None:
    """The product in PostgreSQL's ``numeric``: exact, NaN times anything and infinity times 0 are NaN."""
    left, right = _number(one), _number(other)
    if left is None or right is None:
        return None
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return left * right
    return math.inf * _sign(left) * _sign(right)


def _sign(value: Fraction | float) -> int:
    # 0 for NaN, and infinity times 0 is NaN again.
    return (value > 0) - (value < 0)

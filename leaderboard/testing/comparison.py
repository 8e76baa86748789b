"""Comparison of what SQL derives with what the reference does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Value
from django.db.models.functions import Cast, Now

from leaderboard import reference
from leaderboard.declaration import cut_offs
from leaderboard.expressions.logic import is_true
from leaderboard.expressions.numbers import comparable
from leaderboard.expressions.terms import as_written
from leaderboard.expressions.times import TimeTaken
from leaderboard.orm.trees import described
from leaderboard.querysets.manager import LeaderboardQuerySet

__all__ = ["assert_matches_reference", "reference_standings"]

Operand = Callable[[Mapping[str, Any], datetime | None], Any]


def reference_standings(
    queryset: LeaderboardQuerySet,
    *,
    population: Collection[Any] | None = None,
    now: datetime | None = None,
) -> dict[Any, reference.Standing]:
    """Return the reference's standings of all entries of the model, by primary key.

    The raw terms and operands are read by a query without windows; times taken, ranks, members,
    percentiles and statuses are decided in Python. ``population`` holds primary keys, as of the view of
    ``as_population()``; up to ``now`` runs what is unfinished, where the board declares running times.
    Raises ``TypeError`` for another kind of queryset, and for instances in place of primary keys.
    """
    _require_rows(queryset)
    for key in population or ():
        if isinstance(key, models.Model):
            raise TypeError(
                f"population has {key!r}; give primary keys, as values_list('pk', flat=True) does."
            )
    board = queryset.leaderboard
    operands = Operands()
    eligible = operands.add(is_true(board.eligible) if board.eligible else Value(True))
    within = [operands.add(expression) for expression in board.within.values()]
    terms = [operands.add(as_written(term)) for term in board.terms]
    ties = [operands.add(as_written(tie)) for tie in board.ties_by]
    members = [operands.add(part) for part in board.member_parts]
    counting = operands.add(None if board.counting.field is None else F(board.counting.field))
    time_taken = operands.add(board.time_taken)
    rule_operands: list[Operand] = []
    rule = None if board.cut_off is None else _rule(board.cut_off, operands, rule_operands)

    model = queryset.model
    stored = set(model._base_manager.using(queryset.db).values_list("pk", flat=True))
    entries = [
        reference.Entry(
            key=row["pk"],
            terms=tuple(term(row, now) for term in terms),
            ties=tuple(tie(row, now) for tie in ties),
            board=tuple(part(row, now) for part in within),
            member=_member([part(row, now) for part in members]),
            eligible=eligible(row, now) if row["pk"] in stored else False,
            counting=counting(row, now),
            operands={str(name): operand(row, now) for name, operand in enumerate(rule_operands)},
            time_taken=time_taken(row, now),
        )
        for row in operands.read(models.QuerySet(model, using=queryset.db))
    ]
    specification = reference.Specification(
        descending=tuple(term.descending for term in board.terms),
        ties_descending=tuple(tie.descending for tie in board.ties_by),
        null_is_a_board=board.null_is_a_board,
        member=board.member is not None,
        counting=board.counting.kind,
        rank_kind=board.rank_kind,
        percentile_kind=board.percentile_kind,
        cut_off=rule,
    )
    return reference.standings(entries, specification, population=population)


def _member(parts: list[Any]) -> Any:
    """Return what tells a member, None where all parts of it are NULL."""
    if all(part is None for part in parts):
        return None
    return parts[0] if len(parts) == 1 else parts


def assert_matches_reference(queryset: LeaderboardQuerySet) -> None:
    """Assert that every row of ``queryset`` has the standing that the reference gives it.

    The queryset is any view of a model with a declared board, on that board or another one chosen by
    ``board()`` or ``with_leaderboard()``, and also after ``as_population()``. Its metrics are annotated
    here, under names that begin with ``checked_``. Raises ``AssertionError`` naming the first entry that
    differs, and ``TypeError`` for a queryset of another kind.
    """
    _require_rows(queryset)
    population = queryset._population
    if population is not None:
        rows = queryset.model._base_manager.using(queryset.db).filter(pk__in=population)
        population = set(rows.values_list("pk", flat=True))
    # The view comes first and brings its time along, since each statement has a time of its own.
    found = list(queryset.standings(prefix="checked_").annotate(checked_at=SecondsSinceEpoch(Now())))
    now = instant(found[0].checked_at) if found else None
    expected = reference_standings(queryset, population=population, now=now)
    for entry in found:
        standing = reference.Standing(
            rank=entry.checked_rank,
            board_size=entry.checked_board_size,
            percentile=entry.checked_percentile,
            time_taken=getattr(entry, "checked_time_taken", None),
            qualification=entry.checked_qualification,
        )
        if standing != expected[entry.pk]:
            raise AssertionError(
                f"{entry!r} (primary key {entry.pk!r}): SQL has {standing}, "
                f"the reference {expected[entry.pk]}."
            )


def _require_rows(queryset: object) -> None:
    if not isinstance(queryset, LeaderboardQuerySet) or not queryset._is_of_rows:
        raise TypeError(
            f"queryset={described(queryset)} must be a queryset of a LeaderboardManager, without values(), "
            "such as Attempt.objects.all()."
        )


class SecondsSinceEpoch(models.Func):
    """A time as an instant, whatever ``USE_TZ`` makes of it in Python."""

    template = "EXTRACT(EPOCH FROM (%(expressions)s)::timestamptz)"

    def __init__(self, expression: Any) -> None:
        super().__init__(expression, output_field=models.DecimalField(max_digits=30, decimal_places=6))


def instant(seconds: Decimal | None) -> datetime | None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return None if seconds is None else epoch + timedelta(microseconds=int(seconds * 10**6))


class Operands:
    """The columns that are read of every entry, and the values that are made of them in Python."""

    def __init__(self) -> None:
        self.columns: dict[str, Any] = {}

    def add(self, expression: Any) -> Operand:
        """Return a function from a row, and the time it was read at, to the value of ``expression``."""
        if expression is None or isinstance(expression, timedelta):
            return lambda row, now: expression
        if isinstance(expression, TimeTaken):
            return self._time_taken(expression)
        if isinstance(expression, Value) and isinstance(expression.output_field, models.DecimalField):
            expression = Cast(expression, models.DecimalField(max_digits=1000, decimal_places=100))
        name = f"_operand_{len(self.columns)}"
        self.columns[name] = expression
        return lambda row, now: row[name]

    def _time_taken(self, expression: TimeTaken) -> Operand:
        ends = (expression.start, expression.finish)
        # What runs is a timestamptz less a timestamp, which PostgreSQL takes to the zone of the session.
        as_instants = expression.running and not settings.USE_TZ
        start, finish = (self._instant(end) if as_instants else self.add(end) for end in ends)
        paused, allowance = self.add(expression.paused), self.add(expression.allowance)
        penalty = self.add(expression.penalty)
        return lambda row, now: reference.time_taken(
            start(row, now),
            finish(row, now),
            now=now if expression.running else None,
            paused=paused(row, now),
            allowance=allowance(row, now),
            penalty=penalty(row, now),
        )

    def _instant(self, expression: Any) -> Operand:
        seconds = self.add(SecondsSinceEpoch(expression))
        return lambda row, now: instant(seconds(row, now))

    def read(self, rows: models.QuerySet[Any]) -> Any:
        return rows.annotate(**self.columns).values("pk", *self.columns)


def _rule(rule: cut_offs.CutOff, operands: Operands, added: list[Operand]) -> reference.Rule:
    """Return the reference's form of a cut-off rule, having added its operands."""

    def name(expression: Any) -> str:
        added.append(operands.add(expression))
        return str(len(added) - 1)

    def other(value: Any, rule: Any) -> str:
        return name(comparable(value, rule.expression))

    parts = [_rule(part, operands, added) for part in rule.rules()]
    match rule:
        case cut_offs.AtLeast():
            return reference.AtLeast(name(rule.expression), other(rule.value, rule))
        case cut_offs.AtMost():
            return reference.AtMost(name(rule.expression), other(rule.value, rule))
        case cut_offs.PercentOf():
            return reference.PercentOf(name(rule.expression), other(rule.maximum, rule), name(rule.percent))
        case cut_offs.TopCount():
            return reference.TopCount(name(rule.count), rule.kind)
        case cut_offs.TopPercent():
            return reference.TopPercent(name(rule.percent), rule.kind)
        case cut_offs.PercentileAtLeast():
            return reference.PercentileAtLeast(name(rule.percent), rule.kind)
        case cut_offs.Not():
            return reference.Not(*parts)
        case cut_offs.AllOf():
            return reference.AllOf(parts)
        case cut_offs.AnyOf():
            return reference.AnyOf(parts)
    raise TypeError(f"{rule!r} has no counterpart in leaderboard.reference.")

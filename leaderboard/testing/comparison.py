"""Comparison of what SQL derives with what the reference does."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Case, F, Value, When
from django.db.models.functions import Cast

from leaderboard import cutoffs, reference
from leaderboard.board import Leaderboard
from leaderboard.expressions import Term, unshared
from leaderboard.query import LeaderboardQuerySet

__all__ = ["assert_matches_reference", "reference_standings"]


def reference_standings(
    queryset: LeaderboardQuerySet, *, population: set[Any] | None = None
) -> dict[Any, reference.Standing]:
    """Return the reference's standings of all entries of the model, by primary key.

    The raw terms and operands are read by a query without windows; ranks, members, percentiles and
    statuses are decided in Python. ``population`` is a set of primary keys, as for ``as_population()``.
    """
    board = queryset._declaration
    entries = _entries(queryset, board)
    specification = reference.Specification(
        descending=tuple(term.descending for term in board.terms),
        member=board.member is not None,
        counting=board.counting.kind,
        rank_kind=board.rank_kind,
        percentile_kind=board.percentile_kind,
        cut_off=_rule(board.cut_off, {}),
    )
    return reference.standings(entries, specification, population=population)


def assert_matches_reference(queryset: LeaderboardQuerySet) -> None:
    """Assert that every row of ``queryset`` has the standing that the reference gives it.

    The queryset is any view of a model with a declared board; its metrics are annotated here, under
    names that begin with ``checked_``. Raises ``AssertionError`` naming the first entry that differs.
    """
    expected = reference_standings(queryset)
    for entry in queryset.standings(prefix="checked_"):
        found = reference.Standing(
            rank=entry.checked_rank,
            board_size=entry.checked_board_size,
            percentile=entry.checked_percentile,
            time_taken=getattr(entry, "checked_time_taken", None),
            qualification=entry.checked_qualification,
        )
        if found != expected[entry.pk]:
            raise AssertionError(
                f"{entry!r} (primary key {entry.pk!r}): SQL has {found}, the reference {expected[entry.pk]}."
            )


def _entries(queryset: LeaderboardQuerySet, board: Leaderboard) -> list[reference.Entry]:
    operands: dict[str, Any] = {}
    _rule(board.cut_off, operands)
    columns: dict[str, Any] = {
        "_eligible": Case(
            When(board.eligible, then=Value(True)), default=Value(False), output_field=models.BooleanField()
        )
        if board.eligible
        else Value(True)
    }
    columns |= {f"_board_{name}": expression for name, expression in board.within.items()}
    columns |= {f"_term_{position}": term.expression for position, term in enumerate(board.terms)}
    columns |= operands
    if board.member is not None:
        columns["_member"] = F(board.member)
    if board.counting.field is not None:
        columns["_counting"] = Term(F(board.counting.field))
    if board.time_taken is not None:
        columns["_time_taken"] = board.time_taken
    columns = {name: unshared(expression) for name, expression in columns.items()}
    rows = queryset.model._base_manager.using(queryset.db).annotate(**columns).values("pk", *columns)
    return [
        reference.Entry(
            key=row["pk"],
            terms=tuple(row[f"_term_{position}"] for position in range(len(board.terms))),
            board=tuple(row[f"_board_{name}"] for name in board.within),
            member=row.get("_member"),
            eligible=row["_eligible"],
            counting=row.get("_counting"),
            operands={name: row[name] for name in operands},
            time_taken=row.get("_time_taken"),
        )
        for row in rows
    ]


def _rule(rule: cutoffs.CutOff | None, operands: dict[str, Any]) -> reference.Rule | None:
    """Return the reference's form of a cut-off rule, whose operands are added by name."""

    def name(expression: Any) -> str:
        key = f"_operand_{len(operands)}"
        if isinstance(expression, Value) and isinstance(expression.output_field, models.DecimalField):
            expression = Cast(expression, models.DecimalField(max_digits=1000, decimal_places=100))
        operands[key] = expression
        return key

    match rule:
        case None:
            return None
        case cutoffs.AtLeast():
            return reference.AtLeast(name(rule.expression), name(rule.value))
        case cutoffs.AtMost():
            return reference.AtMost(name(rule.expression), name(rule.value))
        case cutoffs.PercentOf():
            return reference.PercentOf(name(rule.expression), name(rule.maximum), name(rule.percent))
        case cutoffs.TopCount():
            return reference.TopCount(name(rule.count))
        case cutoffs.TopPercent():
            return reference.TopPercent(name(rule.percent))
        case cutoffs.PercentileAtLeast():
            return reference.PercentileAtLeast(name(rule.percent), rule.kind)
        case cutoffs.Not():
            return reference.Not(_known(rule.rules()[0], operands))
        case cutoffs.AllOf():
            return reference.AllOf(tuple(_known(part, operands) for part in rule.rules()))
        case cutoffs.AnyOf():
            return reference.AnyOf(tuple(_known(part, operands) for part in rule.rules()))
    raise TypeError(f"{rule!r} has no counterpart in leaderboard.reference.")


def _known(rule: cutoffs.CutOff, operands: dict[str, Any]) -> Any:
    return _rule(rule, operands)

"""System checks: whether the boards that a manager declares fit its model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import FieldError, ValidationError
from django.db import NotSupportedError, connections, models, router
from django.db.models import F, Model

from leaderboard.declaration.coverage import missing_indexes, otherwise_collated, table_of
from leaderboard.declaration.cut_offs import (
    AtLeast,
    AtMost,
    CutOff,
    PercentileAtLeast,
    PercentOf,
    TopCount,
    TopPercent,
)
from leaderboard.declaration.leaderboard import Leaderboard, boards_of
from leaderboard.expressions.arguments import reason_of
from leaderboard.expressions.fields import value_field
from leaderboard.expressions.terms import as_written
from leaderboard.expressions.times import TimeTaken
from leaderboard.orm.columns import may_be_null
from leaderboard.orm.models import ancestors, field_names
from leaderboard.orm.trees import (
    described,
    joined_many_rows,
    nodes_of,
    output_field_of,
    path_of,
    refers_outside,
    resolved_on_model,
)

__all__ = ["check_boards", "misfits"]

# DateTimeField is a DateField, so it goes first.
TYPES: tuple[tuple[Any, str], ...] = (
    (models.DateTimeField, "datetime"),
    (models.DateField, "date"),
    (models.TimeField, "time"),
    (models.DurationField, "duration"),
    (models.BooleanField, "boolean"),
    (models.UUIDField, "uuid"),
    ((models.IntegerField, models.FloatField, models.DecimalField), "number"),
    ((models.CharField, models.TextField), "text"),
)


class Part(NamedTuple):
    """One expression of a declaration, under the name of the argument that holds it."""

    board: str
    argument: str
    shown: Any
    expression: Any

    def __str__(self) -> str:
        shown = path_of(self.shown) if isinstance(self.shown, F) else self.shown
        return f"{_named(self.board)} has {self.argument}={described(shown)}"


def _named(board: str) -> str:
    """Return how a message begins; a board that no manager declares has no name."""
    return f"The board {board!r}" if board else "The board"


def check_boards(
    model: type[Model], boards: Mapping[str, Leaderboard], databases: Sequence[str] | None = None
) -> list[CheckMessage]:
    """Return what keeps ``boards`` from working on ``model``; empty where nothing does.

    What only a server knows is asked of ``databases``, by alias.
    """
    if not boards:
        return []
    messages = [
        *_check_database(model),
        *_check_annotation_names(model, boards),
        *_check_board_names(model, boards),
        *_check_inheritance(model, boards),
    ]
    for name, board in boards.items():
        # An index of what does not fit would be no help.
        messages += list(_check_board(model, name, board)) or [
            *_check_indexes(model, name, board),
            *_check_collation(model, name, board),
            *_check_nulls(model, name, board),
            *(message for alias in databases or () for message in _check_server(model, name, board, alias)),
        ]
    return messages


def misfits(model: type[Model], board: Leaderboard) -> Sequence[CheckMessage]:
    """Return why a board that no manager declares does not fit ``model``; empty where it does."""
    return board.prepared(("misfits", model), lambda: tuple(_check_board(model, "", board)))


def _check_board(model: type[Model], name: str, board: Leaderboard) -> Iterator[CheckMessage]:
    for part in _parts(name, board):
        yield from _check_expression(model, part)
        yield from _check_times(model, part)
    for rule in _rules(board.cut_off):
        yield from _check_comparison(model, name, rule)
        yield from _check_number(model, name, rule)


def _rules(rule: CutOff | None) -> Iterator[CutOff]:
    if rule is not None:
        yield rule
        for combined in rule.rules():
            yield from _rules(combined)


def _parts(name: str, board: Leaderboard) -> Iterator[Part]:
    for key, value in board.within.items():
        yield Part(name, f"within[{key!r}]", value, value)
    for position, term in enumerate(board.terms):
        yield Part(name, f"order_by[{position}]", as_written(term), term.expression)
    for position, tie in enumerate(board.ties_by):
        yield Part(name, f"ties_by[{position}]", as_written(tie), tie.expression)
    if board.eligible:
        yield Part(name, "eligible", board.eligible, board.eligible)
    if board.member is not None:
        for part in board.member_parts:
            yield Part(name, "member", board.member, part)
    if board.counting.field is not None:
        yield Part(name, "counting", board.counting, F(board.counting.field))
    if board.time_taken is not None:
        yield Part(name, "time_taken", board.time_taken, board.time_taken)
    for rule in _rules(board.cut_off):
        for value in vars(rule).values():
            if hasattr(value, "resolve_expression"):
                yield Part(name, "cut_off", rule, value)


def _type_of(model: type[Model], expression: Any) -> str | None:
    """Return the type of the expression's values; None where it cannot be told."""
    try:
        resolved, _ = resolved_on_model(expression, model)
        field = value_field(output_field_of(resolved))
    except (FieldError, NotSupportedError):
        return None
    return next((name for classes, name in TYPES if isinstance(field, classes)), None)


def _check_expression(model: type[Model], part: Part) -> Iterator[CheckMessage]:
    try:
        resolved, query = resolved_on_model(part.expression, model)
    except NotSupportedError:
        yield _set_of_rows(model, part)
    except (FieldError, TypeError, ValueError, ValidationError) as error:
        yield Error(
            f"{part}, which does not fit {model._meta.label}: {reason_of(error)}",
            hint=_way_out(error),
            obj=model,
            id="leaderboard.E001",
        )
    else:
        if resolved.contains_aggregate or resolved.contains_over_clause:
            yield _set_of_rows(model, part)
        yield from _check_type(model, part, resolved)
        if (joined := joined_many_rows(query)) is not None:
            yield _many_rows(model, part, joined.table)


def _way_out(error: Exception) -> str:
    if not isinstance(error, FieldError):
        return "Compare a field with values that it can hold."
    if "output_field" in str(error):
        return "Give the expression an output_field=, as in Coalesce('score', 0, output_field=FloatField())."
    return "Name fields of the model, or of models it points to, as in 'test__cut_off'."


def _check_type(model: type[Model], part: Part, resolved: Any) -> Iterator[CheckMessage]:
    try:
        outer = refers_outside(resolved)
        # The columns of the query need types; what is compared may have one that only PostgreSQL knows.
        if outer or (part.argument != "cut_off" and resolved.output_field is None):
            raise FieldError("it refers to an outer query" if outer else "it has no type")
        output_field_of(resolved)
    except FieldError as error:
        yield Error(
            f"{part}, whose values have no type in a query of {model._meta.label}: {error}",
            hint="Give the expression an output_field=; a Subquery() needs values() of one column, and "
            "OuterRef() belongs inside of it.",
            obj=model,
            id="leaderboard.E001",
        )


def _many_rows(model: type[Model], part: Part, table: str) -> Error:
    return Error(
        f"{part}, which follows a relation to many rows of {table!r}.",
        hint="Use Exists() or a Subquery() of one row, or keep the value on the model.",
        obj=model,
        id="leaderboard.E004",
    )


def _set_of_rows(model: type[Model], part: Part) -> Error:
    return Error(
        f"{part}, which holds an aggregate or a window function.",
        hint="A declaration is about one row; aggregate in a Subquery(), or keep the value on the model.",
        obj=model,
        id="leaderboard.E008",
    )


def _check_times(model: type[Model], part: Part) -> Iterator[CheckMessage]:
    for node in nodes_of(part.expression):
        if not isinstance(node, TimeTaken):
            continue
        types = {"start": _type_of(model, node.start), "finish": _type_of(model, node.finish)}
        allowed = {"datetime"} if node.running else {"datetime", "date", "time"}
        # What cannot be told is E001, or an expression that only PostgreSQL knows.
        if None not in types.values() and (len(set(types.values())) > 1 or types["start"] not in allowed):
            yield Error(
                f"{part}, whose start is a {types['start']} and whose finish is a {types['finish']}.",
                hint="Give TimeTaken two datetimes (with running=True always), two dates or two times.",
                obj=model,
                id="leaderboard.E006",
            )
        for argument, length in (("paused", node.paused), ("allowance", node.allowance)):
            if hasattr(length, "resolve_expression") and _type_of(model, length) not in (None, "duration"):
                yield Error(
                    f"{part}, whose {argument} is a {_type_of(model, length)}.",
                    hint="Subtract durations: a DurationField, or a timedelta.",
                    obj=model,
                    id="leaderboard.E006",
                )


def _check_number(model: type[Model], name: str, rule: CutOff) -> Iterator[CheckMessage]:
    match rule:
        case TopCount():
            argument, value = "count", rule.count
        case TopPercent() | PercentileAtLeast() | PercentOf():
            argument, value = "percent", rule.percent
        case _:
            return
    kind = _type_of(model, value)
    if kind not in (None, "number"):
        yield Error(
            f"{_named(name)} has cut_off={rule!r}, whose {argument} is a {kind}.",
            hint="Give a number, or a field that holds one.",
            obj=model,
            id="leaderboard.E007",
        )


def _check_comparison(model: type[Model], name: str, rule: CutOff) -> Iterator[CheckMessage]:
    match rule:
        case AtLeast() | AtMost():
            other = rule.value
        case PercentOf():
            other = rule.maximum
        case _:
            return
    types = [_type_of(model, rule.expression), _type_of(model, other)]
    # PostgreSQL compares a date with a timestamp.
    differ = None not in types and len({"date" if kind == "datetime" else kind for kind in types}) > 1
    if differ or (isinstance(rule, PercentOf) and not {*types} <= {None, "number", "duration"}):
        yield Error(
            f"{_named(name)} has cut_off={rule!r}, which compares a {types[0]} with a {types[1]}.",
            hint="Compare values of one type, as in AtLeast('score', 60); shares of numbers or durations.",
            obj=model,
            id="leaderboard.E007",
        )


def _check_database(model: type[Model]) -> Iterator[CheckMessage]:
    for alias in sorted({router.db_for_read(model), router.db_for_write(model)}):
        vendor = connections[alias].vendor
        if vendor == "postgresql":
            continue
        yield Error(
            f"{model._meta.label} declares boards, but its database {alias!r} is {vendor}.",
            hint="Leaderboards need PostgreSQL; route the model to a PostgreSQL database.",
            obj=model,
            id="leaderboard.E003",
        )


def _check_annotation_names(model: type[Model], boards: Mapping[str, Leaderboard]) -> Iterator[CheckMessage]:
    fields = field_names(model)
    names = ["rank", "board_size", "percentile", "qualification"]
    if any(board.time_taken is not None for board in boards.values()):
        names.append("time_taken")
    for name in names:
        if name in fields or hasattr(model, name):
            what = "field" if name in fields else "attribute"
            yield Warning(
                f"The annotation {name!r} of standings() clashes with the {what} of {model._meta.label}.",
                hint=f"Call standings(prefix='board_'), or rename the {what}.",
                obj=model,
                id="leaderboard.W002",
            )


def _check_board_names(model: type[Model], boards: Mapping[str, Leaderboard]) -> Iterator[CheckMessage]:
    known = boards_of(model)
    for name, board in boards.items():
        if known.get(name, board) != board:
            yield Error(
                f"Two managers of {model._meta.label} declare different boards named {name!r}.",
                hint="Give one of them another name; board() and related managers know boards by name only.",
                obj=model,
                id="leaderboard.E002",
            )


def _check_indexes(model: type[Model], name: str, board: Leaderboard) -> Iterator[CheckMessage]:
    for columns in missing_indexes(model, board):
        if (owner := table_of(model, columns)) is not None:
            shown = ", ".join(f"{'-' if descending else ''}{key}" for key, descending in columns)
            yield Warning(
                f"The board {name!r} of {model._meta.label} has no supporting index on ({shown}).",
                hint=f"Add the board's indexes('a_prefix') to Meta.indexes of {owner.__name__}, and make "
                "migrations.",
                obj=model,
                id="leaderboard.W001",
            )


def _check_collation(model: type[Model], name: str, board: Leaderboard) -> Iterator[CheckMessage]:
    for position, column in otherwise_collated(model, board):
        yield Warning(
            f"The board {name!r} of {model._meta.label} has order_by[{position}]={column!r}, "
            f"sorted in the collation {board.collation!r}, which an index on the column does not serve.",
            hint=f"Write Collate({column!r}, {board.collation!r}) in order_by, or give the field "
            f"db_collation={board.collation!r}.",
            obj=model,
            id="leaderboard.W003",
        )


def _check_nulls(model: type[Model], name: str, board: Leaderboard) -> Iterator[CheckMessage]:
    for key, part in board.within.items() if board.nulls_distinct is None else ():
        if may_be_null(resolved_on_model(part, model)[0]):
            shown = Part(name, f"within[{key!r}]", part, part)
            yield Warning(
                f"{shown}, which may be NULL: such entries of {model._meta.label} are EXCLUDED.",
                hint="Declare nulls_distinct=False to make NULL a board, or True if that is meant.",
                obj=model,
                id="leaderboard.W005",
            )


def _check_inheritance(model: type[Model], boards: Mapping[str, Leaderboard]) -> Iterator[CheckMessage]:
    for parent in ancestors(model):
        shared = [name for name, board in boards_of(parent).items() if boards.get(name) == board]
        if shared:
            yield Warning(
                f"{model._meta.label} inherits the board {shared[0]!r} of {parent._meta.label}, but ranks "
                "only entries of its own.",
                hint=f"Rank all by {parent.__name__}.objects; for boards of its own, declare a manager on "
                f"{model.__name__}.",
                obj=model,
                id="leaderboard.W006",
            )


def _check_server(model: type[Model], name: str, board: Leaderboard, alias: str) -> Iterator[CheckMessage]:
    connection = connections[alias]
    if connection.vendor != "postgresql" or not router.allow_migrate_model(alias, model):
        return
    nodes = [node for term in board.terms for node in nodes_of(term.expression)]
    # Every server has C.
    for collation in sorted({node.collation for node in nodes if hasattr(node, "collation")} - {"C"}):
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regcollation(%s) IS NULL", [connection.ops.quote_name(collation)])
            (unknown,) = cursor.fetchone()
        if unknown:
            # No error, since that would keep migrate from making it.
            yield Warning(
                f"The board {name!r} of {model._meta.label} is sorted in the collation {collation!r}, which "
                f"the database {alias!r} does not have.",
                hint="Name one of pg_collation, or create it in a migration by CreateCollation().",
                obj=model,
                id="leaderboard.W004",
            )

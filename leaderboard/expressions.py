"""SQL expressions for time taken, rank and percentile; they work with or without a declared board."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from django.db import models
from django.db.models import Case, Count, ExpressionWrapper, F, OrderBy, OuterRef, Q, Value, When, Window
from django.db.models.expressions import Combinable
from django.db.models.functions import (
    Cast,
    Coalesce,
    Collate,
    DenseRank,
    Greatest,
    Now,
    NullIf,
    Rank,
    RowNumber,
)
from django.db.models.functions.datetime import TruncBase
from django.db.models.lookups import IsNull
from django.utils.deconstruct import deconstructible
from django.utils.timezone import is_aware, make_naive

from leaderboard.kinds import PercentileKind, Qualification, RankKind

__all__ = [
    "PercentileWindow",
    "QualificationChoices",
    "QualificationField",
    "RankWindow",
    "TimeTaken",
]

# Output fields are shared: making one costs more than compiling the expression that it belongs to.
BIGINT = models.BigIntegerField()
BOOLEAN = models.BooleanField()
DURATION = models.DurationField()
FLOAT = models.FloatField()
NUMERIC = models.DecimalField(max_digits=1000, decimal_places=1)

KindT = TypeVar("KindT", bound=StrEnum)


def kind_of(enum: type[KindT], value: str, argument: str) -> KindT:
    """Return the member of ``enum`` that ``value`` names; raise ``ValueError`` naming the argument."""
    try:
        return enum(value)
    except ValueError:
        choices = ", ".join(repr(member.value) for member in enum)
        raise ValueError(f"{argument}={value!r} is not a {enum.__name__}; use one of {choices}.") from None


def operand(value: object, argument: str) -> Any:
    """Return ``value`` as an expression, a string naming a field; raise ``TypeError`` for anything else."""
    if isinstance(value, str) and value:
        return F(value)
    if isinstance(value, Combinable) and not isinstance(value, OrderBy | OuterRef):
        return value
    raise TypeError(f"{argument}={value!r} must be the name of a field or an expression.")


def ordering(order_by: object, argument: str = "order_by") -> tuple[OrderBy, ...]:
    """Return ordering terms as ``OrderBy`` expressions; a string may begin with ``-``.

    Raises ``TypeError`` or ``ValueError`` naming the argument where a term is not one.
    """
    terms = [order_by] if isinstance(order_by, str | Combinable | OrderBy) else order_by
    if not isinstance(terms, Sequence):
        raise TypeError(
            f"{argument}={order_by!r} must be an ordering term or a list of them, such as ['-score']."
        )
    if not terms:
        raise ValueError(f"{argument}={order_by!r} must name at least one ordering term, such as '-score'.")
    return tuple(_ordering_term(term, f"{argument}[{position}]") for position, term in enumerate(terms))


def _ordering_term(term: object, argument: str) -> OrderBy:
    if isinstance(term, OrderBy):
        if term.nulls_first or term.nulls_last:
            raise ValueError(
                f"{argument}={term!r} places NULLs, but an entry with a NULL term is not ranked; "
                "leave nulls_first and nulls_last out."
            )
        return term
    if isinstance(term, str):
        name = term.removeprefix("-")
        if name in ("", "?") or name.startswith("-"):
            raise ValueError(f"{argument}={term!r} is no ordering term; name a field, such as '-score'.")
        return OrderBy(F(name), descending=term.startswith("-"))
    return OrderBy(operand(term, argument))


def condition(value: object, argument: str) -> Q:
    """Return a condition as a ``Q``, empty for None; raise ``TypeError`` for anything else."""
    if value is not None and not getattr(value, "conditional", False):
        raise TypeError(f"{argument}={value!r} must be a condition, such as Q(disqualified=False).")
    return value if isinstance(value, Q) else Q() if value is None else Q(value)


def value_field(field: Any) -> Any:
    """Return the field whose values a column holds: that which a foreign key refers to, or is generated."""
    while isinstance(field, models.ForeignKey | models.GeneratedField):
        field = field.target_field if isinstance(field, models.ForeignKey) else field.output_field
    return field


def is_text(field: Any) -> bool:
    """Tell whether the values are texts, or arrays of them: what COLLATE applies to."""
    field = value_field(field)
    while hasattr(field, "base_field"):
        field = field.base_field
    return isinstance(field, models.CharField | models.TextField | models.FileField | models.FilePathField)


class Term(models.Func):
    """An ordering term; text gets an explicit collation, so that no server's locale decides a rank."""

    template = "%(expressions)s"
    arity = 1

    def __init__(self, expression: Any, collation: str = "C") -> None:
        super().__init__(expression)
        self.collation = collation

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        (resolved,) = super().resolve_expression(*args, **kwargs).get_source_expressions()
        field = getattr(resolved, "_output_field_or_none", None)
        if is_text(field) and not isinstance(resolved, Collate):
            return Collate(resolved, self.collation)
        # A literal number in ORDER BY would be the position of a column.
        return Cast(resolved, field) if isinstance(resolved, Value) and field is not None else resolved


def declared(term: OrderBy) -> Any:
    """Return what a board's ordering term is by, as it was written."""
    expression: Any = term.expression
    (source,) = expression.get_source_expressions()
    return source


@deconstructible(path="leaderboard.TimeTaken")
class TimeTaken(ExpressionWrapper):  # type: ignore[type-arg]  # generic for django-stubs only
    """The time from ``start`` to ``finish``, a ``timedelta``; NULL where either of them is NULL.

    ``running=True`` counts an unfinished entry up to the start of the present statement
    (PostgreSQL's ``STATEMENT_TIMESTAMP()``). ``paused`` and ``allowance`` are durations, as field names,
    expressions or ``timedelta`` values; they are subtracted, a NULL one as zero. A negative result is
    returned as it is. Raises ``TypeError`` for an argument of another type.
    """

    # Whether a board's querysets have annotated it, so that another board's may take its place.
    is_metric = False

    _constructor_args: tuple[Any, ...]

    def __init__(
        self,
        start: str | Combinable,
        finish: str | Combinable,
        *,
        running: bool = False,
        paused: str | Combinable | timedelta | None = None,
        allowance: str | Combinable | timedelta | None = None,
    ) -> None:
        if not isinstance(running, bool):
            raise TypeError(f"running={running!r} must be True or False.")
        self.start = operand(start, "start")
        self.finish = operand(finish, "finish")
        self.running = running
        self.paused = _length(paused, "paused")
        self.allowance = _length(allowance, "allowance")
        duration = _duration((Coalesce(self.finish, Now()) if running else self.finish) - self.start)
        for length in (self.paused, self.allowance):
            if isinstance(length, timedelta):
                duration = _duration(duration - Value(length, DURATION))
            elif length is not None:
                zero = Value(timedelta(0), DURATION)
                length = Coalesce(length, zero, output_field=DURATION)
                duration = _duration(duration - length)
        super().__init__(duration, output_field=DURATION)

    def __repr__(self) -> str:
        positional, named = self._constructor_args
        arguments = [*map(repr, positional), *(f"{name}={value!r}" for name, value in named.items())]
        return f"TimeTaken({', '.join(arguments)})"


def _length(value: object, argument: str) -> Any:
    return value if value is None or isinstance(value, timedelta) else operand(value, argument)


def _duration(expression: Any) -> ExpressionWrapper[Any]:
    return ExpressionWrapper(expression, output_field=DURATION)


def _whole(expression: Any) -> ExpressionWrapper[Any]:
    return ExpressionWrapper(expression, output_field=BIGINT)


class LocalTime(models.Func):
    """A time on the clock of some zone, as ``TruncMonth()`` and its like make it in SQL."""

    template = "(%(expressions)s)::timestamp"
    arity = 1


def local_time(value: Any, expression: Any) -> Any:
    """Return ``value`` as a time on the clock of ``expression``, a resolved one, if that truncates times.

    Django reads what PostgreSQL truncates as an instant, but does not write it back that way. A date is
    its first moment there, and a naive time is on that clock already. Texts are read as a form's are; an
    expression is left alone. Raises ``TypeError`` or ``ValidationError`` for what is no time.
    """
    truncates = isinstance(expression, TruncBase) and isinstance(
        expression.output_field, models.DateTimeField
    )
    if not truncates or hasattr(value, "resolve_expression"):
        return value
    if isinstance(value, str):
        value = expression.output_field.to_python(value)
    if not isinstance(value, date):
        raise TypeError("this is neither a time nor a date.")
    moment = value if isinstance(value, datetime) else datetime.combine(value, time.min)
    naive = make_naive(moment, expression.tzinfo) if is_aware(moment) else moment
    return LocalTime(Value(naive.isoformat(" ")), output_field=models.DateTimeField())


def is_running(expression: Any) -> bool:
    """Tell whether the value depends on the time of the statement."""
    return any(isinstance(node, Now) for node in expression.flatten())


class QualificationChoices(models.TextChoices):
    """The values of :class:`~leaderboard.kinds.Qualification` for forms, serializers and admin filters."""

    EXCLUDED = Qualification.EXCLUDED.value, Qualification.EXCLUDED.label
    PENDING = Qualification.PENDING.value, Qualification.PENDING.label
    SUPERSEDED = Qualification.SUPERSEDED.value, Qualification.SUPERSEDED.label
    NO_CUT_OFF = Qualification.NO_CUT_OFF.value, Qualification.NO_CUT_OFF.label
    QUALIFIED = Qualification.QUALIFIED.value, Qualification.QUALIFIED.label
    NOT_QUALIFIED = Qualification.NOT_QUALIFIED.value, Qualification.NOT_QUALIFIED.label


STATUSES = {status.value: status for status in Qualification}


class QualificationField(models.CharField):  # type: ignore[type-arg]  # generic for django-stubs only
    """A text column read back as a :class:`~leaderboard.kinds.Qualification`."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", 16)
        options.setdefault("choices", QualificationChoices.choices)
        super().__init__(**options)

    def from_db_value(self, value: Any, *_: object) -> Any:
        # An expression made of it, such as Upper(), has this field too.
        return STATUSES.get(value, value)


QUALIFICATION = QualificationField()


class Logic(models.Func):
    """Conditions joined in SQL's three-valued logic.

    ``Q`` is not used for this: its negation adds ``IS NOT NULL`` tests, which make an unknown false.
    """

    template = "(%(expressions)s)"

    def __init__(self, *conditions: Any, arg_joiner: str) -> None:
        super().__init__(*conditions, arg_joiner=arg_joiner, output_field=BOOLEAN)


class Negation(models.Func):
    """``NOT condition``, unknown where the condition is unknown."""

    template = "(NOT %(expressions)s)"
    arity = 1

    def __init__(self, condition: Any) -> None:
        super().__init__(condition, output_field=BOOLEAN)


class Product(models.Func):
    """A product as a ``numeric``, whatever exact numbers its factors are."""

    template = "(%(expressions)s)"
    arg_joiner = " * "

    def __init__(self, *factors: Any) -> None:
        super().__init__(*factors, output_field=NUMERIC)


def all_of(conditions: Sequence[Any]) -> Any:
    """Return the conjunction of one condition or more."""
    return conditions[0] if len(conditions) == 1 else Logic(*conditions, arg_joiner=" AND ")


def any_of(conditions: Sequence[Any]) -> Any:
    """Return the disjunction of one condition or more."""
    return conditions[0] if len(conditions) == 1 else Logic(*conditions, arg_joiner=" OR ")


def not_null(expression: Any) -> Any:
    return IsNull(expression, False)


def holds(condition: Any) -> Case:
    """Return whether ``condition`` is true, false also where it is unknown."""
    # Case, since a condition that Django knows to be empty or full compiles to no SQL on its own.
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BOOLEAN)


class Tally:
    """The whole numbers of which every rank and percentile is made, as window functions.

    ``ranked`` is a condition that splits off the rows that take no part; they get ranks of their own,
    which the caller must hide.
    """

    def __init__(
        self,
        order_by: Sequence[Any],
        *,
        partition_by: Sequence[Any] = (),
        ranked: Any = None,
        tie_break: Any = None,
    ) -> None:
        self.order_by = list(order_by)
        self.board = list(partition_by)
        self.ranked = ranked
        self.partition = self.board if ranked is None else [*self.board, ranked]
        self.tie_break = tie_break

    def _over(self, function: Any, *tie_break: Any) -> Window:
        return Window(
            function,
            partition_by=self.partition or None,
            order_by=[*self.order_by, *tie_break],
            output_field=BIGINT,
        )

    @property
    def competition(self) -> Any:
        """The rank of the first of the entries tied."""
        return self._over(Rank())

    @property
    def modified(self) -> Any:
        """The rank of the last of the entries tied."""
        # The default frame of an ordered window ends with the last peer of the current row.
        return self._over(Count("*"))

    @property
    def size(self) -> Any:
        """The number of entries ranked on the board."""
        counted = Count("*") if self.ranked is None else Count(Value(1), filter=self.ranked)
        return Window(counted, partition_by=self.board or None, output_field=BIGINT)

    def rank(self, kind: RankKind) -> Any:
        """Return the rank of ``kind``: a whole number, or a Decimal for ``FRACTIONAL``."""
        match kind:
            case RankKind.COMPETITION:
                return self.competition
            case RankKind.MODIFIED:
                return self.modified
            case RankKind.DENSE:
                return self._over(DenseRank())
            case RankKind.ORDINAL:
                return self._over(RowNumber(), self.tie_break)
            case RankKind.FRACTIONAL:
                return Product(_whole(self.competition + self.modified), Value(Decimal("0.5"), NUMERIC))

    def fraction(self, kind: PercentileKind) -> tuple[Any, Any]:
        """Return numerator and denominator of the percentile of ``kind``, whole numbers both.

        With ``worse`` = n - modified and ``tied`` = modified - competition + 1, these are the formulas
        of ``scipy.stats.percentileofscore``, and of PostgreSQL's ``percent_rank()`` turned round.
        """
        n = self.size
        match kind:
            case PercentileKind.STRICT:
                return _whole(100 * (n - self.modified)), n
            case PercentileKind.WEAK:
                return _whole(100 * (n - self.competition + 1)), n
            case PercentileKind.MEAN:
                return _whole(50 * (2 * n - self.modified - self.competition + 1)), n
            case PercentileKind.SCIPY_RANK:
                return _whole(50 * (2 * n - self.modified - self.competition + 2)), n
            case PercentileKind.PERCENT_RANK:
                # The only entry of a board has 0: nobody is worse.
                return _whole(100 * (n - self.modified)), Greatest(_whole(n - 1), Value(1))

    def percentile(self, kind: PercentileKind) -> Any:
        """Return the percentile of ``kind``, a float from 0 to 100 made by one division."""
        numerator, denominator = self.fraction(kind)
        # Rows that take no part are divided too before they are hidden; theirs may be an empty board.
        divisor = Cast(NullIf(denominator, Value(0)), FLOAT)
        return ExpressionWrapper(Cast(numerator, FLOAT) / divisor, output_field=FLOAT)


def rank_field(kind: RankKind) -> models.Field[Any, Any]:
    return NUMERIC if kind is RankKind.FRACTIONAL else BIGINT


class RankedRows:
    """The rows of a query that are ranked: eligible, and with no NULL term."""

    def __init__(self, order_by: object, partition_by: object, eligible: object) -> None:
        terms = [OrderBy(Term(term.expression), term.descending) for term in ordering(order_by)]
        boards = [partition_by] if isinstance(partition_by, str | Combinable) else partition_by
        if not isinstance(boards, Sequence):
            raise TypeError(f"partition_by={partition_by!r} must be a field name, an expression or a list.")
        present = [not_null(term.expression) for term in terms]
        required = condition(eligible, "eligible")
        self.complete = all_of(present)
        self.eligible = holds(required) if required else None
        self.condition = all_of([self.eligible, *present] if self.eligible else present)
        self.tally = Tally(
            terms,
            partition_by=[operand(board, "partition_by") for board in boards],
            ranked=self.condition,
            tie_break=F("pk"),
        )


class RankWindow(Case):
    """The rank of ``kind`` among the rows of the query that share ``partition_by``, best first.

    A row that is not ``eligible`` or has a NULL among the terms of ``order_by`` is not ranked: NULL.
    Ties of ``ORDINAL`` are broken by the primary key. Raises ``ValueError`` for an unknown kind or an
    empty ordering.
    """

    def __init__(
        self,
        kind: RankKind | str = RankKind.COMPETITION,
        *,
        order_by: object,
        partition_by: object = (),
        eligible: Q | Combinable | None = None,
    ) -> None:
        kind = kind_of(RankKind, kind, "kind")
        rows = RankedRows(order_by, partition_by, eligible)
        super().__init__(When(rows.condition, then=rows.tally.rank(kind)), output_field=rank_field(kind))


class PercentileWindow(Case):
    """The percentile of ``kind``, a float from 0 to 100, among the rows that share ``partition_by``.

    Terms are ordered best first, and a higher percentile is better. Rows that are not ranked, and what
    is raised, are as for :class:`RankWindow`.
    """

    def __init__(
        self,
        kind: PercentileKind | str = PercentileKind.WEAK,
        *,
        order_by: object,
        partition_by: object = (),
        eligible: Q | Combinable | None = None,
    ) -> None:
        kind = kind_of(PercentileKind, kind, "kind")
        rows = RankedRows(order_by, partition_by, eligible)
        percentile = When(rows.condition, then=rows.tally.percentile(kind))
        super().__init__(percentile, output_field=FLOAT)

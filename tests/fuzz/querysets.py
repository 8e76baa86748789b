"""The mirror's querysets: plain Django, but for NULL among metrics, and methods named like the library's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import F, OrderBy, Transform, Value
from django.db.models.expressions import Col
from django.db.models.lookups import Exact, IsNull
from django.db.models.sql import Query
from django.db.models.sql.where import AND, WhereNode

from leaderboard import Standing
from tests.fuzz.boards import DECLARATIONS, TERMS

__all__ = ["METRICS", "MirrorQuery", "MirrorQuerySet", "Need"]

# Of each, "o_rank" and so on are those of another board.
_NAMES = ("rank", "board_size", "percentile", "qualification", "time_taken")
METRICS = (*_NAMES, *(f"o_{name}" for name in _NAMES), "f_rank")


@dataclass(frozen=True, eq=False)
class Need:
    """What the column of a metric must hold: of which board, with which population, and of which kind."""

    metric: str
    board: str
    population: MirrorQuerySet | None
    kind: str | None = None
    is_shown: bool = True

    @property
    def kinds(self) -> dict[str, str]:
        """The kinds that are not those that the board declares."""
        return {} if self.kind is None else {f"{self.metric}_kind": self.kind}


class MirrorQuery(Query):
    """A query that has the library's rules for metrics, and what is made of them, where Django's are others.

    Rows without a metric sort last, an order that ends in a metric breaks ties, and ``exclude()`` keeps what
    is unknown.
    """

    def build_filter(self, filter_expr: Any, *args: Any, **kwargs: Any) -> Any:
        clause, joins = super().build_filter(filter_expr, *args, **kwargs)
        negated = kwargs.get("current_negated", args[1] if len(args) > 1 else False)
        if negated and isinstance(filter_expr, tuple) and isinstance(clause, WhereNode) and clause.children:
            condition: Any = clause.children[0]
            if not isinstance(condition, IsNull):
                # Django does it for a column, but not for an annotation.
                sides = (_referred(getattr(condition, side, None)) for side in ("lhs", "rhs"))
                for side in filter(self._is_derived, sides):
                    clause.add(IsNull(side, False), AND)
        return clause, joins

    def get_compiler(self, using: Any = None, connection: Any = None, elide_empty: bool = True) -> Any:
        query: Any = self.clone()
        query.order_by = tuple(self._with_nulls_last(term) for term in self.order_by)
        if self._breaks_ties():
            query.order_by = (*query.order_by, *_key_names(self.model))
        return super(MirrorQuery, query).get_compiler(using, connection, elide_empty)

    def _breaks_ties(self) -> bool:
        # Rows of a group or of a union have no primary key, and DISTINCT would tell rows apart by it.
        if not self.order_by or self.distinct or self.combinator or self.group_by is not None:
            return False
        return _name_of(self.order_by[-1]) in METRICS

    def _with_nulls_last(self, term: Any) -> Any:
        if isinstance(term, str):
            name = term.removeprefix("-")
            expression = F(name)
            if not (self._is_derived(self.annotations.get(name)) or name in METRICS):
                return term
            term = OrderBy(expression, descending=term != name)
        elif not isinstance(term, OrderBy):
            term = OrderBy(term)
        if term.nulls_first is None and term.nulls_last is None:
            resolved: Any = term.resolve_expression(self.clone())
            if self._is_derived(resolved):
                term = term.copy()
                term.nulls_last = True
        return term

    def _is_derived(self, expression: Any) -> bool:
        return any(column.target.name in METRICS for column in _columns(expression))


def _key_names(model: Any) -> list[str]:
    # Not "pk", of which Django takes one column only where a window is filtered by.
    return [field.attname for field in model._meta.pk_fields]


def _columns(expression: Any) -> Iterator[Any]:
    """Yield the columns of this query that an expression is made of."""
    if isinstance(expression, Col):
        yield expression
    elif isinstance(expression, Query):
        yield from expression.get_external_cols()
    elif isinstance(expression, WhereNode):
        for child in expression.children:
            yield from _columns(child)
    elif hasattr(expression, "get_source_expressions"):
        for source in expression.get_source_expressions():
            yield from _columns(source)


def _referred(side: Any) -> Any:
    while isinstance(side, Transform):
        (side, *_) = side.get_source_expressions()
    return side


def _name_of(term: Any) -> str | None:
    """Return the name of what a term is, where it is no more than that."""
    source = term.expression if isinstance(term, OrderBy) else term
    name = source.name if isinstance(source, F) else source  # type: ignore[attr-defined]
    return name.removeprefix("-") if isinstance(name, str) else None


class MirrorQuerySet(models.QuerySet[Any]):
    """What the library's methods come to where metrics are stored; it remembers what must be stored."""

    _board = next(iter(DECLARATIONS))
    _population: MirrorQuerySet | None = None
    _prefix = ""
    _needs: Mapping[str, Need] = MappingProxyType({})

    if TYPE_CHECKING:  # internals of QuerySet that django-stubs leaves out
        query: Any

        def _chain(self) -> Self: ...

    def __init__(self, model: Any = None, query: Any = None, using: Any = None, hints: Any = None) -> None:
        super().__init__(model, MirrorQuery(model) if query is None else query, using, hints)

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        for name in ("_board", "_population", "_prefix", "_needs"):
            setattr(clone, name, getattr(self, name))
        return clone

    def _copied(self, **attributes: Any) -> Self:
        clone = self._chain()
        for name, value in attributes.items():
            setattr(clone, name, value)
        return clone

    @property
    def needs(self) -> Mapping[str, Need]:
        return self._needs

    def board(self, name: str) -> Self:
        return self._copied(_board=name)

    def on_board(self, **within: Any) -> Self:
        return self.filter(**within)

    def as_population(self) -> Self:
        return self._copied(_population=self)

    def _with(self, metric: str, prefix: str, kind: str | None = None) -> Self:
        if prefix not in ("", "o_", "f_"):
            return self.annotate(**{f"{prefix}{metric}": F(metric)})
        needs = {**self._needs, f"{prefix}{metric}": Need(metric, self._board, self._population, kind)}
        if prefix == "f_":
            return self._copied(_needs=needs)
        # What ranked(), top() and around() go by.
        needs[f"{prefix}place"] = self._hidden("rank", "competition")
        if "time_taken" in DECLARATIONS[self._board]:
            needs.setdefault(f"{prefix}time_taken", self._hidden("time_taken"))
        return self._copied(_needs=needs, _prefix=prefix)

    def _hidden(self, metric: str, kind: str | None = None) -> Need:
        return Need(metric, self._board, self._population, kind, is_shown=False)

    def with_rank(self, kind: str | None = None, *, prefix: str = "") -> Self:
        return self._with("rank", prefix, kind)

    def with_percentile(self, kind: str | None = None, *, prefix: str = "") -> Self:
        return self._with("percentile", prefix, kind)

    def with_board_size(self, *, prefix: str = "") -> Self:
        return self._with("board_size", prefix)

    def with_qualification(self, *, prefix: str = "") -> Self:
        return self._with("qualification", prefix)

    def with_time_taken(self, *, prefix: str = "") -> Self:
        return self._with("time_taken", prefix)

    def standings(self, prefix: str = "") -> Self:
        queryset = self.with_rank(prefix=prefix).with_percentile(prefix=prefix).with_board_size(prefix=prefix)
        queryset = queryset.with_qualification(prefix=prefix)
        if "time_taken" in DECLARATIONS[self._board]:
            queryset = queryset.with_time_taken(prefix=prefix)
        return queryset

    def ranked(self) -> Self:
        terms = [term.format(prefix=self._prefix) for term in TERMS[self._board]]
        ranked = self.filter(**{f"{self._prefix}place__isnull": False}).order_by(
            *terms, *_key_names(self.model)
        )
        ranked.query.standard_ordering = True
        return ranked

    def top(self, n: int, *, ties: bool = False) -> Self:
        ranked = self.ranked()
        return ranked.filter(**{f"{self._prefix}place__lte": n}) if ties else ranked[:n]

    def around(self, *, pk: Any, before: int, after: int) -> Self:
        keys, place = self._places(pk)
        return self.ranked().filter(pk__in=keys[max(place - before, 0) : place + after + 1])

    def page(self, size: int, *, after: Any = None, before: Any = None, at_rank: int = 1) -> Self:
        entry = before if after is None else after
        keys, place = self._places(None if entry is None else entry.pk)
        first = at_rank - 1 if entry is None else place + 1 if after is not None else max(place - size, 0)
        shown = keys[first : place if before is not None else first + size]
        # For no keys Django sends no statement, and refuses nothing that it would have sent.
        return (
            self.ranked().filter(pk__in=shown) if shown else self.ranked().filter(Exact(Value(1), Value(2)))
        )

    def _places(self, pk: Any) -> tuple[list[Any], int]:
        # Of the rows of a join an entry may have several, which are one place. By the rows, as Django cuts a
        # composite key short among distinct values.
        keys = list(dict.fromkeys(entry.pk for entry in self.ranked()))
        if pk is not None and pk not in keys:
            raise self.model.DoesNotExist
        return keys, 0 if pk is None else keys.index(pk)

    def top_of_each(self, n: int) -> Self:
        names = DECLARATIONS[self._board].get("within", ())
        terms = [term.format(prefix=self._prefix) for term in TERMS[self._board]]
        keys = _key_names(self.model)
        ranked = self.filter(**{f"{self._prefix}place__isnull": False}).order_by(*terms, *keys)
        ranked.query.standard_ordering = True
        boards: dict[Any, list[Any]] = {}
        for row in ranked.values_list(*keys, *names):
            first = boards.setdefault(row[len(keys) :], [])
            key = row[: len(keys)] if len(keys) > 1 else row[0]
            if key not in first:
                first.append(key)
        shown = [key for first in boards.values() for key in first[:n]]
        found = self.filter(pk__in=shown).order_by(*names, *terms, *keys)
        found.query.standard_ordering = True
        return found

    def get_standing(self, entry: Any) -> Standing:
        row = self.model._base_manager.get(pk=entry.pk)
        return Standing(**{name: getattr(row, f"{self._prefix}{name}") for name in _NAMES})

"""SQL that is written once, with slots in the place of values, and sent with other values each time.

Making and compiling a query takes Django longer than PostgreSQL takes to find one entry. Only text is kept,
which threads can share:

    SELECT (id)::text, (score)::text FROM app_attempt WHERE <condition> LIMIT 1
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Self

from django.conf import settings
from django.db.models import BooleanField, Expression, Field, Model, Value
from django.db.models.expressions import BaseExpression
from django.db.models.lookups import Lookup
from django.db.models.sql import Query
from django.utils.functional import Promise
from django.utils.timezone import get_current_timezone

from leaderboard.orm.columns import DerivedColumn, DerivedTable
from leaderboard.orm.trees import is_fixed, is_known, output_field_of, parts_of, resolved
from leaderboard.orm.versions import maker_of

__all__ = [
    "Gap",
    "Slot",
    "Statement",
    "Written",
    "WrittenQuery",
    "WrittenRows",
    "circumstances",
    "compiles_alike",
]

# No SQL has it.
GAP = "\0"


@dataclass(frozen=True, slots=True)
class Slot:
    """A value that is given each time, by its position among them."""

    position: int


class Gap(Expression):
    """The place of a condition that is given each time."""

    conditional = True

    def __init__(self) -> None:
        super().__init__(output_field=BooleanField())

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return GAP, (GAP,)


@dataclass(frozen=True, slots=True)
class Written:
    """SQL, and its parameters, some of which are slots."""

    sql: str
    params: Sequence[Any]

    @classmethod
    def of(cls, query: Query, connection: Any) -> Self:
        """Return what a query is in SQL."""
        sql, params = query.get_compiler(connection=connection, elide_empty=False).as_sql()
        return cls(sql, tuple(params))

    def filled(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """Return the parameters with ``values`` in the slots."""
        return tuple(values[param.position] if type(param) is Slot else param for param in self.params)


@dataclass(frozen=True, slots=True)
class WrittenQuery:
    """What a derived table reads from, where its SQL is written: ``write`` returns it for a connection."""

    write: Callable[[Any], Written]
    values: Sequence[Any]
    database: Any = None

    def get_compiler(self, *, connection: Any, elide_empty: bool = True) -> WrittenQuery:
        return replace(self, database=connection)

    def as_sql(self) -> tuple[str, tuple[Any, ...]]:
        written = self.write(self.database)
        return written.sql, written.filled(self.values)

    def relabeled_clone(self, change_map: Mapping[Any, str]) -> WrittenQuery:
        # Nothing in it refers to a table outside.
        return self


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement whose results are tuples, with a gap for a condition where ``tail`` is not None."""

    head: Written
    tail: Written | None
    converters: Mapping[int, tuple[Sequence[Any], Any]]

    @classmethod
    def of(cls, query: Query, connection: Any) -> Self:
        """Return the statement of a query that selects values, and has a :class:`Gap` or none."""
        compiler = query.get_compiler(connection=connection, elide_empty=False)
        sql, params = compiler.as_sql()
        converters = compiler.get_converters([expression for expression, _, _ in compiler.select])
        if GAP not in sql:
            return cls(Written(sql, tuple(params)), None, converters)
        (head, tail), position = sql.split(GAP), params.index(GAP)
        return cls(
            Written(head, tuple(params[:position])), Written(tail, tuple(params[position + 1 :])), converters
        )

    def closed(self, condition: str, slots: int) -> Statement:
        """Return the statement with a condition in its gap that has so many slots, before any others."""
        tail: Any = self.tail
        params = (*self.head.params, *map(Slot, range(slots)), *tail.params)
        return replace(self, head=Written(f"{self.head.sql}{condition}{tail.sql}", params), tail=None)

    def first(
        self, connection: Any, values: Sequence[Any] = (), condition: tuple[str, Iterable[Any]] = ("", ())
    ) -> Sequence[Any] | None:
        """Return the first row; None where there is none."""
        return next(iter(self.rows(connection, values, condition)), None)

    def rows(
        self, connection: Any, values: Sequence[Any] = (), condition: tuple[str, Iterable[Any]] = ("", ())
    ) -> Sequence[Sequence[Any]]:
        """Return the rows."""
        sql, params = self.head.sql, self.head.filled(values)
        if self.tail is not None:
            sql = f"{sql}{condition[0]}{self.tail.sql}"
            params = (*params, *condition[1], *self.tail.filled(values))
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            rows: Sequence[Sequence[Any]] = cursor.fetchall()
        if not self.converters:
            return rows
        converted = [list(row) for row in rows]
        for position, (converters, expression) in self.converters.items():
            for row in converted:
                for convert in converters:
                    row[position] = convert(row[position], expression, connection)
        return converted


@dataclass(frozen=True, slots=True)
class WrittenRows:
    """A compiled query for instances, whose values are given each time.

    ``names`` are the attributes of their columns, which come first, ``annotated`` the positions of others.
    """

    compiler: Any
    statement: Statement
    names: Sequence[str]
    annotated: Mapping[str, int]

    @classmethod
    def of(cls, query: Query, connection: Any) -> Self:
        """Return the query, which has slots in the place of values, and no conditions."""
        compiler = query.get_compiler(connection=connection, elide_empty=False)
        sql, params = compiler.as_sql()
        selected = [expression for expression, _, _ in compiler.select]
        names = [selected[position].target.attname for position in compiler.klass_info["select_fields"]]
        converters = compiler.get_converters(selected)
        table = compiler.query.alias_map[compiler.query.base_table]
        if isinstance(table, DerivedTable):
            inside = table.query.get_compiler(connection=connection, elide_empty=False)
            own = inside.as_sql()
            handed_on = [alias or _source(each) for *each, alias in inside.select]
            if [*map(_source, compiler.select)] == handed_on and not any(map(_is_converted, selected)):
                # A level that hands on all columns of the one below costs some time to plan.
                sql, params = own
        # Threads share it, and a connection belongs to one.
        compiler.connection = compiler.using = None
        statement = Statement(Written(sql, tuple(params)), None, converters)
        return cls(compiler, statement, names, compiler.annotation_col_map)

    def instances(self, model: type[Model], connection: Any, values: Sequence[Any]) -> list[Any]:
        """Return the instances, as Django makes them of rows."""
        from_db = maker_of(model)
        found = []
        for row in self.statement.rows(connection, values):
            instance = from_db(connection.alias, self.names, row[: len(self.names)])
            for name, position in self.annotated.items():
                setattr(instance, name, row[position])
            found.append(instance)
        return found

    def compiler_for(self, query: Query, connection: Any, values: Sequence[Any]) -> Any:
        """Return a compiler of ``query``, which asks for the same, with its SQL as it is written."""
        compiler = copy(self.compiler)
        compiler.query, compiler.connection, compiler.using = query, connection, connection.alias
        written = self.statement.head
        sql, params = written.sql, written.filled(values)
        compiler.as_sql = lambda *args, **kwargs: (sql, params)
        return compiler


def _is_converted(column: Any) -> bool:
    """Tell whether a column that is selected is converted in SQL for reading, as geometries are."""
    return type(column.target).select_format is not Field.select_format


def _source(selected: Sequence[Any]) -> str:
    """Return the column that is selected, whatever it is called there."""
    expression = selected[0]
    return str(expression.name if isinstance(expression, DerivedColumn) else expression.target.column)


def circumstances(connection: Any) -> Hashable:
    """Return that by which one query may be different SQL at another moment."""
    return connection.alias, settings.USE_TZ, settings.TIME_ZONE, get_current_timezone()


def compiles_alike(model: type[Model], expressions: Iterable[Any]) -> bool:
    """Tell whether expressions and conditions on a model are the same SQL whenever they are compiled.

    An expression or a field of one's own may depend on the language, the tenant or whatever else is current.
    """
    query = Query(model)
    nodes = (resolved(expression, query) for expression in expressions)
    return all(is_fixed(node) and _is_alike(node) for node in nodes)


# The methods of an expression or a lookup that make SQL.
WRITERS = ("as_sql", "as_postgresql", "process_lhs", "process_rhs", "get_rhs_op", "get_db_prep_lookup")


def _is_alike(node: Any) -> bool:
    makers: list[Any] = []
    values: list[Any] = []
    field = None
    if isinstance(node, BaseExpression):
        makers += [getattr(type(node), name, None) for name in WRITERS]
    if isinstance(node, Value):
        field, values = output_field_of(node), [node.value]
    elif isinstance(node, Lookup):
        field, values = getattr(node.lhs, "output_field", None), [node.rhs]
    if isinstance(field, Field):
        makers.append(type(field).get_db_prep_value)
    if any(isinstance(value, Promise) for value in values):
        return False
    return all(maker is None or is_known(maker) for maker in makers) and all(map(_is_alike, parts_of(node)))

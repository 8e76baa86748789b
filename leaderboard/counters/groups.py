"""The counters of one model over one relation, which one set of triggers keeps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import models
from django.db.models import F, Model

from leaderboard.counters.aggregates import Kept
from leaderboard.counters.fields import CounterField
from leaderboard.counters.links import Link, link_of
from leaderboard.journal.table import JournalTable, Summand, journal_model, quoted, table_name
from leaderboard.orm.models import field_called
from leaderboard.orm.relations import nodes_in
from leaderboard.orm.texts import text_of
from leaderboard.orm.trees import path_of

__all__ = ["Counter", "CounterGroup", "camel_case", "group_fields", "journal_of"]


@dataclass(frozen=True, eq=False)
class Counter:
    """One counter, and the SQL of what a related row adds to it."""

    field: Any
    link: Link
    number: int

    @property
    def label(self) -> str:
        return str(self.field.label)

    @property
    def kept(self) -> Kept:
        kept: Kept = self.field.kept
        return kept

    @property
    def column(self) -> str:
        return quoted(self.field.column)

    @property
    def alias(self) -> str:
        """The name of its values in the SQL of triggers."""
        return f"_{self.number}"

    @property
    def in_journal(self) -> bool:
        return bool(self.field.in_journal)

    def fields_read(self) -> Iterator[Any]:
        """Yield the fields of related rows that its value and its filter are made of."""
        for node in nodes_in(self.kept.value, self.kept.filter):
            if isinstance(node, F):
                field = field_called(self.link.source, path_of(node).partition("__")[0])
                if field is not None:
                    yield field

    def counters_below(self) -> Iterator[Any]:
        """Yield the counters of related rows that it is made of, in a chain."""
        yield from (field for field in self.fields_read() if isinstance(field, CounterField))

    @property
    def may_be_infinite(self) -> bool:
        """Whether what is summed may be no finite number, which no later write takes away again."""
        return self.kept.function == "sum" and isinstance(self.field.target_field, models.DecimalField)

    def type(self, connection: Any) -> str:
        return str(self.field.db_type(connection))

    def value(self, connection: Any, alias: str | None = None) -> str:
        """Return what a row holds, for an extreme: NULL where the filter leaves it out."""
        value = text_of(self.link.source, self.kept.value, connection, alias=alias)
        condition = self._filter(connection, alias)
        return value if condition is None else f"CASE WHEN {condition} THEN {value} END"

    def selection(self, connection: Any) -> tuple[str, str | None]:
        """Return what a row holds, for an extreme, and the filter by which it counts, if there is one."""
        value = text_of(self.link.source, self.kept.value, connection)
        return value, self._filter(connection, None)

    def amount(self, connection: Any, alias: str | None = None) -> str:
        """Return what a row adds: 0 where the filter leaves it out, or its value is NULL."""
        conditions = [] if (condition := self._filter(connection, alias)) is None else [condition]
        if self.kept.function == "sum":
            amount = f"COALESCE({text_of(self.link.source, self.kept.value, connection, alias=alias)}, 0)"
        else:
            amount = "1"
            if not self.kept.counts_rows:
                value = text_of(self.link.source, self.kept.value, connection, alias=alias)
                conditions.append(f"{value} IS NOT NULL")
        return f"CASE WHEN {' AND '.join(conditions)} THEN {amount} ELSE 0 END" if conditions else amount

    def _filter(self, connection: Any, alias: str | None) -> str | None:
        if self.kept.filter is None:
            return None
        return f"({text_of(self.link.source, self.kept.filter, connection, alias=alias)})"


@dataclass(frozen=True, eq=False)
class CounterGroup:
    """All counters of ``link.target`` over ``link.relation``, and their side table."""

    link: Link
    counters: Sequence[Counter]
    averages: Sequence[Any]
    journal_model: type[Model]

    @cached_property
    def additive(self) -> Sequence[Counter]:
        return [counter for counter in self.counters if not counter.kept.is_extreme]

    @cached_property
    def extremes(self) -> Sequence[Counter]:
        return [counter for counter in self.counters if counter.kept.is_extreme]

    @property
    def fields(self) -> Sequence[Any]:
        """The fields of the target that the triggers write."""
        return [*(counter.field for counter in self.counters), *self.averages]

    @property
    def slug(self) -> str:
        return f"{self.link.target._meta.model_name}_{self.link.relation}"

    @property
    def source_table(self) -> str:
        return quoted(self.link.source._meta.db_table)

    @property
    def target_table(self) -> str:
        return quoted(self.link.target._meta.db_table)

    @property
    def target_key(self) -> str:
        return quoted(self.link.target_key.column)

    @property
    def key(self) -> str:
        return quoted(self.link.key.column)

    def belongs(self, alias: str = "") -> str:
        """Return the condition under which a row of the source belongs to any row of the target."""
        prefix = f"{alias}." if alias else ""
        condition = f"{prefix}{self.key} IS NOT NULL"
        if self.link.content_type is None or self.link.labels is None:
            return condition
        app_label, model = self.link.labels
        # Its key differs between databases.
        return (
            f"{condition} AND {prefix}{quoted(self.link.content_type.column)} = (SELECT t.id "
            f"FROM django_content_type t WHERE t.app_label = '{app_label}' AND t.model = '{model}')"
        )

    def fingerprint(self, counter: Counter, connection: Any) -> str:
        """Return what changes when the value of a counter comes to mean something else."""
        amount = counter.value if counter.kept.is_extreme else counter.amount
        meaning = [
            counter.kept.function,
            self.source_table,
            self.key,
            self.belongs(),
            amount(connection),
            self.target_table,
            self.target_key,
            counter.column,
            str(self.journal_model._meta.db_table),
        ]
        return hashlib.sha256("\n".join(meaning).encode()).hexdigest()[:32]

    def averages_set(self, changed: dict[str, str]) -> list[str]:
        """Return what an average becomes where ``changed`` gives the new SQL of columns, by field name."""
        parts = []
        for field in self.averages:
            total, count = (changed[name] for name in field.part_names)
            parts.append(f"{quoted(field.column)} = ({total})::numeric / NULLIF({count}, 0)")
        return parts

    def summand(self, counter: Counter, connection: Any) -> Summand:
        return Summand(summand_name(counter.field), counter.field.column, counter.type(connection))


def summand_name(field: Any) -> str:
    """Return the name that a counter has in the side table, whose own columns are id, key, reason and due."""
    return f"{field.name}_" if field.name in ("id", "key", "reason", "due") else str(field.name)


def group_fields(model: type[Model]) -> list[CounterGroup]:
    """Return the groups of the counters that a model itself has, and make the models of their side tables.

    Raises ``FieldDoesNotExist``, ``FieldError`` or ``ValueError`` where one cannot be kept.
    """
    fields = [field for field in model._meta.local_fields if isinstance(field, CounterField)]
    relations = dict.fromkeys(field.kept.relation for field in fields)
    return [
        _group(model, relation, [f for f in fields if f.kept.relation == relation]) for relation in relations
    ]


def _group(model: type[Model], relation: str, fields: Sequence[CounterField]) -> CounterGroup:
    link = link_of(model, relation)
    averages = [field for field in fields if field.kept.function == "avg"]
    kept = [field for field in fields if field.kept.function != "avg"]
    counters = [Counter(field, link, number) for number, field in enumerate(kept, 1)]
    summands = {summand_name(field): _summand_field(field) for field in kept if field.is_additive}
    name = f"{model.__name__}{camel_case(relation)}Journal"
    db_table = _side_table(model, relation)
    return CounterGroup(
        link, counters, averages, journal_model(name, model, link.target_key, db_table, summands)
    )


def camel_case(name: str) -> str:
    return "".join(part.title() for part in name.split("_"))


def _side_table(model: type[Model], relation: str) -> str:
    schema, dot, table = model._meta.db_table.rpartition('"."')
    return f"{schema}{dot}{table_name(table, relation, 'journal')}"


def _summand_field(field: CounterField) -> Any:
    column: Any = field.target_field.clone()
    column.default, column.db_default, column.null = 0, 0, False
    return column


def journal_of(
    group: CounterGroup, connection: Any, refresh: Any, assignments: Sequence[str]
) -> JournalTable:
    every = [c.field.storage.fold_every for c in group.counters if c.in_journal]
    return JournalTable(
        model=group.journal_model,
        target=group.link.target,
        target_key=group.link.target_key,
        summands=[group.summand(counter, connection) for counter in group.additive],
        fold_every=min(every, default=0),
        assignments=assignments,
        refresh=refresh,
    )

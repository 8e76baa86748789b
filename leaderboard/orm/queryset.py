"""Querysets whose rows come from a derived table: what such a table cannot do, and how it is done instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, cast

from django.core.exceptions import FieldError
from django.db import NotSupportedError, models
from django.db.models.query import ModelIterable

from leaderboard.orm.columns import DerivedColumn, DerivedRef
from leaderboard.orm.deferred import Deferred
from leaderboard.orm.models import key_names
from leaderboard.orm.query import NO_ROW_LOCKS, DerivedQuery
from leaderboard.orm.trees import joined_many_rows
from leaderboard.orm.versions import fetches_in_own_way

__all__ = ["DerivedQuerySet", "made_by_as_manager"]


class DerivedQuerySet(models.QuerySet[Any]):
    """A queryset that writes and combines rows by primary key where it has derived columns."""

    query: DerivedQuery
    _query_class = DerivedQuery

    # The names of attributes that copies of the queryset have too.
    _carried: tuple[str, ...] = ()

    if TYPE_CHECKING:  # internals of QuerySet that django-stubs leaves out
        _db: str | None
        _fields: Any
        _hints: Any
        _iterable_class: Any
        _known_related_objects: Any
        _prefetch_related_lookups: Any

        def _chain(self) -> Self: ...
        def _not_support_combined_queries(self, operation_name: str) -> None: ...

    def __init__(self, model: Any = None, query: Any = None, using: Any = None, hints: Any = None) -> None:
        super().__init__(model, self._query_class(model) if query is None else query, using, hints)

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        clone._carry_over(self)
        return clone

    def _rows_at_once(self) -> list[Any] | None:
        """Return the results, where there is a cheaper way to them than the query; otherwise None."""
        return None

    def _fetch_all(self) -> None:
        if self._result_cache is None and (rows := self._rows_at_once()) is not None:
            self._result_cache = rows
            # What read them has read what they refer to.
            self._prefetch_done = True
        super()._fetch_all()

    def _carry_over(self, other: Self) -> None:
        for name in self._carried:
            setattr(self, name, getattr(other, name))

    def _unfiltered(self) -> Self:
        """Return the queryset without its view."""
        queryset = type(self)(self.model, using=self._db, hints=self._hints)
        queryset._carry_over(self)
        return queryset

    def _copied(self, **attributes: Any) -> Self:
        """Return a copy in which some of the carried attributes have other values."""
        clone = self._chain()
        for name, value in attributes.items():
            setattr(clone, name, value)
        return clone

    def _refuse_combined(self, method: str) -> None:
        """Raise ``NotSupportedError`` after ``union()`` and its like."""
        self._not_support_combined_queries(method)

    def _refuse_row_locks(self) -> None:
        """Raise ``NotSupportedError`` after ``select_for_update()``."""
        if self.query.select_for_update:
            raise NotSupportedError(NO_ROW_LOCKS)

    def _refuse_slice(self, method: str) -> None:
        """Raise ``TypeError`` after a slice."""
        if self.query.is_sliced:
            raise TypeError(f"Cannot call {method}() once a slice has been taken.")

    @property
    def _has_slice(self) -> bool:
        return self.query.is_sliced

    @property
    def _has_database(self) -> bool:
        """Whether ``using()`` has named a database."""
        return self._db is not None

    @property
    def _has_many_rows(self) -> bool:
        """Whether a row of the model may be among the results several times."""
        return joined_many_rows(self.query) is not None

    @property
    def _is_of_rows(self) -> bool:
        """Whether the results are instances of the model: not after ``values()``."""
        return self._fields is None

    @property
    def _makes_bare_instances(self) -> bool:
        """Whether the results are instances that are given nothing but their columns and annotations."""
        return not (
            self._iterable_class is not ModelIterable
            or self._known_related_objects
            or self._prefetch_related_lookups
            or fetches_in_own_way(self)
        )

    @property
    def _has_distinct_fields(self) -> bool:
        return bool(self.query.distinct_fields)

    def has_annotation(self, name: str) -> bool:
        """Tell whether the entries have an annotation of that name, such as a metric."""
        return self._annotation(name) is not None

    def _annotation(self, name: str) -> Any:
        """Return the annotation of that name; None where there is none."""
        return self.query.annotations.get(name)

    @property
    def _shown_annotations(self) -> list[str]:
        return list(self.query.annotation_select)

    def _deferred(self, keys: Callable[[], models.QuerySet[Any]]) -> Any:
        """Return a query for primary keys that is made when it is needed, if they have one field."""
        return Deferred(keys, self._db) if len(key_names(self.model)) == 1 else keys()

    def _unsliced(self) -> Self:
        """Return a copy without its slice."""
        clone = self._chain()
        clone.query.clear_limits()
        return clone

    def _in_written_order(self) -> Self:
        """Return a copy whose order is not reversed: Django's ``order_by()`` does not undo ``reverse()``."""
        clone = self._chain()
        clone.query.standard_ordering = True
        return clone

    @property
    def order_terms(self) -> tuple[Any, ...]:
        """What was given to ``order_by()``, or the order that ``top()``, ``ranked()`` and pages have."""
        return tuple(self.query.order_by)

    def update(self, **kwargs: Any) -> int:
        """Update the rows of the view, and return their number; standings are computed first.

        Raises ``NotSupportedError`` where a value refers to a metric, and after ``union()``; ``TypeError``
        after a slice or ``distinct(*fields)``.
        """
        if not self.query.derived_columns:
            return super().update(**kwargs)
        self._not_support_combined_queries("update")
        if self.query.is_sliced:
            raise TypeError("Cannot update a query once a slice has been taken.")
        try:
            updated = self._stored().update(**kwargs)
        except FieldError as error:
            # The rows are updated by primary key, where the metrics have no columns.
            used = [name for name in self.query.annotations if repr(name) in str(error)]
            if not used:
                raise
            raise NotSupportedError(
                f"update() refers to {used[0]!r}, an annotation, where rows with standings are updated by "
                "primary key. Read it first, and write it with bulk_update(), or use a Subquery()."
            ) from error
        self._result_cache = None
        return updated

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the rows of the view, and return what Django does; standings are computed first.

        Raises ``NotSupportedError`` after ``union()``; ``TypeError`` after a slice, ``values()`` or
        ``distinct(*fields)``.
        """
        if not self.query.derived_columns:
            return super().delete()
        self._not_support_combined_queries("delete")
        if self.query.is_sliced:
            raise TypeError("Cannot use 'limit' or 'offset' with delete().")
        if self._fields is not None:
            raise TypeError("Cannot call delete() after .values() or .values_list()")
        deleted = self._stored().delete()
        self._result_cache = None
        return deleted

    delete.queryset_only = True  # type: ignore[attr-defined]

    def _stored(self) -> models.QuerySet[Any]:
        if self.query.distinct_fields:
            raise TypeError("Cannot update or delete after .distinct(*fields).")
        self._for_write = True
        return self._plain_rows().filter(pk__in=self.order_by().values(*key_names(self.model)))

    def _plain_rows(self) -> models.QuerySet[Any]:
        """Return all rows of the model, on the same database."""
        # Not by a manager, which may hide some.
        return models.QuerySet(self.model, using=self.db)

    def select_for_update(self, *args: Any, **kwargs: Any) -> Self:
        """As Django's; raises ``NotSupportedError`` where there are standings."""
        if self.query.derived_columns:
            raise NotSupportedError(NO_ROW_LOCKS)
        return super().select_for_update(*args, **kwargs)

    def update_or_create(self, *args: Any, **kwargs: Any) -> tuple[Any, bool]:
        """As Django's; raises ``NotSupportedError`` where there are standings."""
        if self.query.derived_columns:
            raise NotSupportedError(
                "update_or_create() locks the row, which cannot be done through standings. "
                "Call it on a queryset without them, such as Model.objects."
            )
        return super().update_or_create(*args, **kwargs)

    def extra(self, *args: Any, **kwargs: Any) -> Self:
        """As Django's; raises ``NotSupportedError`` where there are standings, but for ``select=``."""
        # Django's prefetch_related() of many-to-many relations calls extra(select=…).
        if self.query.derived_columns and (len(args) > 1 or kwargs.keys() - {"select"}):
            raise NotSupportedError("extra() does not work with standings; use annotate() with RawSQL.")
        return cast(Self, super().extra(*args, **kwargs))

    def __or__(self, other: Any) -> Self:
        return cast(Self, super(DerivedQuerySet, _combinable(self)).__or__(_combinable(other)))

    def __xor__(self, other: Any) -> Self:
        return cast(Self, super(DerivedQuerySet, _combinable(self)).__xor__(_combinable(other)))


def _combinable(queryset: Any) -> Any:
    """Return a queryset of the same rows that is not sliced where it has standings, so that it combines."""
    if (
        not isinstance(queryset, DerivedQuerySet)
        or queryset.query.can_filter()
        or not queryset.query.derived_columns
    ):
        return queryset
    whole = queryset._unfiltered()
    whole.query.derived_columns = queryset.query.derived_columns
    for name, annotation in queryset.query.annotation_select.items():
        if isinstance(annotation, DerivedColumn):
            reference = DerivedRef(annotation.name, annotation.output_field)
            whole.query.add_annotation(reference, name)
    return whole.filter(pk__in=queryset.values(*key_names(queryset.model)))


def made_by_as_manager(manager: Any) -> Any:
    """Return a manager, marked as Django marks one that ``QuerySet.as_manager()`` has made."""
    manager._built_with_as_manager = True
    return manager

"""The query behind a queryset whose rows carry standings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from django.db import NotSupportedError
from django.db.models import Model
from django.db.models.lookups import Exact, YearLookup
from django.db.models.sql import Query
from django.db.models.sql.where import AND

from leaderboard.board import Leaderboard
from leaderboard.derived import (
    DerivedColumn,
    DerivedQuery,
    DerivedRef,
    columns_of,
    conjuncts,
    is_lookup,
    is_opaque,
    moved,
    without,
)
from leaderboard.metrics import Metric, Ranking
from leaderboard.population import unique_name
from leaderboard.standings import StandingsTable, same_expression
from leaderboard.structure import resolved, same

__all__ = ["NO_ROW_LOCKS", "LeaderboardQuery"]


NO_ROW_LOCKS = (
    "select_for_update() cannot lock rows through standings. Lock them by primary key: "
    "Model.objects.select_for_update().filter(pk__in=…)."
)


def is_equality(condition: Any) -> bool:
    """Tell whether a condition is true of one value only, as far as PostgreSQL's ``=`` tells values apart."""
    # One of the years is a range.
    return is_lookup(condition, Exact) and not isinstance(condition, YearLookup)


class LeaderboardQuery(DerivedQuery):
    """A query whose rows may carry standings; ``metrics`` names the derived columns."""

    model: type[Model]
    # Shared by copies of the query: replaced, never changed. A mappingproxy could not be pickled.
    metrics: Mapping[str, Metric] = {}

    @property
    def has_derived_columns(self) -> bool:
        return bool(self.metrics)

    def add_metric(self, metric: Metric, name: str) -> str:
        """Return the derived column that holds ``metric``, a new one unless there is one already."""
        for column, existing in self.metrics.items():
            if existing == metric:
                return column
        taken = {field.column for field in self.get_meta().concrete_fields} | self.metrics.keys()
        column = unique_name(name, taken)
        self.metrics = {**self.metrics, column: metric}
        return column

    def reference(self, ranking: Ranking, name: str, kind: Any = None) -> DerivedRef:
        """Return a reference to a derived column that is not annotated."""
        metric = Metric(ranking, name, kind)
        suffix = "" if kind is None else f"_{kind}"
        return DerivedRef(self.add_metric(metric, f"_{name}{suffix}"), metric.output_field)

    def annotate_metric(self, metric: Metric, alias: str) -> None:
        """Annotate ``metric`` as ``alias``, in place of an annotation of that name."""
        column = self.add_metric(metric, alias)
        self.add_annotation(DerivedRef(column, metric.output_field), alias)

    def pins(self, board: Leaderboard) -> dict[str, Any]:
        """Return, for each name of ``within`` that the view holds to one value, the lookup that does."""
        probe = self.clone()
        lookups = [
            condition
            for condition in conjuncts(self.where)
            if is_equality(condition) and self._is_constant(condition.rhs)
        ]
        if not lookups:
            return {}
        pins = {}
        for name, expression in board.within.items():
            wanted = resolved(expression, probe)
            for lookup in lookups:
                if same(getattr(lookup, "held", None), expression) or same_expression(lookup.lhs, wanted):
                    pins[name] = lookup
                    break
        return pins

    def hold(self, expression: Any, lookup: Any) -> None:
        """Limit the view to where ``expression``, of some board's ``within``, has the value of ``lookup``."""
        held = moved(lookup, expression, self)
        # An expression such as a subquery has no equality to be found by.
        held.held = expression
        self.where.add(held, AND)

    def _is_constant(self, value: Any) -> bool:
        own = any(column.alias in self.alias_map for column in columns_of(value))
        return not own and not is_opaque(value)

    def used_metrics(self) -> dict[str, Metric]:
        """Return the metrics that the compiled query will refer to."""
        expressions: list[Any] = [self.where, *self.annotation_select.values(), *self.select]
        if isinstance(self.group_by, tuple):
            expressions += self.group_by
        probe = self.clone()
        for term in self.order_by:
            if isinstance(term, str):
                name = term.removeprefix("-")
                # A transform may follow the name.
                expressions += [
                    annotation
                    for alias, annotation in self.annotations.items()
                    if name == alias or name.startswith(f"{alias}__")
                ]
            else:
                expressions.append(resolved(term, probe))
        expressions += [
            getattr(table.filtered_relation, "resolved_condition", None) for table in self.alias_map.values()
        ]
        if self.extra_select or any(map(is_opaque, expressions)):
            # They may be named in SQL that Django does not know.
            return dict(self.metrics)
        used = {column.name for column in columns_of(*expressions) if isinstance(column, DerivedColumn)}
        return {name: metric for name, metric in self.metrics.items() if name in used}

    def derive(self) -> None:
        metrics = self.used_metrics()
        if not metrics:
            # As in count(): the model's own table has all that is asked for.
            return
        table = StandingsTable(self, metrics)
        self.replace_base_table(table.query)
        self.where = without(self.where, table.enforced)

    def combine(self, rhs: Query, connector: str) -> None:
        merged = dict(self.metrics)
        for column, metric in getattr(rhs, "metrics", {}).items():
            if merged.setdefault(column, metric) != metric:
                raise NotSupportedError(
                    f"The two querysets have different standings named {column!r}. Combine the views first "
                    "and call standings() on the result, or keep the standings apart by prefix=."
                )
        if merged and self.select_for_update:
            raise NotSupportedError(NO_ROW_LOCKS)
        super().combine(rhs, connector)
        self.metrics = merged

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        clone: Any = super().resolve_expression(*args, **kwargs)
        clone._replace_views(lambda view: view.resolve_expression(*args, **kwargs))
        return clone

    def change_aliases(self, change_map: dict[Any, str]) -> Any:
        result = super().change_aliases(change_map)

        def relabel(view: Query) -> Query:
            return view.relabeled_clone(
                {old: new for old, new in change_map.items() if old in view.external_aliases}
            )

        self._replace_views(relabel)
        return result

    def _replace_views(self, change: Callable[[Query], Query]) -> None:
        rankings: dict[Ranking, Ranking] = {}
        for metric in self.metrics.values():
            ranking = metric.ranking
            if ranking.view is not None and ranking not in rankings:
                rankings[ranking] = replace(ranking, view=change(ranking.view))
        if rankings:
            self.metrics = {
                column: replace(metric, ranking=rankings.get(metric.ranking, metric.ranking))
                for column, metric in self.metrics.items()
            }

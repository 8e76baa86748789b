"""Annotating metrics."""

from __future__ import annotations

from typing import Self

from django.core.exceptions import ImproperlyConfigured

from leaderboard.expressions.arguments import as_kind
from leaderboard.kinds import PercentileKind, RankKind
from leaderboard.orm.models import field_names
from leaderboard.orm.trees import output_field_of, resolved_on_model
from leaderboard.querysets.boards import BoardQuerySet
from leaderboard.standings.metrics import (
    BoardSize,
    Metric,
    MetricColumn,
    Percentile,
    QualificationStatus,
    Rank,
    TermValue,
    TimeTakenAnnotation,
    is_metric_annotation,
)

__all__ = ["MetricQuerySet"]


class MetricQuerySet(BoardQuerySet):
    """A queryset that annotates metrics of its board."""

    def _with_metric(self, metric: Metric, prefix: str) -> Self:
        self._refuse_combined(f"with_{metric.name}")
        self._refuse_row_locks()
        clone = self._copied()
        name = clone._free_name(prefix, metric.name)
        clone.query.annotate_derived(MetricColumn(self._ranking, metric), name)
        return clone

    def _free_name(self, prefix: str, name: str) -> str:
        """Return the name of a metric's annotation, which may replace no more than another metric."""
        if not isinstance(prefix, str):
            raise TypeError(f"prefix={prefix!r} must be a text, such as 'board_'.")
        name = f"{prefix}{name}"
        existing = self._annotation(name)
        if name in field_names(self.model):
            taken = f"a field of {self.model._meta.label}"
        elif existing is not None and not is_metric_annotation(existing):
            taken = "an annotation of this queryset"
        else:
            return name
        raise ValueError(
            f"The annotation {name!r} conflicts with {taken}; pass a prefix, such as prefix='board_'."
        )

    def with_rank(self, kind: RankKind | str | None = None, *, prefix: str = "") -> Self:
        """Return the queryset with ``rank``, of the declared kind unless one is given.

        Raises ``ValueError`` for an unknown kind and, as do all that annotate a metric, for a name that is a
        field's or another annotation's; ``NotSupportedError`` after ``union()`` or ``select_for_update()``;
        ``ImproperlyConfigured`` where the model declares no board.
        """
        declared = self.leaderboard.rank_kind
        return self._with_metric(Rank(declared if kind is None else as_kind(RankKind, kind, "kind")), prefix)

    def with_percentile(self, kind: PercentileKind | str | None = None, *, prefix: str = "") -> Self:
        """Return the queryset with ``percentile``, 0 to 100, of the declared kind unless one is given.

        Raises what :meth:`with_rank` does.
        """
        declared = self.leaderboard.percentile_kind
        percentile = Percentile(declared if kind is None else as_kind(PercentileKind, kind, "kind"))
        return self._with_metric(percentile, prefix)

    def with_board_size(self, *, prefix: str = "") -> Self:
        """Return the queryset with ``board_size``, the number of entries ranked on the entry's board.

        Raises what :meth:`with_rank` does.
        """
        return self._with_metric(BoardSize(), prefix)

    def with_qualification(self, *, prefix: str = "") -> Self:
        """Return the queryset with ``qualification``, a :class:`~leaderboard.kinds.Qualification`.

        Raises what :meth:`with_rank` does.
        """
        return self._with_metric(QualificationStatus(), prefix)

    def with_time_taken(self, *, prefix: str = "") -> Self:
        """Return the queryset with ``time_taken``, a duration.

        Raises ``ImproperlyConfigured`` where the board declares none, ``ValueError`` for a name that is a
        field's or another annotation's.
        """
        time_taken = self.leaderboard.time_taken
        if time_taken is None:
            raise ImproperlyConfigured(
                "The board declares no time_taken; add time_taken=TimeTaken('started_at', 'finished_at')."
            )
        name = self._free_name(prefix, TimeTakenAnnotation.name)
        return self.annotate(**{name: TimeTakenAnnotation(time_taken)})

    def with_terms(self, *, prefix: str = "") -> Self:
        """Return the queryset with the ordering terms, by the names that the board's mapping gives them.

        They are the very values that it is ranked by, not computed again. Raises ``ImproperlyConfigured``
        where the board gives no names, and otherwise what :meth:`with_rank` does.
        """
        declaration = self.leaderboard
        if not declaration.term_names:
            raise ImproperlyConfigured(
                "The board gives its terms no names; write order_by={'score': '-score', …} for with_terms()."
            )
        self._refuse_combined("with_terms")
        self._refuse_row_locks()
        clone = self._copied()
        for position, (name, term) in enumerate(zip(declaration.term_names, declaration.terms, strict=True)):
            field = output_field_of(resolved_on_model(term.expression, self.model)[0])
            value = MetricColumn(self._ranking, TermValue(position))
            clone.query.annotate_derived(value, clone._free_name(prefix, name), field)
        return clone

    def standings(self, prefix: str = "") -> Self:
        """Return the queryset with every metric of its board, their names beginning with ``prefix``.

        They are ``rank``, ``board_size``, ``percentile``, ``qualification`` and, where the board
        declares it, ``time_taken``, each by its method, which a subclass may have replaced. Entries that
        are not ranked stay, with NULL for rank and percentile. Raises what :meth:`with_rank` does.
        """
        queryset = self.with_rank(prefix=prefix).with_board_size(prefix=prefix)
        queryset = queryset.with_percentile(prefix=prefix).with_qualification(prefix=prefix)
        if self.leaderboard.time_taken is not None:
            queryset = queryset.with_time_taken(prefix=prefix)
        return queryset

    def _with_default_rank(self) -> Self:
        # Beside a field of that name there is none, unless it is asked for with a prefix.
        taken = self.has_annotation(Rank.name) or hasattr(self.model, Rank.name)
        taken = taken or Rank.name in field_names(self.model)
        return self if taken else self.with_rank()

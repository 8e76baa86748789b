"""The operations of a chain: those that give a queryset of rows again."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from tests.fuzz.grammar import (
    LOOKUPS,
    TRUTH,
    Drawn,
    Text,
    Vocabulary,
    by_metric,
    choice,
    conditions,
    expressions,
    leaves,
    single_leaves,
    subqueries,
    text,
    total,
    weighted,
)

__all__ = ["Step", "steps"]


class Step(NamedTuple):
    """A step, to be put behind a chain, or around it where there is the word CHAIN."""

    operation: str
    text: str


def _step(operation: str, pieces: Text | str) -> Drawn[Step]:
    draw = pieces if callable(pieces) else choice(pieces)
    return lambda random: Step(operation, draw(random))


@cache
def steps(words: Vocabulary) -> Drawn[Step]:
    condition, expression, inner = conditions(words), expressions(words), leaves(words)
    filtered = text(".filter({condition})", condition=condition)
    explicit = choice((8, total(words)), 'F("LAST").desc(nulls_last=True), "pk"')
    own = text("Q({inner})", inner=single_leaves(words))
    of_notes = choice(
        "NEW__isnull=False",
        text('NEW__points{lookup}=F("{metric}")', lookup=LOOKUPS, metric=words.of("rank")),
    )
    return weighted(
        (7, _step("filter", filtered)),
        (5, _step("exclude", text(".exclude({condition})", condition=condition))),
        (4, _step("annotate", text(".annotate(NEW={expression})", expression=expression))),
        # No condition is on it: Django keeps NULL in exclude() by a column, but not by an annotation.
        (1, _step("annotate a metric", text('.annotate(NEW=F("{metric}"))', metric=words.metrics))),
        (1, _step("alias", text(".alias(NEW={expression}).filter(NEW__gte=1)", expression=expression))),
        (
            2,
            _step(
                "annotate a condition",
                text(
                    ".annotate(NEW={condition}).filter(NEW={truth})",
                    condition=choice((2, subqueries(words)), own),
                    truth=TRUTH,
                ),
            ),
        ),
        (
            1,
            _step(
                "annotate an aggregate",
                choice('.annotate(NEW=Count("notes"))', '.annotate(NEW=Max("notes__points"))'),
            ),
        ),
        (
            1,
            _step(
                "window",
                text(
                    '.annotate(NEW=Window(Count("pk"), partition_by=["{one}", "{other}"]))'
                    ".filter({where}NEW__gte={n})",
                    one=words.metrics,
                    other=["grp", "who", "laps"],
                    where=choice((2, ""), text("{inner}, ", inner=inner)),
                    n="12",
                ),
            ),
        ),
        (
            1,
            _step(
                "FilteredRelation",
                text(
                    '.annotate(NEW=FilteredRelation("notes", condition=Q(notes__points__gte={n})))'
                    ".filter({where})",
                    n="12",
                    where=of_notes,
                ),
            ),
        ),
        (3, _step("order_by", text(".order_by({terms})", terms=explicit))),
        (3, _step("order_by a metric", text(".order_by({terms})", terms=by_metric(words)))),
        (2, _step("distinct", ".distinct()")),
        (1, _step("reverse", ".reverse()")),
        (1, _step("select_related", '.select_related("grp")')),
        (1, _step("prefetch_related", '.prefetch_related("notes")')),
        (
            1,
            _step(
                "only",
                choice('.only("score")', '.defer("who")', '.select_related("grp").only("laps", "grp__name")'),
            ),
        ),
        (
            1,
            _step(
                "all", choice(".all()", '.using("default")', '.complex_filter({"laps__gte": 1})', ".none()")
            ),
        ),
        (
            4,
            _step(
                "combine",
                text(
                    "(CHAIN {sign} R{condition})",
                    sign="||&^",
                    condition=choice((3, filtered), text(".exclude({inner})", inner=inner), ""),
                ),
            ),
        ),
        (1, _step("pickle the query", "requeried(CHAIN)")),
    )

"""The pieces that a program is made of: conditions, expressions and orders, as Python text.

``S`` is the queryset with standings and ``R`` one with the same standings, made in another way; ``M`` are
all entries without standings, ``N`` all notes, ``P`` all groups and ``G`` the groups by name. What has no
text that is the same for every model, or every place, is a word in capitals that is replaced later: ``NEW``
is the name of a new annotation, ``LAST`` that of the last one, ``ENTRIES`` the path from a group to its
entries, and ``OWN`` the condition for a note to be of the entry of the query around.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import TypeVar

__all__ = [
    "COLUMNS",
    "KEYS",
    "LOOKUPS",
    "TRUTH",
    "Drawn",
    "Text",
    "Vocabulary",
    "aggregates",
    "any_aggregates",
    "by_metric",
    "choice",
    "column_conditions",
    "conditions",
    "expressions",
    "leaves",
    "numbers",
    "one_of",
    "single_leaves",
    "subqueries",
    "text",
    "total",
    "weighted",
]

T = TypeVar("T")
# Something that is drawn: Hypothesis gives a generator of random numbers, and shrinks what that gives out.
Drawn = Callable[[Random], T]
Text = Drawn[str]


def one_of(*values: T) -> Drawn[T]:
    """Return what draws one of the values, the first of which is the simplest."""
    return lambda random: values[random.randrange(len(values))]


def weighted(*options: tuple[int, Drawn[T]]) -> Drawn[T]:
    """Return what draws by one of the options, the first of which is the simplest."""
    draw_option = one_of(*(draw for weight, draw in options for _ in range(weight)))
    return lambda random: draw_option(random)(random)


def choice(*options: tuple[int, Text | str] | Text | str) -> Text:
    """Return what draws one of the texts, some of which have a weight; the first one is the simplest."""
    pairs = (option if isinstance(option, tuple) else (1, option) for option in options)
    return weighted(*((weight, one_of(text) if isinstance(text, str) else text) for weight, text in pairs))


def text(template: str, **parts: Text | Sequence[str]) -> Text:
    """Return what draws the template with its parts filled in."""
    drawn = {name: part if callable(part) else choice(*part) for name, part in parts.items()}
    return lambda random: template.format_map({name: part(random) for name, part in drawn.items()})


@dataclass(frozen=True)
class Vocabulary:
    """The metrics that a queryset has, and the names of the arguments of ``on_board()``."""

    metrics: tuple[str, ...]
    within: tuple[str, ...] = ()

    @property
    def whole(self) -> list[str]:
        """The metrics that are whole numbers, or are compared with some."""
        return self.of("rank", "board_size")

    def of(self, *names: str) -> list[str]:
        return [metric for metric in self.metrics if metric.removeprefix("o_").removeprefix("f_") in names]


numbers = choice(*"1202134")
NAMES = ("a", "b", "c")
LOOKUPS = ("", "__gt", "__gte", "__lt", "__lte")
TRUTH = ("True", "False")
COLUMNS = ("score", "laps", "made")
NOT = ("", "", "~")
KEYS = text("key({n})", n="01234567")
STATUSES = ("qualified", "not_qualified", "excluded", "pending", "superseded", "no_cut_off")


def _compared(names: Sequence[str]) -> Text:
    """Conditions on whole numbers."""
    return choice(
        (5, text("{name}{lookup}={n}", name=names, lookup=LOOKUPS, n=numbers)),
        text("{name}__in=[{n}, {m}]", name=names, n=numbers, m=numbers),
        text("{name}__range=({n}, 3)", name=names, n=numbers),
        text("{name}__isnull={truth}", name=names, truth=TRUTH),
        text("{name}=None", name=names),
    )


single_conditions = choice(
    (4, _compared(COLUMNS)),
    (2, text('grp__name="{name}"', name=NAMES)),
    text('grp__name__in=["{name}", "b"]', name=NAMES),
    text("grp__level{lookup}={n}", lookup=LOOKUPS, n=numbers),
    text('grp=G["{name}"]', name=NAMES),
    text("grp__isnull={truth}", truth=TRUTH),
    text('who="{name}"', name=NAMES),
    text("who__isnull={truth}", truth=TRUTH),
    text("flagged={truth}", truth=TRUTH),
    text("pk__in=[{one}, {other}, {third}]", one=KEYS, other=KEYS, third=KEYS),
    text("grp__in=P.filter(level__gte={n})", n=numbers),
)
column_conditions = choice(
    (6, single_conditions),
    (2, text("notes__points{lookup}={n}", lookup=LOOKUPS, n=numbers)),
    choice(text("notes__isnull={truth}", truth=TRUTH), "notes=None"),
    choice(
        text("grp__ENTRIES__score={n}", n=numbers), text("grp__ENTRIES__notes__points__gte={n}", n=numbers)
    ),
)


@cache
def metric_conditions(words: Vocabulary, *, of_many: bool = True) -> Text:
    """Conditions on metrics, and between metrics and columns, as arguments of ``filter()``.

    With ``of_many`` they may be about the rows that point to an entry.
    """
    columns = (*COLUMNS, "grp__level", *(["notes__points"] if of_many else []))
    options: list[tuple[int, Text]] = [
        (8, _compared(words.whole)),
        (
            2,
            text(
                '{metric}{lookup}=F("{other}")',
                metric=words.whole,
                lookup=LOOKUPS,
                other=[*columns, *words.whole],
            ),
        ),
        (2, text('{column}{lookup}=F("{metric}")', column=columns, lookup=LOOKUPS, metric=words.whole)),
        (
            1,
            text(
                '{metric}{lookup}=F("{other}") + 1',
                metric=words.whole,
                lookup=LOOKUPS,
                other=["score", *words.whole],
            ),
        ),
    ]
    if percentiles := words.of("percentile"):
        values = ("50", "0", "25", "62.5", "100")
        options += [
            (2, text("{metric}{lookup}={value}", metric=percentiles, lookup=LOOKUPS, value=values)),
            (1, text("{metric}__isnull={truth}", metric=percentiles, truth=TRUTH)),
        ]
    if statuses := words.of("qualification"):
        options += [
            (2, text('{metric}="{value}"', metric=statuses, value=STATUSES)),
            (1, text('{metric}__in=["{value}", "pending"]', metric=statuses, value=STATUSES)),
            (1, text('{metric}__startswith="not"', metric=statuses)),
        ]
    if times := words.of("time_taken"):
        options += [
            (2, text("{metric}{lookup}=timedelta(seconds={n})", metric=times, lookup=LOOKUPS, n=numbers)),
            (1, text("{metric}__isnull={truth}", metric=times, truth=TRUTH)),
            (
                1,
                text(
                    '{metric}{lookup}=F("finished_at") - F("started_at")',
                    metric=times,
                    lookup=LOOKUPS,
                ),
            ),
        ]
    return choice(*options)


@cache
def leaves(words: Vocabulary) -> Text:
    """Conditions that take no more than a name and a value."""
    return choice((2, metric_conditions(words)), column_conditions)


@cache
def single_leaves(words: Vocabulary) -> Text:
    """The same, of which each entry meets one or not: it has one value of an expression made of them."""
    return choice((2, metric_conditions(words, of_many=False)), single_conditions)


@cache
def subqueries(words: Vocabulary) -> Text:
    """Conditions by a subquery, as positional arguments of ``filter()``."""
    inner = leaves(words)
    return choice(
        (
            2,
            text(
                '{no}Exists(S.filter({metric}=OuterRef("{metric}")).exclude(pk=OuterRef("pk")))',
                no=NOT,
                metric=words.metrics,
            ),
        ),
        text(
            '{no}Exists(S.filter(Q({inner}), {metric}{lookup}=OuterRef("{other}")))',
            no=NOT,
            inner=inner,
            metric=words.whole,
            lookup=LOOKUPS,
            other=[*words.whole, "score"],
        ),
        text(
            '{no}Exists(S.filter(grp=OuterRef("grp"), {metric}__lt=OuterRef("{metric}")))',
            no=NOT,
            metric=words.whole,
        ),
        text('{no}Exists(S.filter(Q({inner}), pk=OuterRef("pk")))', no=NOT, inner=inner),
        text(
            '{no}Exists(M.filter({column}=OuterRef("{metric}")))', no=NOT, column=COLUMNS, metric=words.whole
        ),
        text(
            '{no}Exists(N.filter(OWN, points{lookup}=OuterRef("{metric}")))',
            no=NOT,
            lookup=LOOKUPS,
            metric=words.whole,
        ),
        text(
            '{no}Exists(P.filter(pk=OuterRef("grp"), level{lookup}=OuterRef("{metric}")))',
            no=NOT,
            lookup=LOOKUPS,
            metric=words.whole,
        ),
        text("{no}Q(pk__in=S.filter({inner}))", no=NOT, inner=inner),
        text('{no}Q(pk__in=S.filter({inner}).values("pk"))', no=NOT, inner=inner),
        text('{no}Q(pk__in=S.order_by({order})[:{n}].values("pk"))', no=NOT, order=total(words), n="3124"),
        text('{no}Q(who__in=S.filter({inner}).values("who"))', no=NOT, inner=inner),
        text(
            '{no}Q({metric}__in=S.filter({inner}).values("{metric}"))',
            no=NOT,
            inner=inner,
            metric=words.whole,
        ),
        text(
            'Q({metric}__gte=Subquery(S.order_by({order}).values("{metric}")[:1]))',
            metric=words.whole,
            order=total(words),
        ),
    )


@cache
def conditions(words: Vocabulary) -> Text:
    """Arguments of ``filter()`` and ``exclude()``."""
    leaf = choice((12, leaves(words)), text("LAST{lookup}={n}", lookup=LOOKUPS, n=numbers))
    part = choice((6, text("Q({leaf})", leaf=leaf)), text("~Q({leaf})", leaf=leaf), subqueries(words))
    whole = text("{one} {sign} {other}", one=part, sign="||&^", other=part)
    return choice(
        (8, leaf),
        (2, subqueries(words)),
        (2, whole),
        text("{one}, {other}", one=part, other=leaf),
        text("~({whole})", whole=whole),
        text("{part} & ({whole})", part=part, whole=whole),
    )


@cache
def expressions(words: Vocabulary) -> Text:
    """Whole numbers made of metrics, one of each entry."""
    inner = single_leaves(words)
    return choice(
        (2, text('F("{metric}") + {n}', metric=words.whole, n=numbers)),
        text('F("{metric}") - F("{other}")', metric=words.whole, other=[*words.whole, "score", "laps"]),
        text('F("{metric}") * F("grp__level")', metric=words.whole),
        'F("score") + F("LAST")',
        (
            2,
            text(
                'Case(When({inner}, then=F("{metric}")), default=F("score"))',
                inner=inner,
                metric=words.whole,
            ),
        ),
        text("Case(When({inner}, then=1), When({other}, then=2), default=0)", inner=inner, other=inner),
        (
            2,
            text(
                'Coalesce("{metric}", {other})', metric=words.whole, other=['"score"', "0", 'F("laps") + 1']
            ),
        ),
        text('Greatest("{metric}", "score")', metric=words.whole),
        text('NullIf("{metric}", "laps")', metric=words.whole),
        text(
            'Subquery(S.filter({more}pk=OuterRef("pk")).values("{metric}")[:1])',
            more=choice("", text("Q({inner}), ", inner=inner)),
            metric=words.whole,
        ),
        text(
            'Subquery(S.filter({metric}__lt=OuterRef("{metric}")).order_by({order}).values("score")[:1])',
            metric=words.whole,
            order=total(words),
        ),
        text(
            "Subquery(N.filter(OWN, "
            'points__gte=OuterRef("{metric}")).order_by("points").values("points")[:1])',
            metric=words.whole,
        ),
        text(
            'Subquery(S.order_by().filter(grp=OuterRef("grp"))'
            '.values("grp").annotate(n={aggregate}).values("n"))',
            aggregate=aggregates(words),
        ),
    )


@cache
def aggregates(words: Vocabulary) -> Text:
    """Whole numbers made of the metrics of many rows."""
    inner = leaves(words)
    return choice(
        'Count("pk")',
        (
            2,
            text(
                '{function}("{name}")',
                function=["Max", "Min", "Sum", "Count"],
                name=[*words.whole, *words.whole, "score"],
            ),
        ),
        text('Count("{metric}", distinct=True)', metric=words.whole),
        text('Count("pk", filter=Q({inner}))', inner=inner),
        text('{function}("score", filter=Q({inner}))', function=["Max", "Sum"], inner=inner),
        (3, text('Count("pk", filter={subquery})', subquery=subqueries(words))),
        text('Max(F("{metric}") + {n})', metric=words.whole, n=numbers),
        text("Sum(Case(When({inner}, then=1), default=0))", inner=inner),
    )


@cache
def any_aggregates(words: Vocabulary) -> Text:
    """Values of any type made of many rows."""
    measured = words.of("rank", "board_size", "percentile", "time_taken")
    return choice(
        (6, aggregates(words)),
        text('Avg("{name}")', name=[*measured, "score"]),
        text('{function}("{name}")', function=["Max", "Min"], name=words.metrics),
        choice('Max("grp__level")', 'Count("notes")', 'Count("notes", distinct=True)'),
    )


@cache
def _terms(words: Vocabulary) -> Text:
    """Terms of an order that may tie."""
    signs = ("", "-")
    return choice(
        (5, text('"{sign}{metric}"', sign=signs, metric=words.metrics)),
        text('F("{metric}").{way}()', metric=words.metrics, way=["asc", "desc"]),
        text('F("{metric}").desc(nulls_first=True)', metric=words.metrics),
        (2, text('(F("{metric}") + {n}).{way}()', metric=words.whole, n=numbers, way=["desc", "asc"])),
        text('Coalesce("{metric}", 2).desc()', metric=words.whole),
        (
            3,
            text(
                '"{sign}{column}"',
                sign=signs,
                column=[*COLUMNS, "who", "grp", "grp__name", "grp__level", "notes__points"],
            ),
        ),
        text("Case(When({inner}, then=0), default=1)", inner=single_leaves(words)),
    )


@cache
def total(words: Vocabulary) -> Text:
    """Orders that end in the primary key."""
    return choice(
        '"pk"',
        (5, text('{term}, "pk"', term=_terms(words))),
        text('{term}, {other}, "-pk"', term=_terms(words), other=_terms(words)),
        '"-pk"',
    )


@cache
def by_metric(words: Vocabulary) -> Text:
    """Orders that end in a metric."""
    last = choice(
        (4, text('"{sign}{metric}"', sign=["", "-"], metric=words.metrics)),
        text('F("{metric}").{way}()', metric=words.metrics, way=["asc", "desc"]),
    )
    return choice((3, last), text("{term}, {last}", term=_terms(words), last=last))

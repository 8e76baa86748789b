"""What it costs to build and compile a queryset, against the same metrics annotated by hand; nothing is sent.

By hand is the least that gives the rows: windows over the filtered table, with no thought of unranked rows
or of filters to come; for members, the subquery that ``top()`` has too. Both sides are compiled each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter
from typing import Any

from django.db.models import (
    Case,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    OuterRef,
    Subquery,
    Value,
    When,
    Window,
)
from django.db.models.functions import PercentRank, Rank

from tests.testapp.models import Attempt

__all__ = ["LIMIT", "building"]

LIMIT = 2.5
REPEATS = 200

TAKEN = ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField())
ORDER = [F("score").desc(), TAKEN.asc()]


def _standings_by_hand() -> Any:
    board = [F("test")]
    return Attempt._base_manager.filter(test=1).annotate(
        rank=Window(Rank(), partition_by=board, order_by=ORDER),
        board_size=Window(Count("*"), partition_by=board),
        percentile=Window(PercentRank(), partition_by=board, order_by=ORDER),
        qualification=Case(
            When(score__gte=F("test__cut_off"), then=Value("qualified")), default=Value("not_qualified")
        ),
        time_taken=TAKEN,
    )


def _top_by_hand() -> Any:
    ranked = Attempt._base_manager.filter(test=1).annotate(
        rank=Window(Rank(), partition_by=[F("test")], order_by=ORDER)
    )
    return ranked.order_by("rank", "pk")[:10]


def _members_by_hand() -> Any:
    ranked = Attempt._base_manager.filter(test=1, disqualified=False, score__isnull=False)
    best = ranked.filter(candidate=OuterRef("candidate")).order_by(*ORDER, "pk").values("pk")[:1]
    counting = ranked.filter(pk=Subquery(best))
    return counting.annotate(rank=Window(Rank(), order_by=ORDER)).order_by(*ORDER, "pk")[:10]


def _on_board(name: str) -> Any:
    return Attempt.objects.board(name).on_board(test=1)


PAIRS: Mapping[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "build-standings/by-hand": (lambda: _on_board("overall").standings(), _standings_by_hand),
    "build-standings-of-members/by-hand-without": (
        lambda: _on_board("members").standings(),
        _standings_by_hand,
    ),
    "build-top-10/by-hand": (lambda: _on_board("overall").top(10), _top_by_hand),
    "build-top-10-of-members/by-hand": (lambda: _on_board("members").top(10), _members_by_hand),
}


def building() -> tuple[dict[str, float], dict[str, str]]:
    """Return the ratios by name, and the times behind each for people."""
    ratios, times = {}, {}
    for name, sides in PAIRS.items():
        samples: list[tuple[float, float]] = []
        for _ in range(REPEATS):
            samples.append((_seconds(sides[0]), _seconds(sides[1])))
        ours, by_hand = (median(side) for side in zip(*samples, strict=True))
        ratios[name] = ours / by_hand
        times[name] = f"{1000 * ours:.3f} ms against {1000 * by_hand:.3f} ms"
    return ratios, times


def _seconds(build: Callable[[], Any]) -> float:
    start = perf_counter()
    build().query.sql_with_params()
    return perf_counter() - start

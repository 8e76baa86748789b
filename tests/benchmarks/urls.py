"""The endpoints that are compared: boards by the library, and their pages as experts write them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import connection
from django.db.models import Count, DurationField, ExpressionWrapper, F, Window
from django.db.models.functions import Rank
from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from leaderboard.endpoints import BoardView, Pager
from tests.benchmarks.covering import CoveredAttempt
from tests.testapp.models import Attempt

__all__ = ["SIZE", "Board", "Ranks", "Whole", "by_sql", "by_window"]

SIZE = 50
# Tuned for a covering index: the window reads nothing but that, and names are joined to one page only.
BY_SQL = """
SELECT page.rank, page.board_size, c.name, page.score
FROM (
    SELECT id, candidate_id, score, finished_at - started_at AS taken,
        rank() OVER (ORDER BY score DESC, finished_at - started_at) AS rank, count(*) OVER () AS board_size
    FROM testapp_attempt
    WHERE test_id = %s AND NOT disqualified AND score IS NOT NULL AND finished_at - started_at IS NOT NULL
    ORDER BY score DESC, taken, id LIMIT %s OFFSET %s
) page LEFT JOIN testapp_candidate c ON c.id = page.candidate_id
ORDER BY page.score DESC, page.taken, page.id
"""


class Board(BoardView):
    """Pages with rank, size of the board and percentile."""

    model = CoveredAttempt
    board = "overall"
    fields: ClassVar = {"name": "candidate__name", "score": "score"}
    pager = Pager(size=SIZE, metrics=["rank", "board_size", "percentile"])


class Ranks(Board):
    pager = Pager(size=SIZE, metrics=["rank"])


class Whole(Board):
    """Files with every metric."""

    pager = Pager(size=SIZE)


def by_window(request: HttpRequest, test: int) -> JsonResponse:
    """Answer with the page whose number is asked for as ``Board`` does, by Django's windows and a slice."""
    taken = ExpressionWrapper(F("finished_at") - F("started_at"), DurationField())
    ranked = Attempt.objects.filter(test=test, disqualified=False, score__isnull=False)
    ranked = ranked.annotate(taken=taken).filter(taken__isnull=False).select_related("candidate")
    numbered = ranked.annotate(
        rank=Window(Rank(), order_by=["-score", "taken"]), board_size=Window(Count("*"))
    ).order_by("-score", "taken", "pk")
    begin = _begin(request)
    rows = numbered[begin : begin + SIZE]
    return _answer((row.rank, row.board_size, row.candidate.name, row.score) for row in rows)


def by_sql(request: HttpRequest, test: int) -> JsonResponse:
    """Answer as ``by_window``, by SQL that is tuned by hand for the index."""
    with connection.cursor() as cursor:
        cursor.execute(BY_SQL, [test, SIZE, _begin(request)])
        return _answer(cursor.fetchall())


def _begin(request: HttpRequest) -> int:
    return SIZE * (int(request.GET.get("page", 1)) - 1)


def _answer(rows: Any) -> JsonResponse:
    entries = [
        {
            "standing": {"rank": rank, "board_size": size, "percentile": 100 * (size - rank + 1) / size},
            "name": name,
            "score": score,
        }
        for rank, size, name, score in rows
    ]
    return JsonResponse({"entries": entries})


urlpatterns = [
    path("board/<int:test>/", include(Board.urls("board"))),
    path("window/<int:test>/", by_window),
    path("sql/<int:test>/", by_sql),
]

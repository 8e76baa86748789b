from __future__ import annotations

from typing import Any, ClassVar

from django.urls import include, path

from leaderboard.endpoints import BoardView, Pager
from tests.schemas.models import NamedLikeMetrics
from tests.testapp.models import Attempt


class AttemptBoard(BoardView):
    model = Attempt
    board = "members"
    fields = ("candidate__name", "score", "candidate")
    pager = Pager(size=3, max_size=10, others={"name": "candidate__name"})
    filters: ClassVar = {
        "team": "candidate__team",
        "least": "score__gte",
        "big": "big__lte",
        "since": "started_at__gte",
    }
    search: ClassVar = ["candidate__name", "label"]


class Everything(BoardView):
    queryset = Attempt.objects.all()
    board = "everything"
    fields: ClassVar = {"score": "score", "ratio": "ratio", "big": "big", "when": "started_at"}


class Monthly(BoardView):
    model = Attempt
    board = "monthly"


class Named(BoardView):
    model = NamedLikeMetrics
    fields: ClassVar = ["rank", "pk"]
    pager = Pager(prefix="board_")


class Nothing(BoardView):
    pass


def included(view: Any, name: str) -> Any:
    return include(view.urls(name))


urlpatterns = [
    path("tests/<int:test>/", included(AttemptBoard, "attempts")),
    path("by-name/<str:test>/", included(AttemptBoard, "named")),
    path("page/<int:test>/", AttemptBoard.as_view(template_name="board.html")),
    path("everything/", included(Everything, "everything")),
    path("monthly/<int:test>/<str:month>/", included(Monthly, "monthly")),
    path("named/", included(Named, "names")),
    path("nothing/", Nothing.as_view()),
]

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models.functions import TruncDate
from django.urls import include, path

from leaderboard.endpoints import BoardView, Pager
from tests.fuzz.models import Composite
from tests.schemas.models import NamedLikeMetrics
from tests.testapp.models import MEMBERS, Attempt


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


class Several(BoardView):
    """Members of several fields, and values of every type to filter and to order by."""

    queryset = Attempt.objects.with_leaderboard(MEMBERS.replace(member=["candidate", "label"]))
    pager = Pager(
        size=3,
        max_size=10,
        others={
            "big": "big",
            "ratio": "ratio",
            "label": "label",
            "when": "started_at",
            "day": TruncDate("started_at"),
            "out": "disqualified",
        },
    )
    filters: ClassVar = {
        "big": "big__gte",
        "ratio": "ratio__lte",
        "label": "label",
        "like": "label__iregex",
        "since": "started_at__gte",
        "day": "started_at__date",
        "out": "disqualified",
        "nobody": "candidate__isnull",
        "among": "score__in",
        "between": "score__range",
        "moments": "finished_at__range",
        "began": "started_at__range",
        "year": "started_at__year",
        "allowance": "candidate__allowance__lt",
    }
    search: ClassVar = ["label"]


class CompositeKeys(BoardView):
    model = Composite
    board = "latest"
    fields = ("season", "number", "who")
    pager = Pager(size=3, max_size=10)


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
    path("several/<int:test>/", included(Several, "several")),
    path("composite/", included(CompositeKeys, "composite")),
    path("nothing/", Nothing.as_view()),
]

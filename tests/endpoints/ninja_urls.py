from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import path
from ninja import NinjaAPI
from ninja.errors import HttpError
from ninja.pagination import paginate

from leaderboard.endpoints import Pager
from leaderboard.endpoints.ninja import BoardPagination, EntrySchema, StandingSchema, board_or_404
from tests.testapp.models import Attempt

api = NinjaAPI(title="Boards")
members = Attempt.objects.board("members")
pager = Pager(size=3, max_size=10, others={"name": "candidate__name"})


class AttemptSchema(EntrySchema):
    id: int
    candidate_id: int
    score: int


@api.get("/tests/{int:test}/", response=list[AttemptSchema])
@paginate(BoardPagination, pager=pager, queryset=members)
def attempts(request: HttpRequest, test: int, team: str | None = None) -> Any:
    view = members.on_board(test=test)
    return view if team is None else view.filter(candidate__team=team)


@api.get("/by-name/{test}/", response=list[AttemptSchema])
@paginate(BoardPagination)
def by_name(request: HttpRequest, test: str) -> Any:
    return board_or_404(members, test=test)


@api.get("/later/{int:test}/", response=list[AttemptSchema])
@paginate(BoardPagination, pager=pager)
async def later(request: HttpRequest, test: int) -> Any:
    return members.on_board(test=test)


@api.get("/tests/{int:test}/standing/", response=StandingSchema)
def standing(request: HttpRequest, test: int, member: int) -> Any:
    try:
        return members.on_board(test=test).get_standing(member=member)
    except Attempt.DoesNotExist as error:
        raise HttpError(404, str(error)) from error


urlpatterns = [path("", api.urls)]

"""Boards by django-ninja, which is to be installed with it: pages and schemas."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from asgiref.sync import sync_to_async
from django.core.exceptions import ObjectDoesNotExist
from django.db import DataError
from django.http import Http404, HttpRequest
from ninja import Field, Schema
from ninja.errors import HttpError, ValidationError
from ninja.pagination import AsyncPaginationBase
from pydantic import WithJsonSchema, create_model

from leaderboard.endpoints import boards
from leaderboard.endpoints.errors import InvalidParameter
from leaderboard.endpoints.links import others_in, urls_of
from leaderboard.endpoints.openapi import parameters_of
from leaderboard.endpoints.page import Pager
from leaderboard.kinds import Qualification

__all__ = ["BoardPagination", "EntrySchema", "StandingSchema", "board_or_404"]


def board_or_404(queryset: Any, /, **named: Any) -> Any:
    """Return the entries of a queryset on the board that these name, some of which may name something else.

    Raises ``HttpError`` of status 404 for what cannot name a board, since of ``Http404`` ninja does not say
    what is wrong, and ``TypeError`` where a part of it has no name.
    """
    try:
        return boards.board_or_404(queryset, **named)
    except Http404 as error:
        raise HttpError(404, str(error)) from error


class StandingSchema(Schema):
    """The standing of an entry on its board."""

    rank: int | float | None
    board_size: int | None
    percentile: float | None
    qualification: Qualification
    time_taken: timedelta | None = None


class EntrySchema(Schema):
    """An entry with its standing."""

    standing: StandingSchema

    @staticmethod
    def resolve_standing(entry: Any) -> Any:
        """Return what has the metrics of an entry: the entry."""
        return entry


class BoardPagination(AsyncPaginationBase):
    """Pages of a board, read by the place where they begin, with ranks that are right on each of them.

    It is given a ``pager``, and a ``queryset`` of whose board the orders are documented. A parameter that
    cannot be right is a ``ValidationError`` of ninja's, a member or a board that is not there an
    ``HttpError`` of status 404.
    """

    class Output(Schema):
        """A page, and the URLs of those beside it."""

        ordering: str
        size: int
        next: str | None
        previous: str | None
        first: str
        last: str
        items: list[Any]

    def __init__(self, *, pager: Pager | None = None, queryset: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self.pager = Pager() if pager is None else pager
        self.Input: Any = _input(self.pager, queryset)

    def paginate_queryset(
        self, queryset: Any, pagination: Any, request: HttpRequest, **params: Any
    ) -> dict[str, Any]:
        """Return the page that a request asks for, its entries with the metrics of their board."""
        try:
            page = self.pager.page(queryset, request.GET, scope=self.get_scope(request))
            if not page.entries:
                boards.require_board(queryset)
        except InvalidParameter as error:
            where = ["query", error.parameter]
            raise ValidationError([{"type": "value_error", "loc": where, "msg": error.reason}]) from error
        except (Http404, ObjectDoesNotExist) as error:
            raise HttpError(404, str(error)) from error
        except DataError as error:
            # A number that no column of the database has, say.
            if not request.GET:
                raise
            raise HttpError(400, str(error).partition("\n")[0]) from error
        about = {"ordering": page.ordering, "size": page.size}
        return {**about, **urls_of(request, page), self.items_attribute: page.entries}

    async def apaginate_queryset(
        self, queryset: Any, pagination: Any, request: HttpRequest, **params: Any
    ) -> dict[str, Any]:
        """Asynchronous form of :meth:`paginate_queryset`."""
        return await sync_to_async(self.paginate_queryset)(queryset, pagination, request, **params)

    def get_scope(self, request: HttpRequest) -> str:
        """Return what tells a view of the board from others: the parameters besides those of pages."""
        return others_in(request.GET)


def _input(pager: Pager, queryset: Any) -> type[Schema]:
    """Return a schema of the parameters of pages, which leaves it to the pager to read them."""
    fields: dict[str, Any] = {
        name.replace(".", "_"): (
            Annotated[str | None, WithJsonSchema(schema)],
            Field(default_factory=_nothing, alias=name, description=description),
        )
        for name, description, schema in parameters_of(pager, queryset)
    }
    return create_model("BoardInput", __base__=Schema, **fields)


def _nothing() -> None:
    """Return None: a default that is in no schema."""

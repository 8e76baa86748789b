"""Boards by Django REST framework, which is to be installed with it: pages, orders and what serializers show.

A view has a ``queryset`` of a model that declares boards, and may have a ``pager``, as a
:class:`~leaderboard.endpoints.BoardView` has.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import DataError
from rest_framework.exceptions import NotFound, ParseError, ValidationError
from rest_framework.filters import BaseFilterBackend, OrderingFilter
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ChoiceField, DurationField, FloatField, IntegerField, Serializer
from rest_framework.settings import api_settings

from leaderboard.endpoints.boards import board_or_404, require_board
from leaderboard.endpoints.errors import InvalidParameter
from leaderboard.endpoints.links import others_in, urls_of
from leaderboard.endpoints.openapi import parameters_of
from leaderboard.endpoints.page import Page, Pager
from leaderboard.expressions.qualification import QualificationChoices

__all__ = [
    "BoardFilter",
    "BoardOrderingFilter",
    "BoardPagination",
    "QualificationField",
    "RankField",
    "StandingSerializer",
]

PAGER = Pager()
URL = {"type": "string", "format": "uri"}


def pager_of(view: Any) -> Pager:
    """Return the pager of a view; that of defaults where it has none."""
    pager: Pager = getattr(view, "pager", PAGER)
    return pager


class BoardFilter(BaseFilterBackend):
    """Pins a view to the board that its URL names; what can name none is a 404."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        """Return the entries on the board; raise ``Http404`` for what cannot name one."""
        return board_or_404(queryset, **view.kwargs)


class BoardPagination(BasePagination):
    """Pages of a board, read by the place where they begin, with ranks that are right on each of them.

    A parameter that cannot be right is a ``ValidationError``, a member or a board that is not there a
    ``NotFound``.
    """

    page: Page
    request: Request

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return the entries of the page that a request asks for, with the metrics of their board."""
        self.request = request
        given = request.query_params
        try:
            self.page = pager_of(view).page(queryset, given, scope=self.get_scope(request))
        except InvalidParameter as error:
            raise _invalid(error) from error
        except ObjectDoesNotExist as error:
            raise NotFound(str(error)) from error
        except DataError as error:
            # A number that no column of the database has, say.
            if not given:
                raise
            raise ParseError(str(error).partition("\n")[0]) from error
        if not self.page.entries:
            require_board(queryset)
        return [*self.page.entries]

    def get_scope(self, request: Request) -> str:
        """Return what tells a view of the board from others: the parameters besides those of pages."""
        return others_in(request.query_params, api_settings.URL_FORMAT_OVERRIDE or "")

    def get_paginated_response(self, data: Any) -> Response:
        """Return the response of a page: ``results``, and the URLs of the pages beside it."""
        about = {"ordering": self.page.ordering, "size": self.page.size}
        return Response({**about, **urls_of(self.request, self.page), "results": data})

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        """Return what OpenAPI has to say about the response, of entries with a schema."""
        properties = {
            "ordering": {"type": "string", "example": "rank"},
            "size": {"type": "integer", "example": 50},
            "next": {**URL, "nullable": True},
            "previous": {**URL, "nullable": True},
            "first": URL,
            "last": URL,
            "results": schema,
        }
        return {"type": "object", "required": [*properties], "properties": properties}

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return what OpenAPI has to say about the parameters of pages."""
        return _operation_parameters(view)


class BoardOrderingFilter(OrderingFilter):
    """Orders ranked entries by what their board allows, and gives them its metrics.

    It is for views that have other pages than those of :class:`BoardPagination`, or none; with that one it
    shows the orders in the browsable API, and leaves them to the pages. Another order is a
    ``ValidationError``.
    """

    # As pages read it, whatever REST_FRAMEWORK["ORDERING_PARAM"] says.
    ordering_param = "ordering"

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        """Return the ranked entries in the order that a request asks for."""
        if isinstance(getattr(view, "paginator", None), BoardPagination):
            return queryset
        try:
            return pager_of(view).ordered(queryset, request.query_params)
        except InvalidParameter as error:
            raise _invalid(error) from error

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> list[str]:
        """Return the names in the order that a request asks for, or the view."""
        text = request.query_params.get(self.ordering_param) or pager_of(view).ordering
        return text.split(",")

    def get_valid_fields(self, queryset: Any, view: Any, context: Any = None) -> list[tuple[str, str]]:
        """Return the names that may be ordered by, and those for people."""
        names = pager_of(view).orderings(queryset).names
        return [(name, name.replace("_", " ").capitalize()) for name in names]

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return what OpenAPI has to say about the parameter."""
        return [each for each in _operation_parameters(view) if each["name"] == self.ordering_param]


class RankField(IntegerField):
    """A rank; with ``RankKind.FRACTIONAL`` a serializer has a ``FloatField`` instead, or this is an error."""

    def to_representation(self, value: Any) -> int:
        """Return a rank as a whole number; raise ``ValueError`` where it is none."""
        if value != int(value):
            raise ValueError(f"{value} is no whole rank: let {self.field_name} be a FloatField.")
        return int(value)


class QualificationField(ChoiceField):
    """What a cut-off makes of an entry, one of the values of :class:`~leaderboard.kinds.Qualification`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=QualificationChoices.choices, **{"read_only": True, **options})


class StandingSerializer(Serializer[Any]):
    """The standing of an entry on its board."""

    # What the names of the metrics begin with, as ``prefix`` of a pager says.
    prefix = ""

    rank: Any = RankField(allow_null=True)
    board_size: Any = IntegerField(allow_null=True)
    percentile: Any = FloatField(allow_null=True)
    qualification: Any = QualificationField(read_only=False)
    time_taken: Any = DurationField(allow_null=True)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"source": "*", "read_only": True, **options})

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the metrics of an entry, or of what ``get_standing()`` gives, by name.

        Raises ``AttributeError`` for a metric that it does not have, but for the time taken, which a board
        need not declare.
        """
        names: list[str] = [*self.fields]
        figures = {name: getattr(instance, f"{self.prefix}{name}") for name in names if name != "time_taken"}
        figures["time_taken"] = getattr(instance, f"{self.prefix}time_taken", None)
        return super().to_representation(figures)


def _invalid(error: InvalidParameter) -> ValidationError:
    return ValidationError({error.parameter: [error.reason]})


def _operation_parameters(view: Any) -> list[dict[str, Any]]:
    queryset = getattr(view, "queryset", None)
    described = parameters_of(pager_of(view), queryset if hasattr(queryset, "on_board") else None)
    return [
        {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
        for name, description, schema in described
    ]

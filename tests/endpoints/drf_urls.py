from __future__ import annotations

from typing import Any, ClassVar

from django.urls import path
from django_filters import CharFilter, FilterSet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.serializers import ModelSerializer

from leaderboard.endpoints import Pager
from leaderboard.endpoints.drf import (
    BoardFilter,
    BoardOrderingFilter,
    BoardPagination,
    QualificationField,
    StandingSerializer,
)
from leaderboard.endpoints.filters import QualificationFilter
from tests.testapp.models import Attempt


class AttemptSerializer(ModelSerializer[Attempt]):
    standing = StandingSerializer()

    class Meta:
        model = Attempt
        fields = ("id", "candidate", "score", "standing")


class AttemptFilters(FilterSet):
    team = CharFilter("candidate__team")
    qualification = QualificationFilter()

    class Meta:
        model = Attempt
        fields: ClassVar[list[str]] = []


class AttemptList(ListAPIView[Attempt]):
    queryset = Attempt.objects.board("members")
    serializer_class: Any = AttemptSerializer
    filter_backends = (BoardFilter, DjangoFilterBackend, BoardOrderingFilter)
    filterset_class = AttemptFilters
    pagination_class = BoardPagination
    pager = Pager(size=3, max_size=10, others={"name": "candidate__name"})


class FlatSerializer(ModelSerializer[Attempt]):
    qualification = QualificationField()

    class Meta:
        model = Attempt
        fields = ("id", "qualification")


class Numbered(PageNumberPagination):
    page_size = 2


class NumberedList(AttemptList):
    serializer_class = FlatSerializer
    pagination_class: Any = Numbered


class WholeList(NumberedList):
    pagination_class: Any = None


class AttemptDetail(RetrieveAPIView[Attempt]):
    queryset = Attempt.objects.board("members").standings()
    serializer_class = AttemptSerializer
    filter_backends = (BoardFilter,)


urlpatterns = [
    path("tests/<int:test>/", AttemptList.as_view()),
    path("tests/<int:test>/<int:pk>/", AttemptDetail.as_view()),
    path("by-name/<str:test>/", AttemptList.as_view()),
    path("numbered/<int:test>/", NumberedList.as_view()),
    path("whole/<int:test>/", WholeList.as_view()),
]

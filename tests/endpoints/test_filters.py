"""Filters of django-filter: by qualification, which changes no rank."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from django.http import QueryDict
from django_filters import FilterSet

from leaderboard import Qualification
from leaderboard.endpoints import Pager
from leaderboard.endpoints.filters import QualificationFilter
from tests.endpoints.walking import view
from tests.testapp.models import Attempt, Test

pytestmark = pytest.mark.django_db


class Filters(FilterSet):
    qualification = QualificationFilter()
    other_than = QualificationFilter(exclude=True)

    class Meta:
        model = Attempt
        fields: ClassVar[list[str]] = []


@pytest.fixture
def test(data: None) -> Test:
    return Test.objects.get(name="test 0")


def filtered(query: str, queryset: Any) -> Any:
    filters = Filters(QueryDict(query), queryset=queryset)
    assert filters.is_valid(), filters.errors
    return filters.qs


def figures(rows: Any) -> dict[int, tuple[Any, ...]]:
    return {e.pk: (e.rank, e.board_size, e.percentile, e.qualification) for e in rows}


@pytest.mark.parametrize("status", Qualification)
def test_a_filter_by_qualification_changes_no_rank(status: Qualification, test: Test) -> None:
    everyone = figures(view(test).standings())
    assert len({of[-1] for of in everyone.values()}) > 3
    for queryset in (view(test).standings(), view(test)):
        found = filtered(f"qualification={status}", queryset)
        found = found if queryset.query.annotations else found.standings()
        assert figures(found) == {pk: of for pk, of in everyone.items() if of[-1] == status}
        found = filtered(f"other_than={status}", queryset)
        found = found if queryset.query.annotations else found.standings()
        assert figures(found) == {pk: of for pk, of in everyone.items() if of[-1] != status}


def test_several_qualifications_are_any_of_them(test: Test) -> None:
    everyone = figures(view(test).standings())
    found = filtered("qualification=qualified&qualification=pending", view(test).standings())
    assert figures(found) == {pk: of for pk, of in everyone.items() if of[-1] in ("qualified", "pending")}
    both = filtered(
        "qualification=qualified&qualification=pending&other_than=pending", view(test).standings()
    )
    assert figures(both) == {pk: of for pk, of in everyone.items() if of[-1] == "qualified"}
    assert figures(filtered("", view(test).standings())) == everyone


def test_another_qualification_is_none_of_the_choices(test: Test) -> None:
    filters = Filters(QueryDict("qualification=great"), queryset=view(test))
    assert [*filters.errors] == ["qualification"]
    field: Any = filters.form.fields["qualification"]
    choices = [value for value, _ in field.choices]
    assert choices == [status.value for status in Qualification]


def test_pages_of_those_who_qualify(test: Test) -> None:
    everyone = figures(view(test).standings().ranked())
    wanted = [pk for pk, of in everyone.items() if of[-1] == "qualified"]
    found: list[Attempt] = []
    given = {"size": "2"}
    while True:
        page = Pager().page(filtered("qualification=qualified", view(test)), given)
        found += page.entries
        if page.next is None:
            break
        given["cursor"] = page.next
    assert [entry.pk for entry in found] == wanted
    assert figures(found) == {pk: everyone[pk] for pk in wanted}

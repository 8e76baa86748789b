"""Boards by Django REST framework: pages, orders, serializers, errors, and the OpenAPI document."""

from __future__ import annotations

import re
from typing import Any

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from rest_framework.serializers import FloatField
from rest_framework.test import APIClient, APIRequestFactory

from leaderboard.endpoints import Pager
from leaderboard.endpoints.drf import BoardOrderingFilter, StandingSerializer
from leaderboard.endpoints.openapi import parameters_of
from tests.endpoints.drf_urls import AttemptList, WholeList, urlpatterns
from tests.endpoints.walking import everyone, matches, shown, view, walk
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def drf_urls(urls: None, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.endpoints.drf_urls"


@pytest.fixture
def test(data: None) -> Test:
    return Test.objects.get(name="test 0")


def get(url: str, status: int = 200) -> Any:
    response = APIClient().get(url)
    assert response.status_code == status, response.content
    return response.json()


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_pages_are_walked_forward_and_backward(size: int, test: Test) -> None:
    wanted = everyone(test)
    for ordering, expected in (("rank", wanted), ("-rank", wanted[::-1])):
        url = f"/tests/{test.pk}/?size={size}&ordering={ordering}"
        forward = walk(get, url, "next", "results")
        assert [entry for page in forward for entry in page] == expected
        assert all(len(page) == size for page in forward[:-1])
        backward = walk(get, get(url)["last"], "previous", "results")[::-1]
        assert [entry for page in backward for entry in page] == expected
        assert all(len(page) == size for page in backward[1:])


def test_a_page_begins_at_a_rank_or_has_a_member(test: Test) -> None:
    wanted = everyone(test)
    at_rank = get(f"/tests/{test.pk}/?size=2&rank=3")
    assert [shown(entry) for entry in at_rank["results"]] == wanted[2:4]
    member = view(test).ranked()[3].candidate_id
    found = get(f"/tests/{test.pk}/?size=2&member={member}")
    assert [shown(entry) for entry in found["results"]] == wanted[2:4]
    assert "member" not in found["next"]
    assert get(get(found["next"])["previous"])["results"] == found["results"]


def test_orders_that_are_not_the_boards_own(test: Test) -> None:
    wanted = {entry[0]: entry for entry in everyone(test)}
    names = [*view(test).ranked().order_by("-candidate__name").values_list("pk", flat=True)]
    pages = walk(get, f"/tests/{test.pk}/?size=2&ordering=-name", "next", "results")
    assert [entry for page in pages for entry in page] == [wanted[pk] for pk in names]
    for place in ("whole", "numbered"):
        found = get(f"/{place}/{test.pk}/?ordering=-name")
        found = found if isinstance(found, list) else found["results"]
        assert [entry["id"] for entry in found] == names[: len(found)]
        assert len(found) == (len(names) if place == "whole" else 2)
    ranked = [pk for pk, *_ in everyone(test)]
    assert [entry["id"] for entry in get(f"/whole/{test.pk}/")] == ranked
    assert [entry["id"] for entry in get(f"/whole/{test.pk}/?ordering=-rank")] == ranked[::-1]


WRONG: list[tuple[str, int, str, str]] = [
    ("/tests/{test}/?size=0", 400, "size", "'0' is no whole number from 1 to 10."),
    ("/tests/{test}/?size=1000000000", 400, "size", "'1000000000' is no whole number from 1 to 10."),
    ("/tests/{test}/?ordering=password", 400, "ordering", "'password' is none of rank, percentile,"),
    ("/tests/{test}/?ordering=rank,", 400, "ordering", "'' is none of rank"),
    ("/whole/{test}/?ordering=password", 400, "ordering", "'password' is none of rank, percentile,"),
    ("/whole/{test}/?ordering=a%00", 400, "ordering", "a NUL byte is in no text."),
    ("/tests/{test}/?cursor=x", 400, "cursor", "it is not one of this board,"),
    ("/tests/{test}/?rank=0", 400, "rank", "'0' is no whole number"),
    ("/tests/{test}/?rank=1&page=last", 400, "page", "cannot be given beside rank."),
    ("/tests/{test}/?page=2", 400, "page", "'2' is none of first, last."),
    ("/tests/{test}/?anything=a%00b", 400, "anything", "a NUL byte is in no text."),
    ("/tests/{test}/?member=a%00b", 400, "member", "a NUL byte is in no text."),
    ("/tests/{test}/?member=x", 400, "member", "member='x'"),
    ("/tests/{test}/?member=0", 404, "detail", "No Attempt of member='0' is ranked, on the board"),
    ("/tests/{test}/?qualification=great", 400, "qualification", "Select a valid choice."),
    ("/tests/{test}/?team=a%00b", 400, "team", "Null characters are not allowed."),
    ("/tests/0/", 404, "detail", "There is no test 0."),
    ("/tests/0/?team=red", 404, "detail", "There is no test 0."),
    ("/by-name/x/", 404, "detail", "on_board(test='x')"),
    ("/by-name/a%00/", 404, "detail", "a NUL byte is in no text."),
]


@pytest.mark.parametrize(("url", "status", "where", "about"), WRONG)
def test_what_is_wrong_is_said(url: str, status: int, where: str, about: str, test: Test) -> None:
    error = get(url.format(test=test.pk), status)
    (said,) = [error[where]] if isinstance(error[where], str) else error[where]
    assert [*error] == [where]
    assert said.startswith(about)


def test_cursors_of_something_else_are_refused(test: Test) -> None:
    other = Test.objects.exclude(pk=test.pk)[0]
    cursor = get(f"/tests/{test.pk}/?size=1")["next"].partition("cursor=")[2]
    assert get(f"/tests/{test.pk}/?cursor={cursor}&size=2&ordering=rank&format=json")["results"]
    for url in (
        f"/tests/{test.pk}/?cursor=X{cursor}",
        f"/tests/{test.pk}/?cursor={cursor}X",
        f"/tests/{test.pk}/?cursor={cursor}&ordering=-rank",
        f"/tests/{test.pk}/?cursor={cursor}&team=red",
        f"/tests/{test.pk}/?cursor={cursor}&qualification=qualified",
        f"/tests/{test.pk}/?cursor={cursor}&another=1",
        f"/tests/{other.pk}/?cursor={cursor}",
    ):
        assert [*get(url, 400)] == ["cursor"]


def test_a_number_that_no_column_has_is_wrong(test: Test, monkeypatch: Any) -> None:
    def filtered(self: Any, request: Any, queryset: Any, view: Any) -> Any:
        return queryset.extra(where=["1e400::float8 > 0"]) if request.query_params else queryset

    monkeypatch.setattr(BoardOrderingFilter, "filter_queryset", filtered)
    assert [*get(f"/tests/{test.pk}/?big=1e400", 400)] == ["detail"]


def test_statements_of_a_page(test: Test, django_assert_num_queries: Any) -> None:
    found, last = get(f"/tests/{test.pk}/?size=2"), get(f"/tests/{test.pk}/?page=last&size=2")
    member = view(test).ranked()[4].candidate_id
    for number, url in (
        (2, f"/tests/{test.pk}/?size=10"),
        (3, found["next"]),
        (3, last["previous"]),
        (3, f"/tests/{test.pk}/?rank=2"),
        (3, f"/tests/{test.pk}/?member={member}&size=2"),
        (1, f"/tests/{test.pk}/?qualification=qualified"),
        (2, "/tests/0/"),
        (1, f"/whole/{test.pk}/"),
    ):
        with django_assert_num_queries(number):
            APIClient().get(url)


def test_a_view_of_one_entry(test: Test, django_assert_num_queries: Any) -> None:
    for entry in view(test).standings():
        with django_assert_num_queries(2):
            found = get(f"/tests/{test.pk}/{entry.pk}/")
        assert shown(found) == (
            entry.pk,
            entry.rank,
            entry.board_size,
            entry.percentile,
            entry.qualification,
        )
    elsewhere = Attempt.objects.exclude(test=test)[0]
    assert [*get(f"/tests/{test.pk}/{elsewhere.pk}/", 404)] == ["detail"]


def test_a_standing_by_itself(test: Test) -> None:
    member = Candidate.objects.get(name="candidate 2")
    standing = view(test).get_standing(member=member)
    assert StandingSerializer(standing).data == {
        "rank": standing.rank,
        "board_size": standing.board_size,
        "percentile": standing.percentile,
        "qualification": standing.qualification.value,
        "time_taken": "00:00:20",
    }
    pending = view(test).get_standing(view(test).filter(score=None).get())
    assert StandingSerializer(pending).data == {
        "rank": None,
        "board_size": standing.board_size,
        "percentile": None,
        "qualification": pending.qualification.value,
        "time_taken": "00:00:05",
    }


def test_a_standing_may_have_fewer_metrics_and_other_names(test: Test) -> None:
    class Ranks(StandingSerializer):
        prefix = "test_"
        board_size = percentile = qualification = time_taken = None

    class Halves(Ranks):
        rank = FloatField()

    (entry, *_) = view(test).with_rank(prefix="test_").ranked()
    assert Ranks(entry).data == {"rank": 1}
    with pytest.raises(AttributeError, match="'board_size'"):
        StandingSerializer(entry).data  # noqa: B018 - reading it is what fails
    (*_, entry) = view(test).with_rank("fractional", prefix="test_").ranked()[:2]
    assert Halves(entry).data == {"rank": 1.5}
    with pytest.raises(ValueError, match=re.escape("1.5 is no whole rank: let rank be a FloatField.")):
        Ranks(entry).data  # noqa: B018
    (entry, *_) = Attempt.objects.board("everything").standings().ranked()
    assert StandingSerializer(entry).data["time_taken"] is None


def test_the_browsable_api_shows_the_orders(test: Test) -> None:
    view = WholeList(request=None)
    request = view.initialize_request(APIRequestFactory().get("/", {"ordering": "-name"}))
    context = BoardOrderingFilter().get_template_context(request, WholeList.queryset, view)
    assert context["current"] == "-name"
    assert ("-time_taken", "Time taken - descending") in context["options"]
    assert len(context["options"]) == 2 * len(AttemptList.pager.orderings(AttemptList.queryset).names)


def document(patterns: Any = urlpatterns) -> dict[str, Any]:
    GENERATOR_STATS.reset()
    made: dict[str, Any] = SchemaGenerator(patterns=patterns).get_schema(request=None, public=True)
    assert not GENERATOR_STATS, (GENERATOR_STATS._warn_cache, GENERATOR_STATS._error_cache)
    validate_schema(made)
    return made


def test_the_openapi_document_is_right(test: Test) -> None:
    made = document()
    operation = made["paths"]["/tests/{test}/"]["get"]
    parameters = {each["name"]: each for each in operation["parameters"] if each["in"] == "query"}
    read = {each.name: each for each in parameters_of(AttemptList.pager, AttemptList.queryset)}
    assert {*parameters} == {*read, "team", "qualification"}
    for name, each in read.items():
        assert (parameters[name]["schema"], parameters[name]["required"]) == (each.schema, False)
    numbered = made["paths"]["/numbered/{test}/"]["get"]["parameters"]
    assert {each["name"] for each in numbered} == {"test", "ordering", "page", "team", "qualification"}
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    for query in ("", "?size=1&rank=2", "?team=nobody"):
        matches(get(f"/tests/{test.pk}/{query}"), schema, made)


def test_orders_are_documented_as_they_are_read(test: Test) -> None:
    schema = {each.name: each.schema for each in parameters_of(AttemptList.pager, AttemptList.queryset)}
    for ordering in ("rank", "-rank", "-percentile,name", "-rank,", "password", "name,password", ""):
        is_read = not ordering or APIClient().get(f"/tests/{test.pk}/?ordering={ordering}").status_code == 200
        assert bool(re.search(schema["ordering"]["pattern"], ordering)) == (is_read and ordering != "")


def test_members_are_documented_as_they_are_named() -> None:
    board = Attempt.objects.board("members").leaderboard
    named = {None: [], "candidate": ["member"], ("candidate", "label"): ["member.candidate", "member.label"]}
    for member, names in named.items():
        changed = board.replace(member=member and ([*member] if isinstance(member, tuple) else member))
        described = parameters_of(Pager(), Attempt.objects.with_leaderboard(changed))
        assert [each.name for each in described if each.name.startswith("member")] == names
    assert "member" in {each.name for each in parameters_of(Pager())}

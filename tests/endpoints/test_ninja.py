"""Boards by django-ninja: pages, schemas, errors, and the OpenAPI document."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from jsonschema import Draft202012Validator

from leaderboard.endpoints.ninja import BoardPagination, EntrySchema, StandingSchema
from leaderboard.endpoints.openapi import parameters_of
from tests.endpoints.ninja_urls import members, pager
from tests.endpoints.walking import everyone, matches, shown, view, walk
from tests.testapp.models import Attempt, Test

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ninja_urls(urls: None, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.endpoints.ninja_urls"


@pytest.fixture
def test(data: None) -> Test:
    return Test.objects.get(name="test 0")


def get(url: str, status: int = 200) -> Any:
    response = Client().get(url)
    assert response.status_code == status, response.content
    return response.json()


@pytest.mark.parametrize("size", [1, 2, 3, 10])
@pytest.mark.parametrize("path", ["tests", "later"])
def test_pages_are_walked_forward_and_backward(path: str, size: int, test: Test) -> None:
    wanted = everyone(test)
    for ordering, expected in (("rank", wanted), ("-rank", wanted[::-1])):
        url = f"/{path}/{test.pk}/?size={size}&ordering={ordering}"
        forward = walk(get, url, "next", "items")
        assert [entry for page in forward for entry in page] == expected
        assert all(len(page) == size for page in forward[:-1])
        backward = walk(get, get(url)["last"], "previous", "items")[::-1]
        assert [entry for page in backward for entry in page] == expected
        assert all(len(page) == size for page in backward[1:])


def test_a_page_begins_at_a_rank_or_has_a_member(test: Test) -> None:
    wanted = everyone(test)
    at_rank = get(f"/tests/{test.pk}/?size=2&rank=3")
    assert [shown(entry) for entry in at_rank["items"]] == wanted[2:4]
    member = view(test).ranked()[3].candidate_id
    found = get(f"/tests/{test.pk}/?size=2&member={member}")
    assert [shown(entry) for entry in found["items"]] == wanted[2:4]
    assert get(get(found["next"])["previous"])["items"] == found["items"]


def test_a_filter_changes_no_rank(test: Test) -> None:
    wanted = {entry[0]: entry for entry in everyone(test)}
    found = get(f"/tests/{test.pk}/?team=red&size=10")["items"]
    assert found and len(found) < len(wanted)
    assert all(shown(entry) == wanted[entry["id"]] for entry in found)


WRONG: list[tuple[str, str, str]] = [
    ("size=0", "size", "'0' is no whole number from 1 to 10."),
    ("size=1000000000", "size", "'1000000000' is no whole number from 1 to 10."),
    ("ordering=password", "ordering", "'password' is none of rank, percentile,"),
    ("cursor=x", "cursor", "it is not one of this board,"),
    ("rank=x", "rank", "'x' is no whole number"),
    ("rank=1&page=last", "page", "cannot be given beside rank."),
    ("page=2", "page", "'2' is none of first, last."),
    ("anything=a%00b", "anything", "a NUL byte is in no text."),
    ("member=x", "member", "member='x'"),
]


@pytest.mark.parametrize("path", ["tests", "later"])
@pytest.mark.parametrize(("query", "where", "about"), WRONG)
def test_what_is_wrong_is_said(path: str, query: str, where: str, about: str, test: Test) -> None:
    (error,) = get(f"/{path}/{test.pk}/?{query}", 422)["detail"]
    assert (error["type"], error["loc"]) == ("value_error", ["query", where])
    assert error["msg"].startswith(about)


ABSENT: list[tuple[str, str]] = [
    ("/tests/{test}/?member=0", "No Attempt of member='0' is ranked, on the board"),
    ("/tests/0/", "There is no test 0."),
    ("/later/0/", "There is no test 0."),
    ("/by-name/x/", "on_board(test='x')"),
    ("/by-name/a%00/", "a NUL byte is in no text."),
]


@pytest.mark.parametrize(("url", "about"), ABSENT)
def test_what_is_not_there_is_said(url: str, about: str, test: Test) -> None:
    assert get(url.format(test=test.pk), 404)["detail"].startswith(about)


def test_cursors_of_something_else_are_refused(test: Test) -> None:
    other = Test.objects.exclude(pk=test.pk)[0]
    cursor = get(f"/tests/{test.pk}/?size=1")["next"].partition("cursor=")[2]
    assert get(f"/tests/{test.pk}/?cursor={cursor}&size=2")["items"]
    for url in (
        f"/tests/{test.pk}/?cursor=X{cursor}",
        f"/tests/{test.pk}/?cursor={cursor}X",
        f"/tests/{test.pk}/?cursor={cursor}&ordering=-rank",
        f"/tests/{test.pk}/?cursor={cursor}&team=red",
        f"/tests/{other.pk}/?cursor={cursor}",
    ):
        assert get(url, 422)["detail"][0]["loc"] == ["query", "cursor"]


def test_a_number_that_no_column_has_is_wrong(test: Test, rf: Any) -> None:
    infinite = members.on_board(test=test).extra(where=["1e400::float8 > 0"])
    with pytest.raises(Exception, match="out of range") as raised:
        BoardPagination().paginate_queryset(infinite, None, rf.get("/", {"big": "1e400"}))
    assert raised.value.status_code == 400  # type: ignore[attr-defined]


def test_statements_of_a_page(test: Test, django_assert_num_queries: Any) -> None:
    found, last = get(f"/tests/{test.pk}/?size=2"), get(f"/tests/{test.pk}/?page=last&size=2")
    member = view(test).ranked()[4].candidate_id
    for number, url in (
        (2, f"/tests/{test.pk}/?size=10"),
        (3, found["next"]),
        (3, last["previous"]),
        (3, f"/tests/{test.pk}/?member={member}&size=2"),
        (1, f"/tests/{test.pk}/?team=red"),
        (2, "/tests/0/"),
        (2, f"/tests/{test.pk}/standing/?member={member}"),
    ):
        with django_assert_num_queries(number):
            Client().get(url)


def test_an_asynchronous_client_gets_the_same(test: Test) -> None:
    response = async_to_sync(AsyncClient().get)(f"/later/{test.pk}/")
    assert response.json()["items"] == get(f"/tests/{test.pk}/")["items"]


def test_a_standing_by_itself(test: Test) -> None:
    first = view(test).ranked()[0]
    standing = view(test).get_standing(first)
    found = get(f"/tests/{test.pk}/standing/?member={first.candidate_id}")
    assert found == {
        "rank": 1,
        "board_size": standing.board_size,
        "percentile": 100.0,
        "qualification": "qualified",
        "time_taken": "P0DT00H00M30S",
    }
    pending = StandingSchema.from_orm(view(test).get_standing(view(test).filter(score=None).get()))
    assert (pending.rank, pending.percentile, pending.time_taken) == (None, None, timedelta(seconds=5))


def test_metrics_that_a_board_has_or_has_not(test: Test) -> None:
    (*_, entry) = view(test).standings().with_rank("fractional", prefix="half_").ranked()[:2]
    assert entry.half_rank == Decimal("1.5")
    entry.rank = entry.half_rank
    assert EntrySchema.from_orm(entry).standing.rank == 1.5
    (entry, *_) = Attempt.objects.board("everything").standings().ranked()
    assert EntrySchema.from_orm(entry).standing.time_taken is None
    (entry, *_) = view(test).with_rank().ranked()
    with pytest.raises(ValueError, match="board_size"):
        EntrySchema.from_orm(entry)


def test_the_openapi_document_is_right(test: Test) -> None:
    made = get("/openapi.json")
    operation = made["paths"]["/tests/{test}/"]["get"]
    parameters = {each["name"]: each for each in operation["parameters"] if each["in"] == "query"}
    read = parameters_of(pager, members)
    assert {*parameters} == {"team", *(each.name for each in read)}
    for each in read:
        schema = parameters[each.name]["schema"]
        Draft202012Validator.check_schema(schema)
        assert not parameters[each.name]["required"]
        assert {name: schema[name] for name in each.schema} == each.schema
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    for query in ("", "?size=1&rank=2", "?team=nobody"):
        matches(get(f"/tests/{test.pk}/{query}"), schema, made)


def test_members_of_several_fields_are_parameters_of_their_own(test: Test) -> None:
    board = members.leaderboard.replace(member=["candidate", "label"])
    schema = BoardPagination(queryset=Attempt.objects.with_leaderboard(board)).Input.model_json_schema()
    assert [name for name in schema["properties"] if name.startswith("member")] == [
        "member.candidate",
        "member.label",
    ]

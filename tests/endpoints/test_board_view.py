"""Boards as JSON and HTML, what is wrong with a request, and whether a client has it already."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar
from unittest import mock

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q
from django.test import Client, RequestFactory
from django.urls import reverse

from leaderboard.endpoints import BoardView, freshness
from leaderboard.endpoints.representation import Columns, plain
from tests.attempts import START
from tests.fuzz.models import Composite
from tests.schemas.models import NamedLikeMetrics
from tests.testapp.models import MEMBERS, Attempt, Candidate, Test

pytestmark = pytest.mark.django_db


@pytest.fixture
def test(data: None) -> Test:
    return Test.objects.get(name="test 0")


def view(test: Test) -> Any:
    return Attempt.objects.board("members").on_board(test=test)


def get(url: str, status: int = 200, **headers: str) -> Any:
    response = Client(raise_request_exception=True).get(url, headers=headers)
    assert response.status_code == status, response.content
    return response.json() if response.content else None


def test_a_board_is_read_page_by_page(test: Test) -> None:
    found = get(f"/tests/{test.pk}/")
    everyone = list(view(test).standings().ranked().select_related("candidate"))
    assert found["entries"][0] == {
        "standing": {
            "rank": 1,
            "board_size": len(everyone),
            "percentile": 100.0,
            "qualification": "qualified",
            "time_taken": "P0DT00H00M30S",
        },
        "candidate__name": "candidate 0",
        "score": 90,
        "candidate": everyone[0].candidate_id,
    }
    assert (found["ordering"], found["size"], found["previous"]) == ("rank", 3, None)
    urls, names = [], [entry["candidate__name"] for entry in found["entries"]]
    while found["next"]:
        urls.append(found["next"])
        found = get(found["next"])
        names += [entry["candidate__name"] for entry in found["entries"]]
    assert names == [entry.candidate.name for entry in everyone]
    assert all(url.startswith(f"http://testserver/tests/{test.pk}/?cursor=") for url in urls)
    assert [entry["candidate__name"] for entry in get(found["last"])["entries"]] == names[-3:]
    assert get(found["first"])["entries"] == get(f"/tests/{test.pk}/")["entries"]


def test_links_keep_what_else_was_asked_for(test: Test) -> None:
    found = get(f"/tests/{test.pk}/?size=1&ordering=-name&least=10&team=red&rank=&unknown=ä")
    again = get(found["next"])
    assert again["ordering"] == "-name"
    assert "team=red" in again["previous"] and "unknown=%C3%A4" in again["previous"]
    assert get(again["previous"])["entries"] == found["entries"]
    member = get(f"/tests/{test.pk}/?size=1&member={Candidate.objects.get(name='candidate 2').pk}")
    assert "member" not in member["next"]
    assert get(get(member["next"])["previous"])["entries"] == member["entries"]


def test_filters_and_search_are_views(test: Test) -> None:
    everyone = {e["candidate"]: e["standing"] for e in get(f"/tests/{test.pk}/?size=10")["entries"]}
    for query in (
        "team=red",
        "least=50",
        "search=candidate",
        "search=idate+high",
        "search=CANDIDATE 2",
        "search= ",
    ):
        found = get(f"/tests/{test.pk}/?size=10&{query}")["entries"]
        assert found
        assert all(everyone[entry["candidate"]] == entry["standing"] for entry in found)
    assert len(get(f"/tests/{test.pk}/?search=candidate%202")["entries"]) == 1
    assert get(f"/tests/{test.pk}/?search=nobody")["entries"] == []
    red = get(f"/tests/{test.pk}/?team=red&size=1")
    for other in ("", "team=blue&", "team=red&least=1&", "team=red&search=a&"):
        assert get(f"/tests/{test.pk}/?{other}cursor={red['next'].split('cursor=')[1]}", 400)


class Commented(BoardView):
    queryset = Attempt.objects.board("members")
    fields = ("pk",)
    filters: ClassVar = {"said": "comments__text", "comment": "comments__pk"}
    search = ("candidate__name", "comments__text")


@pytest.mark.parametrize("query", ["said=well", "search=well"])
def test_an_entry_is_shown_once_however_many_related_rows_a_filter_finds(test: Test, query: str) -> None:
    first, second = view(test).ranked()[:2]
    for attempt in (first, first, first, second):
        attempt.comments.create(text="well")
    for action, most in (("page", ""), ("page", "&size=1"), ("jsonl", "")):
        request = RequestFactory().get(f"/?{query}{most}")
        response: Any = Commented.as_view(action=action)(request, test=test.pk)
        if action == "page":
            shown = json.loads(response.content)["entries"]
        else:
            shown = [json.loads(line) for line in b"".join(response).splitlines()]
        assert [entry["pk"] for entry in shown] == [first.pk, second.pk][: 1 if most else 2]


def test_a_value_that_is_none_of_a_field_of_related_rows_is_told(test: Test) -> None:
    response = Commented.as_view()(RequestFactory().get("/?comment=x"), test=test.pk)
    assert response.status_code == 400


def test_neighbours_and_standings(test: Test) -> None:
    everyone = [entry.candidate_id for entry in view(test).ranked()]
    one = everyone[2]
    found = get(f"/tests/{test.pk}/around/?member={one}&before=1&after=2")["entries"]
    assert [entry["candidate"] for entry in found] == everyone[1:5]
    assert [entry["standing"]["rank"] for entry in found] == [e.rank for e in view(test).ranked()][1:5]
    (alone,) = get(f"/tests/{test.pk}/around/?member={one}&before=0&after=0")["entries"]
    standing = get(f"/tests/{test.pk}/standing/?member={one}")
    assert standing == {"standing": alone["standing"]}
    entry = view(test).ranked()[2]
    assert get(f"/tests/{test.pk}/standing/?entry={entry.pk}") == standing
    assert get(f"/tests/{test.pk}/around/?entry={entry.pk}&before=1&after=2")["entries"] == found
    pending = view(test).filter(score=None).get()
    assert get(f"/tests/{test.pk}/standing/?entry={pending.pk}")["standing"]["rank"] is None


WRONG: list[tuple[str, int, str]] = [
    ("/tests/{test}/?size=0", 400, "size"),
    ("/tests/{test}/?size=1000000000", 400, "size"),
    ("/tests/{test}/?ordering=password", 400, "ordering"),
    ("/tests/{test}/?cursor=x", 400, "cursor"),
    ("/tests/{test}/?search=a%00b", 400, "search"),
    (f"/tests/{{test}}/?search={'a+' * 11}", 400, "search"),
    ("/tests/{test}/?anything=%00", 400, "anything"),
    ("/tests/{test}/?least=x", 400, "least"),
    ("/tests/{test}/?since=yesterday", 400, "since"),
    ("/tests/{test}/?big=1e999999", 400, ""),
    ("/tests/{test}/export.csv?big=1e999999", 400, ""),
    ("/tests/{test}/export.jsonl?big=1e999999", 400, ""),
    ("/several/{test}/?nobody=perhaps", 400, "nobody"),
    ("/several/{test}/?among=1,x", 400, "among"),
    ("/several/{test}/?between=1", 400, "between"),
    ("/several/{test}/?between=1,2,3", 400, "between"),
    ("/several/{test}/?moments=2026-03-31,never", 400, "moments"),
    ("/several/{test}/?year=10000", 400, "year"),
    ("/several/{test}/?like=(", 400, ""),
    ("/tests/{test}/?member=0", 404, "No Attempt of member='0' is ranked, on the board and in the view."),
    ("/tests/{test}/?member=x", 400, "member"),
    ("/tests/{test}/around/", 400, "member"),
    ("/tests/{test}/around/?member=0", 404, "No Attempt of member='0'"),
    ("/tests/{test}/around/?member=1&entry=1", 400, "member"),
    ("/tests/{test}/around/?member={member}&before=11", 400, "before"),
    ("/tests/{test}/around/?member={member}&after=-1", 400, "after"),
    ("/tests/{test}/standing/", 400, "member"),
    ("/tests/{test}/standing/?member=0", 404, "No Attempt of member='0' is stored"),
    ("/tests/{test}/standing/?entry=0", 404, "No Attempt with the key '0' is stored"),
    ("/tests/{test}/standing/?entry=x", 400, "entry"),
    ("/everything/standing/", 400, "entry"),
    ("/everything/standing/?member=1", 400, "member"),
    ("/tests/0/", 404, "There is no test 0."),
    ("/tests/99999999999999999999999999/", 404, "There is no test 99999999999999999999999999."),
    ("/tests/0/?search=x", 404, "There is no test 0."),
    ("/tests/0/standing/?member=1", 404, "No Attempt of member='1'"),
    ("/by-name/x/", 404, "on_board(test='x')"),
    ("/by-name/a%00/", 404, "a NUL byte is in no text."),
    ("/monthly/1/never/", 404, "on_board(month='never')"),
    ("/monthly/1/0001-01-01T00:00:00+23:59/", 404, "on_board(month='0001-01-01T00:00:00+23:59')"),
    ("/monthly/1/9999-12-31T23:59:59-23:59/", 404, "on_board(month='9999-12-31T23:59:59-23:59')"),
]


@pytest.mark.parametrize(("url", "status", "about"), WRONG)
def test_what_is_wrong_is_said(url: str, status: int, about: str, test: Test) -> None:
    member = view(test).ranked()[0].candidate_id
    error = get(url.format(test=test.pk, member=member), status)["error"]
    if status == 400 and about:
        assert error["parameter"] == about
        assert error["message"]
    else:
        assert error["message"].startswith(about)


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ("nobody=true", Q(candidate=None)),
        ("nobody=0", ~Q(candidate=None)),
        ("among=70,90,11", Q(score__in=[70, 90])),
        ("between=50,70", Q(score__gte=50, score__lte=70)),
        ("since=2026-03-31", Q()),
        ("since=2026-04-01T00:00", Q(pk=None)),
        ("moments=2026-03-31T23:59,2026-03-31T23:59:20", Q(finished_at__lte=START + timedelta(seconds=20))),
        ("day=2026-03-31", Q()),
        ("year=2025", Q(pk=None)),
    ],
)
def test_a_text_is_what_its_lookup_compares_with(query: str, condition: Q, test: Test, settings: Any) -> None:
    settings.TIME_ZONE = "UTC"
    board = Attempt.objects.with_leaderboard(MEMBERS.replace(member=["candidate", "label"]))
    shown = get(f"/several/{test.pk}/?size=10&{query}")["entries"]
    expected = board.on_board(test=test).ranked().filter(condition)
    assert [entry["pk"] for entry in shown] == [entry.pk for entry in expected]


def test_a_moment_without_a_zone_is_one_of_the_projects(test: Test, settings: Any) -> None:
    # All began when there it was one minute to one in the afternoon of the next day.
    settings.TIME_ZONE = "Pacific/Auckland"
    for moment, is_shown in (("2026-04-01T12:59", True), ("2026-04-01T13:00", False)):
        for query in (f"since={moment}", f"began={moment},2027-01-01"):
            assert bool(get(f"/several/{test.pk}/?{query}")["entries"]) == is_shown
        found = get(f"/several/{test.pk}/what-if/?of=when&at_least={moment}")
        assert found["qualified"] == (found["ranked"] if is_shown else 0)


def test_composite_keys() -> None:
    Composite.objects.bulk_create(
        Composite(season=n % 3, number=n, score=n, who=f"{n}", made=n, laps=n) for n in range(6)
    )
    found = get("/composite/what-if/?at_least=4&of=score")
    assert found == {"ranked": 6, "qualified": 2, "gained": 0, "lost": 1, "now": {"qualified": 3}}
    assert sum(each["count"] for each in get("/composite/histogram/")["bins"]) == 6


def test_a_board_without_entries(data: None) -> None:
    test = Test.objects.create(name="empty")
    found = get(f"/tests/{test.pk}/")
    assert (found["entries"], found["next"], found["previous"]) == ([], None, None)
    assert get(f"/monthly/{test.pk}/2026-03-01/")["entries"] == []


def test_statements_of_a_page(test: Test, django_assert_num_queries: Any) -> None:
    found = get(f"/tests/{test.pk}/?size=2")
    last = get(f"/tests/{test.pk}/?page=last&size=2")
    member = view(test).ranked()[4].candidate_id
    for number, url in (
        (2, f"/tests/{test.pk}/?size=10"),
        (3, found["next"]),
        (3, last["previous"]),
        (3, f"/tests/{test.pk}/?member={member}&size=2"),
        (3, f"/tests/{test.pk}/?team=red&member={member}"),
        (1, f"/tests/{test.pk}/?team=red"),
        (2, f"/tests/{test.pk}/around/?member={member}"),
        (2, f"/tests/{test.pk}/standing/?member={member}"),
        (2, "/tests/0/"),
    ):
        with django_assert_num_queries(number):
            Client().get(url)


def test_html_is_for_those_who_prefer_it(test: Test) -> None:
    names = [entry.candidate.name for entry in view(test).ranked()[:3]]
    html = Client().get(f"/page/{test.pk}/", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert html["Content-Type"].startswith("text/html")
    assert html.content.decode().startswith(f"1. {names[0]}\n1. {names[1]}")
    assert "next</a>" in html.content.decode()
    for accept in ("application/json", "*/*", "application/json, text/html;q=0.5"):
        found = Client().get(f"/page/{test.pk}/", headers={"accept": accept})
        assert found["Content-Type"] == "application/json"
        assert found["Vary"] == html["Vary"] == "Accept"
    assert found["ETag"] != html["ETag"]
    plain = Client().get(f"/tests/{test.pk}/", headers={"accept": "text/html"})
    assert (plain.status_code, plain.json()["error"]["message"]) == (406, "There is application/json only.")
    for url, status in (
        (f"/page/{test.pk}/?size=0", 400),
        ("/page/0/", 404),
        (f"/page/{test.pk}/?member=0", 404),
    ):
        assert Client().get(url, headers={"accept": "text/html"}).status_code == status
        assert Client().get(url).status_code == status


def test_other_methods_are_refused(test: Test) -> None:
    for method in ("post", "put", "patch", "delete"):
        assert getattr(Client(), method)(f"/tests/{test.pk}/").status_code == 405
    head = Client().head(f"/tests/{test.pk}/")
    assert (head.status_code, head.content) == (200, b"")
    assert head["ETag"] == Client().get(f"/tests/{test.pk}/")["ETag"]


CHANGES: dict[str, Any] = {
    "an entry comes": lambda test: Attempt.objects.create(
        test=test, candidate=Candidate.objects.create(), score=1000, disqualified=False, started_at=START,
        finished_at=START,
    ),
    "an entry goes": lambda test: Candidate.objects.get(name="candidate 0").attempts.all().delete(),
    "a score changes": lambda test: view(test).filter(pk=view(test).ranked()[0].pk).update(score=99),
    "the last one goes": lambda test: Candidate.objects.get(name="candidate 5").attempts.all().delete(),
    "the cut-off moves": lambda test: Test.objects.filter(pk=test.pk).update(cut_off=1000),
    "a name changes": lambda test: Candidate.objects.update(name="x"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_a_client_has_is_not_sent_again_until_it_changes(change: Any, test: Test) -> None:
    url = f"/tests/{test.pk}/"
    before = Client().get(url)
    by_tag, by_time = {"if-none-match": before["ETag"]}, {"if-modified-since": before["Last-Modified"]}
    for headers in (by_tag, by_time, {**by_tag, **by_time}):
        same = Client().get(url, headers=headers)
        assert (same.status_code, same.content) == (304, b"")
        assert (same["ETag"], same["Last-Modified"]) == (before["ETag"], before["Last-Modified"])
    change(test)
    for headers in (by_tag, by_time, {**by_tag, **by_time}):
        after = Client().get(url, headers=headers)
        assert after.status_code == 200
        assert after["ETag"] != before["ETag"]
        assert after["Last-Modified"] > before["Last-Modified"]


def test_a_time_stands_for_what_it_was_sent_with(test: Test) -> None:
    """Whatever the clocks of several processes say that share no cache."""
    url = f"/tests/{test.pk}/"
    with mock.patch.object(freshness, "time", return_value=1_000_000_000.9):
        first = Client().get(url)
    assert first["Last-Modified"] == "Sun, 09 Sep 2001 01:46:40 GMT"
    for since in (
        "Sun, 09 Sep 2001 01:46:39 GMT",
        "Sun, 09 Sep 2001 01:46:41 GMT",
        "never",
        "Mon, 01 Jan 2100 00:00:00 GMT",
    ):
        assert Client().get(url, headers={"if-modified-since": since}).status_code == 200
    assert Client().get(url, headers={"if-modified-since": first["Last-Modified"]}).status_code == 304


def test_errors_have_no_tag(test: Test) -> None:
    response = Client().get(f"/tests/{test.pk}/?size=0")
    assert not {"ETag", "Last-Modified"} & {*response.headers}
    assert response["Vary"] == "Accept"


def test_numbers_that_json_does_not_have(data: None) -> None:
    Attempt.objects.update(score=None)
    values = [float("nan"), float("inf"), float("-inf"), 0.5]
    Attempt.objects.bulk_create(
        Attempt(
            test=Test.objects.all()[0],
            score=n,
            ratio=ratio,
            big=Decimal("12345678901234567890.5"),
            started_at=START,
        )
        for n, ratio in enumerate(values)
    )
    found = Client().get("/everything/")
    entries = json.loads(found.content, parse_constant=lambda name: pytest.fail(name))["entries"][::-1]
    assert [entry["ratio"] for entry in entries] == ["NaN", "Infinity", "-Infinity", 0.5]
    assert (entries[0]["big"], entries[0]["when"]) == ("12345678901234567890.5000", "2026-03-31T23:59:00Z")
    assert plain({"a": (1, {None}, b"x", float("nan"))}) == {"a": [1, [None], "b'x'", "NaN"]}


def test_fractional_ranks_are_numbers(data: None) -> None:
    board = Attempt.objects.board("everything").leaderboard.replace(rank_kind="fractional")
    Attempt.objects.create(test=Test.objects.all()[0], score=95)

    class Fractional(BoardView):
        def get_queryset(self) -> Any:
            return Attempt.objects.with_leaderboard(board)

    response: Any = Fractional.as_view()(RequestFactory().get("/", {"size": 5}))
    ranks = [entry["standing"]["rank"] for entry in json.loads(response.content)["entries"]]
    assert ranks == [1, 2.5, 2.5, 5, 5]


def test_a_model_with_a_field_called_rank() -> None:
    NamedLikeMetrics.objects.create(score=1, rank=7, who="a")
    (entry,) = get("/named/")["entries"]
    assert (entry["rank"], entry["standing"]["rank"]) == (7, 1)
    assert get("/named/standing/?member=a")["standing"]["rank"] == 1


def test_what_is_declared_wrongly_is_told() -> None:
    with pytest.raises(ImproperlyConfigured, match="Nothing needs a model or a queryset"):
        Client().get("/nothing/")
    for path in ("candidate__attempts", "score__year", "comments", "candidate__nothing"):
        with pytest.raises(ImproperlyConfigured, match=path):
            Columns(Attempt, [path])
    assert Columns(Attempt, {"c": "candidate", "n": "candidate__name"}).related == ["candidate"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"search": "candidate__name"}, "Wrong.search = 'candidate__name' must be a list"),
        ({"fields": "score"}, "Wrong.fields = 'score' must be a list, or a mapping"),
        ({"filters": {"size": "score"}}, "Wrong.filters has 'size', which is a parameter of its own"),
        ({"filters": {"member": "label"}}, "Wrong.filters has 'member'"),
        ({"filters": {"of": "label"}}, "Wrong.filters has 'of'"),
    ],
)
def test_what_no_request_can_mend_is_told_with_the_urls(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=message):
        view: Any = type("Wrong", (BoardView,), {"model": Attempt, **wrong})
        view.urls("wrong")


def test_a_model_without_boards() -> None:
    view = BoardView.as_view(model=Candidate)
    with pytest.raises(
        ImproperlyConfigured, match=r"BoardView shows testapp\.Candidate, which has no boards"
    ):
        view(RequestFactory().get("/"))


def test_urls_have_names(data: None) -> None:
    assert reverse("attempts-page", kwargs={"test": 1}) == "/tests/1/"
    assert reverse("attempts-around", kwargs={"test": 1}) == "/tests/1/around/"
    assert [pattern.name for pattern in BoardView.urls("x")] == [
        *("x-page", "x-around", "x-standing", "x-histogram", "x-what-if", "x-csv", "x-jsonl")
    ]

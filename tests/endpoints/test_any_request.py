"""Requests at random, to whatever serves boards: each is answered, or what is wrong with it is said.

No statement that an answer takes has a text of the request in it, nor gives more rows than were asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, urlsplit

from django.contrib.auth.models import User
from django.core.exceptions import ObjectDoesNotExist
from django.test import Client
from django.test.utils import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from leaderboard.endpoints import InvalidParameter, Pager, histogram_of, what_would_be
from leaderboard.expressions.qualification import QualificationChoices
from tests.attempts import START, store
from tests.endpoints.asking import MARK, cursors, orders, queries, texts
from tests.endpoints.statements import outer, statements
from tests.endpoints.test_admin import SETTINGS
from tests.fuzz.models import Composite
from tests.testapp.models import Attempt, Candidate, Test

# As many as a pager allows, and one to see whether there are others; many more are on the board.
MOST, MOST_OF_DEFAULT = 11, 201
# What Django's get() reads.
MOST_OF_GET = 21
ENTRIES = 40
FLOATS = [0.0, -0.0, 0.5, 1.7976931348623157e308, -1.7976931348623157e308, 5e-324, float("nan"), float("inf")]
BIG = [Decimal(10) ** 35, Decimal(10) ** 35 + 1, Decimal("0.0001"), Decimal(0), None]
READ = ["size", "ordering", "cursor", "rank", "page", "member", "of", "bins", "at_least", "top_count"]
surrogates = st.text(st.characters(categories=["Cs", "L"]), min_size=1, max_size=3)

FEWER = settings(max_examples=settings().max_examples // 4)


def store_many() -> Test:
    """Store attempts of which those at one test are many, with texts and numbers of every sort."""
    store()
    test = Test.objects.get(name="test 0")
    people = Candidate.objects.bulk_create(Candidate(name=f"{MARK} {n}'\"%s\\") for n in range(ENTRIES))
    Attempt.objects.bulk_create(
        Attempt(
            test=test,
            candidate=person,
            score=n % 7,
            big=BIG[n % 5],
            ratio=FLOATS[n % 8],
            label=f"{MARK}{n % 3}'%s",
            started_at=START,
            finished_at=START + timedelta(seconds=n % 5),
        )
        for n, person in enumerate(people)
    )
    Composite.objects.bulk_create(
        Composite(season=n % 3, number=n, score=n % 4, who=f"{MARK}{n % 30}", made=n, laps=n)
        for n in range(ENTRIES)
    )
    return test


def is_said(body: Any) -> bool:
    """Return whether what is wrong is said, as ``BoardView`` says it."""
    error = body["error"]
    return [*body] == ["error"] and {*error} <= {"message", "parameter"} and bool(error["message"])


def is_said_by_drf(body: Any) -> bool:
    """Return whether what is wrong is said, of each parameter that is."""
    if [*body] == ["detail"]:
        return bool(body["detail"]) and isinstance(body["detail"], str)
    return bool(body) and all(said and all(map(bool, said)) for said in body.values())


def is_said_by_ninja(body: Any) -> bool:
    said = body["detail"]
    if isinstance(said, str):
        return bool(said)
    return all(each["type"] and each["loc"][0] in ("query", "path") and each["msg"] for each in said)


class AnyRequest(HypothesisTestCase):
    test: ClassVar[Test]
    other: ClassVar[Test]
    http: Client
    values: Mapping[str, st.SearchStrategy[str]]
    statuses = frozenset({200, 400, 404})

    @classmethod
    def setUpTestData(cls) -> None:
        cls.test = store_many()
        cls.other = Test.objects.get(name="test 1")

    @classmethod
    def setUpClass(cls) -> None:
        # What is set up with the data is copied for every test, which cannot be done with strategies.
        super().setUpClass()
        members = [str(pk) for pk in Candidate.objects.values_list("pk", flat=True)[:8]]
        entries = [str(pk) for pk in Attempt.objects.values_list("pk", flat=True)[:8]]
        numbers = st.integers(-1, 12).map(str)
        names = ["rank", "percentile", "qualification", "score", "time_taken", "name"]
        cls.values = {
            "size": numbers,
            "rank": numbers,
            "page": st.sampled_from(["first", "last"]),
            "ordering": orders(names),
            "member": st.sampled_from(members),
            "entry": st.sampled_from(entries),
        }

    def setUp(self) -> None:
        self.http = Client()

    def real_cursors(self, pages: Iterable[str]) -> list[str]:
        """Return cursors of some boards, orders and filters."""
        found = []
        for page in pages:
            for query in ("", "?page=last", "?ordering=-rank", "?ordering=qualification", "?size=1&search=4"):
                body = self.http.get(page + query).json()
                links = (body.get("next"), body.get("previous"))
                found += [parse_qs(urlsplit(url).query)["cursor"][0] for url in links if url]
        return found

    def ask(self, url: str, said: Callable[[Any], bool], most: int = MOST) -> Any:
        with statements() as sent:
            response = self.http.get(url)
            content = b"".join(response) if response.streaming else response.content
        assert response.status_code in self.statuses, (response.status_code, content)
        is_of_one = "/standing/" in url
        most = 1 if is_of_one else most
        for statement in sent:
            assert MARK not in statement.sql, statement
            assert statement.rows <= most, statement
            assert is_of_one or statement.is_bounded(max(most, MOST_OF_GET)), statement
        assert len(sent) <= 4
        body = json.loads(content)
        if response.status_code != 200:
            assert said(body), body
        return body


class AnyRequestOfViews(AnyRequest):
    pages: ClassVar[Mapping[str, int]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.pages = {
            f"/tests/{cls.test.pk}/": MOST,
            f"/tests/{cls.other.pk}/": MOST,
            f"/several/{cls.test.pk}/": MOST,
            "/everything/": MOST_OF_DEFAULT,
            "/composite/": MOST,
            "/named/": MOST_OF_DEFAULT,
        }
        numbers = st.integers(-1, 210).map(str) | st.floats().map(str) | st.decimals().map(str)
        words = st.sampled_from(["candidate", MARK, "high", "'", "%", "\\", "4"])
        moments = st.datetimes().map(str) | st.dates().map(str)
        measures = ["score", "time_taken", "name", "big", "ratio", "label", "when", "day", "out", "laps"]
        names = ["rank", "percentile", "qualification", *measures]
        cls.values = {
            **cls.values,
            "ordering": orders(names),
            "member.candidate": cls.values["member"],
            "member.label": st.sampled_from([f"{MARK}1'%s", "high", "low"]),
            "entry": cls.values["entry"] | st.sampled_from(["0,1", "[0, 1]", "(0, 1)"]),
            "before": numbers,
            "after": numbers,
            "search": st.lists(words, max_size=12).map(" ".join),
            "of": st.sampled_from(measures),
            "bins": numbers,
            "at_least": numbers | moments,
            "at_most": numbers | moments,
            "top_count": numbers,
            "top_percent": numbers,
            "percentile": numbers,
            "team": words,
            "least": numbers,
            "big": numbers,
            "ratio": numbers,
            "label": words,
            "like": words | st.sampled_from(["(", "[", "a{9999}", "\\"]),
            "since": moments,
            "day": moments,
            "out": st.sampled_from(["True", "false", "0"]),
            "nobody": st.sampled_from(["True", "", "0"]),
            "among": st.lists(numbers).map(",".join),
            "between": st.lists(numbers, max_size=3).map(",".join),
            "moments": st.lists(moments, max_size=3).map(",".join),
            "year": numbers,
            "allowance": st.timedeltas().map(str),
        }

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(override_settings(ROOT_URLCONF="tests.endpoints.urls"))
        self.values = {**self.values, "cursor": cursors(self.real_cursors(self.pages))}

    @FEWER
    @given(data=st.data())
    def test_pages(self, data: st.DataObject) -> None:
        url = data.draw(st.sampled_from([*self.pages]))
        self.ask(f"{url}?{data.draw(queries(self.values))}", is_said, self.pages[url])

    def test_every_order(self) -> None:
        for ordering in ("rank", "-rank", "name", "-qualification"):
            for place in ("first", "last"):
                url = f"/tests/{self.test.pk}/"
                self.ask(f"{url}?ordering={ordering}&page={place}", is_said, self.pages[url])

    @FEWER
    @given(data=st.data())
    def test_actions(self, data: st.DataObject) -> None:
        action = data.draw(st.sampled_from(["around", "standing", "histogram", "what-if"]))
        url = f"{data.draw(st.sampled_from([*self.pages]))}{action}/"
        self.ask(f"{url}?{data.draw(queries(self.values))}", is_said, 210)

    @FEWER
    @given(data=st.data())
    def test_files(self, data: st.DataObject) -> None:
        kind = data.draw(st.sampled_from(["csv", "jsonl"]))
        url = f"{data.draw(st.sampled_from([*self.pages]))}export.{kind}?{data.draw(queries(self.values))}"
        with statements() as sent:
            response = self.http.get(url)
            content = b"".join(response) if response.streaming else response.content
        assert response.status_code in self.statuses
        assert MARK not in "".join(statement.sql for statement in sent)
        assert response.status_code == 200 or is_said(json.loads(content))

    @FEWER
    @given(data=st.data(), name=texts.filter(bool))
    def test_boards(self, data: st.DataObject, name: str) -> None:
        quoted = quote(name, safe="")
        url = data.draw(st.sampled_from([f"/by-name/{quoted}/", f"/monthly/{self.test.pk}/{quoted}/"]))
        action = data.draw(st.sampled_from(["", "around/", "standing/", "histogram/", "what-if/"]))
        response = self.http.get(f"{url}{action}?{data.draw(queries(self.values))}")
        assert response.status_code in self.statuses
        # A name with a slash in it is another URL.
        assert response.status_code == 200 or "/" in name or is_said(response.json())


class AnyRequestOfFrameworks(AnyRequest):
    def any_of(self, urls: list[str], said: Callable[[Any], bool]) -> None:
        @FEWER
        @given(url=st.sampled_from(urls), query=queries(self.values))
        def asked(url: str, query: str) -> None:
            most = MOST_OF_DEFAULT if url.startswith("/by-name") else MOST
            self.ask(f"{url}?{query}", said, most)

        asked()

    def test_rest_framework(self) -> None:
        self.enterContext(override_settings(ROOT_URLCONF="tests.endpoints.drf_urls"))
        urls = [f"/tests/{test.pk}/" for test in (self.test, self.other)]
        qualifications = st.sampled_from([*QualificationChoices.values, "other"])
        self.values = {
            **self.values,
            "cursor": cursors(self.real_cursors(urls)),
            "team": st.sampled_from(["red", "blue"]),
            "qualification": qualifications,
        }
        entry = Attempt.objects.filter(test=self.test)[0]
        others = [f"/numbered/{self.test.pk}/", *(f"/tests/{self.test.pk}/{pk}/" for pk in (0, entry.pk))]
        self.any_of([*urls, *urls, "/by-name/x/", *others], is_said_by_drf)

    def test_ninja(self) -> None:
        self.enterContext(override_settings(ROOT_URLCONF="tests.endpoints.ninja_urls"))
        urls = [f"/{kind}/{test.pk}/" for test in (self.test, self.other) for kind in ("tests", "later")]
        self.values = {
            **self.values,
            "cursor": cursors(self.real_cursors(urls)),
            "team": st.sampled_from(["red", "blue"]),
        }
        self.statuses = frozenset({200, 404, 422})
        standing = f"/tests/{self.test.pk}/standing/"
        self.any_of([*urls, standing, f"/by-name/{self.test.pk}/", "/by-name/x/"], is_said_by_ninja)


class AnyList(AnyRequest):
    """Lists of the admin: what is wrong with one is an empty list, or Django's page of an error."""

    def setUp(self) -> None:
        self.enterContext(override_settings(**SETTINGS))
        self.http = Client()
        self.http.force_login(User.objects.create_superuser("staff"))

    @FEWER
    @given(data=st.data())
    def test_lists(self, data: st.DataObject) -> None:
        numbers = st.integers(-1, 12).map(str)
        tests = st.sampled_from([str(self.test.pk), str(self.other.pk)])
        columns = st.tuples(st.sampled_from(["", "-", "--"]), st.integers(-1, 8).map(str)).map("".join)
        values: dict[str, st.SearchStrategy[str]] = {
            "o": st.lists(columns, min_size=1, max_size=3).map(".".join),
            "p": numbers,
            "q": st.sampled_from(["candidate", MARK, "a 'b c'", '"a']),
            "all": st.just(""),
            "e": st.just("1"),
            "_facets": st.just("True"),
            "_popup": st.just("1"),
            "_to_field": st.sampled_from(["id", "score"]),
            "test__id__exact": tests,
            "test__id__in": st.lists(tests, max_size=3).map(",".join),
            "test": tests,
            "test__isnull": st.sampled_from(["True", "False"]),
            "score__gte": numbers,
            "candidate__name": texts,
            "qualification": st.sampled_from([*QualificationChoices.values, "other"]),
        }
        site = data.draw(st.sampled_from(["attempts", "large", "whole", "plain"]))
        url = f"/{site}/testapp/attempt/?{data.draw(queries(values))}"
        with statements() as sent:
            response = self.http.get(url)
        assert response.status_code in (200, 302, 400)
        # As many as are shown at once, or counted.
        most = 100_001
        for statement in sent:
            assert MARK not in statement.sql, statement
            if "testapp_attempt" in statement.sql:
                assert statement.rows <= most, statement
                # What fits on one page is read as a whole, as many as were counted before.
                is_count = outer(statement.sql).startswith("SELECT COUNT")
                assert not is_count or "_facets" in url or statement.has_limit(most), statement
        assert len(sent) <= 10


class AnyMapping(AnyRequest):
    """What a pager is given by some other framework, in which a text may be none."""

    @FEWER
    @given(
        given=st.dictionaries(
            st.sampled_from([*READ, "member.candidate", "member.label"]) | surrogates,
            texts | surrogates | st.sampled_from(["1", "label", "a:\ud800", "\ud800:a"]),
            min_size=1,
        )
    )
    def test_mappings(self, given: dict[str, str]) -> None:
        board = Attempt.objects.board("members").leaderboard
        for member in ("candidate", "label", ["candidate", "label"]):
            view = Attempt.objects.with_leaderboard(board.replace(member=member)).on_board(test=self.test)
            for ask in (Pager(size=2, max_size=10, others=["label"]).page, self.histogram, self.what_if):
                try:
                    ask(view, given)
                except (InvalidParameter, ObjectDoesNotExist) as error:
                    # What is said can be sent.
                    assert str(error).encode()

    def histogram(self, view: Any, given: dict[str, str]) -> Any:
        return histogram_of(view, given, Pager(others=["label"]).orderings(view))

    def what_if(self, view: Any, given: dict[str, str]) -> Any:
        return what_would_be(view, given, Pager(others=["label"]).orderings(view))

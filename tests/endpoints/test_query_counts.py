"""How many statements whatever is served takes: the same of ten entries and of a thousand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from tests.attempts import START
from tests.endpoints.test_admin import SETTINGS, by
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db

# What is asked for of a board, and how many statements that takes.
PAGES = {
    "": 2,
    "?page=last": 2,
    "?ordering=-rank": 2,
    "?ordering=percentile&page=last": 2,
    "?ordering=name": 2,
    "?ordering=-qualification&page=last": 2,
    "?rank=5": 3,
    "?ordering=-rank&rank=5": 3,
    "?member={member}": 3,
    "?cursor={cursor}": 3,
}
VIEWS = {
    **PAGES,
    "?search=candidate": 1,
    "?search=candidate&rank=3": 2,
    "?team=red&member={member}": 3,
    "around/?member={member}": 2,
    "around/?entry={entry}": 2,
    "around/?member={member}&search=candidate": 2,
    "standing/?member={member}": 2,
    "standing/?entry={entry}": 2,
    "histogram/": 2,
    "histogram/?of=time_taken&bins=7": 2,
    "what-if/?at_least=3": 1,
    "what-if/?top_percent=10": 1,
    "export.csv": 2,
    "export.jsonl": 2,
}
# Who looks, whether a filter is there, the tests to filter by, how many there are, and the rows.
LISTS: dict[str, dict[str, Any]] = {
    "a list": {},
    "one board": {"test__id__exact": "{test}"},
    "one board by rank": {"test__id__exact": "{test}", "o": "rank"},
    "a page of it": {"test__id__exact": "{test}", "o": "rank", "p": 2},
    "from its end": {"test__id__exact": "{test}", "o": "-rank"},
    "by time taken": {"o": "time_taken"},
    "searched": {"q": "candidate"},
    "qualified": {"qualification": "qualified"},
}


def stored(entries: int) -> Test:
    test = Test.objects.create(name="test", cut_off=3)
    people = Candidate.objects.bulk_create(
        Candidate(name=f"candidate {n}", team="red") for n in range(entries)
    )
    Attempt.objects.bulk_create(
        Attempt(
            test=test,
            candidate=person,
            score=n % 7,
            started_at=START,
            finished_at=START + timedelta(seconds=n % 11),
        )
        for n, person in enumerate(people)
    )
    with connection.cursor() as cursor:
        # Else PostgreSQL joins a thousand rows as if they were one.
        cursor.execute("ANALYZE testapp_attempt, testapp_candidate, testapp_test")
    return test


def places(test: Test, first: Any) -> dict[str, Any]:
    entry = Attempt.objects.board("members").on_board(test=test).ranked()[4]
    (cursor,) = parse_qs(urlsplit(first["next"]).query)["cursor"]
    return {"member": entry.candidate_id, "entry": entry.pk, "cursor": cursor}


def taken(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
        assert response.status_code == 200, response.content
        if response.streaming:
            b"".join(response)
    return len(queries)


@pytest.mark.parametrize("entries", [10, 1000])
@pytest.mark.parametrize("served", ["views", "drf", "ninja"])
def test_statements_are_as_many_of_any_board(served: str, entries: int, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.endpoints.urls" if served == "views" else f"tests.endpoints.{served}_urls"
    test = stored(entries)
    client = Client()
    place = places(test, client.get(f"/tests/{test.pk}/").json())
    expected = VIEWS if served == "views" else PAGES
    found = {query: taken(client, f"/tests/{test.pk}/{query.format(**place)}") for query in expected}
    assert found == expected
    assert max(found[query] for query in PAGES) <= 3
    if served == "ninja":
        assert taken(client, f"/tests/{test.pk}/standing/?member={place['member']}") == 2


def test_statements_of_lists_are_as_many_of_any_board(urls: None) -> None:
    with override_settings(**SETTINGS):
        client = Client()
        client.force_login(User.objects.create_superuser("staff"))
        # Of one alone, Django shows no filter.
        Test.objects.create(name="another")
        found = []
        for entries in (10, 1000):
            Attempt.objects.all().delete()
            test = stored(entries)
            counts = {}
            for name, asked in LISTS.items():
                query = {key: str(value).format(test=test.pk) for key, value in asked.items()}
                if "o" in query:
                    sign = "-" if query["o"].startswith("-") else ""
                    query["o"] = by("attempts", query["o"].removeprefix("-"), sign)
                with CaptureQueriesContext(connection) as queries:
                    assert client.get("/attempts/testapp/attempt/", query).status_code == 200
                counts[name] = len(queries)
            found.append(counts)
        few, many = found
        assert few == many
        assert max(many.values()) <= 8

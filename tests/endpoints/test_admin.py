"""Entries in Django's admin: their metrics, whatever a list is sorted and filtered by, and what is read."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext, override_settings

from leaderboard.endpoints.formats import FORMATS
from leaderboard.kinds import Qualification
from tests.counters.models import Blog, Post
from tests.endpoints.sites import COLUMNS, SITES, AttemptAdmin
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db

PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
SETTINGS: dict[str, Any] = {
    "ROOT_URLCONF": "tests.endpoints.sites",
    "STATIC_URL": "/static/",
    "SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies",
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": PROCESSORS},
        }
    ],
}
NOTHING: dict[str, Any] = {}
METRICS = [name for name in COLUMNS if name in FORMATS]


class Rows(HTMLParser):
    """The texts of the cells in the body of a list, row by row."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._depth: list[str] = []
        self._is_list = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "table":
            self._is_list = dict(attrs).get("id") == "result_list"
        if tag in ("tbody", "tr", "td", "th"):
            self._depth.append(tag)
        if not self._is_list or "tbody" not in self._depth:
            return
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if self._depth and self._depth[-1] == tag:
            self._depth.pop()

    def handle_data(self, data: str) -> None:
        if self._is_list and self._depth[-1:] in (["td"], ["th"]) and "tbody" in self._depth:
            self.rows[-1][-1] += data.strip()


@pytest.fixture(autouse=True)
def _site(urls: None) -> Iterator[None]:
    with override_settings(**SETTINGS):
        yield


@pytest.fixture
def staff(data: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("staff"))
    return client


@pytest.fixture
def test(data: None) -> Test:
    return Test.objects.get(name="test 0")


def get(client: Client, site: str, status: int = 200, **parameters: Any) -> Any:
    response = client.get(f"/{site}/testapp/attempt/", parameters)
    assert response.status_code == status, response.content
    return response


def listed(client: Client, site: str, **parameters: Any) -> list[list[str]]:
    return Rows(get(client, site, **parameters).content.decode()).rows


def everything(client: Client, site: str, **parameters: Any) -> list[list[str]]:
    """Return the rows of all pages."""
    found: list[list[str]] = []
    changelist = get(client, site, **parameters).context["cl"]
    for number in range(1, changelist.paginator.num_pages + 1):
        found += listed(client, site, **parameters, p=number)
    return found


def by(site: str, name: str, sign: str = "") -> str:
    """Return the parameter that sorts by a column."""
    (model_admin,) = SITES[site]._registry.values()
    return f"{sign}{list(model_admin.list_display).index(name)}"


def standings(board: str = "members") -> dict[str, Any]:
    return {str(entry.pk): entry for entry in Attempt.objects.board(board).standings()}


def cells(entry: Any) -> list[str]:
    values = ((FORMATS[name], getattr(entry, name)) for name in METRICS)
    return ["-" if value is None else str(shown(value)) for shown, value in values]


def is_window(sql: str) -> bool:
    return " OVER (" in sql


def test_only_staff_sees_the_list(staff: Client) -> None:
    response = Client().get("/attempts/testapp/attempt/")
    assert response.status_code == 302 and "/attempts/login/" in response["Location"]
    assert len(listed(staff, "attempts")) == 4


@pytest.mark.parametrize("site", ["attempts", "large", "whole", "edited", "plain", "posts"])
def test_the_checks_of_django_find_nothing(site: str) -> None:
    (model_admin,) = SITES[site]._registry.values()
    assert model_admin.check() == []


def test_a_list_has_the_metrics_of_its_rows(staff: Client) -> None:
    rows = everything(staff, "attempts")
    entries = standings()
    assert [row[0] for row in rows] == sorted(entries, key=int, reverse=True)
    assert [row[1:5] for row in rows] == [cells(entries[row[0]]) for row in rows]


def test_a_list_ranks_the_boards_of_its_rows_only(staff: Client, test: Test) -> None:
    with CaptureQueriesContext(connection) as queries:
        listed(staff, "attempts", test__id__exact=test.pk)
    # Versions of Django quote other names.
    windows = [query["sql"].replace('"', "") for query in queries if is_window(query["sql"])]
    assert len(windows) == 1 and f"entry.test_id = {test.pk}" in windows[0]
    # Who looks, how many there are, the rows, how large their boards are, what is derived, and the filter.
    assert len(queries) <= 6


def test_a_list_of_large_boards_is_read_without_any_window(staff: Client, test: Test) -> None:
    for parameters in (NOTHING, {"test__id__exact": test.pk}, {"q": "candidate"}):
        with CaptureQueriesContext(connection) as queries:
            rows = listed(staff, "large", **parameters)
        assert not [query for query in queries if is_window(query["sql"])]
        counts = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
        assert counts and all(" LIMIT " in sql for sql in counts)
        entries = standings()
        assert [[row[3] for row in rows]] == [[cells(entries[row[0]])[2] for row in rows]]
        assert all([row[1], row[2], row[4]] == ["-"] * 3 for row in rows)


@pytest.mark.parametrize("site", ["attempts", "edited"])
@pytest.mark.parametrize("is_pinned", [True, False])
@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("name", METRICS)
def test_a_list_is_sorted_by_a_metric(
    name: str, sign: str, is_pinned: bool, site: str, staff: Client, test: Test
) -> None:
    entries = standings()
    pinned = {"test__id__exact": test.pk} if is_pinned else {}
    rows = everything(staff, site, **pinned, o=by(site, name, sign))
    expected = {key for key, entry in entries.items() if not is_pinned or entry.test_id == test.pk}
    assert sorted(row[0] for row in rows) == sorted(expected)
    assert [row[1:5] for row in rows] == [cells(entries[row[0]]) for row in rows]
    values = [getattr(entries[row[0]], name) for row in rows]
    known = [value for value in values if value is not None]
    assert values == [*known, *[None] * (len(values) - len(known))]
    assert known == sorted(known, reverse=sign == "-")


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("name", ["rank", "percentile"])
def test_the_order_of_one_board_is_read_as_its_pages_are(
    name: str, sign: str, staff: Client, test: Test
) -> None:
    ranked = [str(e.pk) for e in Attempt.objects.board("members").on_board(test=test).ranked()]
    is_forward = (name == "rank") == (sign == "")
    expected = ranked if is_forward else ranked[::-1]
    parameters = {"test__id__exact": test.pk, "o": by("large", name, sign)}
    assert [row[0] for row in listed(staff, "large", **parameters)] == expected[:2]
    with CaptureQueriesContext(connection) as queries:
        rows = listed(staff, "large", **parameters, p=2)
    assert [row[0] for row in rows] == expected[2:4]
    entries = standings()
    assert [row[1:5] for row in rows] == [cells(entries[row[0]]) for row in rows]
    # Whatever ranks anything ranks a few entries next to one another.
    assert all(" LIMIT " in query["sql"] for query in queries if is_window(query["sql"]))
    assert len(queries) <= 8


def test_after_those_ranked_come_the_others(staff: Client, test: Test) -> None:
    members = Attempt.objects.board("members").on_board(test=test)
    ranked = [str(entry.pk) for entry in members.ranked()]
    others = [str(e.pk) for e in members.exclude(pk__in=ranked).order_by("-pk")]
    for sign, first in (("", ranked), ("-", ranked[::-1])):
        parameters = {"test__id__exact": test.pk, "o": by("attempts", "rank", sign)}
        pages = [listed(staff, "attempts", **parameters, p=page) for page in (1, 2, 3, 4)]
        assert [row[0] for page in pages for row in page] == [*first, *others]
        whole = listed(staff, "attempts", **parameters, all="")
        assert [row[0] for row in whole] == [*first, *others]


def test_several_columns_sort_by_a_window(staff: Client, test: Test) -> None:
    order = f"{by('attempts', 'rank')}.{by('attempts', 'candidate')}"
    rows = everything(staff, "attempts", test__id__exact=test.pk, o=order)
    entries = standings()
    assert len(rows) == Attempt.objects.filter(test=test).count()
    assert [row[1:5] for row in rows] == [cells(entries[row[0]]) for row in rows]


@pytest.mark.parametrize("status", Qualification)
def test_a_list_is_filtered_by_the_qualification(status: Qualification, staff: Client, test: Test) -> None:
    entries = standings()
    for pinned in (NOTHING, {"test__id__exact": test.pk}):
        for order in (NOTHING, {"o": by("attempts", "rank")}, {"o": by("attempts", "time_taken")}):
            rows = everything(staff, "attempts", **pinned, **order, qualification=status.value)
            assert {row[0] for row in rows} == {
                key
                for key, entry in entries.items()
                if entry.qualification == status and (not pinned or entry.test_id == test.pk)
            }
            assert [row[1:5] for row in rows] == [cells(entries[row[0]]) for row in rows]


def test_a_qualification_that_is_none_is_nobodys(staff: Client, test: Test) -> None:
    assert listed(staff, "attempts", qualification="famous") == []
    assert listed(staff, "attempts", qualification="\0") == []
    order = {"test__id__exact": test.pk, "o": by("attempts", "rank")}
    assert listed(staff, "attempts", qualification="famous", **order) == []


def test_facets_count_by_the_qualification(staff: Client, test: Test) -> None:
    html = get(staff, "attempts", _facets="True", test__id__exact=test.pk).content.decode()
    found = [e for e in standings().values() if e.test_id == test.pk]
    for status in Qualification:
        count = len([entry for entry in found if entry.qualification == status])
        assert f"{status.label} ({count})" in html


def test_a_search_changes_no_rank(staff: Client, test: Test) -> None:
    entries = standings()
    for order in (NOTHING, {"o": by("attempts", "rank")}, {"o": by("attempts", "percentile")}):
        rows = everything(staff, "attempts", test__id__exact=test.pk, q="a", **order)
        assert len(rows) == len({row[0] for row in rows}) > 0
        assert [row[1:5] for row in rows] == [cells(entries[row[0]]) for row in rows]


def test_pages_are_counted_no_further_than_their_limit(staff: Client, test: Test) -> None:
    html = get(staff, "large").content.decode()
    assert "≥5 attempts" in html
    assert [len(listed(staff, "large", p=page)) for page in (1, 2, 3)] == [2, 2, 1]
    assert get(staff, "large", 302, p=4)["Location"].endswith("?e=1")
    assert len(listed(staff, "large", all="")) == 2
    few = Attempt.objects.filter(test=test).order_by("pk")[:3]
    Attempt.objects.exclude(pk__in=[entry.pk for entry in few]).delete()
    assert "3 attempts" in get(staff, "large").content.decode()
    assert "≥" not in get(staff, "large").content.decode()
    assert len(listed(staff, "large", all="")) == 3


def test_one_board_of_the_whole_table_needs_no_filter(staff: Client) -> None:
    ranked = [str(entry.pk) for entry in Attempt.objects.board("everything").ranked()]
    entries = standings("everything")
    # The first column is for actions.
    rows = [row[1:] for row in everything(staff, "whole", o="2")]
    assert rows[: len(ranked)] == [[key, str(entries[key].rank)] for key in ranked]
    assert sorted(key for key, _ in rows) == sorted(entries)
    assert {rank for _, rank in rows[len(ranked) :]} == {"-"}


def test_a_list_without_metrics_reads_none(staff: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert len(listed(staff, "plain")) == 4
    assert not [query for query in queries if is_window(query["sql"])]
    assert len(queries) <= 4


def test_only_boards_are_shown() -> None:
    model_admin = AttemptAdmin(Candidate, admin.AdminSite())
    with pytest.raises(ImproperlyConfigured, match=r"testapp\.Candidate must be a LeaderboardManager"):
        model_admin.get_queryset(RequestFactory().get("/"))


def test_an_empty_list_is_one(staff: Client, test: Test) -> None:
    Attempt.objects.all().delete()
    order = by("attempts", "rank")
    given: list[dict[str, Any]] = [{}, {"o": order}, {"test__id__exact": test.pk, "o": order}]
    for parameters in given:
        assert listed(staff, "attempts", **parameters) == []


def test_forms_show_where_an_entry_stands_now(staff: Client, test: Test) -> None:
    entry = Attempt.objects.board("members").on_board(test=test).ranked()[2]
    url = f"/attempts/testapp/attempt/{entry.pk}/change/"
    assert '<div class="readonly">3</div>' in staff.get(url).content.decode()
    Attempt.objects.filter(pk=entry.pk).update(score=100)
    html = staff.get(url).content.decode()
    assert '<div class="readonly">1</div>' in html and '<div class="readonly">0:00:20</div>' in html
    html = staff.get("/attempts/testapp/attempt/add/").content.decode()
    assert html.count('<div class="readonly">-</div>') == 2


def test_rows_of_a_sorted_list_can_be_edited(staff: Client, test: Test) -> None:
    order: dict[str, Any] = {"test__id__exact": test.pk, "o": by("edited", "rank")}
    first, *_ = get(staff, "edited", **order).context["cl"].result_list
    form = {
        "form-TOTAL_FORMS": 1,
        "form-INITIAL_FORMS": 1,
        "form-0-id": first.pk,
        "form-0-score": 7,
        "_save": "Save",
    }
    response = staff.post(f"/edited/testapp/attempt/?test__id__exact={test.pk}&o={order['o']}", form)
    assert response.status_code == 302, response.content
    assert Attempt.objects.get(pk=first.pk).score == 7


def test_counters_are_read_only(staff: Client) -> None:
    blog = Blog.objects.create(name="blog")
    post = Post.objects.create(title="a", blog=blog)
    url = f"/posts/counters/post/{post.pk}/change/"
    html = staff.get(url).content.decode()
    for name in ("comment_count", "tag_count", "vote_count", "karma", "spent", "last_comment_at"):
        assert f"field-{name}" in html and f'name="{name}"' not in html
    assert 'field-rating"' not in html
    response = staff.post(url, {"title": "b", "blog": blog.pk, "slug": "b", "comment_count": 7})
    assert response.status_code == 302, response.content
    post = Post.objects.get()
    assert (post.title, post.comment_count) == ("b", 0)
    assert staff.get("/posts/counters/post/add/").status_code == 200
    assert staff.get("/posts/counters/post/").status_code == 200

"""Boards in templates: what cells a table has, whose row is marked, where links lead, what is escaped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

import pytest
from django.template import engines
from django.test import Client, RequestFactory
from django.test.utils import override_settings

from leaderboard.endpoints import Pager
from leaderboard.endpoints.formats import percentile, qualification, rank, time_taken
from leaderboard.endpoints.tables import table_of
from leaderboard.kinds import Qualification
from tests.schemas.models import NamedLikeMetrics
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db

BACKEND = "django.template.backends.django.DjangoTemplates"
FIELDS = 'fields="candidate__name, score"'
HEADERS = ["Rank", "Name", "Score", "Percentile", "Time taken", "Qualification"]
ROWS = [
    ["1", "candidate 0", "90", "100.0", "0:00:30", "Qualified"],
    ["1", "candidate 1", "90", "100.0", "0:00:30", "Qualified"],
    ["3", "candidate 2", "70", "60.0", "0:00:20", "Qualified"],
    ["3", "candidate 3", "70", "60.0", "0:00:20", "Qualified"],
    ["5", "candidate 5", "50", "20.0", "0:00:15", "Not qualified"],
]


def templates(**overriding: str) -> Any:
    own = {f"{name}.html": text for name, text in overriding.items()}
    loaders = [
        ("django.template.loaders.locmem.Loader", own),
        "django.template.loaders.app_directories.Loader",
    ]
    return [{"BACKEND": BACKEND, "OPTIONS": {"loaders": loaders}}]


@pytest.fixture(autouse=True)
def _templates(urls: None) -> Iterator[None]:
    with override_settings(TEMPLATES=templates()):
        yield


@pytest.fixture
def view(data: None) -> Any:
    test = Test.objects.get(name="test 0")
    return Attempt.objects.board("members").on_board(test=test).select_related("candidate")


def rendered(tag: str, request: Any = None, **context: Any) -> str:
    template = engines["django"].from_string(f"{{% load leaderboard %}}{{% {tag} %}}")
    return str(template.render(context, request))


def filtered(name: str, value: Any) -> str:
    template = engines["django"].from_string(f"{{% load leaderboard %}}{{{{ value|{name} }}}}")
    return str(template.render({"value": value}))


def tree(html: str) -> ElementTree.Element:
    return ElementTree.fromstring(html.strip())


def texts(element: ElementTree.Element, path: str) -> list[str]:
    return ["".join(found.itertext()) for found in element.findall(path)]


def rows(element: ElementTree.Element) -> list[list[str]]:
    return [["".join(cell.itertext()) for cell in row] for row in element.findall(".//tbody/tr")]


def test_a_page_is_a_table_with_headers(view: Any) -> None:
    page = Pager(size=3).page(view, {})
    found = tree(rendered(f'leaderboard board {FIELDS} caption="Test 0"', board=page))
    assert texts(found, "table/caption") == ["Test 0"]
    assert texts(found, "table/thead/tr/th[@scope='col']") == HEADERS
    assert rows(found) == ROWS[:3]
    assert [[cell.tag for cell in row] for row in found.findall(".//tbody/tr")] == [
        ["td", "th", "td", "td", "td", "td"]
    ] * 3
    assert texts(found, ".//tbody/tr/th[@scope='row']") == [row[1] for row in ROWS[:3]]
    assert found.findall(".//script") == []


def test_links_lead_along_the_board_and_keep_what_was_asked_for(view: Any) -> None:
    pager = Pager(size=2)
    given, seen = {"least": "1&2", "size": "2", "member": ""}, []
    for _ in ROWS:
        request = RequestFactory().get("/", given)
        page = pager.page(view, request.GET)
        found = tree(rendered(f"leaderboard board {FIELDS}", request, board=page))
        seen += rows(found)
        links = {link.get("rel"): link.get("href") or "" for link in found.findall("nav/a")}
        if "next" not in links:
            break
        given = {name: values[-1] for name, values in parse_qs(links["next"].removeprefix("?")).items()}
        assert (given["least"], given["size"]) == ("1&2", "2") and "member" not in given
    assert seen == ROWS
    assert [*links] == ["first", "prev"]
    assert texts(found, "nav/a") == ["First", "Previous"]
    (nav,) = found.findall("nav")
    assert nav.get("aria-label") == "Pages of attempts"
    first = parse_qs(links["first"].removeprefix("?"))
    assert "cursor" not in first and first["page"] == ["first"]
    request = RequestFactory().get("/", {"page": "first"})
    html = rendered("leaderboard_pages board", request, board=pager.page(view, request.GET))
    assert [link.get("rel") for link in tree(html).findall("a")] == ["next", "last"]
    assert tree(html).get("aria-label") == "Pages"


def test_a_page_alone_has_no_links(view: Any) -> None:
    page = Pager(size=10).page(view, {})
    assert tree(rendered("leaderboard board", board=page)).findall("nav") == []
    assert rendered("leaderboard_pages board", board=page).strip() == ""
    assert rendered("leaderboard_pages board", board=view.top(3)).strip() == ""


def test_any_queryset_is_a_table(view: Any, django_assert_num_queries: Any) -> None:
    one = view.ranked()[2]
    for queryset, expected in (
        (view.standings().top(2), ROWS[:2]),
        (view.standings().page(2, at_rank=3), ROWS[2:4]),
        (view.standings().around(one, before=1, after=1), ROWS[1:4]),
        (list(view.standings().ranked()), ROWS),
    ):
        found = tree(rendered(f"leaderboard board {FIELDS}", board=queryset))
        assert rows(found) == expected
        assert texts(found, "table/caption") == ["Attempts"]
    with django_assert_num_queries(1):
        rendered(f"leaderboard board {FIELDS}", board=view.standings().top(5))


def test_metrics_are_those_that_entries_have_or_that_are_asked_for(view: Any) -> None:
    found = tree(rendered(f"leaderboard board {FIELDS}", board=view.top(1)))
    assert texts(found, ".//thead//th") == ["Rank", "Name", "Score"]
    tag = 'leaderboard board metrics="qualification rank" prefix="b_"'
    found = tree(rendered(tag, board=view.standings("b_").top(1)))
    assert texts(found, ".//thead//th") == ["Rank", "Attempt", "Qualification"]
    assert rows(found)[0][0] == "1" and rows(found)[0][1].startswith("Attempt object")
    for wrong in ('metrics="place"', 'metrics="rank,percentile"'):
        with pytest.raises(ValueError, match="metrics="):
            rendered(f"leaderboard board {wrong}", board=view.top(1))
    with pytest.raises(AttributeError, match="skore"):
        rendered('leaderboard board fields="skore"', board=view.top(1))


def test_a_field_that_is_named_like_a_metric_is_none(db: None) -> None:
    entry = NamedLikeMetrics(rank=7)
    assert "rank" not in [column.name for column in table_of([entry]).columns]


def test_ones_own_row_is_marked(view: Any) -> None:
    entries = list(view.top(3))
    for tag, own in (
        ("own=own", entries[1]),
        ("own=own", entries[1].pk),
        ('own=own by="candidate"', entries[1].candidate),
        ('own=own by="candidate_id"', entries[1].candidate),
        ('own=own by="candidate__name"', "candidate 1"),
    ):
        found = tree(rendered(f"leaderboard board {FIELDS} {tag}", board=entries, own=own))
        marks = [row.get("aria-current") for row in found.findall(".//tbody/tr")]
        assert marks == [None, "true", None], tag
    for own in (None, "", Candidate(), Attempt()):
        html = rendered("leaderboard board own=own", board=entries, own=own)
        assert "aria-current" not in html
    assert "aria-current" not in rendered("leaderboard board own=nobody", board=entries)


def test_where_nobody_is_ranked_that_is_said(view: Any) -> None:
    nobody = view.filter(score=-1)
    boards: list[Any] = [nobody.top(3), Pager().page(nobody, {}), [], None]
    for board in boards:
        found = tree(rendered('leaderboard board caption="Test 0"', board=board))
        assert found.findall("table") == [] and found.findall("nav") == []
        assert texts(found, "p") == ["Nobody is ranked yet."]
    assert texts(tree(rendered('leaderboard board empty="Be the first"')), "p") == ["Be the first"]


def test_everything_is_escaped(view: Any) -> None:
    bad = """</th><script>alert("1")</script>'&"""
    Candidate.objects.filter(name="candidate 0").update(name=bad)
    request = RequestFactory().get("/", {'"><script>': bad})
    page = Pager(size=1).page(view, {})
    fields = {bad: "candidate__name"}
    html = rendered(
        "leaderboard board fields=fields caption=bad", request, board=page, fields=fields, bad=bad
    )
    assert "<script" not in html
    found = tree(html)
    assert texts(found, ".//tbody/tr/th") == [bad]
    assert texts(found, "table/caption") == [bad] and bad in texts(found, ".//thead//th")
    (nav,) = found.findall("nav")
    assert nav.get("aria-label") == f"Pages of {bad}"
    assert "<script" not in rendered("leaderboard board empty=bad", board=[], bad=bad)


def test_what_is_missing_is_a_dash_and_what_is_zero_is_not(view: Any) -> None:
    Attempt.objects.update(label="")
    attempt = Attempt.objects.filter(candidate=None).standings()[0]
    attempt.score = 0
    table = table_of([attempt], fields="score candidate__name label big disqualified")
    values = {cell.column.name: cell.value for cell in table.rows[0].cells}
    assert values["score"] == 0 and values["disqualified"] is False
    assert {values[name] for name in ("candidate__name", "label", "big")} == {"–"}
    unranked = Attempt.objects.board("members").filter(candidate=None).standings()[0]
    first, *_ = table_of([unranked]).rows[0].cells
    assert first.value == "–"


def test_the_partials_can_be_overridden(view: Any) -> None:
    own = "{% for row in table.rows %}<i>{{ row.entry.candidate.name }}</i>{% endfor %}"
    with override_settings(TEMPLATES=templates(**{"leaderboard/board": own})):
        html = rendered("leaderboard board", board=view.top(2))
        assert html == "<i>candidate 0</i><i>candidate 1</i>"
    with override_settings(TEMPLATES=templates(**{"leaderboard/pages": "{{ links|length }}"})):
        html = rendered("leaderboard board", board=Pager(size=1).page(view, {}))
        assert html.endswith("2</div>\n") and "<table>" in html


def test_a_view_gives_its_page_to_its_template(view: Any, django_assert_num_queries: Any) -> None:
    tag = "{% load leaderboard %}{% leaderboard view.page fields=view.fields prefix=view.pager.prefix %}"
    test = Test.objects.get(name="test 0")
    with override_settings(TEMPLATES=templates(board=tag)), django_assert_num_queries(2):
        html = Client().get(f"/page/{test.pk}/", headers={"accept": "text/html"}).content.decode()
    found = tree(html)
    assert [row[:2] for row in rows(found)] == [row[:2] for row in ROWS[:3]]
    assert [link.get("rel") for link in found.findall("nav/a")] == ["next", "last"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (timedelta(0), "0:00:00"),
        (timedelta(seconds=59, milliseconds=500), "0:00:59.5"),
        (timedelta(days=1, hours=2, minutes=3, seconds=4), "26:03:04"),
        (timedelta(microseconds=1), "0:00:00.000001"),
        (-timedelta(seconds=90), "-0:01:30"),
        (-timedelta(microseconds=1), "-0:00:00.000001"),
        (timedelta(days=5000), "120000:00:00"),
    ],
)
def test_times_are_hours_minutes_and_seconds(value: timedelta, shown: str) -> None:
    assert time_taken(value) == shown
    assert filtered("time_taken", value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(100.0, "100.0"), (99.99999, "99.9"), (64.1, "64.1"), (0.0, "0.0"), (1e-9, "0.0")]
)
def test_only_the_whole_percentile_is_shown_as_that(value: float, shown: str) -> None:
    assert str(percentile(value)) == shown
    assert filtered("percentile", value) == shown


def test_other_metrics_as_people_read_them() -> None:
    assert [str(rank(Decimal(value))) for value in ("2.5", "2.0", "10")] == ["2.5", "2", "10"]
    assert rank(10**18) == 10**18
    assert qualification(Qualification.NOT_QUALIFIED) == "Not qualified"
    assert filtered("percentile", None) == filtered("time_taken", None) == ""


@pytest.mark.parametrize("name", ["percentile", "time_taken"])
def test_the_filters_say_nothing_of_a_metric_that_an_entry_does_not_have(name: str) -> None:
    source = f"{{% load leaderboard %}}[{{{{ entry.{name}|{name} }}}}]"
    assert engines["django"].from_string(source).render({"entry": object()}) == "[]"

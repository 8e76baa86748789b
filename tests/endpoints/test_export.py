"""Whole boards as files: every entry, in constant memory, and no cell is a formula."""

from __future__ import annotations

import csv
import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from typing import Any
from unittest import mock

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection, models
from django.db.models import F
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.endpoints import Pager
from leaderboard.endpoints.export import cell, export
from leaderboard.endpoints.representation import Columns
from tests.endpoints.urls import AttemptBoard
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db

SIGNS = "=+-@＝＋－＠"


def read(response: Any) -> str:
    return b"".join(response).decode()


def test_a_file_has_every_entry_of_the_board(data: None) -> None:
    test = Test.objects.get(name="test 0")
    response = Client().get(f"/tests/{test.pk}/export.csv", headers={"accept": "text/csv"})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="attempt.csv"'
    header, *rows = csv.reader(StringIO(read(response)))
    metrics = ["rank", "board_size", "percentile", "qualification", "time_taken"]
    assert header == [*metrics, "candidate__name", "score", "candidate"]
    board = Attempt.objects.board("members").on_board(test=test).standings().select_related("candidate")
    everyone = [*board.ranked(), *board.filter(rank=None).order_by("pk")]
    assert len(everyone) == len(rows) == test.attempts.count()
    for entry, (rank, size, percentile, qualification, _, name, score, candidate) in zip(
        everyone, rows, strict=True
    ):
        assert (rank, size, qualification) == (
            str(entry.rank or ""),
            str(entry.board_size),
            entry.qualification,
        )
        assert percentile == ("" if entry.percentile is None else str(entry.percentile))
        assert name == ("" if entry.candidate is None else entry.candidate.name)
        assert (score, candidate) == (str(entry.score or ""), str(entry.candidate_id or ""))
    lines = read(Client().get(f"/tests/{test.pk}/export.jsonl")).splitlines()
    page = Client().get(f"/tests/{test.pk}/?size=10").json()["entries"]
    assert [json.loads(line) for line in lines][: len(page)] == page
    assert len(lines) == len(rows)


def test_a_file_of_a_view(data: None) -> None:
    test = Test.objects.get(name="test 0")
    whole = {*read(Client().get(f"/tests/{test.pk}/export.jsonl")).splitlines()}
    red = read(Client().get(f"/tests/{test.pk}/export.jsonl?team=red")).splitlines()
    assert 0 < len(red) < len(whole)
    assert {*red} < whole
    nobody = read(Client().get(f"/tests/{test.pk}/export.csv?search=nobody"))
    assert nobody == "rank,board_size,percentile,qualification,time_taken,candidate__name,score,candidate\r\n"
    assert read(Client().get(f"/tests/{test.pk}/export.jsonl?search=nobody")) == ""


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_what_is_wrong_is_said_before_anything_is_sent(kind: str, data: None) -> None:
    test = Test.objects.get(name="test 0")
    missing = Client().get(f"/tests/0/export.{kind}")
    assert (missing.status_code, missing.json()) == (404, {"error": {"message": "There is no test 0."}})
    for query in ("least=x", "search=%00"):
        assert Client().get(f"/tests/{test.pk}/export.{kind}?{query}").status_code == 400
    for query in (
        "ordering=label",
        "ordering=nothing",
        "size=2",
        "cursor=x",
        "rank=3",
        "page=last",
        "member=1",
    ):
        refused = Client().get(f"/tests/{test.pk}/export.{kind}?{query}")
        assert refused.status_code == 400
        assert refused.json()["error"]["message"] == "is of pages; a file has the whole board, in its order."


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    " =1",
    "\n-1",
    "＝1",
    '"=1',
    "\ufeff=1",
    "=cmd|' /C calc'!A0",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_text(text: str) -> None:
    assert cell(text).startswith("'")
    assert cell(text).replace("'", "") == text.replace("'", "")
    assert cell(f"a;{text}").startswith("a;'")


@pytest.mark.parametrize("text", ["=1+1", "a;=1", "\n@x", "-1"])
def test_no_cell_of_a_file_is_a_formula(text: str) -> None:
    test = Test.objects.create(name="x")
    names = ["Ada", "a=b", text, "Grace"]
    people = Candidate.objects.bulk_create(Candidate(name=name) for name in names)
    Attempt.objects.bulk_create(Attempt(test=test, candidate=one, score=-1) for one in (*people, None))
    view = Attempt.objects.board("overall").on_board(test=test)
    file = read(export(view, Columns(Attempt, ["candidate__name", "score"]), Pager(), "csv"))
    _, *rows = csv.reader(StringIO(file, newline=""))
    assert [row[-2] for row in rows] == ["Ada", "a=b", cell(text), "Grace", ""]
    assert {row[-1] for row in rows} == {"-1"}
    assert cell(text) != text


def test_what_is_no_formula_stays_as_it_is() -> None:
    for value in ("Ada", "a=b", "a-b", "1-2", "", "'=1", "a@b.c", "x = 1", -5, 1.5, -0.5, None):
        assert cell(value) == value
    assert (cell(True), cell([1, "=2"]), cell("-P0DT00H00M01S")) == ("true", '[1, "=2"]', "'-P0DT00H00M01S")


@given(
    texts=st.lists(
        st.text(st.sampled_from([*"=+-@＝ ab1\t\r\n,;|\"'\ufeff"])) | st.text(), min_size=1, max_size=3
    )
)
def test_no_spreadsheet_finds_a_formula(texts: list[str]) -> None:
    """Whichever delimiter it takes."""
    buffer = StringIO(newline="")
    csv.writer(buffer).writerow(map(cell, ["x", *texts]))
    own = next(csv.reader(StringIO(buffer.getvalue(), newline="")))
    assert [text.replace("'", "") for text in own[1:]] == [text.replace("'", "") for text in texts]
    for delimiter in ",;\t|":
        for row in csv.reader(StringIO(buffer.getvalue(), newline=""), delimiter=delimiter):
            assert not [text for text in row if text.strip(' \t\r\n"\ufeff').startswith((*SIGNS,))]


def test_entries_of_which_the_same_is_shown_are_all_in_a_file() -> None:
    test = Test.objects.create(name="x")
    one = Candidate.objects.create(name="one")
    Attempt.objects.bulk_create(Attempt(test=test, candidate=one, disqualified=True) for _ in range(5))
    view = Attempt.objects.board("overall").on_board(test=test).filter(candidate__attempts__id__gt=0)
    lines = read(export(view.distinct(), Columns(Attempt, ["score"]), Pager(), "jsonl")).splitlines()
    assert len(lines) == 5


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_what_only_instances_have_changes_nothing_else(kind: str, data: None) -> None:
    test = Test.objects.get(name="test 0")
    view = Attempt.objects.board("members").on_board(test=test).annotate(next=F("score") + 1)
    paths = {"pk": "pk", "of": "candidate", "name": "candidate__name", "score": "score", "again": "score"}
    stored = Columns(Attempt, {**paths, "big": "big", "when": "started_at", "next": "next"})
    assert None not in [column.path for column in stored.columns]
    instances = Columns(Attempt, {**paths, "big": "big", "when": "started_at", "next": "next"})
    instances.columns = [replace(column, path=None) for column in stored.columns]
    many = view.filter(candidate__attempts__isnull=False).distinct()
    for shown in (view, view.prefetch_related("comments"), view.defer("score"), many):
        files = [read(export(shown, columns, Pager(), kind)) for columns in (stored, instances)]
        assert files[0] == files[1]
        assert len(files[0].splitlines()) > 10


def test_a_property_is_read_from_instances(data: None) -> None:
    test = Test.objects.get(name="test 0")
    view = Attempt.objects.board("members").on_board(test=test)
    with mock.patch.object(Attempt, "double", property(lambda entry: 2 * (entry.score or 0)), create=True):
        lines = read(export(view, Columns(Attempt, ["score", "double"]), Pager(), "jsonl")).splitlines()
    assert len(lines) == test.attempts.count()
    for line in map(json.loads, lines):
        assert line["double"] == 2 * (line["score"] or 0)


def test_what_a_field_makes_of_its_value_is_read_from_instances() -> None:
    class Report(models.Model):
        file = models.FileField()
        name = models.TextField()
        owner = models.ForeignKey(Candidate, models.CASCADE)

        class Meta:
            app_label = "nowhere"

    columns = Columns(Report, ["file", "name", "owner", "owner_id", "owner__name", "pk"])
    assert [column.path for column in columns.columns] == [None, *columns.names[1:]]


def test_rows_come_from_a_cursor_of_the_server(data: None, django_assert_num_queries: Any) -> None:
    test = Test.objects.get(name="test 0")
    opened = []
    chunked_cursor = connection.chunked_cursor

    def opening() -> Any:
        opened.append(chunked_cursor())
        return opened[-1]

    with mock.patch.object(connection, "chunked_cursor", opening), django_assert_num_queries(2):
        assert read(Client().get(f"/tests/{test.pk}/export.csv"))
    (cursor,) = opened
    assert cursor.name.startswith("_django_curs_")


def test_memory_does_not_grow_with_the_board() -> None:
    test = Test.objects.create(name="x")
    people = Candidate.objects.bulk_create(Candidate(name=f"candidate {n}") for n in range(50))
    columns = Columns(Attempt, ["candidate__name", "score", "label"])

    def parts(view: Any, kind: str) -> Iterator[Any]:
        return iter(export(view.select_related("candidate"), columns, Pager(), kind))

    def peak(kind: str) -> tuple[int, int]:
        view = Attempt.objects.board("overall").on_board(test=test)
        tracemalloc.start()
        size = sum(len(part) for part in parts(view, kind))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return size, most

    def add(number: int) -> None:
        Attempt.objects.bulk_create(
            Attempt(test=test, candidate=people[n % 50], score=n, label="x" * 20, disqualified=False)
            for n in range(number)
        )

    add(1500)
    sum(1 for _ in parts(Attempt.objects.board("overall").on_board(test=test), "csv"))
    few = {kind: peak(kind) for kind in ("csv", "jsonl")}
    add(10500)
    for kind, (size, most) in few.items():
        large, peaked = peak(kind)
        assert large > 7 * size
        assert peaked < 2 * most


def test_an_asynchronous_server_reads_part_by_part(data: None) -> None:
    test = Test.objects.get(name="test 0")
    request = RequestFactory().get("/")

    async def read_all() -> list[bytes]:
        response: Any = await sync_to_async(AttemptBoard.as_view(action="jsonl"))(request, test=test.pk)
        return [part async for part in response]

    with mock.patch("leaderboard.endpoints.export.ROWS", 2):
        parts = async_to_sync(read_all)()
    assert b"".join(parts).decode() == read(Client().get(f"/tests/{test.pk}/export.jsonl"))
    assert len(parts) == -(-test.attempts.count() // 2)

"""The SQL of the main querysets, as it is sent.

``python -m pytest tests/test_golden.py --write-golden`` writes the files anew; read what changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlparse
from django.db import connection
from django.db.models import OuterRef, Subquery
from django.test.utils import CaptureQueriesContext

from leaderboard import Leaderboard
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db

GOLDEN = Path(__file__).parent / "golden"


def _members() -> Any:
    return Attempt.objects.board("members")


def _overall() -> Any:
    return Attempt.objects.board("overall").only("pk")


def _stored(pk: int) -> Attempt:
    attempt = Attempt(pk=pk)
    attempt._state.adding = False
    return attempt


QUERYSETS: dict[str, Callable[[], Any]] = {
    "standings_of_one_board": lambda: _overall().on_board(test=1).standings(),
    "standings_of_one_board_with_members": lambda: _members().only("pk").on_board(test=1).standings(),
    "standings_of_the_boards_in_view": lambda: _overall().filter(candidate=7).with_rank(),
    "rank_on_two_boards": lambda: (
        _overall().on_board(test=1).with_rank().board("everything").with_rank(prefix="all_")
    ),
    "top": lambda: _overall().on_board(test=1).top(10),
    "top_with_members": lambda: _members().only("pk").on_board(test=1).top(10),
    "top_with_ties": lambda: _overall().on_board(test=1).top(10, ties=True),
    "first_by_rank": lambda: _overall().on_board(test=1).with_rank().filter(rank__lte=10),
    "filter_by_rank_after_a_join": lambda: (
        _overall().on_board(test=1).with_rank().filter(comments__text="a", rank=1).distinct()
    ),
    "among_friends": lambda: (
        _overall().on_board(test=1).filter(candidate__team="red").as_population().with_rank()
    ),
    "winner_of_each_test": lambda: Test.objects.only("pk").annotate(
        winner=Subquery(_members().on_board(test=OuterRef("pk")).top(1).values("candidate"))
    ),
    "report_of_the_ranked_members": lambda: (
        _members().only("pk").on_board(test=1).with_rank().filter(rank__isnull=False)
    ),
    "ordered_by_percentile": lambda: _overall().on_board(test=1).with_percentile().order_by("-percentile"),
}


STATEMENTS: dict[str, Callable[[], object]] = {
    "count_without_a_window": lambda: _overall().on_board(test=1).standings().count(),
    "count_of_the_ranked": lambda: _overall().on_board(test=1).ranked().count(),
    "count_of_the_ranked_members": lambda: _members().on_board(test=1).ranked().count(),
    "neighbours": lambda: list(
        # Drivers write an interval in ways of their own.
        Attempt.objects.with_leaderboard(Leaderboard(within=["test"], order_by=["-score"]))
        .on_board(test=1)
        .around(_stored(1), before=1, after=1)
    ),
    "update_by_rank": lambda: _overall().on_board(test=1).with_rank().filter(rank=1).update(label="first"),
}


def normal(sql: str) -> str:
    """Return SQL with one space between words, and no quotes: Django 6.1 quotes every alias."""
    return re.sub(r"\s+", " ", re.sub(r"\s*([(),;])\s*", r" \1 ", sql.replace('"', ""))).strip().lower()


@pytest.mark.parametrize("name", QUERYSETS)
def test_sql(name: str, request: pytest.FixtureRequest) -> None:
    sql = str(QUERYSETS[name]().query)
    compare(name, sql, request.config)


def compare(name: str, sql: str, config: pytest.Config) -> None:
    path = GOLDEN / f"{name}.sql"
    if config.getoption("--write-golden"):
        path.write_text(sqlparse.format(sql.replace('"', ""), reindent_aligned=True) + "\n")
    assert normal(sql) == normal(path.read_text())


@pytest.mark.parametrize("name", STATEMENTS)
def test_statements(name: str, request: pytest.FixtureRequest) -> None:
    """What a method sends, with the primary keys of the only entry on the only board written as 1."""
    test = Test.objects.create(pk=1, name="test")
    candidate = Candidate.objects.create(pk=1, name="candidate")
    Attempt.objects.create(
        pk=1,
        test=test,
        candidate=candidate,
        score=1,
        started_at="2026-01-01T00Z",
        finished_at="2026-01-01T01Z",
    )
    with CaptureQueriesContext(connection) as captured:
        STATEMENTS[name]()
    sql = ";\n".join(query["sql"] for query in captured)
    compare(name, sql, request.config)


def test_there_is_no_other_file() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {*QUERYSETS, *STATEMENTS}

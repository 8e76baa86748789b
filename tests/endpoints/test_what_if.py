"""What another cut-off would make of a board: as the board has it that declares that cut-off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from leaderboard import AtLeast, AtMost, Leaderboard, PercentileAtLeast, TimeTaken, TopCount, TopPercent
from leaderboard.endpoints import InvalidParameter, Orderings
from leaderboard.endpoints.what_if import WhatIf, what_would_be
from leaderboard.testing import reference_standings
from tests.test_properties import boards, load, rows
from tests.testapp.models import Attempt, Test

pytestmark = pytest.mark.django_db

FEWER = settings(max_examples=settings().max_examples // 4)
TAKEN = TimeTaken("started_at", "finished_at")
OTHERS = ["label", "finished_at"]


def asked(view: Any, **parameters: str) -> WhatIf:
    return what_would_be(view, parameters, Orderings(Attempt, view.leaderboard, OTHERS))


class Properties(HypothesisTestCase):
    @FEWER
    @given(
        rows=rows,
        board=boards(st.just(["test"])),
        rule=st.sampled_from(
            [
                ({"at_least": "2", "of": "points"}, AtLeast("score", 2)),
                ({"at_most": "0", "of": "points"}, AtMost("score", 0)),
                ({"top_count": "2"}, TopCount(2)),
                ({"top_percent": "37.5"}, TopPercent(37.5)),
                ({"percentile": "50"}, PercentileAtLeast(50)),
            ]
        ),
        is_view=st.booleans(),
    )
    def test_it_counts_as_the_reference_does(
        self, rows: list[dict[str, Any]], board: Leaderboard, rule: Any, is_view: bool
    ) -> None:
        (test, *_) = load(rows)
        # By stored values only, which are the same for the reference.
        board = board.replace(
            order_by={"points": "-score", "taken": TAKEN}, time_taken=None, cut_off=AtLeast("score", 1)
        )
        parameters, declared = rule
        view = Attempt.objects.with_leaderboard(board).on_board(test=test)
        now = reference_standings(view)
        then = reference_standings(view.with_leaderboard(board.replace(cut_off=declared)))
        view = view.filter(label__gte="a") if is_view else view
        pairs = [
            (now[entry.pk].qualification == "qualified", then[entry.pk].qualification == "qualified")
            for entry in view
            if now[entry.pk].rank is not None
        ]
        orderings = Orderings(Attempt, board)
        assert what_would_be(view, parameters, orderings) == WhatIf(
            rule=what_would_be(view, parameters, orderings).rule,
            ranked=len(pairs),
            qualified=sum(after for _, after in pairs),
            qualified_now=sum(before for before, _ in pairs),
            gained=pairs.count((False, True)),
            lost=pairs.count((True, False)),
        )


def test_the_rule_that_is_meant(data: None) -> None:
    view = Attempt.objects.board("overall").on_board(test=Test.objects.get(name="test 0"))
    assert asked(view, at_least="60").rule == AtLeast("score", 60)
    fast = view.with_leaderboard(view.leaderboard.replace(cut_off=AtMost(TAKEN, F("test__pause"))))
    assert asked(fast, at_most="00:00:20").rule == AtMost(TAKEN, timedelta(seconds=20))
    assert (
        asked(fast, at_most="00:00:20").qualified
        == fast.with_time_taken().ranked().filter(time_taken__lte=timedelta(seconds=20)).count()
    )
    assert (
        asked(view, at_least="high", of="label").qualified == view.ranked().filter(label__gte="high").count()
    )
    assert asked(view, top_count="0").qualified == 0
    assert asked(view, top_count="1").qualified == view.top(1, ties=True).count()
    assert asked(view, percentile="100").qualified == view.top(1, ties=True).count()


WRONG = [
    ({}, "^at_least: give one of at_least, at_most, top_count, top_percent, percentile"),
    ({"at_least": "1", "at_most": "2"}, "^at_most: cannot be given beside at_least"),
    ({"at_least": "x"}, "^at_least: 'x' is no value of score: "),
    ({"at_least": "9" * 30}, "^at_least: '9+' is no value of score: "),
    ({"at_least": "1.5"}, r"^at_least: '1\.5' is no value of score: "),
    ({"at_least": "1", "of": "nothing"}, "^of: 'nothing' is none of score, time_taken, label"),
    ({"at_least": "1", "of": "rank"}, "^of: 'rank' is none of"),
    ({"at_least": "soon", "of": "time_taken"}, "^at_least: 'soon' is no value of time_taken"),
    ({"at_least": "soon", "of": "finished_at"}, "^at_least: 'soon' is no value of finished_at"),
    ({"top_count": "1", "of": "score"}, "^of: cannot be given beside top_count"),
    ({"top_count": "-1"}, "^top_count: '-1' is no whole number"),
    *(
        ({name: text}, f"^{name}: .* is no number from 0 to 100")
        for name in ("top_percent", "percentile")
        for text in ("101", "-1", "x", "1e1", "100.1", "nan", "1" * 50)
    ),
]


@pytest.mark.parametrize(("parameters", "message"), WRONG)
def test_what_is_wrong_is_said(parameters: dict[str, str], message: str, data: None) -> None:
    view = Attempt.objects.board("overall").on_board(test=Test.objects.get(name="test 0"))
    with pytest.raises(InvalidParameter, match=message):
        asked(view, **parameters)


def test_a_board_without_names(data: None) -> None:
    board = Leaderboard(order_by=[TAKEN])
    view = Attempt.objects.with_leaderboard(board)
    with pytest.raises(InvalidParameter, match="ordered by nothing that has a name"):
        what_would_be(view, {"at_least": "1"}, Orderings(Attempt, board))


def test_the_view_gives_it(data: None, django_assert_num_queries: Any) -> None:
    test = Test.objects.get(name="test 0")
    url = f"/tests/{test.pk}/what-if/"
    with django_assert_num_queries(1):
        found = Client().get(f"{url}?at_least=80").json()
    assert found == {"ranked": 5, "qualified": 2, "gained": 0, "lost": 2, "now": {"qualified": 4}}
    assert Client().get(f"{url}?at_least=0").json()["gained"] == 1
    assert Client().get(f"{url}?at_least=0&team=red").json()["ranked"] == 3
    assert Client().get(url).status_code == 400
    assert Client().get("/tests/0/what-if/?top_count=1").status_code == 404
    Test.objects.filter(pk=test.pk).update(cut_off=None)
    assert Client().get(f"{url}?at_least=80").json()["now"] == {"qualified": 0}

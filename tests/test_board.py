"""What a declaration refuses when it is written, with the argument and the value, and what indexes it has."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db.models import DateTimeField, F, OuterRef, Q, Subquery
from django.db.models.functions import Cast, Coalesce, Now, TruncMonth

from leaderboard import (
    AtLeast,
    AtMost,
    CutOff,
    First,
    Latest,
    Leaderboard,
    LeaderboardManager,
    LeaderboardQuerySet,
    PercentileWindow,
    PercentOf,
    QualificationWindow,
    RankWindow,
    TimeTaken,
    TopCount,
)
from tests.testapp.models import Attempt, Test


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ({"order_by": []}, r"order_by=\[\] must name at least one ordering term"),
        ({"order_by": [OuterRef("score")]}, r"order_by\[0\]=OuterRef\(score\) must be the name of a field"),
        ({"order_by": ["--score"]}, r"order_by\[0\]='--score' is no ordering term"),
        ({"within": {"a": F("score").desc()}}, r"within\['a'\]=OrderBy\(.*\) must be"),
        ({"within": {"a": OuterRef("score")}}, r"within\['a'\]=OuterRef\(score\) must be"),
        ({"collation": "bad name"}, r"collation='bad name' is no name"),
        ({"rank_kind": "densest"}, r"rank_kind='densest' is not a RankKind; use one of 'competition'"),
        ({"member": 3}, r"member=3 must be the path to a field"),
        ({"member": "-score"}, r"member='-score' must be the path to a field"),
        ({"eligible": "score"}, r"eligible='score' must be a condition"),
    ],
)
def test_a_declaration_is_refused(declaration: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        Leaderboard(**{"order_by": ["-score"], **declaration})


@pytest.mark.parametrize("rule", [Latest, First])
@pytest.mark.parametrize("field", ["", "-score", "started at", 3, F("score")])
def test_what_is_no_field_counts_nothing(rule: Any, field: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=rf"^{rule.__name__}\("):
        rule(field)


@pytest.mark.parametrize("running", ["no", 1, None])
def test_running_is_true_or_false(running: Any) -> None:
    with pytest.raises(TypeError, match=rf"running={running!r} must be True or False"):
        TimeTaken("started_at", "finished_at", running=running)


@pytest.mark.parametrize("make", [LeaderboardManager, LeaderboardQuerySet.as_manager])
def test_a_manager_declares_boards_by_name(make: Any) -> None:
    board = Leaderboard(order_by=["-score"])
    for name in ("", "a b", "2nd"):
        with pytest.raises(ValueError, match=f"The board name {name!r} must be an identifier"):
            make(**{name: board})
    with pytest.raises(TypeError, match="best='-score' must be a Leaderboard"):
        make(best="-score")
    with pytest.raises(TypeError, match=r"best\(\)='-score' must be a Leaderboard"):
        assert make(best=lambda: "-score").boards
    assert make(**{"self": board, "boards": board}).boards.keys() == {"self", "boards"}


def test_threads_see_one_board() -> None:
    barrier = Barrier(2)

    def declare() -> Leaderboard:
        barrier.wait(30)
        return Leaderboard(order_by=[Subquery(Test.objects.values("cut_off")[:1])])

    manager = LeaderboardManager(best=declare)
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: manager.boards["best"], range(2))
    assert first is second is manager.boards["best"]


@pytest.mark.parametrize(
    "rule", [AtLeast, AtMost, lambda expression, value: PercentOf(expression, value, 50)]
)
@pytest.mark.parametrize(
    "value", [Q(score=1), Attempt.objects.all(), Test(), {1}, 1j, None, OuterRef("score"), F("score").desc()]
)
def test_what_cannot_be_compared_is_refused(rule: Any, value: Any) -> None:
    with pytest.raises(TypeError, match=r"^(value|maximum)="):
        rule("score", value)


@pytest.mark.parametrize("rule", [TopCount, lambda value: PercentOf("score", 1, value)])
@pytest.mark.parametrize("value", ["5", True, None, F("score").desc(), OuterRef("score")])
def test_what_is_no_number_is_refused(rule: Any, value: Any) -> None:
    with pytest.raises(TypeError, match=r"^(count|percent)="):
        rule(value)


def test_rules_of_different_literals_differ() -> None:
    rules: list[CutOff] = [
        AtLeast("a", 1),
        AtLeast("a", True),
        AtLeast("a", 1.0),
        AtLeast("b", 1),
        AtMost("a", 1),
    ]
    for position, rule in enumerate(rules):
        assert [other == rule for other in rules].index(True) == position
    assert AtLeast("a", 1) & ~AtMost("b", 2) == AtLeast("a", 1) & ~AtMost("b", 2)


@pytest.mark.parametrize(
    ("term", "indexed"),
    [
        ("score", 1),
        (TimeTaken("started_at", "finished_at"), 1),
        (TimeTaken(Coalesce("started_at", "finished_at"), "finished_at", paused="pause"), 1),
        (TimeTaken("started_at", "finished_at", allowance="test__pause"), 0),
        (TimeTaken("started_at", "finished_at", running=True), 0),
        (TimeTaken("started_at", Now()), 0),
        (TimeTaken(Cast("day", DateTimeField()), "finished_at"), 0),
        (TimeTaken(TruncMonth("started_at"), "finished_at"), 0),
    ],
)
def test_indexes_end_before_what_postgresql_does_not_index(term: Any, indexed: int) -> None:
    assert len(Leaderboard(order_by=[term]).indexes("a")) == indexed


@pytest.mark.parametrize("prefix", [None, "", 3])
def test_indexes_have_names(prefix: Any) -> None:
    with pytest.raises(TypeError, match=f"prefix={prefix!r} must begin the names"):
        Leaderboard(order_by=["-score"]).indexes(prefix)


def test_indexes_of_an_abstract_model_are_named_after_its_children() -> None:
    board = Leaderboard(order_by=["-score"])
    (index,) = board.indexes("%(app_label)s_%(class)s_overall")
    assert index.name == "%(app_label)s_%(class)s_overall_terms"
    with pytest.raises(ValueError, match="more than 30 characters"):
        board.indexes("%(class)s_of_an_overall_leaderboard")


@pytest.mark.django_db
def test_messages_read_no_rows(django_assert_num_queries: Any) -> None:
    attempts = Attempt.objects.all()
    with django_assert_num_queries(0):
        board = Leaderboard(order_by=["-score"], eligible=Q(pk__in=attempts) | Q(disqualified=False))
        assert "eligible=<Q>" in repr(board)
        with pytest.raises(ValueError, match=r"on_board\(test=<"):
            Attempt.objects.on_board(test=Attempt.objects.all())
        with pytest.raises(TypeError, match="best=<LeaderboardQuerySet> must be a Leaderboard"):
            LeaderboardManager(best=Attempt.objects.all())  # type: ignore[arg-type]


@pytest.mark.parametrize("window", [RankWindow, PercentileWindow, partial(QualificationWindow, TopCount(1))])
@pytest.mark.parametrize("eligible", [True, 5, "score", F("score")])
def test_a_window_is_of_rows_that_meet_a_condition(window: Any, eligible: Any) -> None:
    with pytest.raises(TypeError, match=r"eligible=.* must be a condition"):
        window(order_by="-score", eligible=eligible)

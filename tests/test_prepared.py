"""What is prepared once for a declaration: shared by all queries, changed by none, and gone with it."""

from __future__ import annotations

import copy
import gc
import pickle
import re
import weakref
from datetime import date
from typing import Any
from unittest import mock

import pytest
from django.db import connection, models
from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.lookups import Exact
from django.test.utils import register_lookup
from django.utils.functional import SimpleLazyObject, lazystr

from leaderboard import AtLeast, Leaderboard, LeaderboardManager
from leaderboard.declaration.leaderboard import MOST_PREPARED
from leaderboard.standings.entries import entry_level
from tests.testapp.models import Attempt, Candidate, Test


def board(**options: Any) -> Leaderboard:
    return Leaderboard(**{"within": ["test"], "order_by": ["-score"], **options})


def sql_of(queryset: Any) -> str:
    return str(queryset.query)


def times_prepared(*querysets: Any) -> int:
    """Return how often levels are prepared while querysets are compiled one after another."""
    with mock.patch("leaderboard.standings.table.entry_level", wraps=entry_level) as spy:
        for queryset in querysets:
            sql_of(queryset)
    return spy.call_count


def test_a_declaration_is_prepared_once() -> None:
    chosen = Attempt.objects.with_leaderboard(board())
    first, second = (chosen.on_board(test=number).top(10) for number in (1, 2))
    assert times_prepared(first, second, chosen.on_board(test=3).top(7)) == 1
    assert times_prepared(chosen.on_board(test=1).standings(), chosen.on_board(test=1).with_rank()) == 2
    assert sql_of(second) == re.sub(r"(test_id\"?) = 1", r"\1 = 2", sql_of(first))


def test_what_was_compiled_first_does_not_show_in_what_is_compiled_later() -> None:
    """The same shapes in opposite orders: alone, within a subquery, from another board, by another view."""
    friends = Attempt.objects.filter(candidate__team="red")

    def querysets(declared: Leaderboard) -> list[Any]:
        chosen = Attempt.objects.with_leaderboard(declared)
        return [
            chosen.on_board(test=1).standings(),
            chosen.on_board(test=2).standings(),
            chosen.filter(candidate=1).standings(),
            chosen.on_board(test=1).top(3),
            Test.objects.annotate(best=Subquery(chosen.on_board(test=OuterRef("pk")).top(1).values("pk"))),
            Candidate.objects.filter(
                Exists(chosen.on_board(test=3).with_rank().filter(candidate=OuterRef("pk")))
            ),
            chosen.filter(pk__in=friends).as_population().with_rank(),
            chosen.with_rank().with_leaderboard(board(within=())).with_rank(prefix="all_"),
        ]

    options: Any = {"member": "candidate", "cut_off": AtLeast("score", F("test__cut_off"))}
    forwards = [sql_of(queryset) for queryset in querysets(board(**options))]
    backwards = [sql_of(queryset) for queryset in reversed(querysets(board(**options)))]
    alone = [sql_of(querysets(board(**options))[number]) for number in range(len(forwards))]
    assert forwards == backwards[::-1] == alone


@pytest.mark.parametrize(
    "eligible",
    [
        Exists(Candidate.objects.filter(pk=OuterRef("candidate"), team="red")),
        Q(label=lazystr("red")),
        Q(label=SimpleLazyObject(lambda: "red")),
    ],
)
def test_what_may_change_is_resolved_each_time(eligible: Any) -> None:
    chosen = Attempt.objects.with_leaderboard(board(eligible=eligible)).on_board(test=1).standings()
    assert times_prepared(chosen, chosen.all()) == 2


class CurrentTeam(Value):
    """The team of whoever asks, as an application may write it."""

    current = "red"

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        return Value(self.current).resolve_expression(*args, **kwargs)


def test_an_expression_of_ones_own_is_asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = Attempt.objects.with_leaderboard(board(eligible=Q(label=CurrentTeam("")))).on_board(test=1)
    assert "= red" in sql_of(chosen.standings())
    monkeypatch.setattr(CurrentTeam, "current", "blue")
    assert "= blue" in sql_of(chosen.standings())


class CurrentLookup(Exact):
    """A lookup that compares with what is current when it is resolved."""

    def get_prep_lookup(self) -> Any:
        return CurrentTeam.current


class CurrentField(models.CharField):  # type: ignore[type-arg]
    def get_prep_value(self, value: Any) -> Any:
        return CurrentTeam.current


OF_ONES_OWN = [
    Q(label__current=True),
    ~Q(score=1) | Q(label__current=True),
    Q(candidate__team__current=True),
]


@pytest.mark.parametrize("eligible", OF_ONES_OWN, ids=str)
def test_a_lookup_of_ones_own_is_asked_each_time(eligible: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with register_lookup(models.CharField, CurrentLookup, lookup_name="current"):
        chosen = Attempt.objects.with_leaderboard(board(eligible=eligible)).on_board(test=1).standings()
        assert "= red" in sql_of(chosen)
        assert times_prepared(chosen, chosen.all()) == 2
        monkeypatch.setattr(CurrentTeam, "current", "blue")
        assert "= blue" in sql_of(chosen)


def test_a_field_of_ones_own_is_asked_each_time(monkeypatch: pytest.MonkeyPatch, isolated: None) -> None:
    class Entry(models.Model):
        score = models.IntegerField()
        label = CurrentField()

        objects = LeaderboardManager(all=Leaderboard(order_by=["-score"], eligible=Q(label="x")))

        class Meta:
            app_label = "testapp"

    chosen = Entry.objects.standings()
    assert "= red" in sql_of(chosen)
    assert times_prepared(chosen, chosen.all()) == 2
    monkeypatch.setattr(CurrentTeam, "current", "blue")
    assert "= blue" in sql_of(chosen)


def test_a_date_follows_the_default_time_zone(settings: Any) -> None:
    chosen = Attempt.objects.with_leaderboard(board(cut_off=AtLeast("started_at", date(2026, 7, 1))))
    found = []
    for zone in ("UTC", "Asia/Tokyo"):
        settings.TIME_ZONE = zone
        found.append(chosen.on_board(test=1).with_qualification().query.sql_with_params()[1])
    assert found[0] != found[1]


def test_what_is_prepared_is_neither_copied_nor_compared() -> None:
    declared, other = board(), board()
    sql_of(Attempt.objects.with_leaderboard(declared).on_board(test=1).standings())
    assert declared._prepared
    assert declared == other
    assert hash(declared) == hash(other)
    assert repr(declared) == repr(other)
    # It is immutable, and a copy of a subquery in it would equal nothing.
    assert copy.copy(declared) is copy.deepcopy(declared) is declared
    duplicate = pickle.loads(pickle.dumps(declared))
    assert duplicate == declared
    assert not duplicate._prepared
    assert sql_of(Attempt.objects.with_leaderboard(duplicate).on_board(test=1).standings())


def test_what_is_prepared_is_bounded() -> None:
    declared = board()
    for number in range(3 * MOST_PREPARED):
        assert declared.prepared(number, lambda number=number: -number) == -number  # type: ignore[misc]
    assert len(declared._prepared) <= MOST_PREPARED


def test_a_board_made_for_a_request_goes_with_it() -> None:
    declared = board(eligible=Q(pk__in=list(range(1000))))
    gone = weakref.ref(declared)
    sql_of(Attempt.objects.with_leaderboard(declared).on_board(test=1).top(3))
    del declared
    gc.collect()
    assert gone() is None


@pytest.mark.django_db
def test_prepared_levels_are_read_by_any_connection() -> None:
    declared = board()
    chosen = Attempt.objects.with_leaderboard(declared).on_board(test=1).standings()
    for _ in range(2):
        compiler = chosen.query.get_compiler(connection=connection)
        assert compiler.as_sql()[0].count("RANK()") == 2


def test_queries_that_are_compiled_at_once_have_tables_of_their_own() -> None:
    chosen = Attempt.objects.with_leaderboard(board())
    compilers = [chosen.on_board(test=number).top(3).query.get_compiler("default") for number in (1, 2)]
    assert [compiler.as_sql()[1] for compiler in compilers] == [(True, 1), (True, 2)]

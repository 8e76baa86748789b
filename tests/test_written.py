"""SQL that is written once: it is sent with other values, and not where it might have become another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import TruncDate
from django.test import override_settings
from django.test.utils import CaptureQueriesContext, register_lookup
from django.utils import timezone
from django.utils.functional import lazy

from leaderboard import AtLeast, Leaderboard, LeaderboardQuerySet, Standing
from leaderboard.orm.written import Statement, Written, WrittenRows
from leaderboard.querysets.counted import CountedQuerySet
from tests.test_prepared import CurrentLookup, CurrentTeam
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db


def board(**options: Any) -> Leaderboard:
    return Leaderboard(**{"within": ["test"], "order_by": ["-score"], **options})


@contextmanager
def written(times: int) -> Iterator[None]:
    """See that SQL is written so often."""
    with (
        mock.patch.object(Statement, "of", side_effect=Statement.of) as statements,
        mock.patch.object(Written, "of", side_effect=Written.of) as tables,
        mock.patch.object(WrittenRows, "of", side_effect=WrittenRows.of) as rows,
    ):
        yield
    assert statements.call_count + tables.call_count + rows.call_count == times


def by_window(view: Any, key: Any) -> Standing:
    with mock.patch("leaderboard.querysets.counted.location_of", return_value=None):
        standing: Standing = view.get_standing(pk=key)
    return standing


# Views that ask for whole rows, and such as ask for something else.
ROWS: list[Callable[[Any], Any]] = [
    lambda view: view.with_rank(),
    lambda view: view.with_rank("dense"),
    lambda view: view.with_rank(prefix="own_"),
    lambda view: view.with_rank().with_rank("modified", prefix="last_"),
    lambda view: view.with_rank().with_percentile(),
    lambda view: view.with_percentile().with_rank(),
    lambda view: view.standings(),
    lambda view: view.with_rank().order_by("-rank"),
    lambda view: view.with_rank().prefetch_related("comments"),
]
OTHERS: list[Callable[[Any], Any]] = [
    lambda view: view.with_rank().select_related("candidate"),
    lambda view: view.with_rank().only("score"),
    lambda view: view.with_rank().defer("score"),
    lambda view: view.with_rank().annotate(two=F("rank") * 2),
    lambda view: view.with_rank().annotate(mine=F("candidate__name")),
    lambda view: view.with_rank().alias(two=F("score") * 2).filter(two__gt=100),
    lambda view: view.with_rank().filter(score__gt=50),
    lambda view: view.with_rank().filter(rank__lte=2),
    lambda view: view.filter(score__gte=50).as_population().with_rank(),
    lambda view: view.with_rank().filter(comments__text="a"),
    lambda view: view.with_rank().values(),
    lambda view: view.with_rank().values("rank"),
    lambda view: view.with_rank().values_list("score", "rank"),
    lambda view: view.with_rank().with_bookmarks(),
]


def _seen(rows: Any) -> list[Any]:
    return [
        {name: value for name, value in vars(row).items() if name[0] != "_"} if hasattr(row, "pk") else row
        for row in rows
    ]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("name", ["overall", "members"])
def test_rows_are_those_of_the_window_whatever_is_asked_for(name: str, order: int, data: None) -> None:
    """Of one declaration, so that what was written for one is at hand for the next."""
    declared = Attempt.objects.board(name).leaderboard.replace()
    # Ranked ones, such as are not, and of other boards.
    keys = [*Attempt.objects.order_by("pk").values_list("pk", flat=True)[::7], -1]
    chosen = Attempt.objects.with_leaderboard(declared)
    for view in (chosen, chosen.on_board(test=Test.objects.get(name="test 0"))):
        for ask in [*ROWS, *OTHERS][::order]:
            for key in keys[::order]:
                asked = ask(view).filter(pk=key)
                assert _seen(asked) == _seen(asked.iterator(chunk_size=10))


def test_a_row_is_written_once(data: None, django_assert_num_queries: Any) -> None:
    chosen = Attempt.objects.with_leaderboard(board())
    first, *others = _ranked(chosen)
    for number, ask in enumerate(ROWS):
        # Where it stands, once for all, and the rows, unless the same were asked for before.
        with written(1 if number else 2) if number not in (7, 8) else nullcontext():
            ask(chosen).get(pk=first)
        with written(0), django_assert_num_queries(3 if ask is ROWS[-1] else 2):
            ask(chosen).get(pk=others[0])
        for key in others:
            of_board = ask(chosen.on_board(test=Attempt.objects.get(pk=key).test_id))
            with written(0):
                of_board.get(pk=key)
    for ask in OTHERS:
        with mock.patch.object(CountedQuerySet, "_written_for", side_effect=ZeroDivisionError):
            list(ask(chosen).filter(pk=first))
    # Nor where the board is told by another table.
    teams = Attempt.objects.with_leaderboard(board(within=["candidate__team"], member="candidate"))
    with mock.patch.object(CountedQuerySet, "_written_for", side_effect=ZeroDivisionError):
        red = teams.on_board(candidate__team="red").with_rank()
        found = {key: [entry.rank for entry in red.filter(pk=key)] for key in (first, *others)}
    assert found == {key: [entry.rank for entry in red.filter(pk=key).iterator()] for key in found}


def test_a_row_that_moves_between_the_statements(data: None) -> None:
    """Where it does not stand any more, or not on the board, one statement tells."""
    tests = {test.name: test for test in Test.objects.all()}
    chosen = Attempt.objects.with_leaderboard(board()).on_board(test=tests["test 0"]).with_rank()
    first = chosen.filter(rank__isnull=False).order_by("rank")[0]
    moves: list[dict[str, Any]] = [{"score": -1}, {"test": tests["test 1"]}, {"score": None}]
    written_for = CountedQuerySet._written_for
    for move in moves:

        def moving(*args: Any, move: dict[str, Any] = move) -> Any:
            Attempt.objects.filter(pk=first.pk).update(**move)
            return written_for(*args)

        with mock.patch.object(CountedQuerySet, "_written_for", moving):
            found = list(chosen.filter(pk=first.pk))
        assert _seen(found) == _seen(chosen.filter(pk=first.pk).iterator())
        assert bool(found) is ("test" not in move)
        Attempt.objects.filter(pk=first.pk).update(test=first.test_id, score=first.score)


def test_a_standing_is_written_once(data: None) -> None:
    declared = board(member="candidate", cut_off=AtLeast("score", F("test__cut_off")))
    chosen = Attempt.objects.with_leaderboard(declared)
    first, *others = _ranked(chosen)
    # Where it stands, the table that counts, and what reads it.
    with written(3):
        chosen.get_standing(pk=first)
    with written(0):
        for key in others:
            view = chosen.on_board(test=Attempt.objects.get(pk=key).test_id)
            assert view.get_standing(pk=key) == by_window(chosen, key)
    # Where it stands is known how to read; the rows.
    with written(1):
        chosen.with_rank().get(pk=first)
    with written(0):
        assert [chosen.with_rank().get(pk=key).rank for key in others] == [
            by_window(chosen, key).rank for key in others
        ]


def _ranked(chosen: Any) -> list[Any]:
    return list(chosen.with_rank().filter(rank__gte=1).values_list("pk", flat=True))


@pytest.mark.parametrize("nulls_distinct", [None, False])
def test_null_is_other_sql(nulls_distinct: bool | None, data: None) -> None:
    """Entries whose values are NULL in turns: the board, what orders ties, the member, a term."""
    declared = Leaderboard(
        within=["candidate"],
        order_by=["-score"],
        ties_by=["label"],
        rank_kind="ordinal",
        nulls_distinct=nulls_distinct,
    )
    keys = [*Attempt.objects.order_by("pk").values_list("pk", flat=True)]
    Attempt.objects.filter(pk__in=keys[2:9:3]).update(label=None)
    chosen = Attempt.objects.with_leaderboard(declared)
    for key in keys * 2:
        assert chosen.get_standing(pk=key) == by_window(chosen, key)


class CurrentScore(Func):
    """A score that depends on whoever asks, in SQL that is made when it is compiled."""

    current = 0

    def as_sql(self, *args: Any, **kwargs: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self.current,)


class CompiledField(models.IntegerField):  # type: ignore[type-arg]
    def get_db_prep_value(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return CurrentScore.current


@pytest.mark.parametrize(
    "current",
    [
        CurrentScore(output_field=models.IntegerField()),
        Value(0, CompiledField()),
        Value(lazy(lambda: CurrentScore.current, int)(), models.IntegerField()),
    ],
    ids=["expression", "field", "lazy value"],
)
def test_what_depends_on_the_moment_is_compiled_each_time(
    current: Any, data: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = Attempt.objects.with_leaderboard(board(cut_off=AtLeast("score", current)))
    key = _ranked(chosen)[0]
    assert chosen.get_standing(pk=key).qualification == "qualified"
    monkeypatch.setattr(CurrentScore, "current", 1000)
    assert chosen.get_standing(pk=key).qualification == "not_qualified"
    assert chosen.with_qualification().get(pk=key).qualification == "not_qualified"


def test_a_lookup_of_ones_own_is_asked_each_time(data: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with register_lookup(models.CharField, CurrentLookup, lookup_name="current"):
        monkeypatch.setattr(CurrentTeam, "current", "high")
        chosen = Attempt.objects.with_leaderboard(board(eligible=Q(label__current=True)))
        key = Attempt.objects.filter(label="high", score__gt=60).values_list("pk", flat=True)[0]
        assert chosen.get_standing(pk=key).rank is not None
        assert chosen.with_rank().get(pk=key).rank is not None
        monkeypatch.setattr(CurrentTeam, "current", "low")
        assert chosen.get_standing(pk=key).rank is None
        assert chosen.with_rank().get(pk=key).rank is None


def test_each_time_zone_has_sql_of_its_own(data: None) -> None:
    """A day begins earlier in Tokyo: the same entry has other rivals there."""
    test, person = Test.objects.create(name="t"), Candidate.objects.create(name="p")
    noon, night = (
        Attempt.objects.create(
            test=test, candidate=person, score=score, started_at=datetime(2031, 5, 1, hour, tzinfo=UTC)
        )
        for score, hour in ((1, 12), (2, 20))
    )
    chosen = Attempt.objects.with_leaderboard(
        Leaderboard(within={"day": TruncDate("started_at")}, order_by=["-score"])
    )
    for _ in range(2):
        for zone, rank in ((UTC, 2), (ZoneInfo("Asia/Tokyo"), 1)):
            with timezone.override(zone):
                assert chosen.get_standing(pk=noon.pk).rank == rank
                assert chosen.with_rank().get(pk=noon.pk).rank == rank
                assert chosen.on_board(day=date(2031, 5, 1)).get_standing(entry=noon).rank == rank
        with override_settings(TIME_ZONE="Asia/Tokyo"):
            assert chosen.get_standing(pk=night.pk).rank == 1


class Chosen(LeaderboardQuerySet):
    """Makes one metric in a way of its own, which is another one at another moment."""

    kind = "competition"

    def with_rank(self, *args: Any, **kwargs: Any) -> Any:
        return super().with_rank(self.kind, prefix=kwargs.get("prefix", ""))


def test_a_metric_of_ones_own_is_asked_each_time(data: None, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = Chosen(Attempt).with_leaderboard(board())
    keys = _ranked(chosen)
    found = []
    for kind in ("competition", "modified"):
        monkeypatch.setattr(Chosen, "kind", kind)
        found.append([chosen.get_standing(pk=key) for key in keys])
        assert found[-1] == [by_window(chosen, key) for key in keys]
    assert found[0] != found[1]


def test_a_view_that_is_filtered_decides_who_is_seen(data: None) -> None:
    chosen = Attempt.objects.with_leaderboard(board(member="candidate"))
    (key, *_) = _ranked(chosen)
    candidate = Attempt.objects.get(pk=key).candidate
    hidden = chosen.exclude(candidate=candidate)
    for view in (hidden, hidden.filter(candidate__team="x"), chosen.none(), chosen.filter(pk__in=[])):
        with pytest.raises(Attempt.DoesNotExist):
            view.get_standing(pk=key)
        with pytest.raises(Attempt.DoesNotExist):
            view.on_board(test=Attempt.objects.get(pk=key).test).get_standing(member=candidate)


def test_a_run_is_written_once(data: None) -> None:
    declared = board(member="candidate", cut_off=AtLeast("score", F("test__cut_off")))
    for number, test in enumerate(Test.objects.all()):
        view = Attempt.objects.with_leaderboard(declared).on_board(test=test).standings()
        (first, *others) = view.ranked()
        # Where the entry stands that a page begins beside, and the page.
        with written(2 * (1 - min(number, 1))):
            list(view.page(2, after=first))
        with written(0):
            for entry in others:
                _see_that_pages_are_by_window(view, 2, after=entry)
        # As many as one shows are in it, and which way, and what must be where.
        for number_of, where in ((2, {"before": first}), (3, {"after": first}), (2, {"at_rank": 2})):
            with written(1 - min(number, 1)):
                _see_that_pages_are_by_window(view, number_of, **where)
        with written(0):
            _see_that_pages_are_by_window(view, 2, at_rank=3)
            _see_that_pages_are_by_window(view, 3, after=others[0])


def _see_that_pages_are_by_window(view: Any, size: int, **where: Any) -> None:
    page = view.page(size, **where)
    for name in ("pk", "rank", "percentile"):
        read = [getattr(entry, name) for entry in page]
        assert read == [getattr(entry, name) for entry in page.iterator()], where


def test_a_run_from_null_is_other_sql(data: None) -> None:
    declared = board(ties_by=["label"], rank_kind="ordinal")
    keys = Attempt.objects.order_by("pk").values_list("pk", flat=True)
    Attempt.objects.filter(pk__in=[*keys][::3]).update(label=None)
    view = Attempt.objects.with_leaderboard(declared).on_board(test=Test.objects.all()[0]).standings()
    for entry in [*view.ranked()] * 2:
        _see_that_pages_are_by_window(view, 3, after=entry)
        _see_that_pages_are_by_window(view, 3, before=entry)


def test_a_run_of_what_depends_on_the_moment_is_compiled_each_time(
    data: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = CurrentScore(output_field=models.IntegerField())
    declared = board(cut_off=AtLeast("score", current))
    view = Attempt.objects.with_leaderboard(declared).on_board(test=Test.objects.all()[0])
    first = view.top(1).get()
    page = view.with_qualification().page(1, after=first)
    assert [entry.qualification for entry in page.all()] == ["qualified"]
    monkeypatch.setattr(CurrentScore, "current", 1000)
    assert [entry.qualification for entry in page.all()] == ["not_qualified"]


def test_two_statements_are_sent(data: None) -> None:
    chosen = Attempt.objects.with_leaderboard(board(member="candidate"))
    for key in _ranked(chosen):
        with CaptureQueriesContext(connection) as captured:
            chosen.get_standing(pk=key)
        assert len(captured) == 2
        assert "\0" not in captured[0]["sql"]

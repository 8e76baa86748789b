"""What would be: as if the entry were stored, and what one must reach."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import NotSupportedError, connection, transaction
from django.db.models import F, Q
from django.db.models.functions import TruncMonth
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard import AtLeast, Leaderboard, PercentileKind, RankKind, TimeTaken, TopCount, TopPercent
from tests.attempts import START
from tests.examples import HypothesisTestCase
from tests.fuzz.models import Inheriting
from tests.test_plans import rows_read
from tests.test_properties import boards, load, rows
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db

FEWER = settings(max_examples=settings().max_examples // 8)
TAKEN = TimeTaken("started_at", "finished_at")
ties = st.sampled_from([None, ["label"], [F("ratio").desc()]])


def if_stored(queryset: Any, entry: Attempt) -> Any:
    """Return the standing that an entry has where it is stored."""
    with transaction.atomic():
        entry.save()
        standing = queryset.get_standing(entry)
        transaction.set_rollback(True)
    return standing


class Properties(HypothesisTestCase):
    @FEWER
    @given(rows=rows, board=boards(st.just(["test"])), ties=ties, member=st.sampled_from([None, "candidate"]))
    def test_it_is_what_a_stored_entry_has(
        self, rows: list[dict[str, Any]], board: Leaderboard, ties: Any, member: str | None
    ) -> None:
        load(rows)
        # Two statements of a clock that runs on differ.
        board = board.replace(
            eligible=None,
            member=member,
            time_taken=TAKEN,
            ties_by=ties,
            **({} if member else {"counting": None}),
        )
        chosen = Attempt.objects.with_leaderboard(board)
        entries = list(Attempt.objects.order_by("pk"))
        for entry in entries[:: len(entries) // 3 + 1]:
            if member is not None and entry.candidate is None:
                continue
            new = Attempt(
                **{
                    field.attname: getattr(entry, field.attname)
                    for field in Attempt._meta.concrete_fields
                    if not field.primary_key
                }
            )
            for supposed in (entry, new):
                try:
                    found = chosen.rank_if(supposed)
                except (NotSupportedError, ValueError):
                    # It has no place, or a place that no other statement sees.
                    continue
                assert found == if_stored(chosen, supposed)


@pytest.mark.parametrize("kind", RankKind)
@pytest.mark.parametrize("name", ["overall", "members"])
def test_values_of_fields(kind: RankKind, name: str, data: None) -> None:
    declared = Attempt.objects.board(name).leaderboard.replace(
        rank_kind=kind, percentile_kind=PercentileKind.MEAN
    )
    test = Test.objects.get(name="test 0")
    view = Attempt.objects.with_leaderboard(declared).on_board(test=test)
    person = Candidate.objects.create(name="new")
    for score in (100, 90, 70, 50, 0):
        values = {
            "score": score,
            "started_at": START,
            "finished_at": START + timedelta(seconds=20),
            "candidate": person,
            "disqualified": False,
        }
        found = view.rank_if(**values)
        assert found == if_stored(view, Attempt(test=test, **values))
        assert found == view.rank_if(Attempt(test=test, **values))
        assert found == Attempt.objects.with_leaderboard(declared).rank_if(test=test, **values)


def test_who_is_not_eligible_has_a_standing_by_own_values(data: None) -> None:
    view = Attempt.objects.board("overall").on_board(test=Test.objects.get(name="test 0"))
    entry = view.filter(disqualified=True, score__isnull=False)[0]
    assert view.get_standing(entry).rank is None
    standing = view.rank_if(entry)
    assert standing.rank == 1
    assert standing.board_size == view.ranked().count() + 1
    entry.disqualified = False
    assert standing == if_stored(view, entry)


def test_of_a_member_the_best_counts(data: None) -> None:
    view = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0"))
    best = view.top(1).get()
    values = {"started_at": START, "finished_at": best.finished_at, "disqualified": False}
    worse = view.rank_if(candidate=best.candidate, score=best.score - 1, **values)
    assert (worse.rank, worse.qualification) == (None, "superseded")
    better = view.rank_if(candidate=best.candidate, score=best.score + 1, **values)
    assert (better.rank, better.board_size) == (1, view.ranked().count())
    other = view.rank_if(candidate=Candidate.objects.create(name="n"), score=best.score + 1, **values)
    assert (other.rank, other.board_size) == (1, view.ranked().count() + 1)


@pytest.mark.parametrize("score", [-(2**31), -1, 2**31 - 1])
def test_the_least_and_the_greatest(score: int, data: None) -> None:
    declared = Leaderboard(within=["test"], order_by=["-score"])
    view = Attempt.objects.with_leaderboard(declared).on_board(test=Test.objects.get(name="test 0"))
    rank = 1 if score > 0 else view.ranked().count() + 1
    assert view.rank_if(score=score).rank == rank


def test_a_cut_off_by_a_relation(data: None) -> None:
    declared = Leaderboard(within=["test"], order_by=["-score"], cut_off=AtLeast("score", F("test__cut_off")))
    view = Attempt.objects.with_leaderboard(declared).on_board(test=Test.objects.get(cut_off=70))
    found = [view.rank_if(score=score, started_at=START).qualification for score in (69, 70)]
    assert found == ["not_qualified", "qualified"]


def test_the_first_of_an_empty_board() -> None:
    test = Test.objects.create(name="x", cut_off=0)
    for rule in (TopCount(1), TopPercent(50)):
        declared = Leaderboard(within=["test"], order_by=["-score"], cut_off=rule)
        view = Attempt.objects.with_leaderboard(declared).on_board(test=test)
        standing = view.rank_if(score=1, started_at=START)
        assert (standing.rank, standing.board_size, standing.percentile) == (1, 1, 100.0)
        assert view.value_at_rank(1) is view.value_at_percentile(0) is None


def test_a_board_by_a_month(data: None) -> None:
    declared = Leaderboard(within={"month": TruncMonth("finished_at", tzinfo=UTC)}, order_by=["-score"])
    view = Attempt.objects.with_leaderboard(declared).on_board(month=date(2026, 4, 15))
    april = {"started_at": START, "finished_at": datetime(2026, 4, 20, tzinfo=UTC), "score": 1000}
    assert view.rank_if(**april).rank == 1
    assert view.rank_if(**april).board_size == view.ranked().count() + 1
    with pytest.raises(ValueError, match="not be on the board of the queryset, by month"):
        view.rank_if(**{**april, "finished_at": datetime(2026, 7, 20, tzinfo=UTC)})


def test_among_a_view(data: None) -> None:
    view = Attempt.objects.board("overall").on_board(test=Test.objects.get(name="test 0"))
    friends = view.filter(candidate__team="red").as_population()
    standing = friends.rank_if(score=1000, started_at=START, finished_at=START)
    assert standing.board_size == friends.ranked().count() + 1 < view.ranked().count() + 1


def test_what_is_refused(data: None) -> None:
    test, other = Test.objects.get(name="test 0"), Test.objects.get(name="test 1")
    view = Attempt.objects.board("overall").on_board(test=test)
    values: dict[str, Any] = {"score": 5, "started_at": START, "finished_at": START}
    with pytest.raises(TypeError, match="an entry, or values"):
        view.rank_if()
    with pytest.raises(TypeError, match="an entry, or values"):
        view.rank_if(Attempt(test=test), score=5)
    with pytest.raises(TypeError, match="must be an instance"):
        view.rank_if(test)
    with pytest.raises(ValueError, match=r"rank_if\(points=…\)"):
        view.rank_if(points=5)
    with pytest.raises(ValueError, match="every ordering term"):
        view.rank_if(score=5)
    with pytest.raises(ValueError, match="not be on the board of the queryset, by test"):
        view.rank_if(test=other, **values)
    with pytest.raises(ValueError, match="by test"):
        Attempt.objects.board("overall").rank_if(**values)
    running = Leaderboard(within=["test"], order_by=[TimeTaken("started_at", "finished_at", running=True)])
    with pytest.raises(NotSupportedError, match="two statements"):
        view.with_leaderboard(running).rank_if(**values)
    with pytest.raises(NotSupportedError, match="several tables"):
        Inheriting.objects.board("everyone").rank_if(laps=1)
    with pytest.raises(ValueError, match="k=0"):
        view.value_at_rank(0)
    with pytest.raises(ValueError, match="101"):
        view.value_at_percentile(101)
    with pytest.raises(ValueError, match="needs one board"):
        Attempt.objects.value_at_rank(1)


def test_what_one_must_reach(data: None) -> None:
    declared = Leaderboard(within=["test"], order_by=["-score"], eligible=~Q(disqualified=True))
    view = Attempt.objects.with_leaderboard(declared).on_board(test=Test.objects.get(name="test 0"))
    ranked = list(view.with_percentile().ranked())
    assert [view.value_at_rank(k) for k in range(1, len(ranked) + 2)] == [*(e.score for e in ranked), None]
    # What a view hides does not matter.
    assert view.filter(score__lt=60).value_at_rank(1) == ranked[0].score
    for kind in PercentileKind:
        entries = list(view.with_percentile(kind).ranked())
        for p in (0, 10, Decimal("33.3"), 50, 99.5, 100):
            reached = [entry.score for entry in entries if entry.percentile >= p]
            assert view.value_at_percentile(p, kind) == (reached[-1] if reached else None)
    several = Attempt.objects.board("overall").on_board(test=Test.objects.get(name="test 0"))
    first = several.top(1).get()
    assert several.value_at_rank(1) == (first.score, first.finished_at - first.started_at)


def test_statements(data: None, django_assert_num_queries: Any) -> None:
    view = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0"))
    with django_assert_num_queries(2):
        view.rank_if(score=5, started_at=START, finished_at=START)
    with django_assert_num_queries(1):
        view.value_at_rank(2)
    with django_assert_num_queries(1):
        view.value_at_percentile(50)


def test_asynchronous(data: None) -> None:
    view = Attempt.objects.on_board(test=Test.objects.get(name="test 0"))
    values = {"score": 5, "started_at": START, "finished_at": START}
    assert async_to_sync(view.arank_if)(**values) == view.rank_if(**values)


@pytest.mark.plans
def test_no_more_is_read_than_the_place_that_is_asked_for() -> None:
    test = Test.objects.create(name="x", cut_off=0)
    Attempt.objects.bulk_create(
        Attempt(test=test, score=n, started_at=START, finished_at=START, disqualified=False)
        for n in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE testapp_attempt")
    view = Attempt.objects.board("overall").on_board(test=test)
    assert rows_read(view._everyone("value_at_rank")[9:10]) < 20

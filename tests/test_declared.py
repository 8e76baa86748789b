"""What a declaration can say beyond the plain board: members, names, ties, NULL, periods, seats, copies."""

from __future__ import annotations

import copy
import gc
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Lower, TruncDate, TruncDay, TruncMonth, TruncWeek
from django.db.models.lookups import GreaterThan
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from leaderboard import (
    AtLeast,
    BoardNotPinned,
    CutOff,
    Latest,
    Leaderboard,
    LeaderboardQuerySet,
    Qualification,
    RankKind,
    TimeTaken,
    TopCount,
    TopPercent,
)
from leaderboard.expressions.logic import Comparison
from leaderboard.expressions.terms import as_written
from leaderboard.testing import assert_matches_reference
from tests.attempts import START
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db


def board(**options: Any) -> Leaderboard:
    return Leaderboard(**{"within": ["test"], "order_by": ["-score"], **options})


def on(declared: Leaderboard) -> Any:
    return Attempt.objects.with_leaderboard(declared)


def scored(*scores: int | None, **fields: Any) -> list[Attempt]:
    test, _ = Test.objects.get_or_create(name="scored")
    return Attempt.objects.bulk_create([Attempt(test=test, score=score, **fields) for score in scores])


# Members


@pytest.mark.parametrize("counting", [None, Latest("started_at")])
@pytest.mark.parametrize(
    "member", [["candidate", "label"], ("label", "candidate"), Lower("label"), ["label"]]
)
def test_members_of_several_parts(member: Any, counting: Any, data: None) -> None:
    declared = board(member=member, counting=counting, cut_off=TopCount(2), time_taken=None)
    assert_matches_reference(on(declared))
    for test in Test.objects.all():
        pinned = on(declared).on_board(test=test)
        assert_matches_reference(pinned)
        ranked = pinned.with_rank().filter(rank__isnull=False).order_by("rank")
        assert [entry.pk for entry in pinned.top(3)] == [entry.pk for entry in ranked[:3]]


def test_the_standing_of_a_guest_or_a_user() -> None:
    user = Candidate.objects.create(name="Ada")
    test = Test.objects.create(name="a test")
    for candidate, label, score in ((user, None, 3), (user, None, 5), (None, "guest", 4), (None, None, 9)):
        Attempt.objects.create(test=test, candidate=candidate, label=label, score=score)
    pinned = on(board(member=["candidate", "label"])).on_board(test=test)
    assert pinned.get_standing(member=(user, None)).rank == 1
    assert pinned.get_standing(member={"label": "guest"}).rank == 2
    assert pinned.get_standing(member=(user, None)).board_size == 2
    assert pinned.with_qualification().get(score=9).qualification == Qualification.EXCLUDED
    with pytest.raises(Attempt.DoesNotExist):
        pinned.get_standing(member=(None, "nobody"))
    for wrong in (user, (user,), {"who": 1}, (None, None)):
        with pytest.raises(ValueError, match="member="):
            pinned.get_standing(member=wrong)
    lowered = on(board(member=Lower("label"))).on_board(test=test)
    assert lowered.get_standing(member="guest").rank == 1
    assert lowered.around(member="guest").count() == 1


@pytest.mark.parametrize("member", [[], ["a", "a"], ["a", 3], 3, ["-a"]])
def test_what_is_no_member(member: Any) -> None:
    with pytest.raises(TypeError, match=r"member=.* must be the path"):
        board(member=member)


# Terms and ties


def test_terms_by_name() -> None:
    scored(5, 3, None)
    taken = TimeTaken("started_at", "finished_at")
    declared = board(order_by={"points": "-score", "name": Coalesce("label", "label")})
    with_terms = on(declared).with_terms()
    assert set(with_terms.values_list("points", flat=True)) == {5, 3, None}
    assert on(declared).with_terms(prefix="by_").filter(by_points__gt=3).count() == 1
    assert [row.points for row in with_terms.order_by("-points")] == [5, 3, None]
    assert declared.replace(order_by={"taken": taken}).term_names == ("taken",)
    with pytest.raises(ImproperlyConfigured, match="no names"):
        on(board()).with_terms()
    with pytest.raises(TypeError, match="cannot name an annotation"):
        board(order_by={"a b": "-score"})


@pytest.mark.parametrize("ties_by", ["-label", ["label", "-big"], ["-started_at"]])
@pytest.mark.parametrize("kind", RankKind)
def test_ties_are_ordered(ties_by: Any, kind: RankKind, data: None) -> None:
    for position, key in enumerate(Attempt.objects.order_by("pk").values_list("pk", flat=True)):
        Attempt.objects.filter(pk=key).update(
            label=["b", None, "a", "c"][position % 4],
            big=position * 5 % 7,
            started_at=START + timedelta(minutes=position * 5 % 9),
        )
    declared = board(ties_by=ties_by, rank_kind=kind)
    assert_matches_reference(on(declared))
    for test in Test.objects.all():
        pinned = on(declared).on_board(test=test)
        order = pinned.with_rank("ordinal").filter(rank__isnull=False).order_by("rank")
        keys = list(order.values_list("pk", flat=True))
        assert [entry.pk for entry in pinned.top(100)] == keys
        for place, key in enumerate(keys):
            around = [entry.pk for entry in pinned.around(pk=key, before=2, after=1)]
            assert around == keys[max(place - 2, 0) : place + 2]


def test_seats() -> None:
    scored(5, 4, 4, 3)
    for rule, qualified in (
        (TopCount(2), [5, 4, 4]),
        (TopCount(2, kind=RankKind.MODIFIED), [5]),
        (TopCount(3, kind="modified"), [5, 4, 4]),
        (TopPercent(50), [5, 4, 4]),
        (TopPercent(50, kind=RankKind.MODIFIED), [5]),
        (TopPercent(75, kind=RankKind.MODIFIED), [5, 4, 4]),
    ):
        declared = board(cut_off=rule)
        assert_matches_reference(on(declared))
        rows = on(declared).with_qualification().filter(qualification="qualified").order_by("-score", "pk")
        assert [row.score for row in rows] == qualified
    with pytest.raises(ValueError, match="kind='best'"):
        TopCount(2, kind="best")


def test_a_penalty(data: None) -> None:
    for penalty in (timedelta(minutes=3), "test__pause"):
        taken = TimeTaken("started_at", "finished_at", allowance="candidate__allowance", penalty=penalty)
        assert_matches_reference(on(board(order_by=[taken], time_taken=taken)))


class More(CutOff):
    """A rule of one's own, which does not list what it reads of the row."""

    def condition(self, tally: Any, row: Any) -> Any:
        return Comparison(row(F("score") + 1), row(F("test__cut_off")), arg_joiner=" > ")


@pytest.mark.parametrize("member", [None, "candidate"])
def test_a_rule_of_ones_own(member: Any, data: None) -> None:
    rows = on(board(cut_off=More(), member=member)).with_rank().with_qualification().select_related("test")
    for row in rows.filter(rank__isnull=False):
        known = row.test.cut_off is not None
        qualified = known and row.score + 1 > row.test.cut_off
        assert row.qualification == (
            "no_cut_off" if not known else "qualified" if qualified else "not_qualified"
        )


def test_a_union_in_the_order_of_the_time_taken(data: None) -> None:
    taken = TimeTaken("started_at", "finished_at")
    timed = on(board(time_taken=taken)).with_time_taken()
    assert timed.union(timed).order_by(taken).count() == Attempt.objects.count()
    assert len(timed.union(timed).order_by(taken)) == Attempt.objects.count()


def test_times_in_a_condition_are_checked() -> None:
    wrong = Q(GreaterThan(TimeTaken("score", "score"), timedelta(0)))
    with pytest.raises(FieldError, match="E006"):
        on(board(eligible=wrong))


# Copies


def test_a_board_that_differs() -> None:
    declared = board(member="candidate", cut_off=AtLeast("score", 3))
    fair = declared.replace(eligible=Q(disqualified=False))
    assert fair == board(member="candidate", cut_off=AtLeast("score", 3), eligible=Q(disqualified=False))
    assert fair != declared
    assert fair.replace(eligible=None) == declared
    if sys.version_info >= (3, 13):
        assert copy.replace(declared, member=None) == board(cut_off=AtLeast("score", 3))
    with pytest.raises(TypeError, match="eligable"):
        declared.replace(eligable=Q())


def test_a_declaration_is_frozen() -> None:
    kept, gone = scored(1, 2)
    keys, order = [kept.pk], ["-score"]
    for values in (iter([kept.pk]), (key for key in [kept.pk]), keys, {kept.pk: 1}.keys()):
        declared = board(eligible=Q(pk__in=values), order_by=order)
        assert on(declared).standings().filter(rank=1).get() == kept
        assert declared.replace() == declared
    keys.append(gone.pk)
    order.append("big")
    assert on(declared).standings().filter(rank=1).get() == kept
    assert [str(as_written(term)) for term in declared.replace().terms] == ["F(score)"]


def test_boards_of_requests_stay_quick() -> None:
    first: list[int] = []
    later: list[int] = []
    for number in range(600):
        declared = board(eligible=Q(pk__in=list(range(number, number + 50))))
        with CaptureQueriesContext(connection):
            calls = _calls(lambda declared=declared: str(on(declared).on_board(test=1).top(3).query))
        (first if number < 20 else later).append(calls)
    assert max(later[-20:]) <= max(first)


def _calls(action: Any) -> int:
    """Return how many functions are called: a measure of time that no machine changes."""
    count = 0

    def profile(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    # A finalizer of what is collected meanwhile would be called, too.
    gc.disable()
    sys.setprofile(profile)
    try:
        action()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


def test_nested_populations_are_compiled_in_linear_time() -> None:
    calls = []
    for depth in (5, 10, 20):
        queryset: Any = on(board()).filter(score__gt=0)
        for _ in range(depth):
            queryset = queryset.as_population().with_rank()
        calls.append(_calls(lambda queryset=queryset: str(queryset.query)))
    assert calls[2] < 6 * calls[0]


# NULL


def test_null_is_a_board() -> None:
    test = Test.objects.create(name="a test")
    for label, score in ((None, 1), (None, 2), ("a", 3), ("a", 3), ("b", None)):
        Attempt.objects.create(test=test, label=label, score=score)
    for within in (["label"], {"lower": Lower("label")}, ["test", "label"]):
        declared = board(within=within, nulls_distinct=False)
        assert_matches_reference(on(declared))
        names = dict.fromkeys(declared.within, None) | ({"test": test} if "test" in declared.within else {})
        pinned = on(declared).on_board(**names)
        assert [entry.score for entry in pinned.top(5)] == [2, 1]
        assert pinned.with_rank().get(score=1).rank == 2
        assert pinned.get_standing(pinned.top(1)[0]).board_size == 2
        assert_matches_reference(pinned)
        assert_matches_reference(on(declared).filter(score=2))
    assert [entry.score for entry in on(declared).filter(test=test, label=None).top(5)] == [2, 1]
    apart = board(within=["label"])
    with pytest.raises(ValueError, match=r"on_board\(label=None\).*nulls_distinct=False"):
        on(apart).on_board(label=None)
    with pytest.raises(BoardNotPinned):
        on(apart).filter(label=None).top(3)
    with pytest.raises(TypeError, match="nulls_distinct='no'"):
        board(nulls_distinct="no")


# Periods

SANTIAGO, BERLIN = ZoneInfo("America/Santiago"), ZoneInfo("Europe/Berlin")


def at(moment: datetime) -> None:
    Attempt.objects.all().delete()
    scored(1, 2, finished_at=moment)


@pytest.mark.parametrize(
    ("period", "moment", "names"),
    [
        # That midnight does not exist: clocks went from 0:00 to 1:00.
        (
            TruncDay("finished_at", tzinfo=SANTIAGO),
            datetime(2022, 9, 11, 4, tzinfo=UTC),
            [
                datetime(2022, 9, 11, 4, tzinfo=UTC),
                datetime(2022, 9, 11, 1, tzinfo=SANTIAGO),
                date(2022, 9, 11),
                datetime(2022, 9, 12, 2, 59, tzinfo=UTC),
            ],
        ),
        (
            TruncDate("finished_at", tzinfo=BERLIN),
            datetime(2026, 3, 4, 22, 59, tzinfo=UTC),
            [date(2026, 3, 4), datetime(2026, 3, 3, 23, 30, tzinfo=UTC), "2026-03-04"],
        ),
        (
            TruncWeek("finished_at", tzinfo=BERLIN),
            datetime(2026, 3, 2, 12, tzinfo=UTC),
            [date(2026, 3, 4), date(2026, 3, 8), datetime(2026, 3, 1, 23, tzinfo=UTC), datetime(2026, 3, 2)],
        ),
        (
            TruncMonth("finished_at", tzinfo=BERLIN),
            datetime(2026, 2, 28, 23, 30, tzinfo=UTC),
            [date(2026, 3, 31), datetime(2026, 3, 1, tzinfo=BERLIN), "2026-03-09"],
        ),
    ],
)
def test_any_moment_of_a_period_names_it(period: Any, moment: datetime, names: list[Any]) -> None:
    at(moment)
    declared = board(within={"period": period}, nulls_distinct=True)
    stored = on(declared).annotate(period=period).values_list("period", flat=True)[0]
    for zone in ("UTC", "Asia/Tokyo"):
        with timezone.override(zone):
            for name in [*names, stored, moment]:
                found = on(declared).on_board(period=name)
                assert found.count() == 2, name
                assert [entry.rank for entry in found.top(2)] == [1, 2]
            assert not on(declared).on_board(period=moment + timedelta(days=40)).exists()


def test_a_week_of_dates() -> None:
    test = Test.objects.create(name="a", held_on=date(2026, 3, 2))
    declared = Leaderboard(within={"week": TruncWeek("held_on")}, order_by=["pk"], nulls_distinct=True)
    for day in (date(2026, 3, 2), date(2026, 3, 4), "2026-03-08"):
        found = LeaderboardQuerySet(Test).with_leaderboard(declared).on_board(week=day)
        assert found.get() == test
    other = LeaderboardQuerySet(Test).with_leaderboard(declared).on_board(week=date(2026, 3, 9))
    assert not other.exists()


# The clock


def test_times_without_zones(settings: Any) -> None:
    """Clocks go back while it runs: PostgreSQL measures in the zone of the session."""
    settings.USE_TZ, settings.TIME_ZONE = False, "Europe/Berlin"
    test = Test.objects.create(name="a test")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'Europe/Berlin'")
        cursor.execute(
            "ALTER TABLE testapp_attempt ALTER started_at TYPE timestamp, ALTER finished_at TYPE timestamp"
        )
    for hour, finish in ((1, 4), (2, None), (3, 5)):
        end = None if finish is None else datetime(2025, 10, 26, finish)
        Attempt.objects.create(test=test, score=1, started_at=datetime(2025, 10, 26, hour), finished_at=end)
    for running in (False, True):
        taken = TimeTaken("started_at", "finished_at", running=running)
        assert_matches_reference(on(board(order_by=[taken], time_taken=taken)))


def test_fields_have_names_in_messages() -> None:
    for metric, value in (("rank", "abc"), ("board_size", "x"), ("percentile", "half")):
        with pytest.raises(ValueError, match=f"Field '{metric}' expected a number but got {value!r}"):
            on(board()).standings().filter(**{metric: value})


@pytest.mark.parametrize("order", ["rank", "-percentile", "qualification", "-time_taken", F("rank") % 2])
def test_pages_of_many_ties_lose_no_row(order: Any) -> None:
    scored(*(n % 3 for n in range(200)))
    taken = TimeTaken("started_at", "finished_at")
    ordered = on(board(time_taken=taken)).standings().order_by(order)
    keys = [entry.pk for start in range(0, 200, 20) for entry in ordered[start : start + 20]]
    assert len(set(keys)) == 200
    assert [entry.pk for entry in ordered.reverse()] == keys[::-1]

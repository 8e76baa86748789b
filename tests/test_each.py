"""The first entries of every board: top_of_each()."""

from __future__ import annotations

import pickle
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import NotSupportedError, connection
from django.db.models import Count, F, OuterRef, Q, Subquery, Window
from django.db.models.functions import TruncMonth
from django.test.utils import CaptureQueriesContext

from leaderboard import RankKind
from tests.attempts import START
from tests.boards import Boards
from tests.test_declared import board, on, scored
from tests.test_plans import rows_read
from tests.testapp.models import MEMBERS, Attempt, Candidate, Test

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 100])
def test_top_of_each(n: int, boards: Boards) -> None:
    def first(**view: Any) -> list[int]:
        pks = []
        for test in Test.objects.order_by("pk"):
            ranked = boards.ranked(lambda row, test=test: row.entry.test_id == test.pk)  # type: ignore[misc]
            pks += [row.entry.pk for row in ranked if not view or row.team == view["team"]][:n]
        return pks

    boards.check(boards.view.top_of_each(n), first(), ordered=True)
    red = boards.view.filter(candidate__team="red")
    boards.check(red.top_of_each(n), first(team="red"), ordered=True)
    boards.check(red.top_of_each(n).reverse(), first(team="red")[::-1], ordered=True)
    assert boards.view.top_of_each(n).count() == len(first())
    bare = Attempt.objects.board(boards.name)
    with CaptureQueriesContext(connection) as captured:
        found = [(entry.pk, entry.rank) for entry in bare.top_of_each(n)]
    assert len(captured) == (n > 0)
    ranks = {row.entry.pk: row.rank for row in boards.rows}
    assert found == [(pk, ranks[pk]) for pk in first()]
    above = {entry.pk for entry in Attempt.objects.filter(score__gte=60)}
    filtered = bare.top_of_each(n).filter(score__gte=60)
    assert [entry.pk for entry in filtered] == [pk for pk in first() if pk in above]


@pytest.mark.parametrize("kind", RankKind)
def test_ties_at_the_end_have_their_ranks(kind: RankKind) -> None:
    scored(3, 2, 2, 2, 1)
    declared = board(rank_kind=kind)
    ranks = dict(on(declared).with_rank().values_list("pk", "rank"))
    found = list(on(declared).top_of_each(2))
    assert [entry.score for entry in found] == [3, 2]
    assert [entry.rank for entry in found] == [ranks[entry.pk] for entry in found]


def test_a_board_by_a_subquery_is_there_once(data: None) -> None:
    teams = Candidate.objects.filter(pk=OuterRef("candidate")).values("team")
    declared = board(within={"team": Subquery(teams)})
    first = on(declared).with_rank("ordinal", prefix="nth_").filter(nth_rank__lte=2)
    found = [entry.pk for entry in on(declared).top_of_each(2)]
    assert sorted(found) == sorted(entry.pk for entry in first)


def test_boards_by_an_expression_are_found_without_naming_it_twice(data: None) -> None:
    """With parameters that the server binds it would be another one in GROUP BY."""
    declared = board(within={"month": TruncMonth("finished_at")})
    view = on(declared).top_of_each(2)
    assert "SELECT DISTINCT DATE_TRUNC(" in str(view.query)
    first = on(declared).with_rank("ordinal", prefix="nth_").filter(nth_rank__lte=2)
    assert sorted(entry.pk for entry in view) == sorted(entry.pk for entry in first)


def test_what_it_composes_with(data: None) -> None:
    each = Attempt.objects.board("members").top_of_each(2)
    rows = [(entry.pk, entry.rank) for entry in each]
    keys = [pk for pk, _ in rows]
    one, two = each.filter(rank=1), each.filter(rank__gt=1)
    assert sorted((one | two).values_list("pk", "rank")) == sorted(rows)
    assert sorted(one.union(two).values_list("pk", "rank")) == sorted(rows)
    copied = Attempt.objects.all()
    copied.query = pickle.loads(pickle.dumps(each.query))
    assert [(entry.pk, entry.rank) for entry in copied] == rows
    assert [entry.pk for entry in each[1:3]] == keys[1:3]
    assert each.aggregate(n=Count("pk"))["n"] == len(keys)
    whole = dict(Attempt.objects.board("members").with_percentile().values_list("pk", "percentile"))
    assert dict(each.with_percentile().values_list("pk", "percentile")) == {pk: whole[pk] for pk in keys}
    everything = dict(Attempt.objects.board("everything").with_rank().values_list("pk", "rank"))
    beside = each.board("everything").with_rank(prefix="all_")
    assert [(row.pk, row.rank, row.all_rank) for row in beside] == [
        (*row, everything[row[0]]) for row in rows
    ]
    again = each.board("members").top_of_each(1)
    firsts = [Attempt.objects.board("members").on_board(test=test).top(1) for test in Test.objects.all()]
    assert [row.pk for row in again] == [row.pk for first in firsts for row in first]
    first = each.filter(test=OuterRef("pk"), rank=1).order_by("pk").values("pk")[:1]
    winners = Test.objects.annotate(winner=Subquery(first)).values_list("winner", flat=True)
    assert [pk for pk in winners.order_by("pk") if pk] == [row.pk for row in again]
    assert [list(test.attempts.top_of_each(1)) for test in Test.objects.all()] == [
        list(test.attempts.top(1)) for test in Test.objects.all()
    ]
    assert each.update(label="first") == len(keys)
    assert Attempt.objects.filter(label="first").count() == len(keys)


@pytest.mark.parametrize(
    "view",
    [
        lambda entries: entries.filter(comments__text__gte="a"),
        lambda entries: entries.annotate(n=Count("comments")).filter(n__gte=1),
        lambda entries: entries.annotate(n=F("score") + 1).filter(n__gte=60),
        lambda entries: entries.filter(comments__isnull=False).distinct(),
        lambda entries: entries.filter(test__name__gte="test 1"),
        lambda entries: entries.exclude(candidate=None).select_related("test"),
        lambda entries: entries.with_rank(prefix="a_").filter(a_rank__lte=2),
        lambda entries: entries.filter(pk__in=Attempt.objects.filter(score__gte=50)),
        lambda entries: entries.filter(candidate__in=Candidate.objects.filter(team="red")).as_population(),
    ],
    ids=[
        "joined",
        "grouped",
        "annotated",
        "distinct",
        "of boards",
        "related",
        "by rank",
        "within",
        "friends",
    ],
)
@pytest.mark.parametrize("name", ["overall", "members"])
def test_the_first_of_a_view(name: str, view: Any, data: None) -> None:
    shown = view(Attempt.objects.board(name))
    keys: list[list[Any]] = []
    for test in Test.objects.order_by("pk"):
        pinned = shown.on_board(test=test)
        keys.append(list(dict.fromkeys(pinned.top(100).values_list("pk", flat=True)))[:2])
        assert list(dict.fromkeys(entry.pk for entry in pinned.top_of_each(2))) == keys[-1]
    found = list(shown.top_of_each(2))
    assert list(dict.fromkeys(entry.pk for entry in found)) == [pk for first in keys for pk in first]
    ranks = dict(shown.with_rank().values_list("pk", "rank"))
    assert [entry.rank for entry in found] == [ranks[entry.pk] for entry in found]


@pytest.mark.parametrize("member", [None, "label"])
@pytest.mark.parametrize("within", [["candidate"], ["candidate", "disqualified"], ["candidate__name"]])
@pytest.mark.parametrize("distinct", [None, False, True])
def test_boards_of_null(within: list[str], distinct: bool | None, member: str | None, data: None) -> None:
    declared = board(within=within, nulls_distinct=distinct, member=member)
    entries = on(declared).filter(Q(score__isnull=False))
    for n in (1, 3):
        for view in (on(declared), entries):
            seen: Counter[Any] = Counter()
            expected = []
            for entry in view.with_rank().filter(rank__isnull=False).order_by(*within, "-score", "pk"):
                place = tuple(view.filter(pk=entry.pk).values_list(*within)[0])
                seen[place] += 1
                if seen[place] <= n:
                    expected.append((entry.pk, entry.rank))
            assert [(entry.pk, entry.rank) for entry in view.top_of_each(n)] == expected


def test_what_is_refused(data: None) -> None:
    entries: Any = Attempt.objects.board("overall")
    for n, error in ((True, TypeError), ("3", TypeError), (1.5, TypeError), (-1, ValueError)):
        with pytest.raises(error, match=f"n={n!r} must be"):
            entries.top_of_each(n)
    with pytest.raises(TypeError, match=r"Cannot call top_of_each\(\) once a slice has been taken"):
        entries[:3].top_of_each(1)
    with pytest.raises(NotSupportedError, match="top_of_each"):
        entries.union(entries).top_of_each(1)
    with pytest.raises(NotSupportedError, match="select_for_update"):
        entries.select_for_update().top_of_each(1)
    with pytest.raises(NotSupportedError, match=r"top_of_each\(\) after distinct"):
        entries.distinct("test").top_of_each(1)
    with pytest.raises(NotSupportedError, match="refers to a query around it; filter by OuterRef"):
        entries.filter(candidate=OuterRef("pk")).top_of_each(1)
    with pytest.raises(NotSupportedError, match=r"top_of_each\(\) after a window.*annotate it afterwards"):
        entries.annotate(n=Window(Count("pk"))).top_of_each(1)
    test = Test.objects.get(name="test 0")
    assert list(entries.on_board(test=test).top_of_each(2)) == list(entries.on_board(test=test).top(2))
    pinned = entries.on_board(test=test).top_of_each(3)
    assert [entry.pk for entry in pinned.filter(score__lt=90)] == [row.pk for row in pinned if row.score < 90]
    assert list(entries.none().top_of_each(2)) == []
    assert list(Attempt.objects.board("everything").top_of_each(2)) == list(
        Attempt.objects.board("everything").top(2)
    )


@pytest.mark.plans
@pytest.mark.parametrize("member", [None, "candidate"])
def test_little_more_than_the_first_are_read(member: str | None) -> None:
    declared = MEMBERS.replace(member=member)
    tests = Test.objects.bulk_create(Test(name=str(n)) for n in range(10))
    people = Candidate.objects.bulk_create(Candidate(name=str(n)) for n in range(200))
    Attempt.objects.bulk_create(
        Attempt(
            test=tests[n % 10],
            candidate=people[n * 7 % 200],
            score=n * 7919 % 1009,
            started_at=START,
            finished_at=START + timedelta(seconds=n % 70),
        )
        for n in range(6000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE testapp_attempt")
        cursor.execute("ANALYZE testapp_test")
    each = on(declared).top_of_each(3)
    # As many as 12 of each board, with those of its members that do not count.
    assert rows_read(each) < 400
    assert [entry.rank for entry in each] == [
        entry.rank for test in tests for entry in on(declared).on_board(test=test).top(3)
    ]

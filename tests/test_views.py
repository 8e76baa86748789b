"""Views of rows with standings: each must show the rows and the ranks that Python works out."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import NotSupportedError
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    FilteredRelation,
    FloatField,
    Func,
    IntegerField,
    Max,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
    Window,
)

from leaderboard import Leaderboard
from tests.attempts import START
from tests.boards import Boards, Row, nulls_last
from tests.testapp.models import Attempt, Candidate, Comment, Test

pytestmark = pytest.mark.django_db


def test_the_data_has_every_case(boards: Boards) -> None:
    ranks = Counter((row.entry.test_id, row.rank) for row in boards.rows if row.rank is not None)
    assert max(ranks.values()) > 1
    assert len({row.standing.qualification for row in boards.rows}) >= 5
    assert any(row.rank is None for row in boards.rows)


VIEWS: dict[str, tuple[Callable[[Boards], Any], Callable[[Row], Any]]] = {
    "all": (lambda b: b.view, lambda r: True),
    "none": (lambda b: b.view.none(), lambda r: False),
    "filter before": (
        lambda b: b.add(Attempt.objects.filter(score__lt=80)),
        lambda r: r.entry.score is not None and r.entry.score < 80,
    ),
    "filter after": (
        lambda b: b.view.filter(score__lt=80),
        lambda r: r.entry.score is not None and r.entry.score < 80,
    ),
    "filter by rank": (lambda b: b.view.filter(b.q(rank=1)), lambda r: r.rank == 1),
    "filter by rank, in": (lambda b: b.view.filter(b.q(rank__in=[2, 4])), lambda r: r.rank in (2, 4)),
    "filter by rank, range": (
        lambda b: b.view.filter(b.q(rank__range=(2, 5))),
        lambda r: r.rank is not None and 2 <= r.rank <= 5,
    ),
    "filter by rank, null": (lambda b: b.view.filter(b.q(rank__isnull=True)), lambda r: r.rank is None),
    "filter by percentile": (
        lambda b: b.view.filter(b.q(percentile__gte=50)),
        lambda r: r.standing.percentile is not None and r.standing.percentile >= 50,
    ),
    "filter by qualification": (
        lambda b: b.view.filter(b.q(qualification="qualified")),
        lambda r: r.standing.qualification == "qualified",
    ),
    "filter by time taken": (
        lambda b: b.view.filter(b.q(time_taken__lt=timedelta(seconds=20))),
        lambda r: r.standing.time_taken is not None and r.standing.time_taken < timedelta(seconds=20),
    ),
    "filter by rank against board size": (
        lambda b: b.view.filter(b.q(rank=F(f"{b.prefix}board_size"))),
        lambda r: r.rank is not None and r.rank == r.standing.board_size,
    ),
    "filter by rank against an expression": (
        lambda b: b.view.filter(b.q(rank__gt=F("score") / 20)),
        lambda r: r.rank is not None and r.entry.score is not None and r.rank > r.entry.score // 20,
    ),
    "filter before and after": (
        lambda b: b.add(Attempt.objects.filter(candidate__team="red")).filter(b.q(rank__lte=2)),
        lambda r: r.team == "red" and r.rank is not None and r.rank <= 2,
    ),
    "exclude": (lambda b: b.view.exclude(disqualified=True), lambda r: r.entry.disqualified is not True),
    "exclude before": (
        lambda b: b.add(Attempt.objects.exclude(label="low")),
        lambda r: r.entry.label != "low",
    ),
    "exclude by rank": (lambda b: b.view.exclude(b.q(rank=1)), lambda r: r.rank != 1),
    "exclude by rank, range": (
        lambda b: b.view.exclude(b.q(rank__lte=2)),
        lambda r: r.rank is None or r.rank > 2,
    ),
    "exclude by rank, null": (lambda b: b.view.exclude(b.q(rank=None)), lambda r: r.rank is not None),
    "exclude by two": (
        lambda b: b.view.exclude(b.q(rank=1) & Q(label="high")),
        lambda r: not (r.rank == 1 and r.entry.label == "high"),
    ),
    "exclude twice": (
        lambda b: b.view.exclude(b.q(rank=1)).exclude(b.q(rank=2)),
        lambda r: r.rank not in (1, 2),
    ),
    "Q or": (
        lambda b: b.view.filter(b.q(rank=1) | Q(score=70)),
        lambda r: r.rank == 1 or r.entry.score == 70,
    ),
    "Q or, related": (
        lambda b: b.view.filter(b.q(rank=1) | Q(candidate__team="blue")),
        lambda r: r.rank == 1 or r.team == "blue",
    ),
    "Q not": (lambda b: b.view.filter(~b.q(rank=1)), lambda r: r.rank != 1),
    "Q not or": (
        lambda b: b.view.filter(~(b.q(rank=1) | Q(label="low"))),
        lambda r: r.rank != 1 and r.entry.label != "low",
    ),
    "Q xor": (
        lambda b: b.view.filter(b.q(rank=1) ^ Q(score__gte=60)),
        lambda r: (r.rank == 1) != (r.entry.score is not None and r.entry.score >= 60),
    ),
    "querysets or": (
        lambda b: b.view.filter(b.q(rank=1)) | b.view.filter(score=20),
        lambda r: r.rank == 1 or r.entry.score == 20,
    ),
    "querysets or, one plain": (
        lambda b: b.view.filter(b.q(rank=1)) | Attempt.objects.filter(score=20),
        lambda r: r.rank == 1 or r.entry.score == 20,
    ),
    "querysets or with none": (lambda b: b.view.none() | b.view, lambda r: True),
    "window over metrics": (
        lambda b: b.view.annotate(n=Window(Count("pk"), partition_by=["test_id", F(b.rank)])).filter(
            b.q(rank=1), n__gte=1
        ),
        lambda r: r.rank == 1,
    ),
    "FilteredRelation": (
        lambda b: b.view.annotate(a=FilteredRelation("comments", condition=Q(comments__text="a"))).filter(
            b.q(rank__lte=2), a__isnull=False
        ),
        lambda r: (r.rank is not None and r.rank <= 2) * r.comments.count("a"),
    ),
    "group by, alias": (
        lambda b: b.view.alias(n=Count("comments")).filter(n=0),
        lambda r: not r.comments,
    ),
    "relation in a queryset": (
        lambda b: b.view.filter(candidate__in=Candidate.objects.filter(team="red")),
        lambda r: r.team == "red",
    ),
    "standings twice": (
        lambda b: b.add(b.view.filter(b.q(rank__lte=3))).filter(b.q(rank__gte=2)),
        lambda r: r.rank in (2, 3),
    ),
    "complex_filter": (
        lambda b: b.view.complex_filter({b.rank: 1}),
        lambda r: r.rank == 1,
    ),
    "all, after": (lambda b: b.view.filter(b.q(rank=1)).all(), lambda r: r.rank == 1),
    "querysets and": (
        lambda b: b.view.filter(b.q(rank__lte=2)) & b.view.filter(candidate__team="red"),
        lambda r: r.rank is not None and r.rank <= 2 and r.team == "red",
    ),
    "querysets xor": (
        lambda b: b.view.filter(b.q(rank__lte=2)) ^ b.view.filter(label="high"),
        lambda r: (r.rank is not None and r.rank <= 2) != (r.entry.label == "high"),
    ),
    "join that multiplies": (
        lambda b: b.view.filter(comments__text="a"),
        lambda r: r.comments.count("a"),
    ),
    "join that multiplies, before": (
        lambda b: b.add(Attempt.objects.filter(comments__text="a")),
        lambda r: r.comments.count("a"),
    ),
    "join that multiplies, by rank": (
        lambda b: b.view.filter(comments__text="a").filter(b.q(rank=1)),
        lambda r: (r.rank == 1) * r.comments.count("a"),
    ),
    "join that multiplies, twice": (
        lambda b: b.view.filter(comments__text="a").filter(comments__text="b"),
        lambda r: r.comments.count("a") * r.comments.count("b"),
    ),
    "join that multiplies, distinct": (
        lambda b: b.view.filter(comments__text="a").distinct(),
        lambda r: "a" in r.comments,
    ),
    "join that multiplies, before, distinct": (
        lambda b: b.add(Attempt.objects.filter(comments__text="a").distinct()),
        lambda r: "a" in r.comments,
    ),
    "join or rank": (
        lambda b: b.view.filter(Q(comments__text="a") | b.q(rank=1)).distinct(),
        lambda r: "a" in r.comments or r.rank == 1,
    ),
    "exclude by a join": (
        lambda b: b.view.exclude(comments__text="a"),
        lambda r: "a" not in r.comments,
    ),
    "rows without a relation": (lambda b: b.view.filter(comments=None), lambda r: not r.comments),
    "nullable relation": (
        lambda b: b.view.filter(candidate__team="blue"),
        lambda r: r.team == "blue",
    ),
    "nullable relation, exclude": (
        lambda b: b.view.exclude(candidate__team="blue"),
        lambda r: r.team != "blue",
    ),
    "nullable relation, null": (
        lambda b: b.view.filter(candidate=None),
        lambda r: r.entry.candidate_id is None,
    ),
    "nullable relation, through two": (
        lambda b: b.view.filter(candidate__attempts__score=95),
        lambda r: r.entry.candidate is not None and r.entry.candidate.name == "candidate 1",
    ),
    "pk in subquery": (
        lambda b: b.view.filter(pk__in=Attempt.objects.filter(score__gte=70).values("pk")),
        lambda r: r.entry.score is not None and r.entry.score >= 70,
    ),
    "pk in subquery with standings": (
        lambda b: b.view.filter(pk__in=b.view.filter(b.q(rank__lte=2)).values("pk")),
        lambda r: r.rank is not None and r.rank <= 2,
    ),
    "not in subquery with standings": (
        lambda b: b.view.exclude(pk__in=b.view.filter(b.q(rank__lte=2)).values("pk")),
        lambda r: r.rank is None or r.rank > 2,
    ),
    "Exists": (
        lambda b: b.view.filter(Exists(Comment.objects.filter(attempt=OuterRef("pk"), text="a"))),
        lambda r: "a" in r.comments,
    ),
    "Exists with the rank outside": (
        lambda b: b.view.filter(Exists(Test.objects.filter(cut_off__gt=OuterRef(b.rank) * 20))),
        lambda r: r.rank is not None and r.rank * 20 < 70,
    ),
    "Exists of standings": (
        lambda b: b.view.filter(Exists(b.view.filter(b.q(rank=1), pk=OuterRef("pk")))),
        lambda r: r.rank == 1,
    ),
    "not Exists of standings": (
        lambda b: b.view.filter(~Exists(b.view.filter(b.q(rank=1), pk=OuterRef("pk")))),
        lambda r: r.rank != 1,
    ),
    "Subquery of standings": (
        lambda b: b.view.annotate(again=Subquery(b.view.filter(pk=OuterRef("pk")).values(b.rank)[:1])).filter(
            again=2
        ),
        lambda r: r.rank == 2,
    ),
    "alias": (lambda b: b.view.alias(twice=F(b.rank) * 2).filter(twice=4), lambda r: r.rank == 2),
    "annotate": (
        lambda b: b.view.annotate(twice=F(b.rank) * 2).filter(twice__gt=4),
        lambda r: (r.rank or 0) > 2,
    ),
    "annotate Case": (
        lambda b: b.view.annotate(
            medal=Case(When(b.q(rank__lte=3), then=Value(1)), default=0, output_field=IntegerField())
        ).filter(medal=1),
        lambda r: r.rank is not None and r.rank <= 3,
    ),
    "group by": (
        lambda b: b.view.annotate(n=Count("comments")).filter(n__gte=2),
        lambda r: len(r.comments) >= 2,
    ),
    "group by, having rank": (
        lambda b: b.view.annotate(n=Count("comments")).filter(Q(n__gte=2) | b.q(rank=1)),
        lambda r: len(r.comments) >= 2 or r.rank == 1,
    ),
    "group by, having a product": (
        lambda b: b.view.annotate(n=Count("comments")).filter(n__gte=F(b.rank)),
        lambda r: r.rank is not None and len(r.comments) >= r.rank,
    ),
    "group by, filter before": (
        lambda b: b.add(Attempt.objects.annotate(n=Count("comments")).filter(n__gte=2)),
        lambda r: len(r.comments) >= 2,
    ),
    "select_related": (
        lambda b: b.view.select_related("candidate", "test").filter(b.q(rank__lte=2)),
        lambda r: r.rank is not None and r.rank <= 2,
    ),
    "only": (lambda b: b.view.only("score"), lambda r: True),
    "only, related": (
        lambda b: b.view.select_related("candidate").only("score", "candidate__name"),
        lambda r: True,
    ),
    "defer": (lambda b: b.view.defer("score", "started_at"), lambda r: True),
    "only before": (lambda b: b.add(Attempt.objects.only("label")), lambda r: True),
    "using": (lambda b: b.view.using("default").filter(b.q(rank=1)), lambda r: r.rank == 1),
    "using before": (lambda b: b.add(Attempt.objects.using("default")), lambda r: True),
    "one board": (
        lambda b: b.view.filter(test__name="test 0"),
        lambda r: r.entry.test.name == "test 0",
    ),
    "pinned board": (
        lambda b: b.view.on_board(test=Test.objects.get(name="test 1")),
        lambda r: r.entry.test.name == "test 1",
    ),
    "pinned board and rank": (
        lambda b: b.add(Attempt.objects.filter(test=Test.objects.get(name="test 1"))).exclude(b.q(rank=1)),
        lambda r: r.entry.test.name == "test 1" and r.rank != 1,
    ),
    "related manager": (
        lambda b: b.add(Test.objects.get(name="test 0").attempts.all()),
        lambda r: r.entry.test.name == "test 0",
    ),
    "related manager, filter by rank": (
        lambda b: b.add(Test.objects.get(name="test 0").attempts.all()).filter(b.q(rank__lte=2)),
        lambda r: r.entry.test.name == "test 0" and r.rank is not None and r.rank <= 2,
    ),
    "related manager of a member": (
        lambda b: b.add(Candidate.objects.get(name="candidate 1").attempts.all()),
        lambda r: r.entry.candidate is not None and r.entry.candidate.name == "candidate 1",
    ),
    "related manager of a member, filter by rank": (
        lambda b: b.add(Candidate.objects.get(name="candidate 0").attempts.all()).exclude(b.q(rank=1)),
        lambda r: r.entry.candidate is not None and r.entry.candidate.name == "candidate 0" and r.rank != 1,
    ),
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_shows_its_rows_and_keeps_their_standings(view: str, boards: Boards) -> None:
    make, shown = VIEWS[view]
    pks = boards.pks(shown)
    boards.check(make(boards), pks)
    assert make(boards).count() == len(pks)
    assert make(boards).exists() is bool(pks)
    assert Counter(make(boards).values_list("pk", boards.rank)) == Counter(
        (pk, boards.expected[boards.prefix][pk].rank) for pk in pks
    )
    ordered = sorted(pks, key=lambda pk: (*nulls_last(boards.expected[boards.prefix][pk].rank), pk))
    if ordered:
        boards.check(make(boards).order_by(boards.rank, "pk")[1:4], ordered[1:4], ordered=True)
        assert make(boards).aggregate(top=Max(boards.rank))["top"] == max(
            (rank for pk in pks if (rank := boards.expected[boards.prefix][pk].rank) is not None),
            default=None,
        )


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_can_be_pickled_and_iterated(view: str, boards: Boards) -> None:
    make, shown = VIEWS[view]
    boards.check(pickle.loads(pickle.dumps(list(make(boards)))), boards.pks(shown))
    boards.check(make(boards).iterator(chunk_size=3), boards.pks(shown))


def test_views_are_independent_of_what_is_made_of_them(boards: Boards) -> None:
    view = boards.view
    list(view.filter(comments__text="a").order_by(f"-{boards.rank}")[:3])
    view.exclude(boards.q(rank=1)).count()
    boards.check(view, boards.pks())


def test_explain(boards: Boards) -> None:
    assert "WindowAgg" in boards.view.filter(boards.q(rank=1)).explain()


def test_the_number_of_queries_does_not_grow(boards: Boards, django_assert_num_queries: Any) -> None:
    test = Test.objects.get(name="test 0")
    row = boards.ranked(lambda r: r.entry.test_id == test.pk)[2]
    for _ in range(2):
        with django_assert_num_queries(1):
            list(boards.view)
        with django_assert_num_queries(1):
            list(boards.view.on_board(test=test).top(5))
        with django_assert_num_queries(1):
            list(boards.view.on_board(test=test).top(5, ties=True))
        with django_assert_num_queries(2):
            boards.view.get_standing(row.entry)
        with django_assert_num_queries(1):
            boards.view.filter(boards.q(rank__lte=3)).count()
        with django_assert_num_queries(1):
            boards.view.filter(boards.q(rank=999)).update(label="none")
        with django_assert_num_queries(2):
            list(boards.view.on_board(test=test).around(row.entry, before=2, after=2))
        Attempt.objects.bulk_create(
            Attempt(test=test, score=n, started_at=START, finished_at=START, disqualified=False)
            for n in range(100)
        )


@pytest.mark.parametrize("declared", [True, False])
def test_a_view_by_a_volatile_function_keeps_its_rows(declared: bool, data: None) -> None:
    class Chance(Func):
        function = "RANDOM"
        arity = 0

    chance = Chance if declared else partial(Func, function="random")
    board = Leaderboard(within=["label", "id"], order_by=["-score"])
    view = Attempt.objects.alias(z=chance(output_field=FloatField())).filter(z__lt=0.5)
    # Drawn twice, a row could be on no board that is shown.
    assert str(view.with_leaderboard(board).standings().query).upper().count("RANDOM()") == 1


def test_a_random_sample_keeps_its_rows(boards: Boards) -> None:
    for _ in range(10):
        sample = Attempt.objects.order_by("?")[:2]
        found = boards.add(Attempt.objects.filter(pk__in=sample.values("pk")))
        assert len(found) == 2
        boards.check_standings(found)


def test_raw_sql_may_name_the_table(boards: Boards) -> None:
    found = boards.add(Attempt.objects.extra(where=["testapp_attempt.score > %s"], params=[50]))
    boards.check(found, boards.pks(lambda r: r.entry.score is not None and r.entry.score > 50))


def test_raw_sql_may_name_more_tables(boards: Boards) -> None:
    entries = Attempt.objects.extra(
        tables=["testapp_test"],
        where=["testapp_test.id = testapp_attempt.test_id AND testapp_test.name = 'test 0'"],
    )
    pks = boards.pks(lambda r: r.entry.test.name == "test 0")
    boards.check(boards.add(entries), pks)
    boards.check(boards.add(entries.on_board(test=Test.objects.get(name="test 0"))), pks)
    for needs_a_subquery in (lambda: entries.as_population(), lambda: entries.get_standing(pk=1)):
        with pytest.raises(NotSupportedError, match=r"Exists\(\)"):
            needs_a_subquery()

"""Relations to and from rows with standings, by subqueries, joins and prefetching."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Exists, FilteredRelation, OuterRef, Prefetch, Q, Subquery

from leaderboard import Latest, Leaderboard, Qualification
from leaderboard.testing import assert_matches_reference
from tests.boards import Boards, nulls_last
from tests.testapp.models import Attempt, Candidate, Comment, Test

pytestmark = pytest.mark.django_db


def test_rows_of_another_model_by_rank(boards: Boards) -> None:
    comments = Comment.objects.filter(attempt__in=boards.view.filter(boards.q(rank__lte=2)))
    expected = sum(len(r.comments) for r in boards.rows if r.rank is not None and r.rank <= 2)
    assert comments.count() == expected
    assert comments.update(text="updated") == expected
    assert comments.delete()[0] == expected


def test_standings_as_subqueries_of_another_model(boards: Boards) -> None:
    best = boards.view.filter(candidate=OuterRef("pk")).order_by(boards.rank).values(boards.rank)[:1]
    expected: dict[str, Any] = {candidate.name: None for candidate in Candidate.objects.all()}
    for row in reversed(boards.ranked()):
        if row.entry.candidate is not None:
            expected[row.entry.candidate.name] = row.rank
    found = Candidate.objects.annotate(best=Subquery(best))
    assert {candidate.name: candidate.best for candidate in found} == expected
    winners = Candidate.objects.filter(Exists(boards.view.filter(boards.q(rank=1), candidate=OuterRef("pk"))))
    assert {c.name for c in winners} == {name for name, rank in expected.items() if rank == 1}
    winners = Candidate.objects.filter(attempts__in=boards.view.filter(boards.q(rank=1)).values("pk"))
    assert {c.name for c in winners} == {name for name, rank in expected.items() if rank == 1}


@pytest.mark.parametrize("model", [Test, Candidate])
def test_prefetch(model: Any, boards: Boards, django_assert_num_queries: Any) -> None:
    field = "test_id" if model is Test else "candidate_id"
    lookup = Prefetch("attempts", boards.view.exclude(boards.q(rank=1)).order_by(boards.rank, "pk"), "shown")
    with django_assert_num_queries(2):
        parents = list(model.objects.prefetch_related(lookup))
    assert parents
    for parent in parents:
        rows = [row for row in boards.rows if getattr(row.entry, field) == parent.pk and row.rank != 1]
        rows.sort(key=lambda r: (*nulls_last(r.rank), r.entry.pk))
        boards.check(parent.shown, [row.entry.pk for row in rows], ordered=True)


def test_prefetch_beside_values(boards: Boards) -> None:
    """Django prefetches for no values, which it knows by that they take no attribute."""
    prefetched = boards.view.prefetch_related("comments")
    for name in ("rank", "qualification", "time_taken"):
        found = prefetched.values_list(f"{boards.prefix}{name}", flat=True)
        assert len(found) == len(prefetched.values(f"{boards.prefix}{name}")) == len(boards.rows)
    with pytest.raises(AttributeError, match="constant"):
        Qualification.PENDING.label = "x"


@pytest.mark.parametrize("name", ["overall", "members"])
def test_prefetch_of_a_slice(name: str, data: None) -> None:
    boards = Boards({"": name})
    lookup = Prefetch("attempts", boards.view.order_by(boards.rank, "pk")[:2], "shown")
    for parent in Test.objects.prefetch_related(lookup):
        rows = [row for row in boards.rows if row.entry.test_id == parent.pk]
        rows.sort(key=lambda r: (*nulls_last(r.rank), r.entry.pk))
        boards.check(parent.shown, [row.entry.pk for row in rows[:2]], ordered=True)


def test_prefetch_of_comments(boards: Boards, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        found = list(boards.view.filter(boards.q(rank__lte=3)).prefetch_related("comments"))
        texts = {entry.pk: sorted(c.text for c in entry.comments.all()) for entry in found}
    boards.check(found, boards.pks(lambda r: r.rank is not None and r.rank <= 3))
    assert texts == {
        r.entry.pk: sorted(r.comments) for r in boards.rows if r.rank is not None and r.rank <= 3
    }


def test_candidates_by_the_qualification_of_their_best(boards: Boards) -> None:
    best = boards.view.filter(candidate=OuterRef("pk")).order_by(boards.rank).values(boards.qualification)[:1]
    for candidate in Candidate.objects.annotate(best=Subquery(best)):
        own = [row for row in boards.rows if row.entry.candidate_id == candidate.pk]
        own.sort(key=lambda row: (row.rank is None, row.rank or 0))
        assert candidate.best in {row.standing.qualification for row in own if row.rank == own[0].rank}


def test_a_relation_filtered_by_a_metric(boards: Boards) -> None:
    condition = Q(comments__text="a") & boards.q(rank__lte=2)
    view = boards.view.annotate(a=FilteredRelation("comments", condition=condition)).filter(a__isnull=False)
    expected = boards.pks(lambda r: (r.rank is not None and r.rank <= 2) * r.comments.count("a"))
    assert sorted(view.values_list("pk", flat=True)) == expected


def test_counting_by_a_relation(data: None) -> None:
    board = Leaderboard(
        within=["test"], order_by=["score"], member="candidate__team", counting=Latest("candidate__name")
    )
    queryset = Attempt.objects.with_leaderboard(board)
    assert_matches_reference(queryset)
    queryset = queryset.on_board(test=Test.objects.get(name="test 0"))
    ranked = [row.pk for row in queryset.standings().order_by("rank", "pk") if row.rank]
    assert [row.pk for row in queryset.top(100)] == ranked


def test_boards_beyond_a_nullable_relation_show_every_row(data: None) -> None:
    queryset = Attempt.objects.with_leaderboard(Leaderboard(within=["candidate__team"], order_by=["-score"]))
    entries = list(Attempt.objects.order_by("pk"))
    assert any(entry.candidate_id is None for entry in entries)
    for entry in entries:
        (shown,) = queryset.filter(pk=entry.pk).standings()
        standing = queryset.get_standing(entry)
        assert (shown.rank, shown.qualification) == (standing.rank, standing.qualification)
    view = queryset.filter(label="high")
    assert len(view.standings()) == view.count() > 0
    assert_matches_reference(view)

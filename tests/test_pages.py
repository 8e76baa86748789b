"""Pages of one board: its top, and an entry with its neighbours."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import NotSupportedError
from django.db.models import OuterRef, Subquery

from leaderboard import Leaderboard, TimeTaken
from tests.attempts import START
from tests.boards import Boards
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 100])
@pytest.mark.parametrize("name", ["test 0", "test 1", "test 2"])
def test_top(n: int, name: str, boards: Boards) -> None:
    ranked = boards.ranked(lambda r: r.entry.test.name == name)
    view = boards.view.on_board(test=Test.objects.get(name=name))
    boards.check(view.top(n), [row.entry.pk for row in ranked[:n]], ordered=True)
    tied = [row.entry.pk for row in ranked if row.rank <= n]
    boards.check(view.top(n, ties=True), tied, ordered=True)
    red = [row.entry.pk for row in ranked if row.team == "red"]
    boards.check(view.filter(candidate__team="red").top(n), red[:n], ordered=True)
    bare = Attempt.objects.board(boards.name).on_board(test=Test.objects.get(name=name)).top(n)
    assert [(entry.pk, entry.rank) for entry in bare] == [(row.entry.pk, row.rank) for row in ranked[:n]]


@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 1), (2, 0), (0, 3), (50, 50)])
def test_around(before: int, after: int, boards: Boards) -> None:
    for test in Test.objects.all():
        view = boards.view.on_board(test=test)
        ranked = [row.entry.pk for row in boards.ranked() if row.entry.test_id == test.pk]
        for row in boards.rows:
            if row.entry.pk in ranked:
                position = ranked.index(row.entry.pk)
                expected = ranked[max(position - before, 0) : position + after + 1]
                found = view.around(row.entry, before=before, after=after)
                boards.check(found, expected, ordered=True)
            else:
                with pytest.raises(Attempt.DoesNotExist):
                    view.around(row.entry, before=before, after=after)


def test_around_while_times_run(data: None) -> None:
    board = Leaderboard(
        within=["test"], order_by=["-score", TimeTaken("started_at", "finished_at", running=True)]
    )
    test = Test.objects.create(name="running")
    entries = Attempt.objects.bulk_create(
        Attempt(test=test, score=1, started_at=START - timedelta(seconds=n // 2)) for n in range(6)
    )
    order = [entry.pk for entry in entries]
    for position, entry in enumerate(entries):
        found = Attempt.objects.with_leaderboard(board).on_board(test=test).around(entry, before=1, after=2)
        assert [row.pk for row in found] == order[max(position - 1, 0) : position + 3]


def test_around_counts_positions_in_the_view(boards: Boards) -> None:
    test = Test.objects.get(name="test 0")
    red = boards.ranked(lambda r: r.entry.test_id == test.pk and r.team == "red")
    pks = [row.entry.pk for row in red]
    view = boards.view.on_board(test=test).filter(candidate__team="red")
    for position, row in enumerate(red):
        found = view.around(row.entry, before=1, after=1)
        boards.check(found, pks[max(position - 1, 0) : position + 2], ordered=True)


def test_top_and_around_of_a_join_that_multiplies(boards: Boards) -> None:
    test = Test.objects.get(name="test 0")
    ranked = boards.ranked(lambda r: r.entry.test_id == test.pk and "a" in r.comments)
    pks = [row.entry.pk for row in ranked]
    assert any(row.comments.count("a") > 1 for row in ranked)
    view = boards.view.on_board(test=test).filter(comments__text="a").distinct()
    boards.check(view.top(2), pks[:2], ordered=True)
    boards.check(view.top(3, ties=True), [row.entry.pk for row in ranked if row.rank <= 3], ordered=True)
    boards.check(view.around(ranked[1].entry, before=1, after=1), pks[:3], ordered=True)


@pytest.mark.parametrize("reordered", [False, True])
def test_top_and_around_after_reverse(reordered: bool, boards: Boards) -> None:
    test = Test.objects.get(name="test 0")
    board = boards.view.on_board(test=test)
    turned = board.order_by("pk").reverse() if reordered else board.reverse()
    ranked = [row.entry.pk for row in boards.ranked(lambda r: r.entry.test_id == test.pk)]
    boards.check(turned.top(3), ranked[:3], ordered=True)
    boards.check(turned.top(100, ties=True), ranked, ordered=True)
    boards.check(turned.top(100, ties=True).reverse(), ranked[::-1], ordered=True)
    boards.check(
        turned.around(Attempt.objects.get(pk=ranked[2]), before=1, after=2), ranked[1:5], ordered=True
    )
    best = Attempt.objects.board(boards.name).reverse().on_board(test=OuterRef("pk")).top(1).values("pk")
    assert Test.objects.annotate(best=Subquery(best)).get(pk=test.pk).best == ranked[0]


def test_neighbours_of_a_member(data: None) -> None:
    boards = Boards({"": "members"})
    test = Test.objects.get(name="test 0")
    view = boards.view.on_board(test=test)
    for row in boards.ranked(lambda r: r.entry.test_id == test.pk):
        found = view.around(member=row.entry.candidate_id, before=1, after=1)
        assert list(found) == list(view.around(row.entry, before=1, after=1))
    with pytest.raises(Attempt.DoesNotExist, match="is ranked, on the board and in the view"):
        view.around(member=Candidate.objects.create(name="nobody"))
    with pytest.raises(TypeError, match="takes an entry, pk= or member="):
        view.around()
    with pytest.raises(ValueError, match="declares no member"):
        Attempt.objects.board("overall").on_board(test=test).around(member=1)


def test_locked_rows_have_no_neighbours(boards: Boards) -> None:
    entry = boards.ranked()[0].entry
    with pytest.raises(NotSupportedError, match="primary key"):
        Attempt.objects.select_for_update().on_board(test=entry.test).around(entry)


@pytest.mark.parametrize("n", [2**63 - 1, 2**63, 2**70])
def test_more_rows_than_there_can_be(n: int, data: None) -> None:
    board = Attempt.objects.on_board(test=Test.objects.get(name="test 0"))
    whole = list(board.top(100))
    assert len(whole) > 1
    assert list(board.top(n)) == list(board.top(n, ties=True)) == whole
    assert list(board.around(whole[1], before=n, after=n)) == whole


def test_top_without_an_index_reads_the_board_once(data: None) -> None:
    test = Test.objects.get(name="test 0")
    indexed = Attempt.objects.board("members").on_board(test=test).top(3)
    assert str(indexed.query).count("FROM") == 4
    assert "ROW_NUMBER()" not in str(indexed.query)
    for path in ("candidate__name", "label"):
        board = Leaderboard(within=["test"], member=path, order_by=["-score"])
        top = Attempt.objects.with_leaderboard(board).on_board(test=test).top(3)
        assert "ROW_NUMBER()" in str(top.query)
        assert "LIMIT 1)" not in str(top.query)

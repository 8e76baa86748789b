"""Pages of one board: its top, and an entry with its neighbours."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leaderboard import Leaderboard, TimeTaken
from tests.attempts import START
from tests.boards import Boards
from tests.testapp.models import Attempt, Test

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

"""Pages of one board: its top, and an entry with its neighbours."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.paginator import Paginator
from django.db import NotSupportedError, connection
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Lower
from django.test.utils import CaptureQueriesContext

from leaderboard import First, Latest, Leaderboard, TimeTaken
from leaderboard.querysets.boards import BoardNotPinned
from tests.attempts import START
from tests.boards import Boards
from tests.fuzz.models import Group, TextKey, TextKeyNote
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


@pytest.mark.parametrize("name", ["test 0", "test 1", "test 2"])
def test_ranked(name: str, boards: Boards) -> None:
    rows = boards.ranked(lambda r: r.entry.test.name == name)
    ranked = boards.view.on_board(test=Test.objects.get(name=name)).ranked()
    pks = [row.entry.pk for row in rows]
    boards.check(ranked.all(), pks, ordered=True)
    boards.check(ranked.reverse(), pks[::-1], ordered=True)
    boards.check(ranked[1:3], pks[1:3], ordered=True)
    boards.check(ranked.reverse()[:2], pks[::-1][:2], ordered=True)
    boards.check(ranked.iterator(chunk_size=2), pks, ordered=True)
    red = [row.entry.pk for row in rows if row.team == "red"]
    view = ranked.filter(candidate__team="red")
    boards.check(view.all(), red, ordered=True)
    boards.check(view.reverse()[:2], red[::-1][:2], ordered=True)
    boards.check(
        ranked.filter(**{f"{boards.rank}__gte": 2})[:2], [r.entry.pk for r in rows if r.rank >= 2][:2]
    )
    assert (ranked.count(), view.count()) == (len(pks), len(red))
    assert (ranked.exists(), view.exists()) == (bool(pks), bool(red))
    assert (ranked[:3].count(), ranked[1:3].exists()) == (len(pks[:3]), bool(pks[1:3]))
    assert ranked.order_by("-pk").values_list("pk", flat=True).first() == max(pks, default=None)
    assert list(Attempt.objects.filter(pk__in=ranked).values_list("pk", flat=True).order_by("pk")) == sorted(
        pks
    )
    bare = Attempt.objects.board(boards.name).on_board(test=Test.objects.get(name=name)).ranked()
    assert [(entry.pk, entry.rank) for entry in bare] == [(row.entry.pk, row.rank) for row in rows]
    if pks:
        assert (ranked.first().pk, ranked.last().pk) == (pks[0], pks[-1])


def test_ranked_is_paginated(boards: Boards) -> None:
    """Without the warning of an order that is none, which would be an error here."""
    test = Test.objects.get(name="test 0")
    rows = boards.ranked(lambda r: r.entry.test_id == test.pk)
    paginator = Paginator(boards.view.on_board(test=test).ranked(), 2)
    assert paginator.count == len(rows)
    found = [entry.pk for page in paginator for entry in page]
    assert found == [row.entry.pk for row in rows]


def test_ranked_in_subqueries(boards: Boards) -> None:
    ranked = Attempt.objects.board(boards.name).on_board(test=OuterRef("pk")).ranked()
    numbers = ranked.order_by().values("test").annotate(n=Count("pk")).values("n")
    found = Test.objects.annotate(n=Subquery(numbers), last=Subquery(ranked.reverse().values("pk")[:1]))
    for test in found.filter(Exists(ranked)):
        pks = [row.entry.pk for row in boards.ranked(lambda r, pk=test.pk: r.entry.test_id == pk)]  # type: ignore[misc]
        assert (test.n, test.last) == (len(pks), pks[-1])
    ranked_on = {row.entry.test_id for row in boards.ranked()}
    assert {*found.filter(~Exists(ranked)).values_list("pk", flat=True)} == {
        test.pk for test in Test.objects.all() if test.pk not in ranked_on
    }


MEMBERS = {
    "no member": {},
    "best": {"member": "candidate"},
    "latest": {"member": "candidate", "counting": Latest("finished_at")},
    "first": {"member": "candidate", "counting": First("finished_at")},
    "several fields": {"member": ["candidate", "label"]},
    "an expression": {"member": Lower("label")},
    "of a relation": {"member": "candidate__team"},
}


@pytest.mark.parametrize("options", MEMBERS.values(), ids=MEMBERS)
def test_ranked_are_counted_without_a_window(options: dict[str, Any], data: None) -> None:
    declared = Leaderboard(within=["test"], order_by=["-score"], eligible=Q(disqualified=False), **options)
    for test in Test.objects.all():
        board = Attempt.objects.with_leaderboard(declared).on_board(test=test)
        ranked = board.ranked()
        population = board.filter(candidate__team="red").as_population().ranked()
        for queryset in (ranked, population):
            entries = list(queryset.all())
            with CaptureQueriesContext(connection) as captured:
                assert (queryset.count(), queryset.exists()) == (len(entries), bool(entries))
                assert queryset.aggregate(n=Count("*")) == {"n": len(entries)}
            # The condition for being among the population is one of the view too.
            assert queryset is population or not [q["sql"] for q in captured if "OVER" in q["sql"]]
        assert ranked.filter(score__gte=50).count() == len([e for e in ranked if e.score >= 50])
        assert ranked.aggregate(n=Count("pk"), m=Max("rank"))["n"] == len(ranked)


def test_only_the_first_in_order_are_looked_up_row_by_row(data: None) -> None:
    ranked = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0")).ranked()

    def looks_up(queryset: QuerySet[Any]) -> bool:
        return "DISTINCT ON" not in str(queryset.query)

    keys = ranked.values("pk")
    assert [looks_up(q) for q in (ranked[:3], keys[:3], keys.reverse()[:3], ranked.order_by()[:3])] == [
        True
    ] * 4
    # They read the whole board, row by row in an order that no index has, or for the ranks.
    turned = [ranked, ranked.reverse()[:3], keys.order_by("-score")[:3], keys.order_by(F("score").desc())[:3]]
    grouped = ranked.values("score").annotate(n=Count("pk"))[:3]
    assert [looks_up(queryset) for queryset in (*turned, grouped)] == [False] * 5


def test_what_ranked_refuses(data: None) -> None:
    board = Attempt.objects.on_board(test=Test.objects.get(name="test 0"))
    with pytest.raises(BoardNotPinned, match=r"^ranked\(\) needs one board"):
        Attempt.objects.ranked()
    with pytest.raises(TypeError, match=r"Cannot call ranked\(\) once a slice has been taken"):
        board[:2].ranked()
    with pytest.raises(NotSupportedError, match=r"^ranked\(\) after distinct"):
        board.distinct("candidate").ranked()
    with pytest.raises(NotSupportedError, match="ranked"):
        board.union(board).ranked()
    with pytest.raises(NotSupportedError, match="select_for_update"):
        board.select_for_update().ranked()


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


def test_around_is_a_queryset_of_one_statement(boards: Boards) -> None:
    test = Test.objects.get(name="test 0")
    board = boards.view.on_board(test=test)
    pks = [row.entry.pk for row in boards.ranked(lambda r: r.entry.test_id == test.pk)]
    with CaptureQueriesContext(connection) as captured:
        near = board.around(pk=pks[2], before=1, after=2)
        assert len(captured) == 1
        boards.check(near.all(), pks[1:5], ordered=True)
        assert len(captured) == 2
        boards.check(board.around(pk=pks[2], before=0, after=0), pks[2:3], ordered=True)
        assert len(captured) == 4
    assert (near.count(), near.exists(), near.contains(Attempt.objects.get(pk=pks[2]))) == (4, True, True)
    assert list(near.reverse().values_list("pk", flat=True)) == pks[1:5][::-1]
    assert [near.first().pk, near.last().pk, *near[1:3].values_list("pk", flat=True)] == [
        pks[1], pks[4], *pks[2:4]
    ]  # fmt: skip
    red = [row.entry.pk for row in boards.rows if row.team == "red"]
    boards.check(near.filter(candidate__team="red"), [pk for pk in pks[1:5] if pk in red], ordered=True)
    assert {*Attempt.objects.filter(pk__in=near).values_list("pk", flat=True)} == {*pks[1:5]}
    assert near.aggregate(n=Max("score"))["n"] == max(row.score for row in near)
    boards.check(pickle.loads(pickle.dumps(near.all())), pks[1:5], ordered=True)


MOVES: dict[str, Callable[[QuerySet[Any]], object]] = {
    "deleted": lambda entry: entry.delete(),
    "pending": lambda entry: entry.update(score=None),
    "excluded": lambda entry: entry.update(disqualified=True),
    "on another board": lambda entry: entry.update(test=Test.objects.get(name="test 1")),
    "superseded": lambda entry: entry.update(candidate=Candidate.objects.get(name="candidate 0")),
    "out of the view": lambda entry: entry.update(label="low"),
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_around_shows_no_neighbours_of_who_has_left(move: Callable[..., object], data: None) -> None:
    board = (
        Attempt.objects.board("members").filter(label="high").on_board(test=Test.objects.get(name="test 0"))
    )
    entry = Attempt.objects.get(candidate__name="candidate 3", score=70)
    near = board.around(entry, before=1, after=1)
    assert len(near.all()) == 2
    move(Attempt.objects.filter(pk=entry.pk))
    assert list(near.all()) == []
    with pytest.raises(Attempt.DoesNotExist):
        board.around(pk=entry.pk)


def test_around_follows_who_has_moved(data: None) -> None:
    board = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0"))
    *_, before, last = board.ranked()
    near = board.around(last, before=1, after=1)
    assert list(near.all()) == [before, last]
    Attempt.objects.filter(pk=last.pk).update(score=1000)
    assert near.values_list("score", "rank")[0] == (1000, 1)
    assert list(near) == list(board.ranked()[:2])


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
    assert "DISTINCT ON" not in str(indexed.query)
    for path in ("candidate__name", "label"):
        board = Leaderboard(within=["test"], member=path, order_by=["-score"])
        top = Attempt.objects.with_leaderboard(board).on_board(test=test).top(3)
        assert "DISTINCT ON" in str(top.query)
        assert "LIMIT 1)" not in str(top.query)


def test_neighbours_among_distinct_rows_of_a_text_key() -> None:
    group = Group.objects.create(name="a")
    for made in (1, 2, 3):
        entry = TextKey.objects.create(code=f"k{made}", grp=group, made=made, flagged=False)
        TextKeyNote.objects.bulk_create(TextKeyNote(entry=entry, points=n) for n in range(2))
    board = TextKey.objects.board("laps").on_board(grp=group, laps=0)
    for view in (board.distinct(), board.filter(notes__points__gte=0), board.filter(notes__points=1)):
        found = view.around(pk="k2", before=1, after=1)
        assert list(dict.fromkeys(found.values_list("pk", flat=True))) == ["k1", "k2", "k3"]

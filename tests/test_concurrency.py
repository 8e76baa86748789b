"""One declaration and one queryset, used by several threads at once; writers beside readers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Barrier, Event
from typing import Any
from unittest import mock

import pytest
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery
from hypothesis import settings

from leaderboard import AtLeast, Leaderboard
from tests.test_paging import PASSED_OVER
from tests.testapp.models import Attempt, Candidate, Test

THREADS = 4
# As many as the thorough profile makes, or some.
CALLS = 300 if settings().max_examples > 200 else 100
PAGES = 1000 if settings().max_examples > 200 else 25
BOARD = Leaderboard(
    within=["test"],
    order_by=["-score"],
    member="candidate",
    eligible=Q(Exists(Test.objects.filter(pk=OuterRef("test")))),
    cut_off=AtLeast("score", Subquery(Test.objects.filter(pk=OuterRef("test")).values("cut_off")[:1])),
)


def together(*actions: Callable[[], Any]) -> list[Any]:
    """Run actions in threads that begin at the same moment; return what they return."""
    barrier = Barrier(len(actions))

    def run(action: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=30)
            return action()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(actions)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(run, action) for action in actions]]


@pytest.fixture
def tests() -> list[Test]:
    candidate = Candidate.objects.create(name="c")
    tests = [Test.objects.create(name=name, cut_off=3) for name in "xy"]
    for n in range(6):
        Attempt.objects.create(test=tests[n % 2], candidate=candidate, score=n, disqualified=False)
    return tests


@pytest.mark.django_db(transaction=True)
def test_threads_share_declarations_and_querysets(tests: list[Test]) -> None:
    queryset = Attempt.objects.with_leaderboard(BOARD)
    board = queryset.on_board(test=tests[0])
    winners = queryset.standings().filter(rank=1)

    def alone() -> None:
        for _ in range(20):
            assert board.standings().order_by("rank")[0].score == 4
            assert winners.count() == 2

    def inside() -> None:
        for _ in range(20):
            best = queryset.standings().filter(rank=1, test=OuterRef("pk")).values("score")
            found = Test.objects.annotate(best=Subquery(best)).values_list("best", flat=True)
            assert sorted(found) == [4, 5]
            assert {row.qualification for row in winners.all()} == {"qualified"}

    together(*[alone, inside] * (THREADS // 2))


@pytest.mark.django_db(transaction=True)
def test_a_page_is_of_one_moment(tests: list[Test]) -> None:
    """While scores move in one transaction, no reader sees two entries with the rank of one."""
    board = Attempt.objects.with_leaderboard(Leaderboard(within=["test"], order_by=["-score"]))
    first, *_, last = Attempt.objects.filter(test=tests[0]).order_by("score")

    def swap() -> None:
        for _ in range(30):
            with transaction.atomic():
                first.score, last.score = last.score, first.score
                first.save(update_fields=["score"])
                last.save(update_fields=["score"])

    def read() -> None:
        for _ in range(60):
            found = board.on_board(test=tests[0]).standings()
            assert sorted(row.rank for row in found) == [1, 2, 3]
            assert {row.board_size for row in found} == {3}

    together(swap, read, read)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "options", [{}, {"member": "candidate"}, {"member": "label"}], ids=["entries", "members", "by a window"]
)
def test_neighbours_have_no_gaps(options: dict[str, Any]) -> None:
    """While two writers move entries about, all calls see an entry among its neighbours at some moment.

    Each writer swaps the scores of two entries in one transaction, so that at any moment the scores are the
    same, each with the same rank.
    """
    test = Test.objects.create(name="moving")
    candidates = Candidate.objects.bulk_create(Candidate(name=str(n)) for n in range(40))
    entries = Attempt.objects.bulk_create(
        Attempt(test=test, candidate=candidate, label=candidate.name, score=score)
        for score, candidate in enumerate(candidates)
    )
    if options:
        # Which never count.
        Attempt.objects.bulk_create(
            Attempt(test=test, candidate=candidate, label=candidate.name, score=-1)
            for candidate in candidates
        )
    board = Attempt.objects.with_leaderboard(
        Leaderboard(within=["test"], order_by=["-score", "label"], **options)
    ).on_board(test=test)
    read_all = Event()

    def swap(own: list[Attempt], random: Random) -> int:
        swaps = 0
        while not read_all.is_set():
            # No row is written by both, which would let them wait for each other in a circle.
            one, other = random.sample(own, 2)
            with transaction.atomic():
                one.score, other.score = other.score, one.score
                one.save(update_fields=["score"])
                other.save(update_fields=["score"])
            swaps += 1
        return swaps

    def read() -> list[str]:
        random = Random(0)
        gaps = []
        try:
            for _ in range(CALLS):
                entry = random.choice(entries)
                found = list(board.around(pk=entry.pk, before=3, after=3))
                own = next((row.score for row in found if row == entry), -1)
                whole = [(score, 40 - score) for score in range(min(39, own + 3), max(0, own - 3) - 1, -1)]
                shown = [(row.score, row.rank) for row in found]
                gaps += [] if own >= 0 and shown == whole else [f"{entry.pk}: {shown}"]
        finally:
            read_all.set()
        return gaps

    gaps, *swaps = together(
        read,
        *(lambda n=n: swap(entries[n::2], Random(n)) for n in (0, 1)),
    )
    assert gaps == []
    assert min(swaps) > 10


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("passed_over", [0, 1000])
@pytest.mark.parametrize("where", ["after", "before", "of_member", "at_rank"])
def test_pages_beside_writers_are_of_one_snapshot(where: str, passed_over: int) -> None:
    """Two states of a board take turns; ranks of one with entries of the other are in neither."""
    test = Test.objects.create(name="x", cut_off=0)
    people = Candidate.objects.bulk_create(Candidate(name=str(n)) for n in range(9))
    entries = [
        Attempt.objects.create(test=test, candidate=person, score=n, disqualified=False)
        for n, person in enumerate(people)
    ]
    board = Leaderboard(within=["test"], order_by=["-score"], member="candidate")
    view = Attempt.objects.with_leaderboard(board).on_board(test=test).with_rank("ordinal").with_percentile()
    one = entries[4]
    asked: dict[str, Any] = {
        "after": {"after": one},
        "before": {"before": one},
        "of_member": {"of_member": people[4]},
        "at_rank": {"at_rank": 3},
    }[where]

    def turn() -> None:
        with transaction.atomic():
            # In one order of the rows, whoever writes.
            list(Attempt.objects.select_for_update().order_by("pk"))
            Attempt.objects.exclude(pk=one.pk).update(score=8 - F("score"))
            Attempt.objects.filter(pk=one.pk).update(score=11 - F("score"))

    def answer() -> tuple[Any, ...]:
        with mock.patch(PASSED_OVER, passed_over):
            return tuple((entry.pk, entry.rank, entry.percentile) for entry in view.page(3, **asked))

    states = [answer()]
    turn()
    states.append(answer())
    assert states[0] != states[1]
    done = Event()

    def write() -> None:
        while not done.is_set():
            turn()

    def read() -> set[tuple[Any, ...]]:
        try:
            return {answer() for _ in range(PAGES)}
        finally:
            done.set()

    _, _, seen = together(write, write, read)
    assert seen <= {*states}


@pytest.mark.django_db(transaction=True)
def test_two_reads_agree_at_repeatable_read(tests: list[Test]) -> None:
    board = Attempt.objects.with_leaderboard(BOARD).on_board(test=tests[0])
    member = Candidate.objects.get()
    written = Barrier(2)
    read_once = Barrier(2)

    def read() -> tuple[Any, Any]:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            before = board.get_standing(member=member)
            read_once.wait(timeout=30)
            written.wait(timeout=30)
            return before, board.get_standing(member=member)

    def write() -> None:
        read_once.wait(timeout=30)
        Attempt.objects.create(
            test=tests[0], candidate=Candidate.objects.create(name="better"), score=99, disqualified=False
        )
        written.wait(timeout=30)

    (before, after), _ = together(read, write)
    assert before == after
    assert board.get_standing(member=member).rank == 2

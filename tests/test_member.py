"""The entries of one member by counting: as the window and the reference have them."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import Any
from unittest import mock

import pytest
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django.utils.timezone import now
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard import Latest, Leaderboard, PlanKind, RankKind
from leaderboard.querysets.counted import CountedQuerySet
from leaderboard.standings.located import location_of
from leaderboard.testing import reference_standings
from tests.attempts import START
from tests.examples import HypothesisTestCase
from tests.test_concurrency import together
from tests.test_counted import windows_refused
from tests.test_plans import rows_read
from tests.test_properties import boards, load, rows
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db

FEWER = settings(max_examples=settings().max_examples // 4)
CALLS = 1000 if settings().max_examples > 200 else 200

ties = st.sampled_from([None, ["label"], ["-big", "label"], [F("ratio").desc()]])
FIGURES = ("rank", "board_size", "percentile", "qualification")
LOWER = Lower("label")


def by_member(view: Any, member: Any) -> Iterator[Any]:
    """Yield the entries of each member in a view, as a view that is held to it."""
    names = [member] if isinstance(member, str) else member
    if isinstance(names, tuple | list):
        for values in {*view.values_list(*names)}:
            if any(value is not None for value in values):
                yield view.filter(**dict(zip(names, values, strict=True)))
    else:
        for value in {*view.values_list(member, flat=True)} - {None}:
            yield view.filter(Exact(member, value))


class Properties(HypothesisTestCase):
    @FEWER
    @given(
        rows=rows,
        board=boards(st.sampled_from([["test"], ["test"], []])),
        ties=ties,
        member=st.sampled_from(["candidate", "candidate", ("candidate", "label"), LOWER, "candidate__name"]),
        among=st.sampled_from([None, None, Q(score__gte=1)]),
    )
    def test_every_entry_of_a_member_equals_the_reference(
        self, rows: list[dict[str, Any]], board: Leaderboard, ties: Any, member: Any, among: Any
    ) -> None:
        tests = load(rows)
        queryset = Attempt.objects.with_leaderboard(board.replace(ties_by=ties, member=member))
        population = None
        if among is not None:
            queryset = queryset.filter(among).as_population()
            population = {*queryset.values_list("pk", flat=True)}
        expected = reference_standings(queryset, population=population, now=now())
        view = queryset.on_board(**({"test": tests[0]} if board.within else {}))
        if location_of(Attempt, view._ranking) is None:
            return
        for held in by_member(view, member):
            with windows_refused():
                found = list(held.standings())
            assert {entry.pk for entry in found} == {*held.values_list("pk", flat=True)}
            for entry in found:
                of = expected[entry.pk]
                assert [getattr(entry, name) for name in FIGURES] == [getattr(of, name) for name in FIGURES]
            # Without the size, the rank is counted by itself.
            with windows_refused():
                assert dict(held.with_rank().values_list("pk", "rank")) == {e.pk: e.rank for e in found}


@pytest.mark.parametrize("kind", RankKind)
def test_no_window_is_asked(kind: RankKind, data: None) -> None:
    board = Attempt.objects.board("members").leaderboard.replace(rank_kind=kind)
    view = Attempt.objects.with_leaderboard(board).on_board(test=Test.objects.get(name="test 0")).standings()
    everyone = list(view.values_list("candidate", "pk", *FIGURES))
    assert len({entry[-1] for entry in everyone}) > 3
    for candidate in Candidate.objects.all():
        own = sorted(entry[1:] for entry in everyone if entry[0] == candidate.pk)
        with windows_refused():
            for held in (
                view.filter(candidate=candidate),
                view.filter(candidate_id=candidate.pk).order_by("pk"),
                view.filter(Q(candidate=candidate, score__gte=0) | Q(candidate=candidate)),
                view.select_related("candidate").filter(candidate=candidate),
            ):
                assert sorted(held.values_list("pk", *FIGURES)) == own


def test_a_view_of_a_member_is_still_a_view(data: None) -> None:
    view = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0")).standings()
    own = view.filter(candidate__name="candidate 0").order_by("pk")
    candidate = own[0].candidate
    held = view.filter(candidate=candidate).order_by("pk")
    assert [entry.qualification for entry in held] == ["qualified", "superseded", "superseded"]
    assert list(held.filter(rank=1)) == list(held)[:1]
    assert not held.filter(rank=2)
    assert list(held.exclude(rank=1)) == list(held)[1:]
    assert list(held[:2]) == list(held)[:2]
    assert list(held[1:]) == list(held)[1:]
    assert held.filter(score=40).get().qualification == "superseded"
    assert held.get(rank=1) == held.first() == view.ranked().filter(candidate=candidate)[0]
    # A comment that is joined shows its attempt again.
    assert len(held.filter(comments__text__gte="a")) == 4
    assert held.ranked().filter(score=40).exists() is False


def test_an_entry_without_a_member_is_excluded(data: None) -> None:
    view = Attempt.objects.on_board(test=Test.objects.get(name="test 0"))
    for member in ("candidate", ("candidate", "label"), LOWER):
        chosen = view.with_leaderboard(
            Leaderboard(within=["test"], order_by=["-score"], member=member)
        ).standings()
        nobody = chosen.filter(candidate=None, label=None)
        Attempt.objects.filter(candidate=None).update(label=None)
        assert [entry.qualification for entry in nobody] == ["excluded"]
        assert nobody.explain_plan().kind is PlanKind.WINDOW


def test_what_holds_a_view_to_a_member(data: None) -> None:
    test = Test.objects.get(name="test 0")
    view = Attempt.objects.board("members").with_rank()
    pair = view.with_leaderboard(
        Leaderboard(within=["test"], order_by=["-score"], member=("candidate", "label"))
    ).with_rank()
    on_board = view.filter(test=test)
    plans = {
        "a member": on_board.filter(candidate=1),
        "a member and more": on_board.filter(candidate=1, score__gt=3),
        "a list": pair.filter(test=test, candidate=1, label="a"),
        "a list with a NULL": pair.filter(test=test, candidate=1, label=None),
        "another field": on_board.filter(label="a"),
        "two members": on_board.filter(candidate__in=[1]),
        "one of two": on_board.filter(Q(candidate=1) | Q(score=3)),
        "no board": view.filter(candidate=1),
        "a part of a list": pair.filter(test=test, candidate=1),
        "later rows": on_board.filter(candidate=1)[1:],
        "several boards": on_board.filter(candidate=1).board("overall").with_rank(prefix="o_"),
    }
    assert [name for name, held in plans.items() if held.explain_plan().kind is PlanKind.COUNTED] == [
        "a member",
        "a member and more",
        "a list",
        "a list with a NULL",
    ]
    assert "the entries of one member" in plans["a member"].explain_plan().reason


def test_statements_of_a_member(data: None, django_assert_num_queries: Any) -> None:
    view = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0")).standings()
    entry = view.ranked()[0]
    for held in (view.filter(candidate=entry.candidate_id), view.filter(pk=entry.pk)):
        with django_assert_num_queries(2):
            assert entry in list(held)
    for missing in (view.filter(candidate=-1), view.filter(pk=-1)):
        with django_assert_num_queries(1):
            assert list(missing) == []


def moving(moves: list[Any]) -> Any:
    """Return a patch by which something moves between the statements."""
    found = CountedQuerySet._place

    def place(queryset: Any, *args: Any, **kwargs: Any) -> Any:
        read = found(queryset, *args, **kwargs)
        if moves:
            moves.pop()()
        return read

    return mock.patch.object(CountedQuerySet, "_place", place)


@pytest.mark.parametrize("counting", [None, Latest("big")], ids=["best", "latest"])
@pytest.mark.parametrize("moved", ["another counts", "a better one comes", "elsewhere", "gone", "not ranked"])
def test_a_member_moves_between_the_statements(counting: Any, moved: str, data: None) -> None:
    test = Test.objects.get(name="test 0")
    board = Leaderboard(within=["test"], order_by=["-score"], member="candidate", counting=counting)
    view = Attempt.objects.with_leaderboard(board).on_board(test=test).standings()
    entry = view.ranked()[0]
    candidate = entry.candidate
    other = Attempt.objects.filter(test=test, candidate=candidate).exclude(pk=entry.pk).order_by("score")[0]
    of_entry, of_other = (Attempt.objects.filter(pk=each.pk) for each in (entry, other))
    move = {
        "another counts": lambda: of_other.update(score=1000, big=7),
        "a better one comes": lambda: Attempt.objects.create(
            test=test, candidate=candidate, score=1000, big=7, disqualified=False
        ),
        "elsewhere": lambda: of_entry.update(test=Test.objects.get(name="test 1")),
        "gone": lambda: of_entry.delete(),
        "not ranked": lambda: of_entry.update(score=None),
    }[moved]
    held = view.filter(candidate=candidate)
    with moving([move]):
        found = sorted(held.values_list("pk", *FIGURES))
    with mock.patch("leaderboard.querysets.counted.location_of", return_value=None):
        assert found == sorted(held.all().values_list("pk", *FIGURES))


def test_another_entry_counts_between_the_statements_of_one() -> None:
    """By what neither its place nor its member says."""
    test, person = Test.objects.create(name="x"), Candidate.objects.create(name="p")
    old, new = (
        Attempt.objects.create(test=test, candidate=person, score=score, big=score) for score in (1, 2)
    )
    board = Leaderboard(within=["test"], order_by=["-score"], member="candidate", counting=Latest("big"))
    view = Attempt.objects.with_leaderboard(board).with_rank().with_qualification()
    assert view.get(pk=old.pk).qualification == "superseded"
    with moving([lambda: Attempt.objects.filter(pk=old.pk).update(big=3)]):
        assert view.get(pk=old.pk).qualification == "no_cut_off"
    assert view.get(pk=new.pk).qualification == "superseded"


@pytest.mark.django_db(transaction=True)
def test_a_member_beside_writers_is_of_one_snapshot() -> None:
    """Two states of a board take turns: in each another entry of the member counts, at another rank."""
    test = Test.objects.create(name="x", cut_off=0)
    people = Candidate.objects.bulk_create(Candidate(name=str(n)) for n in range(6))
    one = people[0]
    for score in (10, 4):
        Attempt.objects.create(test=test, candidate=one, score=score, disqualified=False)
    for score, person in enumerate(people[1:], 1):
        Attempt.objects.create(test=test, candidate=person, score=score, disqualified=False)
    board = Leaderboard(within=["test"], order_by=["-score"], member="candidate")
    view = Attempt.objects.with_leaderboard(board).on_board(test=test).standings().filter(candidate=one)

    def turn() -> None:
        with transaction.atomic():
            # In one order of the rows, whoever writes.
            list(Attempt.objects.select_for_update().order_by("pk"))
            Attempt.objects.filter(candidate=one).update(score=14 - F("score"))
            Attempt.objects.exclude(candidate=one).update(score=21 - F("score"))

    def answer() -> tuple[Any, ...]:
        return tuple(sorted(view.all().values_list("pk", *FIGURES)))

    states = [answer()]
    turn()
    states.append(answer())
    assert [[rank for _, rank, *_ in state] for state in states] == [[1, None], [None, 6]]
    done = Event()

    def write() -> None:
        while not done.is_set():
            turn()

    def read() -> set[tuple[Any, ...]]:
        try:
            return {answer() for _ in range(CALLS)}
        finally:
            done.set()

    _, _, seen = together(write, write, read)
    assert seen == {*states}


@pytest.mark.plans
def test_no_more_is_read_than_the_better_entries() -> None:
    test = Test.objects.create(name="x", cut_off=0)
    people = Candidate.objects.bulk_create(Candidate(name=str(n)) for n in range(5000))
    Attempt.objects.bulk_create(
        Attempt(
            test=test,
            candidate=people[n % 5000],
            score=n,
            started_at=START,
            finished_at=START,
            disqualified=False,
        )
        for n in range(10_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE testapp_attempt")
    view = Attempt.objects.board("members").on_board(test=test).with_rank()
    for position in (0, 10, 100):
        held = view.filter(candidate=people[4999 - position])
        assert sorted(entry.rank or 0 for entry in held) == [0, position + 1]
        assert rows_read(held) <= position + 10

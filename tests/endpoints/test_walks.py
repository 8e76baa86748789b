"""Walks over pages from anywhere, both ways, for every kind of rank; and while others write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils.timezone import now
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard import Leaderboard, PercentileKind, RankKind
from leaderboard.endpoints import Page, Pager
from leaderboard.testing import reference_standings
from tests.endpoints.test_pager import entries_of, steady, walked
from tests.examples import HypothesisTestCase
from tests.test_paging import ties
from tests.test_properties import few_rows, load
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db

FEWER = settings(max_examples=settings().max_examples // 10)


class Properties(HypothesisTestCase):
    @FEWER
    @given(
        rows=few_rows,
        board=steady,
        ties=ties,
        percentile=st.sampled_from(PercentileKind),
        size=st.integers(1, 4),
        start=st.integers(0, 24),
        ordering=st.sampled_from(["rank", "-rank", "-percentile", "percentile"]),
    )
    def test_walks_from_anywhere_meet_everyone_once_for_every_kind_of_rank(
        self,
        rows: list[dict[str, Any]],
        board: Leaderboard,
        ties: Any,
        percentile: PercentileKind,
        size: int,
        start: int,
        ordering: str,
    ) -> None:
        (test, *_) = load(rows)
        pager = Pager(size=size)
        is_reversed = ordering in ("-rank", "percentile")
        for number, kind in enumerate(RankKind):
            changed = board.replace(rank_kind=kind, percentile_kind=percentile, ties_by=ties)
            view = Attempt.objects.with_leaderboard(changed).on_board(test=test)
            expected = reference_standings(view, now=now())
            everyone = [entry.pk for entry in view.ranked()]
            wanted = [
                (pk, expected[pk].rank, expected[pk].percentile, expected[pk].board_size) for pk in everyone
            ]
            wanted = wanted[::-1] if is_reversed else wanted

            def ask(cursor: str, view: Any = view) -> Page:
                return pager.page(view, {"ordering": ordering, "cursor": cursor})

            begun = [{"page": "first"}, {"page": "last"}, {"rank": str(start % max(1, len(wanted)) + 1)}]
            page = pager.page(view, {"ordering": ordering, **begun[(number + start) % 3]})
            pages = [*walked(page, ask, "previous")[:0:-1], *walked(page, ask, "next")]
            found = [
                (entry.pk, entry.rank, entry.percentile, entry.board_size) for entry in entries_of(pages)
            ]
            assert found == wanted


TICKS = 12


@pytest.fixture
def other() -> Iterator[Callable[[Callable[[], Any]], Any]]:
    """Run something by a connection of its own, while nobody else does anything."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda action: pool.submit(action).result(timeout=60)
        # Of its thread, as what stands for it is of every thread.
        pool.submit(lambda: connection.close()).result(timeout=60)


def pages_of_pager(view: Any, ordering: str) -> Callable[[str | None, bool], Any]:
    pager = Pager(size=3, others=["label"])

    def ask(place: str | None, back: bool) -> Any:
        where = {"page": "last" if back else "first"} if place is None else {"cursor": place}
        page = pager.page(view, {"ordering": ordering, **where})
        return [entry.pk for entry in page.entries], page.previous if back else page.next

    return ask


def pages_of(url: str, key: str) -> Callable[[str | None, bool], Any]:
    def ask(place: str | None, back: bool) -> Any:
        found = Client().get(place or f"{url}&page={'last' if back else 'first'}").json()
        return [entry["id"] for entry in found[key]], found["previous" if back else "next"]

    return ask


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("back", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("ordering", ["rank", "-rank", "-name"])
@pytest.mark.parametrize("served", ["pager", "drf", "ninja"])
def test_who_stays_put_is_met_once_while_another_connection_writes(
    served: str, ordering: str, back: bool, other: Any, settings: Any
) -> None:
    """Between any two pages entries come and go, next to where the page ends too, and are committed."""
    test = Test.objects.create(name="busy", cut_off=3)
    people = Candidate.objects.bulk_create(Candidate(name=f"{n:03}") for n in range(60))
    begun = now()

    def entry(person: Candidate, score: int) -> Attempt:
        return Attempt(test=test, candidate=person, score=score, started_at=begun, finished_at=begun)

    Attempt.objects.bulk_create(entry(person, n % 5) for n, person in enumerate(people[:24]))
    staying = {*Attempt.objects.values_list("pk", flat=True)}
    random = Random(f"{ordering} {back}")
    newcomers = iter(people[24:])
    gone: set[int] = set()

    def write(shown: list[int]) -> None:
        for person in (next(newcomers), next(newcomers)):
            entry(person, random.randrange(-1, 6)).save(force_insert=True)
        # Who was shown last goes now and then, and somebody else does.
        leaving = shown[-1 if not back else 0] if random.random() < 0.5 else random.choice(sorted(staying))
        gone.add(leaving)
        Attempt.objects.filter(pk=leaving).delete()

    if served == "pager":
        view = Attempt.objects.board("members").on_board(test=test)
        ask = pages_of_pager(view, ordering.replace("name", "label"))
    else:
        settings.ROOT_URLCONF = f"tests.endpoints.{served}_urls"
        ask = pages_of(f"/tests/{test.pk}/?ordering={ordering}", "results" if served == "drf" else "items")
    met: list[int] = []
    place: str | None = None
    for _ in range(40):
        shown, place = ask(place, back)
        met += shown
        if place is None:
            break
        if len(gone) < TICKS:
            other(lambda shown=shown: write(shown))
    assert place is None and len(gone) > 3
    assert len({*met}) == len(met)
    assert staying - gone <= {*met}

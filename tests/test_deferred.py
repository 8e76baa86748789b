"""Subqueries of pages are made when a statement needs them."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.db import NotSupportedError, connections
from django.db.models import Count, Exists, OuterRef, Subquery

from leaderboard.querysets.pages import PageQuerySet
from tests.testapp.models import Attempt, Comment, Test

pytestmark = pytest.mark.django_db


def test_a_view_that_refers_to_a_query_around_it_is_refused(data: None) -> None:
    """Whose keys are among those of a page is asked one query further in."""
    entry = Attempt.objects.on_board(test=Test.objects.get(name="test 0")).top(1).get()
    around = Attempt.objects.on_board(test=OuterRef("pk"))
    related = Attempt.objects.on_board(test=1).filter(candidate=OuterRef("pk"))
    farther = Attempt.objects.on_board(test=OuterRef(OuterRef("pk")))
    asked: list[Callable[[Any], object]] = [
        lambda view: view.page(2),
        lambda view: view.page(2, at_rank=2),
        lambda view: view.page(2, last=True),
        lambda view: view.page(2, after=entry),
        lambda view: view.around(entry),
    ]
    for view in (around, related, related.as_population(), farther):
        for ask in asked:
            with pytest.raises(NotSupportedError, match=r"^(page|around)\(\) of a view that refers"):
                ask(view)
    best = Test.objects.annotate(best=Subquery(around.top(1).values("pk")))
    assert best.get(pk=entry.test_id).best == entry.pk


def test_what_tells_a_page_is_made_when_it_is_written(data: None) -> None:
    """What is read by a run needs no subquery of its keys, and whoever else asks has one of their own."""
    test = Test.objects.get(name="test 0")
    view = Attempt.objects.board("members").on_board(test=test).with_rank()
    everyone = list(view.ranked())
    with mock.patch.object(PageQuerySet, "_beside", side_effect=ZeroDivisionError):
        page, near = view.page(2, after=everyone[0]), view.around(everyone[1], before=1, after=1)
        assert list(page.values_list("rank", flat=True)) == [entry.rank for entry in everyone[1:3]]
        assert list(near.all()) == everyone[:3]
        for asked in (page, near):
            with pytest.raises(ZeroDivisionError):
                asked.count()
    for asked, expected in ((page, everyone[1:3]), (near, everyone[:3])):
        stored = Attempt.objects.all()
        stored.query = pickle.loads(pickle.dumps(asked.query))
        assert list(stored) == list(copy.deepcopy(asked).iterator()) == expected
        # Within itself, and beside itself, its tables have names of their own.
        assert list(asked.filter(pk__in=asked.values("pk"))) == list(asked & asked.all()) == expected
        among = asked.as_population().with_rank("ordinal").order_by("rank")
        assert [entry.rank for entry in among] == [*range(1, len(expected) + 1)]
        own = asked.filter(pk=OuterRef("pk")).values("rank")
        ranks = Attempt.objects.filter(pk__in=asked.values("pk")).annotate(own=Subquery(own))
        assert {entry.pk: entry.own for entry in ranks} == {entry.pk: entry.rank for entry in expected}


PAGES: list[Callable[[Any, Any], Any]] = [
    lambda view, entry: view.page(3),
    lambda view, entry: view.page(2, at_rank=2),
    lambda view, entry: view.page(2, last=True),
    lambda view, entry: view.page(2, after=entry),
    lambda view, entry: view.page(2, before=entry),
    lambda view, entry: view.around(entry, before=1, after=1),
]
pages = pytest.mark.parametrize("ask", PAGES)


def pks(rows: Any) -> list[Any]:
    return sorted(rows.values_list("pk", flat=True))


@pages
def test_a_query_that_was_pickled_is_a_part_of_others(ask: Any, data: None) -> None:
    """The tables of the two have names of their own."""
    view = Attempt.objects.board("overall").on_board(test=Test.objects.get(name="test 0"))
    page = ask(view, view.ranked()[2])
    stored, whole = Attempt.objects.all(), Attempt.objects.all()
    stored.query = pickle.loads(pickle.dumps(page.query))
    whole.query = pickle.loads(pickle.dumps(Attempt.objects.filter(pk__in=page.values("pk")).query))
    again = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(page))))
    expected = pks(page)
    for found in (stored, whole, again.all()):
        assert pks(found) == pks(Attempt.objects.filter(pk__in=found.values("pk"))) == expected
        assert pks(Attempt.objects.filter(Exists(found.filter(pk=OuterRef("pk"))))) == expected
        assert pks(found | page) == pks(found & page) == expected
        keys: Any = found.values("pk")
        said = Comment.objects.filter(attempt__in=keys)
        assert said.count() == Comment.objects.filter(attempt__in=expected).count()
    first, own = (each.as_population().with_rank().filter(rank=1) for each in (stored, page))
    assert pks(first) == pks(own)
    assert stored.filter(pk=-1).delete() == (0, {})


@pages
def test_pages_are_combined_with_groups(ask: Any, data: None) -> None:
    view = Attempt.objects.board("overall").on_board(test=Test.objects.get(name="test 0"))
    page = ask(view, view.ranked()[2])
    expected = sorted(entry.pk for entry in page if entry.comments.count() > 1)
    some = page.annotate(n=Count("comments")).filter(n__gt=1)
    others = Attempt.objects.annotate(n=Count("comments")).filter(n__gt=2)
    for found in (some | Attempt.objects.filter(score=10), some ^ Attempt.objects.filter(score=10)):
        assert pks(found) == sorted([*expected, *pks(Attempt.objects.filter(score=10))])
        assert found.count() == len(expected) + 1
    assert pks(others | some) == sorted({*pks(others), *expected})


@pages
def test_pages_that_were_asked_for_alike_are_one_population(ask: Any, data: None) -> None:
    view = Attempt.objects.board("overall").on_board(test=Test.objects.get(name="test 0"))
    entry = view.ranked()[2]
    first, second = (ask(view, entry).as_population().standings("of_page_") for _ in range(2))
    assert pks(first | second) == pks(first & second) == pks(first)


@pages
def test_a_page_of_another_database_is_no_subquery(ask: Any, data: None) -> None:
    view = Attempt.objects.using("default").board("overall").on_board(test=Test.objects.get(name="test 0"))
    page = ask(view, view.ranked()[2])
    own: Any = connections["default"]
    with (
        mock.patch.object(own, "alias", "other"),
        pytest.raises(ValueError, match="aren't allowed across different databases"),
    ):
        page.query.get_compiler(connection=own).as_sql()

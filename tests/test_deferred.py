"""Subqueries of pages are made when a statement needs them."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.db import NotSupportedError
from django.db.models import OuterRef, Subquery

from leaderboard.querysets.pages import PageQuerySet
from tests.testapp.models import Attempt, Test

pytestmark = pytest.mark.django_db


def test_a_view_that_refers_to_a_query_around_it_is_refused(data: None) -> None:
    """Whose keys are among those of a page is asked one query further in."""
    entry = Attempt.objects.on_board(test=Test.objects.get(name="test 0")).top(1).get()
    around = Attempt.objects.on_board(test=OuterRef("pk"))
    related = Attempt.objects.on_board(test=1).filter(candidate=OuterRef("pk"))
    asked: list[Callable[[Any], object]] = [
        lambda view: view.page(2),
        lambda view: view.page(2, at_rank=2),
        lambda view: view.page(2, last=True),
        lambda view: view.page(2, after=entry),
        lambda view: view.around(entry),
    ]
    for view in (around, related, related.as_population()):
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

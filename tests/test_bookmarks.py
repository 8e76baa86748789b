"""Pages beside a place that was read before, whoever has come, gone or moved since."""

from __future__ import annotations

import pickle
from typing import Any
from unittest import mock

import pytest
from django.db import NotSupportedError, connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard import Bookmark, Leaderboard
from leaderboard.expressions.times import is_running
from tests.examples import HypothesisTestCase
from tests.test_paging import runs_only, shown, ties
from tests.test_properties import boards, load, rows
from tests.testapp.models import Attempt, Test

pytestmark = pytest.mark.django_db

FEWER = settings(max_examples=settings().max_examples // 5)


def board_of(name: str) -> Any:
    return Attempt.objects.board(name).on_board(test=Test.objects.get(name="test 0")).standings()


class Properties(HypothesisTestCase):
    @FEWER
    @given(
        rows=rows,
        # What runs on stands elsewhere by the time of the next page.
        board=boards(st.just(["test"])).filter(lambda b: not any(is_running(t.expression) for t in b.terms)),
        ties=ties,
        size=st.sampled_from([1, 2, 3, 50]),
        gone=st.sets(st.integers(0, 24)),
        is_view=st.booleans(),
    )
    def test_pages_go_on_where_they_were(
        self,
        rows: list[dict[str, Any]],
        board: Leaderboard,
        ties: Any,
        size: int,
        gone: set[int],
        is_view: bool,
    ) -> None:
        (test, *_) = load(rows)
        view = Attempt.objects.with_leaderboard(board.replace(ties_by=ties)).on_board(test=test).standings()
        view = view.filter(score__gte=0) if is_view else view
        everyone = list(view.ranked().with_bookmarks().iterator())
        assert shown(view.page(size, last=True)) == shown(everyone[-size:])
        # Without members nobody takes the place of who has gone.
        leaving = [] if board.member else [entry.pk for n, entry in enumerate(everyone) if n in gone]
        Attempt.objects.filter(pk__in=leaving).delete()
        staying = {entry.pk: entry for entry in view.ranked().iterator()}
        for position in range(0, len(everyone), max(1, len(everyone) // 4)):
            mark = everyone[position].bookmark
            later = [staying[e.pk] for e in everyone[position + 1 :] if e.pk in staying]
            earlier = [staying[e.pk] for e in everyone[:position] if e.pk in staying]
            assert shown(view.page(size, after=mark)) == shown(later[:size])
            assert shown(view.page(size, before=mark)) == shown(earlier[-size:])
            assert shown(view.page(size, after=mark).iterator()) == shown(later[:size])
            assert shown(view.page(size, before=mark).iterator()) == shown(earlier[-size:])


@pytest.mark.parametrize("name", ["overall", "members"])
def test_pages_of_bookmarks_are_runs(name: str, data: None) -> None:
    view = board_of(name)
    everyone = list(view.ranked().with_bookmarks().iterator())
    assert len(everyone) > 4
    for size in (1, 3):
        for where in ({"last": True}, {"after": everyone[1].bookmark}, {"before": everyone[4].bookmark}):
            with CaptureQueriesContext(connection) as captured, runs_only():
                page = list(view.page(size, **where).with_bookmarks())
            assert len(captured) == 2
            assert [entry.bookmark for entry in page] == [
                entry.bookmark for entry in everyone if entry in page
            ]
    assert list(view.page(3, after=everyone[-1].bookmark)) == []
    assert list(view.page(3, before=everyone[0].bookmark)) == []


def test_who_moves_is_not_followed(data: None) -> None:
    view = board_of("overall")
    everyone = list(view.ranked().with_bookmarks().iterator())
    entry = everyone[2]
    Attempt.objects.filter(pk=entry.pk).update(score=1000)
    assert list(view.page(2, after=entry.bookmark)) == everyone[3:5]
    assert list(view.page(9, before=entry.bookmark)) == [entry, *everyone[:2]]
    assert list(view.page(2, after=entry)) == everyone[:2]


def test_what_is_first_may_go_between_the_statements(data: None) -> None:
    view = board_of("members")
    everyone = list(view.ranked().with_bookmarks().iterator())
    read_by = type(view)._read_by

    def leaving(queryset: Any, page: Any, run: Any) -> Any:
        Attempt.objects.filter(pk=everyone[1].pk).update(disqualified=True)
        return read_by(queryset, page, run)

    with mock.patch.object(type(view), "_read_by", leaving):
        assert list(view.page(2, after=everyone[0].bookmark)) == everyone[2:4]


def test_bookmarks_are_values(data: None) -> None:
    view = board_of("overall").with_bookmarks()
    mark = view.top(1).get().bookmark
    assert mark == Bookmark(mark.values) == pickle.loads(pickle.dumps(mark))
    assert {mark} == {Bookmark(mark.values)}
    assert view.ranked().with_bookmarks("place")[0].place == mark
    assert {row["bookmark"] for row in view.page(1).values("bookmark")} == {mark}
    for wrong in ("text", [1], None, [b"1"]):
        with pytest.raises(TypeError, match="must be the texts of a bookmark"):
            Bookmark(wrong)  # type: ignore[arg-type]


def test_what_bookmarks_refuse(data: None) -> None:
    view = board_of("overall")
    mark = view.top(1).with_bookmarks().get().bookmark
    with pytest.raises(ValueError, match=r"is of another board: it has 3 values, not 2\."):
        view.board("everything").page(1, after=mark)
    with pytest.raises(TypeError, match=r"begins at one of .* and last="):
        view.page(1, after=mark, last=True)
    with pytest.raises(ValueError, match="conflicts with a field"):
        view.with_bookmarks("score")
    with pytest.raises(NotSupportedError, match="union"):
        view.union(view).with_bookmarks()
    with pytest.raises(NotSupportedError, match="select_for_update"):
        Attempt.objects.select_for_update().with_bookmarks()

"""Cursors: nobody makes one up, and one is of no use elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.core.signing import Signer
from django.test import override_settings
from django.utils.timezone import now
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from leaderboard.endpoints import Cursor, Cursors, InvalidParameter, Pager
from tests.attempts import store
from tests.testapp.models import Attempt, Test

pytestmark = pytest.mark.django_db

FOREIGN = "cursor: it is not one of this board, in this order and with this filter"
PAGER = Pager(size=2, others=["label"])


def board(name: str = "overall", number: int = 0) -> Any:
    return Attempt.objects.board(name).on_board(test=Test.objects.get(name=f"test {number}"))


def refused(view: Any, cursor: str, **options: Any) -> None:
    given = options.pop("given", {})
    with pytest.raises(InvalidParameter, match=FOREIGN):
        PAGER.page(view, {"cursor": cursor, **given}, **options)


class Properties(HypothesisTestCase):
    view: ClassVar[Any]
    cursor: ClassVar[str]

    @classmethod
    def setUpTestData(cls) -> None:
        store()
        cls.view = board()
        cls.cursor = PAGER.page(cls.view, {}).next or ""

    @given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
    def test_any_text_is_refused(self, text: str) -> None:
        refused(self.view, text)

    @given(text=st.binary(min_size=1))
    def test_any_bytes_are_refused(self, text: bytes) -> None:
        refused(self.view, text.replace(b"\0", b"").decode("latin-1") or "x")

    @given(data=st.data())
    def test_a_cursor_that_was_changed_is_refused(self, data: st.DataObject) -> None:
        position = data.draw(st.integers(0, len(self.cursor) - 1))
        letter = data.draw(st.characters(codec="ascii", exclude_characters="\0" + self.cursor[position]))
        refused(self.view, self.cursor[:position] + letter + self.cursor[position + 1 :])
        refused(self.view, self.cursor[:position] + self.cursor[position + 1 :] or "x")

    @given(value=st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4))
    def test_what_is_signed_elsewhere_is_refused(self, value: Any) -> None:
        refused(self.view, Signer().sign_object(value))


def test_a_cursor_of_anything_else_is_refused(data: None) -> None:
    cursor = PAGER.page(board(), {}).next or ""
    assert PAGER.page(board(), {"cursor": cursor}).entries
    refused(board(number=1), cursor)
    refused(board("members"), cursor)
    refused(Attempt.objects.board("everything"), cursor)
    for ordering in ("-rank", "label", "rank,label", "rank,-label", "time_taken"):
        refused(board(), cursor, given={"ordering": ordering})
    for view in (
        board().filter(score__gte=50),
        board().exclude(label="low"),
        board().filter(candidate__in=[1, 2]),
        board().none(),
    ):
        refused(view, cursor)
        own = PAGER.page(view, {}).next
        if own:
            assert PAGER.page(view, {"cursor": own}).entries
            refused(board(), own)
    refused(board().filter(score__gte=51), PAGER.page(board().filter(score__gte=50), {}).next or "")
    refused(board(), cursor, scope="another")
    refused(board().with_leaderboard(board().leaderboard.replace(ties_by=["label"])), cursor)


def test_a_cursor_is_of_an_order_however_it_is_called(data: None) -> None:
    cursor = PAGER.page(board(), {}).next or ""
    assert PAGER.page(board(), {"cursor": cursor, "ordering": "-percentile", "size": "1"}).entries


def test_cursors_stay_the_same(data: None) -> None:
    """Or a response that is the same would have another tag each time."""
    view = board().filter(started_at__lte=now() + timedelta(days=9999), candidate__name__in={"a", "b"})
    view = view | board()
    assert PAGER.page(view, {}) == PAGER.page(view, {})
    earlier = PAGER.page(board().filter(started_at__lte=now()), {}).next or ""
    assert PAGER.page(board().filter(started_at__lte=now()), {"cursor": earlier}).entries


CODE = """
import django; django.setup()
from leaderboard.endpoints import Cursor, Cursors
from tests.testapp.models import Attempt
rows = Attempt.objects.on_board(test=1).filter(label__in={"a", "b", "c", "d"}, candidate__team="red").ranked()
print(Cursors(rows, "scope").write(Cursor(None, True)))
"""


def test_cursors_are_the_same_in_every_process() -> None:
    """The order in which a set has its texts is not."""
    found = {
        subprocess.run(
            [sys.executable, "-c", CODE],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": str(seed), "DJANGO_SETTINGS_MODULE": "tests.settings"},
            check=True,
            capture_output=True,
        ).stdout
        for seed in range(3)
    }
    assert len(found) == 1


def test_cursors_outlive_a_key_that_is_replaced(data: None) -> None:
    with override_settings(SECRET_KEY="old"):
        cursor = PAGER.page(board(), {}).next or ""
    refused(board(), cursor)
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["old"]):
        assert PAGER.page(board(), {"cursor": cursor}).entries


def test_what_is_written_is_read(data: None) -> None:
    rows = board().with_bookmarks().ranked()
    cursors = Cursors(rows)
    for bookmark in (None, rows[0].bookmark):
        for is_later in (True, False):
            cursor = Cursor(bookmark, is_later)
            assert cursors.read(cursors.write(cursor)) == cursor

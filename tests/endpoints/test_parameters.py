"""What is wrong with a request is said, whatever it is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.exceptions import BadRequest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from leaderboard.endpoints import InvalidParameter, Pager
from tests.attempts import store
from tests.schemas.models import NamedLikeMetrics
from tests.testapp.models import Attempt, Candidate, Test

pytestmark = pytest.mark.django_db

PAGER = Pager(size=2, max_size=10)
WRONG: list[tuple[dict[str, str], str]] = [
    *(
        ({"size": size}, rf"^size: {re.escape(repr(size))} is no whole number from 1 to 10\.$")
        for size in ("0", "-1", "11", "1000000000", "9" * 5000, "1.5", "x", "1e1", "１", " 1", "1_0", "+1")
    ),
    *(({"rank": rank}, "^rank: .* is no whole number") for rank in ("0", "-1", "x", "9" * 20)),
    (
        {"ordering": "nothing"},
        "^ordering: 'nothing' is none of rank, percentile, qualification, score, time_taken",
    ),
    ({"cursor": "x"}, "^cursor: it is not one of this board"),
    ({"page": "middle"}, "^page: 'middle' is none of first, last"),
    ({"rank": "1", "cursor": "x"}, "^rank: cannot be given beside cursor"),
    ({"rank": "1", "page": "last"}, "^page: cannot be given beside rank"),
    ({"member": "1", "page": "last"}, "^page: cannot be given beside member"),
    ({"member": "nobody"}, "^member: member='nobody': Field 'id' expected a number"),
    ({"member": "1", "ordering": "time_taken"}, "^member: the order 'time_taken' is not that of the board"),
    ({"rank": "1", "ordering": "time_taken"}, "^rank: the order 'time_taken' is not that of the board"),
    *(({name: "a\0b"}, f"^{name}: a NUL byte is in no text") for name in ("cursor", "member", "other")),
    ({"a\0b": "x"}, "^ab: a NUL byte is in no text"),
    *(({name: "a\ud800"}, f"^{name}: half of a surrogate pair") for name in ("cursor", "member", "other")),
    ({"\udfffa": "x"}, "^a: half of a surrogate pair is in no text"),
]


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_what_is_wrong_is_said(given: dict[str, str], message: str, data: None) -> None:
    view = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0"))
    with pytest.raises(InvalidParameter, match=message) as raised:
        PAGER.page(view, given)
    assert isinstance(raised.value, BadRequest)
    assert str(raised.value) == f"{raised.value.parameter}: {raised.value.reason}"


def test_what_is_empty_is_not_given(data: None) -> None:
    view = Attempt.objects.on_board(test=Test.objects.get(name="test 0"))
    names = ("size", "ordering", "cursor", "rank", "page", "member")
    assert PAGER.page(view, dict.fromkeys(names, "")) == PAGER.page(view, {})


@pytest.mark.parametrize("member", ["0", "123456789", "9" * 30])
def test_a_member_who_is_not_there(member: str, data: None) -> None:
    view = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0"))
    with pytest.raises(Attempt.DoesNotExist, match="is ranked, on the board and in the view"):
        PAGER.page(view, {"member": member})


def test_a_member_where_there_are_none_or_of_several_fields(data: None) -> None:
    view = Attempt.objects.board("overall").on_board(test=Test.objects.get(name="test 0"))
    with pytest.raises(InvalidParameter, match=r"^member: the board declares no member"):
        PAGER.page(view, {"member": "1"})
    declared = view.leaderboard.replace(member=["candidate", "label"])
    several = view.with_leaderboard(declared)
    with pytest.raises(InvalidParameter, match=r"named by member\.candidate, member\.label\.$"):
        PAGER.page(several, {"member": "1"})
    entry = several.ranked()[3]
    given = {"member.candidate": str(entry.candidate_id), "member.label": entry.label}
    assert entry in PAGER.page(several, given).entries
    with pytest.raises(Attempt.DoesNotExist):
        PAGER.page(several, {"member.label": "nothing"})


class Properties(HypothesisTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        store()

    @given(
        given=st.dictionaries(
            st.sampled_from(["size", "ordering", "cursor", "rank", "page", "member"]),
            st.sampled_from(["1", "2", "first", "last", "rank", "-rank", "time_taken"]) | st.text(),
            min_size=1,
        )
    )
    def test_no_request_is_an_error_of_the_server(self, given: dict[str, str]) -> None:
        view = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0"))
        try:
            assert len(PAGER.page(view, given).entries) <= 10
        except (InvalidParameter, Attempt.DoesNotExist) as error:
            assert str(error)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"size": 0}, ValueError, "size=0 must be at least 1"),
        ({"size": "5"}, TypeError, "size='5' must be a whole number"),
        ({"size": 300}, ValueError, "size=300 must be at most max_size=200"),
        ({"max_size": True}, TypeError, "max_size=True must be"),
        ({"sorted_limit": 0}, ValueError, "sorted_limit=0 must be at least 1"),
        ({"ordering": ""}, TypeError, "ordering='' must be an order"),
        ({"others": "label"}, TypeError, "others='label' must be a list"),
        ({"metrics": "rank"}, ValueError, "metrics='rank' must be some of rank, board_size"),
        ({"metrics": ["place"]}, ValueError, "must be some of"),
    ],
)
def test_what_a_pager_refuses(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Pager(**options)


def test_a_default_order_that_is_none_is_no_fault_of_the_request(data: None) -> None:
    view = Attempt.objects.on_board(test=Test.objects.get(name="test 0"))
    with pytest.raises(ValueError, match="ordering='place': 'place' is none of"):
        Pager(ordering="place").page(view, {})


def test_metrics_are_those_that_are_asked_for(data: None) -> None:
    view = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0"))
    (entry,) = Pager(size=1, metrics=["rank"]).page(view, {}).entries
    assert entry.rank == 1
    assert not hasattr(entry, "percentile")
    (entry,) = Pager(size=1, prefix="my_").page(view, {"member": str(entry.candidate_id)}).entries
    assert (entry.my_rank, entry.my_percentile, entry.my_qualification) == (1, 100.0, "qualified")


def test_a_model_with_a_field_called_rank() -> None:
    NamedLikeMetrics.objects.bulk_create(NamedLikeMetrics(score=n % 3, who=str(n)) for n in range(5))
    pager = Pager(size=2, prefix="board_")
    page = pager.page(NamedLikeMetrics.objects.all(), {})
    page = pager.page(NamedLikeMetrics.objects.all(), {"cursor": page.next or ""})
    assert [(entry.rank, entry.board_rank) for entry in page.entries] == [(0, 2), (0, 4)]


def test_statements_of_a_page(data: None, django_assert_num_queries: Any) -> None:
    view = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0"))
    page = PAGER.page(view, {})
    second = PAGER.page(view, {"cursor": page.next or ""})
    member = str(Candidate.objects.get(name="candidate 3").pk)
    for number, asked in (
        (2, {}),
        (2, {"page": "last"}),
        (2, {"ordering": "-rank"}),
        (3, {"cursor": page.next}),
        (3, {"cursor": second.previous}),
        (3, {"rank": "2"}),
        (3, {"member": member}),
        (2, {"ordering": "time_taken"}),
    ):
        with django_assert_num_queries(number):
            PAGER.page(view, {name: value or "" for name, value in asked.items()})

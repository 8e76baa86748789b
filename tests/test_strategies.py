from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.db import models, transaction
from hypothesis import find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from hypothesis.extra.django import TestCase

from leaderboard.kinds import Qualification
from leaderboard.testing import reference_standings
from leaderboard.testing.strategies import _values, entries
from tests.quiz.models import Answer
from tests.schemas.models import Custom, Node, Season
from tests.testapp.models import Comment

EXAMPLES = 100
repeatable = settings(max_examples=EXAMPLES, derandomize=True, database=None)


def test_times_taken_of_the_longest_durations_can_be_read() -> None:
    def longest(length: timedelta) -> bool:
        return abs(datetime.max - datetime.min) + 2 * abs(length) > timedelta.max

    lengths = _values(models.DurationField())
    assert lengths is not None
    with pytest.raises(NoSuchExample):
        find(lengths, longest)


class Strategies(TestCase):
    @pytest.mark.once
    def test_entries_are_not_trivial(self) -> None:
        seen: Counter[str] = Counter()

        @repeatable
        @given(answers=entries(Answer))
        def look(answers: list[Answer]) -> None:
            with transaction.atomic():
                Answer.objects.bulk_create(answers)
                found = list(reference_standings(Answer.objects.all()).values())
                by_score = list(reference_standings(Answer.objects.board("hall_of_fame")).values())
                transaction.set_rollback(True)
            seen.update({standing.qualification for standing in found})
            ranks = [standing.rank for standing in by_score if standing.rank is not None]
            seen["tie"] += len(ranks) > len(set(ranks))
            seen["unranked"] += any(standing.rank is None for standing in found)

        look()
        floors = {
            "tie": 0.5,
            "unranked": 0.5,
            Qualification.EXCLUDED: 0.5,
            Qualification.PENDING: 0.4,
            Qualification.SUPERSEDED: 0.4,
            Qualification.NO_CUT_OFF: 0.05,
            Qualification.QUALIFIED: 0.5,
        }
        shares = {name: seen[name] / EXAMPLES for name in floors}
        assert not {name: share for name, share in shares.items() if share < floors[name]}, shares

    def test_what_must_be_unique_is(self) -> None:
        @repeatable
        @given(seasons=entries(Season, min_size=2), nodes=entries(Node, min_size=1))
        def look(seasons: list[Season], nodes: list[Node]) -> None:
            assert len({season.code for season in seasons}) == len(seasons)
            assert len({node.pk for node in nodes}) == len(nodes)

        look()

    def test_fields_may_be_given_or_left_out(self) -> None:
        @repeatable
        @given(rows=entries(Custom, min_size=1, score=st.just(7), data=st.just({"s": 1})))
        def look(rows: list[Custom]) -> None:
            assert {row.score for row in rows} == {7}
            assert [row.price for row in rows] == [0] * len(rows)

        look()

    def test_related_instances_come_with_theirs(self) -> None:
        @repeatable
        @given(rows=entries(Comment, min_size=1, max_size=3))
        def look(rows: list[Comment]) -> None:
            assert all(row.attempt.test.pk for row in rows)

        look()


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(TypeError, match=r"'scores' is no field of quiz\.Answer; it has id, quiz, player"):
        entries(Answer, scores=st.none())

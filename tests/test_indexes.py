"""The system checks of the indexes that serve boards."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import models
from django.db.models import Index, Q, UniqueConstraint
from django.db.models.functions import Collate

from leaderboard import Leaderboard, TimeTaken
from leaderboard.declaration.checks import check_boards

pytestmark = pytest.mark.usefixtures("isolated")

BOARD = Leaderboard(
    within=["group"], order_by=["-score", TimeTaken("started_at", "finished_at")], member="person"
)


@pytest.mark.parametrize(
    ("indexes", "missing"),
    [
        ([], 2),
        (BOARD.indexes("entry"), 0),
        (BOARD.indexes("entry")[:1], 1),
        ([Index("group", "score", name="short")], 2),
        ([Index("group", "score", TimeTaken("started_at", "finished_at"), name="mixed")], 2),
        ([Index("group", "score", TimeTaken("started_at", "finished_at").desc(), name="backwards")], 1),
        ([Index(*BOARD.indexes("entry")[0].expressions, name="part", condition=Q(score=1))], 2),
    ],
)
def test_w001_no_supporting_index(indexes: list[Index], missing: int) -> None:
    class Indexed(models.Model):
        group = models.IntegerField()
        person = models.IntegerField()
        score = models.IntegerField()
        started_at = models.DateTimeField()
        finished_at = models.DateTimeField()

        class Meta:
            app_label = "testapp"

    Indexed._meta.indexes = indexes
    assert [message.id for message in check_boards(Indexed, {"b": BOARD})] == ["leaderboard.W001"] * missing


def test_w001_is_of_one_table() -> None:
    class Parent(models.Model):
        points = models.IntegerField()

        class Meta:
            app_label = "testapp"

    class Child(Parent):
        level = models.IntegerField()

        class Meta:
            app_label = "testapp"

    def hints(**declaration: Any) -> list[str]:
        messages = check_boards(Child, {"b": Leaderboard(order_by=["-points"], **declaration)})
        return [str(message.hint) for message in messages]

    assert hints(within=["level"]) == []
    (hint,) = hints()
    assert "to Meta.indexes of Parent" in hint


def test_w001_is_served_by_uniqueness() -> None:
    class Unique(models.Model):
        group = models.IntegerField()
        score = models.IntegerField()
        place = models.IntegerField(unique=True)

        class Meta:
            app_label = "testapp"
            constraints = (UniqueConstraint(fields=["group", "score"], name="one_score"),)

    boards = {
        "groups": Leaderboard(within=["group"], order_by=["-score"]),
        "places": Leaderboard(order_by=["place"]),
        "keys": Leaderboard(order_by=["pk"]),
    }
    assert check_boards(Unique, boards) == []


def test_w003_files_are_texts() -> None:
    class Upload(models.Model):
        file = models.FileField(db_index=True)

        class Meta:
            app_label = "testapp"

    boards = {"b": Leaderboard(order_by=["file"])}
    assert [message.id for message in check_boards(Upload, boards)] == ["leaderboard.W003"]


def test_w003_an_index_in_another_collation() -> None:
    class Text(models.Model):
        plain = models.CharField(max_length=20)
        coded = models.CharField(max_length=20, db_collation="C")

        class Meta:
            app_label = "testapp"

    def found(*terms: Any) -> list[str | None]:
        board = Leaderboard(order_by=terms)
        Text._meta.indexes = board.indexes("text")
        return [message.id for message in check_boards(Text, {"b": board})]

    assert found("plain") == ["leaderboard.W003"]
    assert found("-coded", "plain") == ["leaderboard.W003"]
    assert found("coded") == []
    assert found(Collate("plain", "C")) == []

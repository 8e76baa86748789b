from __future__ import annotations

from typing import Any

from django.db.models import Count

from example.assessments.models import Attempt, Candidate, Test
from example.assessments.real import BOSTON, ICPC, load_boston, load_icpc
from example.assessments.synthetic import CANDIDATES, load_synthetic
from example.races.models import Result
from example.talk.models import Blog, Comment, Post
from example.talk.sample import load_sample
from leaderboard import Qualification
from leaderboard.testing import assert_matches_reference, assert_no_drift


def test_the_contest_ranks_as_its_rules_do() -> None:
    test = load_icpc()
    assert test.name == ICPC
    best = Attempt.objects.on_board(test=test).with_time_taken().top(5)
    minutes = [(entry.score, entry.time_taken.total_seconds() / 60) for entry in best]
    assert minutes == [(10, 1513), (9, 816), (9, 930), (9, 1015), (9, 1186)]


def test_the_race_ranks_and_qualifies_as_the_results_do() -> None:
    test = load_boston()
    assert test.name == BOSTON
    runners = Attempt.objects.board("timed").on_board(test=test).standings()
    found = {entry.candidate_id: (entry.rank, entry.percentile, entry.qualification) for entry in runners}
    results = Result.objects.standings()
    assert len(found) == 400
    assert found == {f"B{one.bib}": (one.rank, one.percentile, one.qualification) for one in results}


def test_synthetic_attempts_are_of_every_kind() -> None:
    load_synthetic()
    assert Attempt.objects.count() > 3000
    found = Attempt.objects.standings().values_list("qualification").annotate(Count("pk"))
    assert {*dict(found)} == {*Qualification} - {Qualification.NO_CUT_OFF}
    ranked = Attempt.objects.standings().filter(rank__isnull=False)
    # Ties, breaks and corrected starts.
    assert ranked.values("test", "rank").annotate(n=Count("pk")).filter(n__gt=1).count() > 100
    assert ranked.filter(paused__isnull=False).exists()
    assert ranked.filter(note__startswith="The start was corrected").exists()
    names = Candidate.objects.values_list("name", flat=True)
    assert len({*names}) == len(names) == CANDIDATES
    small: Any = Test.objects.get(name="Database design")
    assert_matches_reference(small.attempts.all())


def test_synthetic_attempts_are_the_same_in_every_run() -> None:
    def loaded() -> list[tuple[Any, ...]]:
        load_synthetic()
        values = (
            "test__name",
            "candidate",
            "candidate__name",
            "score",
            "started_at",
            "finished_at",
            "paused",
        )
        found = list(Attempt.objects.order_by("pk").values_list(*values, "official", "note"))
        Test.objects.all().delete()
        Candidate.objects.all().delete()
        return found

    assert loaded() == loaded()


def test_posts_have_what_their_counters_say() -> None:
    load_sample()
    for model in (Blog, Post):
        assert_no_drift(model)
    public = Comment.objects.filter(is_public=True).count()
    assert Blog.objects.get().comment_count == public > 2000

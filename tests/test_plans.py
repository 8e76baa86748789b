"""What PostgreSQL plans, which differs between its versions: rows read, loops of subqueries, what is kept."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, Exists, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce, TruncMonth
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from leaderboard import AtLeast, TimeTaken, TopPercent
from leaderboard.testing import assert_matches_reference
from tests.test_declared import BERLIN, at, board, on, scored
from tests.testapp.models import Attempt, Candidate, Comment, Test

pytestmark = [pytest.mark.django_db, pytest.mark.plans]


def rows_read(queryset: Any) -> float:
    """Return how many rows are read where the planner takes the index if it can."""
    prefer_indexes()
    return scanned(json.loads(queryset.explain(format="json", analyze=True))[0]["Plan"])


def rows_read_by(sql: str) -> float:
    prefer_indexes()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        ((plans,),) = cursor.fetchall()
    return scanned(plans[0]["Plan"])


def prefer_indexes() -> None:
    # On so few rows, among what other tests have left of theirs, a scan of the table may be cheaper.
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")


def scanned(node: dict[str, Any]) -> float:
    rows = 0.0
    if "Scan" in node["Node Type"] and node["Node Type"] != "Subquery Scan":
        rows = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return rows + sum(map(scanned, node.get("Plans", [])))


def test_a_board_of_a_fixed_zone_is_served_by_its_index() -> None:
    declared = board(within={"month": TruncMonth("finished_at", tzinfo=BERLIN)}, nulls_distinct=True)
    (index,) = declared.indexes("monthly")
    with connection.schema_editor() as editor:
        editor.add_index(Attempt, index)
    at(datetime(2026, 3, 4, tzinfo=UTC))
    scored(*range(3000), finished_at=datetime(2026, 3, 4, tzinfo=UTC))
    scored(*range(3000), finished_at=datetime(2026, 4, 4, tzinfo=UTC))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE testapp_attempt")
    top = on(declared).on_board(month=date(2026, 3, 31)).top(10)
    assert rows_read(top) < 100
    assert [entry.rank for entry in top] == list(range(1, 11))
    assert board(within={"month": TruncMonth("finished_at")}).indexes("monthly") == []


def test_neighbours_are_read_by_the_index() -> None:
    declared = board()
    (index,) = declared.indexes("near")
    with connection.schema_editor() as editor:
        editor.add_index(Attempt, index)
    scored(*range(3000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE testapp_attempt")
    pinned = on(declared).on_board(test=Test.objects.get(name="scored"))
    entry = Attempt.objects.get(score=2950)
    with CaptureQueriesContext(connection) as captured:
        near = pinned.around(entry, before=2, after=2)
        assert [found.score for found in near.all()] == [2952, 2951, 2950, 2949, 2948]
    first, second = [query["sql"] for query in captured.captured_queries]
    assert rows_read_by(first) < 30
    assert rows_read(near.order_by().values("pk")) < 100
    # The better entries are counted, and no others.
    assert 50 <= rows_read_by(second) < 80


def test_the_ranked_are_counted_by_one_scan() -> None:
    scored(*range(500))
    Attempt.objects.update(candidate=Candidate.objects.create(name="only"))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE testapp_attempt")
    declared = board(member="candidate")
    ranked = on(declared).on_board(test=Test.objects.get(name="scored")).ranked()
    with CaptureQueriesContext(connection) as captured:
        assert (ranked.count(), ranked.exists()) == (1, True)
    counted, seen = [query["sql"] for query in captured.captured_queries]
    assert rows_read_by(counted) <= 500
    assert rows_read_by(seen) == 1


def test_a_scan_that_soon_stops_is_expected_to() -> None:
    """What looks long is compiled by JIT, which takes a hundred times as long as the scan."""
    test = Test.objects.create(name="test")
    members = Candidate.objects.bulk_create([Candidate(name=str(n)) for n in range(1000)])
    now = timezone.now()
    Attempt.objects.bulk_create(
        [
            Attempt(test=test, candidate=one, score=n, started_at=now, finished_at=now)
            for n, one in enumerate(members)
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE testapp_attempt")
    prefer_indexes()
    board = Attempt.objects.board("members").on_board(test=test)
    assert rows_read(board.top(3)) < 20
    costs = []
    for n in (3, 300):
        (plan,) = json.loads(board.top(n).explain(format="json"))
        costs.append(plan["Plan"]["Total Cost"])
    assert costs[0] < 0.1 * costs[1]


def test_a_report_of_the_ranked_has_one_window() -> None:
    def windows(node: dict[str, Any]) -> int:
        return int(node["Node Type"] == "WindowAgg") + sum(map(windows, node.get("Plans", [])))

    scored(*range(20))
    declared = board(member="candidate")
    ranked = on(declared).on_board(test=Test.objects.get(name="scored")).with_rank()
    ranked = ranked.filter(rank__isnull=False)
    for queryset, expected in ((ranked, 1), (ranked.values("pk"), 0)):
        (plan,) = json.loads(queryset.explain(format="json"))
        assert windows(plan["Plan"]) == expected


@pytest.mark.parametrize("metric", ["board_size", "rank"])
def test_a_correlated_metric_is_counted_for_each_row(metric: str) -> None:
    """Rows of a window beside a join are kept, by PostgreSQL 15 and 16 for the next outer row too."""
    for name, scores in (("small", [1]), ("large", [2, 3])):
        test = Test.objects.create(name=name)
        for score in scores:
            entry = Attempt.objects.create(test=test, score=score)
            Comment.objects.create(attempt=entry, text="a")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_hashjoin = off")
        cursor.execute("SET LOCAL enable_mergejoin = off")
    commented = on(board()).filter(comments__text__gte="a").standings()
    less = commented.filter(**{f"{metric}__lt": OuterRef(metric)}).values(metric)
    found = commented.annotate(less=Subquery(less.order_by("pk")[:1])).values_list(metric, "less")
    expected = {"board_size": [(1, None), (2, 1), (2, 1)], "rank": [(1, None), (1, None), (2, 1)]}
    for order in ("board_size", "-board_size"):
        assert sorted(found.order_by(order), key=repr) == expected[metric]


def subplan_loops(queryset: Any) -> float:
    def loops(node: dict[str, Any]) -> float:
        own = node["Actual Loops"] if node.get("Subplan Name", "").startswith("SubPlan") else 0.0
        return own + sum(map(loops, node.get("Plans", [])))

    return loops(json.loads(queryset.explain(format="json", analyze=True))[0]["Plan"])


COMMENTS = Comment.objects.filter(attempt=OuterRef("pk")).values("attempt")
SAID = Coalesce(Subquery(COMMENTS.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)


@pytest.mark.parametrize(
    "options",
    [
        {"order_by": {"said": SAID.desc()}},
        {"cut_off": AtLeast(SAID, 1)},
        {"eligible": Exists(Candidate.objects.filter(pk=OuterRef("candidate")))},
        {"within": {"said": SAID}},
        {"member": SAID, "order_by": ["-score"]},
    ],
    ids=["term", "cut-off", "eligible", "within", "member"],
)
def test_a_subquery_is_evaluated_once_a_row(options: dict[str, Any], data: None) -> None:
    declared = board(**{"cut_off": TopPercent(50), **options})
    assert_matches_reference(on(declared))
    standings = on(declared).standings()
    if declared.term_names:
        standings = standings.with_terms()
    assert subplan_loops(standings) <= Attempt.objects.count()


def test_a_subquery_lets_top_stop_early() -> None:
    with connection.cursor() as cursor:
        scored(*range(4000))
        cursor.execute("ANALYZE testapp_attempt")
    declared = board(order_by=["-score", TimeTaken("started_at", "finished_at")], cut_off=AtLeast(SAID, 1))
    Attempt.objects.update(started_at=timezone.now(), finished_at=timezone.now())
    pinned = on(declared).on_board(test=Test.objects.get(name="scored"))
    assert rows_read(pinned.with_qualification().top(5)) < 400

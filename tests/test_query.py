"""What is easily got wrong in querysets with standings, one case a test."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import FieldError
from django.db import NotSupportedError
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    Count,
    DecimalField,
    Exists,
    F,
    Field,
    FilteredRelation,
    FloatField,
    Func,
    OrderBy,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Abs, Cast, ExtractYear, Lower, TruncDate, TruncMonth
from django.db.models.lookups import Exact
from django.test.utils import register_lookup
from django.utils import timezone

from leaderboard import (
    AtLeast,
    AtMost,
    BoardNotPinned,
    Latest,
    Leaderboard,
    PercentOf,
    TimeTaken,
    TopCount,
)
from leaderboard.testing import assert_matches_reference, reference_standings
from tests.boards import Boards
from tests.testapp.models import Attempt, Candidate, Comment, Test

pytestmark = pytest.mark.django_db


def cut_off_of_the_test() -> Subquery:
    return Subquery(Test.objects.filter(pk=OuterRef("test")).values("cut_off")[:1])


@pytest.mark.parametrize(
    "declaration",
    [
        {"within": ["test"], "order_by": [cut_off_of_the_test(), "-score"], "member": "candidate"},
        {"within": {"cut_off": cut_off_of_the_test()}, "order_by": ["-score"]},
        {
            "within": {"a": Exists(Comment.objects.filter(attempt=OuterRef("pk"), text="a"))},
            "order_by": ["-score"],
        },
        {"order_by": ["-score"], "eligible": Q(Exists(Comment.objects.filter(attempt=OuterRef("pk"))))},
    ],
    ids=["term", "within", "exists", "eligible"],
)
def test_a_declaration_is_not_changed_by_its_use(declaration: dict[str, Any], data: None) -> None:
    queryset = Attempt.objects.with_leaderboard(Leaderboard(**declaration))
    before = dict(queryset.standings().values_list("pk", "rank"))
    inner = queryset.standings().filter(pk=OuterRef("pk")).values("rank")
    assert dict(Attempt.objects.annotate(inner=Subquery(inner)).values_list("pk", "inner")) == before
    if "test" in declaration.get("within", ()):
        board = queryset.on_board(test=Test.objects.get(name="test 0"))
        with mock.patch("leaderboard.standings.plan.finds_counting_entries", return_value=True):
            assert list(board.top(10)) == list(board.top(10))
    assert dict(queryset.standings().values_list("pk", "rank")) == before
    assert_matches_reference(queryset)


def test_a_board_within_a_subquery(data: None) -> None:
    queryset = Attempt.objects.with_leaderboard(
        Leaderboard(within={"cut_off": cut_off_of_the_test()}, order_by=["-score"])
    )
    assert_matches_reference(queryset.on_board(cut_off=70))
    assert queryset.on_board(cut_off=70).top(1)[0].score == 95


def test_a_board_of_a_year_in_a_zone(data: None) -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    test = Test.objects.get(name="test 0")
    times = datetime(2030, 12, 31, 20, tzinfo=UTC), datetime(2030, 6, 1, tzinfo=UTC)
    late, early = (
        Attempt.objects.create(test=test, score=n, finished_at=time) for n, time in enumerate(times)
    )
    queryset = Attempt.objects.with_leaderboard(
        Leaderboard(within={"year": ExtractYear("finished_at", tzinfo=tokyo)}, order_by=["-score"])
    )
    with timezone.override(UTC):
        found = queryset.filter(pk__in=[late.pk, early.pk]).standings()
        assert set(found.values_list("pk", "rank")) == {(late.pk, 1), (early.pk, 1)}
        assert [row.pk for row in queryset.on_board(year=2030).top(5)] == [early.pk]
        assert_matches_reference(queryset.filter(finished_at__year=2030))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Chicago"])
def test_a_month_that_was_read_finds_its_board(zone: str, data: None) -> None:
    with timezone.override(ZoneInfo(zone)):
        queryset = Attempt.objects.board("monthly")
        months = queryset.annotate(month=queryset._declaration.within["month"]).exclude(month=None)
        for test, month in months.values_list("test", "month").distinct():
            shown = queryset.on_board(test=test, month=month)
            assert shown.exists()
            assert list(queryset.on_board(test=test, month=month.date())) == list(shown)
            assert list(queryset.on_board(test=test, month=month.replace(tzinfo=None))) == list(shown)


def test_a_constant_term_is_no_position_of_a_column(data: None) -> None:
    board = Leaderboard(within=["test"], order_by=[Value(1), "-score"], member="candidate")
    queryset = Attempt.objects.with_leaderboard(board).on_board(test=Test.objects.get(name="test 0"))
    ranked = [row.pk for row in queryset.standings().order_by("rank", "pk") if row.rank]
    assert [row.pk for row in queryset.top(100)] == ranked


def test_counting_by_a_relation(data: None) -> None:
    board = Leaderboard(
        within=["test"], order_by=["score"], member="candidate__team", counting=Latest("candidate__name")
    )
    queryset = Attempt.objects.with_leaderboard(board)
    assert_matches_reference(queryset)
    queryset = queryset.on_board(test=Test.objects.get(name="test 0"))
    ranked = [row.pk for row in queryset.standings().order_by("rank", "pk") if row.rank]
    assert [row.pk for row in queryset.top(100)] == ranked


def test_boards_beyond_a_nullable_relation_show_every_row(data: None) -> None:
    queryset = Attempt.objects.with_leaderboard(Leaderboard(within=["candidate__team"], order_by=["-score"]))
    entries = list(Attempt.objects.order_by("pk"))
    assert any(entry.candidate_id is None for entry in entries)
    for entry in entries:
        (shown,) = queryset.filter(pk=entry.pk).standings()
        standing = queryset.get_standing(entry)
        assert (shown.rank, shown.qualification) == (standing.rank, standing.qualification)
    view = queryset.filter(label="high")
    assert len(view.standings()) == view.count() > 0
    assert_matches_reference(view)


@pytest.mark.parametrize("reordered", [False, True])
def test_top_and_around_after_reverse(reordered: bool, boards: Boards) -> None:
    test = Test.objects.get(name="test 0")
    board = boards.view.on_board(test=test)
    turned = board.order_by("pk").reverse() if reordered else board.reverse()
    ranked = [row.entry.pk for row in boards.ranked(lambda r: r.entry.test_id == test.pk)]
    boards.check(turned.top(3), ranked[:3], ordered=True)
    boards.check(turned.top(100, ties=True), ranked, ordered=True)
    boards.check(turned.top(100, ties=True).reverse(), ranked[::-1], ordered=True)
    boards.check(
        turned.around(Attempt.objects.get(pk=ranked[2]), before=1, after=2), ranked[1:5], ordered=True
    )
    best = Attempt.objects.board(boards.name).reverse().on_board(test=OuterRef("pk")).top(1).values("pk")
    assert Test.objects.annotate(best=Subquery(best)).get(pk=test.pk).best == ranked[0]


@pytest.mark.parametrize("rule", [AtLeast, AtMost])
@pytest.mark.parametrize(
    ("field", "literal"),
    [
        ("big", 2**53),
        ("big", 2**62),
        ("big", 2**70),
        ("big", 0.1),
        ("big", float(2**53)),
        ("big", float("inf")),
        ("score", 2**31),
        ("score", -(2**40)),
        ("score", 0.5),
        ("ratio", 0.1),
        ("ratio", float("nan")),
        ("ratio", 1),
    ],
)
def test_literals_of_cut_offs_are_exact(rule: Any, field: str, literal: Any, data: None) -> None:
    values = [Decimal(2**53 + n) for n in (-1, 0, 1)] + [Decimal("0.1"), Decimal("0.1001")]
    ratios = [0.1, 0.1 + 2**-56, float("inf"), float("nan"), 1.0, -0.5]
    for attempt, big, ratio in zip(Attempt.objects.order_by("pk"), values, ratios, strict=False):
        Attempt.objects.filter(pk=attempt.pk).update(big=big, ratio=ratio)
    board = Leaderboard(order_by=["pk"], cut_off=rule(field, literal))
    assert_matches_reference(Attempt.objects.with_leaderboard(board))


def test_counts_and_shares_beyond_four_bytes(data: None) -> None:
    for cut_off in (TopCount(2**32), TopCount(2**70), PercentOf("score", 2**40, Decimal("1e-9"))):
        queryset = Attempt.objects.with_leaderboard(Leaderboard(order_by=["-score"], cut_off=cut_off))
        assert_matches_reference(queryset)
        assert queryset.standings().filter(qualification="qualified").exists()


def one_place(places: int) -> Any:
    return Cast("big", DecimalField(max_digits=20, decimal_places=places))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (one_place(0), one_place(2)),
        (F("score") / 10, F("score") / 10.0),
        (Case(When(score__gt=50, then=Value(1)), default=Value(1)), Value(True)),
    ],
    ids=["field", "literal", "boolean"],
)
def test_expressions_that_django_takes_for_one(left: Any, right: Any, data: None) -> None:
    for position, attempt in enumerate(Attempt.objects.order_by("pk")):
        Attempt.objects.filter(pk=attempt.pk).update(big=Decimal(position) / 10, score=position)
    together = Leaderboard(order_by=[OrderBy(left, descending=True), OrderBy(right, descending=True)])
    assert_matches_reference(Attempt.objects.with_leaderboard(together))
    apart = Leaderboard(within={"a": left, "b": right}, order_by=["-pk"])
    assert_matches_reference(Attempt.objects.with_leaderboard(apart))


def test_boards_that_django_takes_for_one(data: None) -> None:
    coarse = Leaderboard(order_by=[one_place(0).desc()])
    fine = Leaderboard(order_by=[one_place(2).desc()])
    assert coarse != fine
    assert coarse == Leaderboard(order_by=[one_place(0).desc()])
    assert AtLeast("score", 1) != AtLeast("score", True)
    assert AtLeast("score", 1) == AtLeast("score", 1)
    number = Leaderboard(order_by="-score", eligible=Q(score=1))
    assert number != Leaderboard(order_by="-score", eligible=Q(score=True))
    assert number == Leaderboard(order_by="-score", eligible=Q(score=1))
    Attempt.objects.update(big=1)
    attempt = Attempt.objects.order_by("pk")[0]
    Attempt.objects.filter(pk=attempt.pk).update(big=Decimal("1.4"))
    rows = Attempt.objects.with_leaderboard(coarse).with_rank(prefix="c_")
    rows = rows.with_leaderboard(fine).with_rank(prefix="f_")
    assert {(row.c_rank, row.f_rank) for row in rows} == {(1, 1), (1, 2)}


def test_an_equality_that_only_looks_like_the_board_pins_nothing(data: None) -> None:
    attempt = Attempt.objects.order_by("pk")[0]
    Attempt.objects.filter(pk=attempt.pk).update(big=Decimal("1.4"))
    board = Leaderboard(within={"k": one_place(0)}, order_by="-score")
    view = Attempt.objects.with_leaderboard(board).annotate(x=one_place(2)).filter(x=Decimal("1.40"))
    assert [row.pk for row in view.standings()] == [attempt.pk]
    with pytest.raises(BoardNotPinned):
        view.top(3)


def test_raw_sql_pins_no_board(boards: Boards) -> None:
    boards.check(boards.view.filter(test=RawSQL("test_id", [])), boards.pks())


@pytest.mark.parametrize("field", ["score", "pk"])
def test_exclude_by_a_metric_on_the_right(field: str, boards: Boards) -> None:
    found = boards.view.exclude(**{field: F(boards.rank)})
    boards.check(found, boards.pks(lambda r: r.rank is None or getattr(r.entry, field) != r.rank))


def test_exclude_by_two_metrics(boards: Boards) -> None:
    found = boards.view.exclude(**{f"{boards.prefix}board_size": F(boards.rank)})
    boards.check(found, boards.pks(lambda r: r.rank is None or r.rank != r.standing.board_size))


def test_exclude_by_a_metric_and_a_nullable_column(boards: Boards) -> None:
    found = boards.view.exclude(**{boards.rank: F("score")})
    boards.check(
        found, boards.pks(lambda r: r.rank is None or r.entry.score is None or r.rank != r.entry.score)
    )
    found = boards.view.exclude(**{f"{boards.rank}__gt": F("test__cut_off")})
    boards.check(
        found,
        boards.pks(
            lambda r: r.rank is None or r.entry.test.cut_off is None or not r.rank > r.entry.test.cut_off
        ),
    )


def test_exclude_by_a_transform_of_a_metric(boards: Boards) -> None:
    with register_lookup(BigIntegerField, Abs):
        found = boards.view.exclude(**{f"{boards.rank}__abs": 1})
        boards.check(found, boards.pks(lambda r: r.rank != 1))


def test_a_negated_lookup_expression_is_unknown_where_unranked(boards: Boards) -> None:
    found = boards.view.exclude(Exact(F(boards.rank), 1))
    boards.check(found, boards.pks(lambda r: r.rank is not None and r.rank != 1))


def test_aggregates_of_what_is_not_of_a_rank(boards: Boards) -> None:
    others = ~boards.q(rank=1)
    found = boards.view.aggregate(
        counted=Count("pk", filter=others), summed=Sum(Case(When(others, then=1), default=0))
    )
    expected = len(boards.pks(lambda r: r.rank != 1))
    assert found == {"counted": expected, "summed": expected}


class NotDistinct(Exact):
    """A lookup that is true where both sides are NULL."""

    lookup_name = "same"

    def get_rhs_op(self, connection: Any, rhs: str) -> str:
        return f"IS NOT DISTINCT FROM {rhs}"


def test_a_lookup_of_ones_own_may_be_true_of_the_unranked(boards: Boards) -> None:
    test = Test.objects.get(name="test 0")
    Attempt.objects.filter(label="low").update(big=None)
    Attempt.objects.filter(label="high").update(big=1)
    with register_lookup(Field, NotDistinct):
        found = boards.view.filter(test=test).filter(**{f"{boards.rank}__same": F("big")})
        expected = {True: 1, False: None}
        boards.check(
            found,
            boards.pks(
                lambda r: (
                    r.entry.test_id == test.pk
                    and r.rank == (None if r.entry.label is None else expected[r.entry.label == "high"])
                )
            ),
        )


@pytest.mark.parametrize("declared", [True, False])
def test_a_view_by_a_volatile_function_keeps_its_rows(declared: bool, data: None) -> None:
    class Chance(Func):
        function = "RANDOM"
        arity = 0

    chance = Chance if declared else partial(Func, function="random")
    board = Leaderboard(within=["label", "id"], order_by=["-score"])
    view = Attempt.objects.alias(z=chance(output_field=FloatField())).filter(z__lt=0.5)
    # Drawn twice, a row could be on no board that is shown.
    assert str(view.with_leaderboard(board).standings().query).upper().count("RANDOM()") == 1


def test_aggregates_beside_a_year(boards: Boards) -> None:
    view = boards.view.annotate(n=Count("comments")).filter(Q(n__gte=2) | Q(finished_at__year=2026))
    expected = boards.pks(
        lambda r: len(r.comments) >= 2 or (r.entry.finished_at and r.entry.finished_at.year == 2026)
    )
    boards.check(view, expected)
    assert view.count() == len(expected)
    assert sorted(view.values_list("pk", flat=True)) == expected
    assert sorted(Attempt.objects.filter(pk__in=view.values("pk")).values_list("pk", flat=True)) == expected
    assert sorted(entry.pk for entry in view.only("pk")) == expected


def test_a_union_that_refers_to_metrics(boards: Boards) -> None:
    scored = Attempt.objects.filter(score=OuterRef(boards.rank)).order_by().values("pk")
    sized = Test.objects.filter(cut_off=OuterRef(f"{boards.prefix}board_size")).order_by().values("pk")
    scores = set(Attempt.objects.values_list("score", flat=True))
    cut_offs = set(Test.objects.values_list("cut_off", flat=True))
    expected = boards.pks(
        lambda r: r.rank is not None and (r.rank in scores or r.standing.board_size in cut_offs)
    ) + boards.pks(lambda r: r.rank is None and r.standing.board_size in cut_offs)
    found = boards.view.filter(Exists(scored.union(sized)))
    boards.check(found, expected)
    assert sorted(found.values_list("pk", flat=True)) == sorted(expected)


def test_standings_on_the_right_of_a_queryset_without(boards: Boards) -> None:
    plain = Attempt._base_manager.filter(score__lt=50)
    ranked = boards.view.filter(boards.q(rank=1))
    for combined in (plain | ranked, plain & ranked):
        with pytest.raises(NotSupportedError, match="on the left"):
            list(combined)
    boards.check(
        ranked | plain,
        boards.pks(lambda r: r.rank == 1 or (r.entry.score is not None and r.entry.score < 50)),
    )


def test_locked_rows_are_not_combined_with_standings(boards: Boards) -> None:
    locked = Attempt.objects.select_for_update()
    with pytest.raises(NotSupportedError, match="primary key"):
        locked | boards.view
    with pytest.raises(NotSupportedError, match="primary key"):
        locked & boards.view


def test_raw_sql_may_name_a_metric(boards: Boards) -> None:
    first = RawSQL(f"testapp_attempt.{boards.rank} <= %s", [2], output_field=BooleanField())
    found = boards.view.filter(first)
    expected = boards.pks(lambda r: r.rank is not None and r.rank <= 2)
    boards.check(found, expected)
    assert found.count() == len(expected)
    assert sorted(found.values_list("pk", flat=True)) == expected
    twice = f"testapp_attempt.{boards.rank} * 2"
    ranks = Counter(row.rank and row.rank * 2 for row in boards.rows)
    assert Counter(boards.view.annotate(z=RawSQL(twice, [])).values_list("z", flat=True)) == ranks
    assert Counter(boards.view.extra(select={"z": twice}).values_list("z", flat=True)) == ranks


def test_a_random_sample_keeps_its_rows(boards: Boards) -> None:
    for _ in range(10):
        sample = Attempt.objects.order_by("?")[:2]
        found = boards.add(Attempt.objects.filter(pk__in=sample.values("pk")))
        assert len(found) == 2
        boards.check_standings(found)


def test_raw_sql_may_name_the_table(boards: Boards) -> None:
    found = boards.add(Attempt.objects.extra(where=["testapp_attempt.score > %s"], params=[50]))
    boards.check(found, boards.pks(lambda r: r.entry.score is not None and r.entry.score > 50))


@pytest.mark.parametrize(
    "order",
    [
        lambda b: Case(When(b.q(rank__lte=3), then=Value(0)), default=Value(1)),
        lambda b: Exists(Test.objects.filter(cut_off=OuterRef(b.rank))),
        lambda b: F(b.rank) * 2,
    ],
    ids=["condition", "subquery", "arithmetic"],
)
def test_a_metric_may_be_used_in_the_order_only(order: Any, boards: Boards) -> None:
    found = boards.view.order_by(order(boards), "pk").values_list("pk", flat=True)
    assert sorted(found) == boards.pks()
    assert len(Attempt.objects.filter(pk__in=found[:5])) == 5


def test_a_prefix_with_two_underscores(data: None) -> None:
    found = Attempt.objects.board("overall").standings("my__").order_by("my__rank", "pk")
    assert found.values_list("pk", flat=True).count() == Attempt.objects.count()
    assert found[0].my__rank == 1


def test_descending_expressions_of_a_metric_put_the_unranked_last(boards: Boards) -> None:
    found = list(boards.view.annotate(twice=F(boards.rank) * 2).order_by("-twice", "pk"))
    assert found[0].twice is not None
    assert found[-1].twice is None


def test_a_relation_filtered_by_a_metric(boards: Boards) -> None:
    condition = Q(comments__text="a") & boards.q(rank__lte=2)
    view = boards.view.annotate(a=FilteredRelation("comments", condition=condition)).filter(a__isnull=False)
    expected = boards.pks(lambda r: (r.rank is not None and r.rank <= 2) * r.comments.count("a"))
    assert sorted(view.values_list("pk", flat=True)) == expected


def test_a_union_with_nothing(boards: Boards) -> None:
    found = boards.view.union(boards.view.none()).order_by(boards.rank, "id")[:3]
    assert [row.pk for row in found] == [row.pk for row in boards.view.order_by(boards.rank, "pk")[:3]]


def test_expressions_of_the_qualification(boards: Boards) -> None:
    for row in boards.view.annotate(lower=Lower(boards.qualification)):
        assert row.lower == getattr(row, boards.qualification)


def test_update_and_delete_need_rows_that_are_told_apart(boards: Boards) -> None:
    view = boards.view.order_by("test", "-pk").distinct("test")
    with pytest.raises(TypeError, match="distinct"):
        view.delete()
    with pytest.raises(TypeError, match="distinct"):
        view.update(label="x")
    with pytest.raises(TypeError, match="values"):
        boards.view.values("pk").delete()
    with pytest.raises(NotSupportedError, match="distinct"):
        boards.view.on_board(test=Test.objects.get(name="test 0")).distinct("candidate").top(3)
    assert Attempt.objects.count() == len(boards.rows)


def test_the_population_of_a_distinct_view(boards: Boards) -> None:
    view = Attempt.objects.board(boards.name).order_by("test", "-pk").distinct("test")
    pks = set(view.values_list("pk", flat=True))
    expected = reference_standings(Attempt.objects.board(boards.name), population=pks)
    found = {row.pk: row.rank for row in view.as_population().standings()}
    assert found == {pk: expected[pk].rank for pk in pks}
    discussed = Attempt.objects.board(boards.name).alias(n=Count("comments")).filter(n__gte=2)
    assert_matches_reference(discussed.as_population())


def test_the_standing_of_a_deleted_instance(boards: Boards) -> None:
    entry = boards.ranked()[0].entry
    entry.delete()
    with pytest.raises(Attempt.DoesNotExist):
        boards.view.get_standing(entry)


def test_neighbours_of_a_member(data: None) -> None:
    boards = Boards({"": "members"})
    test = Test.objects.get(name="test 0")
    view = boards.view.on_board(test=test)
    for row in boards.ranked(lambda r: r.entry.test_id == test.pk):
        found = view.around(member=row.entry.candidate_id, before=1, after=1)
        assert list(found) == list(view.around(row.entry, before=1, after=1))
    with pytest.raises(Attempt.DoesNotExist, match="is ranked, on the board and in the view"):
        view.around(member=Candidate.objects.create(name="nobody"))
    with pytest.raises(TypeError, match="either an entry or member="):
        view.around()
    with pytest.raises(ValueError, match="declares no member"):
        Attempt.objects.board("overall").on_board(test=test).around(member=1)


def test_the_rank_is_there_beside_other_metrics(data: None) -> None:
    test = Test.objects.get(name="test 0")
    board = Attempt.objects.board("overall").on_board(test=test)
    assert board.with_percentile().top(1)[0].rank == 1
    assert board.with_rank("dense").top(4)[3].rank == 2


def test_the_longest_time_comes_before_no_time(boards: Boards) -> None:
    found = boards.view.order_by(f"-{boards.prefix}time_taken", "pk")
    assert getattr(found[0], f"{boards.prefix}time_taken") is not None


def test_locked_rows_have_no_neighbours(boards: Boards) -> None:
    entry = boards.ranked()[0].entry
    with pytest.raises(NotSupportedError, match="primary key"):
        Attempt.objects.select_for_update().on_board(test=entry.test).around(entry)


def test_candidates_by_the_qualification_of_their_best(boards: Boards) -> None:
    best = boards.view.filter(candidate=OuterRef("pk")).order_by(boards.rank).values(boards.qualification)[:1]
    for candidate in Candidate.objects.annotate(best=Subquery(best)):
        own = [row for row in boards.rows if row.entry.candidate_id == candidate.pk]
        own.sort(key=lambda row: (row.rank is None, row.rank or 0))
        assert candidate.best in {row.standing.qualification for row in own if row.rank == own[0].rank}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda q: q.board(Leaderboard(order_by=["-score"])), TypeError, "for others use with_leaderboard"),
        (lambda q: q.on_board(test="abc"), ValueError, r"on_board\(test='abc'\): .*expected a number"),
        (lambda q: q.on_board(test=Candidate(pk=1)), ValueError, r"on_board\(test=<Candidate"),
        (lambda q: q.on_board(test=[1]), ValueError, r"on_board\(test=\[1\]\): "),
        (lambda q: q.standings(5), TypeError, "prefix=5 must be a text"),
        (lambda q: q.with_time_taken(prefix=None), TypeError, "prefix=None must be a text"),
        (lambda q: q.get_standing(member=None), TypeError, "that one must not be None"),
        (lambda q: q.board("members").get_standing(member=F("candidate")), TypeError, "must be a value"),
        (lambda q: q.board("members").get_standing(member="abc"), ValueError, "member='abc': .*a number"),
        (lambda q: q.board("everything").around(member=1), ValueError, "declares no member"),
        (lambda q: q.board("everything").around(before="3"), TypeError, "before='3' must be a whole number"),
        (lambda q: q.board("everything").around(after=-1), ValueError, "after=-1 must be at least 0"),
        (lambda q: q.board("everything").top(True), TypeError, "n=True must be a whole number"),
        (
            lambda q: q.annotate(time_taken=TimeTaken("started_at", "finished_at")).standings(),
            ValueError,
            "'time_taken' conflicts with an annotation of this queryset",
        ),
        (
            lambda q: q.annotate(rank=F("score")).standings(),
            ValueError,
            "'rank' conflicts with an annotation",
        ),
        (
            lambda q: q.annotate(time_taken=F("started_at")).with_time_taken(),
            ValueError,
            "'time_taken' conflicts with an annotation of this queryset",
        ),
    ],
)
def test_arguments_that_are_refused(call: Any, error: Any, message: str, data: None) -> None:
    with pytest.raises(error, match=message):
        call(Attempt.objects.all())


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Chicago"])
def test_a_month_may_be_a_text(zone: str, data: None) -> None:
    Attempt.objects.update(finished_at=datetime(2026, 1, 15, tzinfo=UTC))
    board = Leaderboard(within={"month": TruncMonth("finished_at")}, order_by=["-score"])
    queryset = Attempt.objects.with_leaderboard(board)
    with timezone.override(zone):
        first = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone))
        months: list[Any] = [first, first.date(), "2026-01-01", "2026-01-01 00:00", first.isoformat()]
        for month in months:
            assert queryset.on_board(month=month).count() == Attempt.objects.count() > 0
        assert queryset.on_board(month="2026-01-02").count() == 0
        for month, message in (("soon", "invalid format"), (1, "neither a time nor a date")):
            with pytest.raises(ValueError, match=rf"on_board\(month={month!r}\): .*{message}"):
                queryset.on_board(month=month)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Chicago"])
def test_a_date_among_times_is_the_first_moment_of_the_day(zone: str, data: None, settings: Any) -> None:
    settings.TIME_ZONE = zone
    begins = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone))
    attempts = list(Attempt.objects.all()[:3])
    for attempt, seconds in zip(attempts, (-1, 0, 1), strict=True):
        attempt.started_at = begins + timedelta(seconds=seconds)
        attempt.save()
    for rule, lookup in ((AtLeast, "gte"), (AtMost, "lte")):
        board = Leaderboard(order_by=["pk"], cut_off=rule("started_at", begins.date()))
        view = Attempt.objects.filter(pk__in=[attempt.pk for attempt in attempts])
        qualified = view.with_leaderboard(board).with_qualification().filter(qualification="qualified")
        # Django warns of a date where it takes a time, and then takes it for the same moment.
        expected = view.filter(**{f"started_at__{lookup}": begins})
        assert set(qualified) == set(expected)
        assert len(qualified) == 2


def test_a_day_that_is_none(data: None) -> None:
    board = Leaderboard(within={"day": TruncDate("finished_at")}, order_by=["-score"])
    with pytest.raises(ValueError, match=r"on_board\(day='soon'\): .*invalid date format"):
        Attempt.objects.with_leaderboard(board).on_board(day="soon")


def test_a_declared_board_that_was_never_checked_multiplies_no_rows(data: None) -> None:
    board = Leaderboard(order_by=["-comments__text"])
    with (
        mock.patch.dict(Attempt.objects.boards, {"many": board}),
        pytest.raises(FieldError, match="refers to the relation 'comments', of which an entry may have many"),
    ):
        len(Attempt.objects.board("many").standings())


def test_a_metric_replaces_another_of_its_name(data: None) -> None:
    queryset = Attempt.objects.standings().board("members").standings()
    assert list(queryset.values("pk", "rank", "time_taken")) == list(
        Attempt.objects.board("members").standings().values("pk", "rank", "time_taken")
    )


@pytest.mark.parametrize("n", [2**63 - 1, 2**63, 2**70])
def test_more_rows_than_there_can_be(n: int, data: None) -> None:
    board = Attempt.objects.on_board(test=Test.objects.get(name="test 0"))
    whole = list(board.top(100))
    assert len(whole) > 1
    assert list(board.top(n)) == list(board.top(n, ties=True)) == whole
    assert list(board.around(whole[1], before=n, after=n)) == whole


def test_a_board_is_chosen_within_the_population(data: None) -> None:
    view = Attempt.objects.filter(score__gte=60)
    keys = set(view.values_list("pk", flat=True))
    chosen = view.as_population().board("members")
    before = view.board("members").as_population()
    assert 0 < len(keys) < Attempt.objects.count()
    assert list(chosen.standings().values("pk", "rank", "board_size")) == list(
        before.standings().values("pk", "rank", "board_size")
    )
    expected = reference_standings(Attempt.objects.board("members"), population=keys)
    assert {entry.pk: entry.rank for entry in chosen.with_rank()} == {key: expected[key].rank for key in keys}


def test_a_member_without_entries(data: None) -> None:
    board = Attempt.objects.board("members").on_board(test=Test.objects.get(name="test 0"))
    with pytest.raises(Attempt.DoesNotExist, match=r"No Attempt of member=0 is stored and on the board\."):
        board.get_standing(member=0)


def test_top_without_an_index_reads_the_board_once(data: None) -> None:
    test = Test.objects.get(name="test 0")
    indexed = Attempt.objects.board("members").on_board(test=test).top(3)
    assert str(indexed.query).count("FROM") == 4
    assert "ROW_NUMBER()" not in str(indexed.query)
    for path in ("candidate__name", "label"):
        board = Leaderboard(within=["test"], member=path, order_by=["-score"])
        top = Attempt.objects.with_leaderboard(board).on_board(test=test).top(3)
        assert "ROW_NUMBER()" in str(top.query)
        assert "LIMIT 1)" not in str(top.query)


@pytest.mark.parametrize("compare", [assert_matches_reference, reference_standings])
def test_what_is_compared_is_a_queryset_of_rows(compare: Any, data: None) -> None:
    for queryset in (Attempt, Attempt.objects, Test.objects.all(), Attempt.objects.values("pk")):
        with pytest.raises(TypeError, match=r"queryset=.* must be a queryset of a LeaderboardManager"):
            compare(queryset)


def test_a_population_is_of_primary_keys(data: None) -> None:
    with pytest.raises(TypeError, match="give primary keys"):
        reference_standings(Attempt.objects.all(), population=Attempt.objects.all())

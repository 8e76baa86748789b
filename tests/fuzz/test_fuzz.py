"""Random programs on every model, that they are about everything, and that they would find what is wrong."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any
from unittest import mock

import pytest
from django.db.models import F, Max
from hypothesis import given
from hypothesis.extra.django import TestCase

from tests.fuzz.mirror import KINDS, make_groups
from tests.fuzz.models import COMPOSITE_KEYS
from tests.fuzz.programs import Program, drawn
from tests.fuzz.querysets import MirrorQuery
from tests.fuzz.running import Fault, Refused, programs_for, rolled_back, run, some_programs

# In all, by the profile that conftest.py loads.
PROGRAMS = {"default": 200, "thorough": 20_000, "matrix": 80, "mutations": 80}
MODELS = 4 + COMPOSITE_KEYS
SOME = some_programs(PROGRAMS[os.environ.get("HYPOTHESIS_PROFILE", "default")] // MODELS)


class ProgramTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        make_groups()

    @SOME
    @given(program=programs_for(KINDS["Plain"]))
    def test_plain(self, program: Program) -> None:
        run(KINDS["Plain"], program)

    @SOME
    @given(program=programs_for(KINDS["InSchema"]))
    def test_table_in_a_schema(self, program: Program) -> None:
        run(KINDS["InSchema"], program)

    @SOME
    @given(program=programs_for(KINDS["TextKey"]))
    def test_text_as_primary_key(self, program: Program) -> None:
        run(KINDS["TextKey"], program)

    @SOME
    @given(program=programs_for(KINDS["Inheriting"]))
    def test_inherited_table(self, program: Program) -> None:
        run(KINDS["Inheriting"], program)

    @pytest.mark.skipif(not COMPOSITE_KEYS, reason="the checks refuse composite primary keys")
    @SOME
    @given(program=programs_for(KINDS["Composite"]))
    def test_composite_primary_key(self, program: Program) -> None:
        run(KINDS["Composite"], program)


def raised(metric: str) -> Callable[[Any], object]:
    return lambda mirror: mirror.objects.filter(**{f"{metric}__isnull": False}).update(
        **{metric: F(metric) + 1}
    )


WRONGS: dict[str, Callable[[Any], object]] = {
    "ranks are one too high": raised("rank"),
    "sizes are one too high": raised("board_size"),
    "percentiles are one too high": raised("percentile"),
    "who is not ranked is last": lambda mirror: mirror.objects.filter(rank=None).update(rank=99),
    "the last of the table is not ranked": lambda mirror: mirror.objects.filter(
        pk=mirror.objects.aggregate(key=Max("pk"))["key"]
    ).update(rank=None, place=None),
    "who is pending is excluded": lambda mirror: mirror.objects.filter(qualification="pending").update(
        qualification="excluded"
    ),
    "nobody has taken any time": lambda mirror: mirror.objects.update(time_taken=None),
    "a row is missing": lambda mirror: mirror.objects.filter(
        pk__in=mirror.objects.order_by("pk")[:1]
    ).delete(),
}


@pytest.mark.once
@pytest.mark.django_db
@pytest.mark.parametrize("wrong", WRONGS)
def test_a_wrong_mirror_is_found(wrong: str) -> None:
    make_groups()
    drawn_programs = (drawn(Random(number)) for number in range(150))
    # One that finds something in the mirror as it should be would prove nothing.
    assert any(
        _is_right(program) and not _is_right(program, spoil=WRONGS[wrong]) for program in drawn_programs
    )


@pytest.mark.once
@pytest.mark.django_db
def test_a_wrong_order_is_found() -> None:
    make_groups()
    as_in_postgres = mock.patch.object(MirrorQuery, "_with_nulls_last", lambda self, term: term)
    for number in range(150):
        program = drawn(Random(number))
        if _is_right(program):
            with as_in_postgres:
                if not _is_right(program):
                    return
    pytest.fail("No program tells where the NULLs are sorted.")


def _is_right(program: Program, *, spoil: Callable[[Any], object] | None = None) -> bool:
    try:
        with rolled_back():
            run(KINDS["Plain"], program, spoil=spoil)
    except Fault:
        return False
    return True


@pytest.mark.once
@pytest.mark.django_db
def test_programs_show_something() -> None:
    make_groups()
    seen: Counter[str] = Counter()
    for number in range(100):
        with rolled_back():
            try:
                result = run(KINDS["Plain"], drawn(Random(number)))
            except Fault as fault:
                result = fault.expected
            seen["refused"] += isinstance(result, Refused)
            seen["empty"] += not result
            rows = list(KINDS["Plain"].mirror.model.objects.values_list("rank", "qualification", "grp"))
        ranks = [(rank, group) for rank, _, group in rows if rank is not None]
        seen["tie"] += len(ranks) > len({*ranks})
        seen["unranked"] += any(rank is None for rank, _, _ in rows)
        seen.update({status for _, status, _ in rows})
    assert seen["refused"] <= 5
    assert seen["empty"] <= 40
    floors = {"tie": 20, "unranked": 50, "excluded": 25, "pending": 15, "superseded": 12, "qualified": 30}
    assert not {name: seen[name] for name, floor in floors.items() if seen[name] < floor}


# Of 3000 programs.
FLOORS = {
    **dict.fromkeys(["filter", "exclude", "annotate", "combine", "order_by", "order_by a metric"], 200),
    **dict.fromkeys(["aggregate", "group", "group in order", "pages", "slice", "top", "values", "rows"], 60),
    **dict.fromkeys(["annotate a condition", "distinct", "distinct values", "explain", "union"], 60),
    **dict.fromkeys(["in a query of groups", "in a query of notes", "count", "first and last"], 40),
    **dict.fromkeys(["annotate a metric", "annotate an aggregate", "alias", "window", "reverse"], 30),
    **dict.fromkeys(["FilteredRelation", "select_related", "prefetch_related", "only", "all"], 30),
    **dict.fromkeys(["pickle the query", "pickle the rows", "iterator", "contains", "in_bulk", "get"], 10),
    **dict.fromkeys(["update", "delete", "get_standing", "prefetch", "values of many", "pk in"], 20),
    **dict.fromkeys(["top of each board"], 60),
    **dict.fromkeys(["distinct on", "union in order", "combine with entries", "aggregate of groups"], 10),
    **dict.fromkeys(["pk in a slice", "pk in top", "top of each group"], 10),
    **dict.fromkeys(["pk in ranked", "ranked of each group"], 10),
    **dict.fromkeys(["ranked", "around", "page"], 60),
}
# What occurs in the text of S or of the program, and in how many of 3000.
WORDS = {
    r'\.on_board\(grp=G\["a"\]': 50,
    r"\.as_population\(\)\.(standings|with_\w+)\(": 50,
    r'G\["a"\]\.ENTRIES': 50,
    r'\.standings\("o_"\)': 200,
    r'"fractional"': 50,
    r'with_rank\("dense"\)\.standings': 50,
    r"[( ]~\(": 50,
    r"\) \^ ": 20,
    r"__(in|range|isnull)=": 200,
    r'rank__\w+=F\("': 30,
    r'=F\("rank"\)': 30,
    r"grp__name=": 50,
    r"notes__points": 100,
    r"grp__ENTRIES__": 30,
    r'filter=~?Exists\(S\.filter\([^()]*OuterRef\("\w*rank"\)': 3,
    r'filter=Q\(': 30,
    r'OuterRef\("pk"\)': 100,
    r"Case\(When\(": 50,
    r"Coalesce\(": 50,
    r"Subquery\(S": 50,
    r"Subquery\(N": 10,
    r"Exists\(P": 10,
    r"Avg\(": 20,
    r"nulls_first=True": 10,
    r'\(F\("\w+"\) \+ \d\)\.desc\(\)': 20,
    r"ties=True": 20,
    r"\.ranked\(\)\.filter": 20,
    r"\.ranked\(\).*\.(count|exists)\(": 20,
    r"\.ranked\(\)(\.filter\(.*\))?(\.reverse\(\))?\[": 20,
    r"\.ranked\(\)\.reverse": 20,
    r"\.around\(": 60,
    r"\.page\(.*(after|before|at_rank)=": 40,
    r"\.around\(.*\)\.reverse": 10,
    r"analyze=True": 10,
    r'format="json"': 10,
    r"explained\(.*as_population": 10,
    r" \| R": 50,
    r" & R": 20,
    r"\.intersection\(": 5,
    r"\.difference\(": 5,
    r"time_taken__": 50,
}  # fmt: skip


def test_every_operation_occurs() -> None:
    drawn_programs = [drawn(Random(number)) for number in range(3000)]
    operations = Counter(name for program in drawn_programs for name in {*program.operations})
    assert operations.keys() == FLOORS.keys()
    assert not {name: operations[name] for name, floor in FLOORS.items() if operations[name] < floor}
    texts = [f"{program.base}\n{program.text}" for program in drawn_programs]
    words = {word: sum(bool(re.search(word, text)) for text in texts) for word in WORDS}
    assert not {word: number for word, number in words.items() if number < WORDS[word]}

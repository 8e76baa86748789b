"""Running a program on both sides, and comparing what comes out."""

from __future__ import annotations

import datetime
import pickle
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import django
import hypothesis
from django.core.exceptions import MultipleObjectsReturned, ObjectDoesNotExist
from django.db import models, transaction
from django.db.models import Model, Prefetch, QuerySet
from django.db.models import functions as functions_of_models
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from leaderboard import Standing
from tests.fuzz.mirror import Kind, Side, fill, key, key_fields, store
from tests.fuzz.models import Group
from tests.fuzz.programs import Program, programs

__all__ = ["Fault", "Refused", "faults", "programs_for", "rolled_back", "run", "some_programs"]

# Whatever the number of rows, no walk over pages takes longer.
MOST_PAGES = 60
MOST_ROUNDS = 20
NAMED = re.compile(r"""[0-9]+|(["']).*?\1""")
PLACES = re.compile(r"\.(ranked|top|top_of_each|around|page)\(")
STORED = ("score", "made", "grp_id", "who", "laps", "flagged")
STANDING = ("rank", "board_size", "percentile", "qualification", "time_taken")


class Fault(AssertionError):
    """What the library does is not what plain Django does; there is a subclass for each way to fail."""

    way = ""

    def __init__(self, kind: Kind, program: Program, found: Any, expected: Any) -> None:
        super().__init__(kind, program, found, expected)
        self.program, self.found, self.expected = program, found, expected
        self.model = kind.name

    def __str__(self) -> str:
        return f"on {self.model}\n{self.program!r}\n-> {self.found}\nplain Django: {self.expected}"


@dataclass(frozen=True)
class Refused:
    """The error that a program ended with."""

    error: Exception

    def __str__(self) -> str:
        return f"{type(self.error).__name__}: {self.error}"

    @property
    def kind(self) -> str:
        """The error without names and numbers, by which one fault is told from another."""
        line = str(self.error).split("\n")[0]
        return f"{type(self.error).__name__}: {NAMED.sub('…', line)}"


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def run(kind: Kind, program: Program, *, spoil: Callable[[Any], object] | None = None) -> Any:
    """Run a program on both sides, and return its result; raise ``Fault`` where they differ.

    Returns ``Refused`` where plain Django refuses it too. ``spoil`` is called with the mirror's model when
    its rows are stored.
    """
    groups = {group.name: group for group in Group.objects.all()}
    store(kind, program.rows, groups)
    mirror = _names(kind.mirror, groups, program)
    needs = mirror["S"].needs
    shown = {name: need for name, need in needs.items() if need.is_shown}
    # Of what is not shown, places alone depend.
    fill(kind, program.rows, groups, needs if PLACES.search(program.text) else shown)
    if spoil is not None:
        spoil(kind.mirror.model)
    metrics = sorted(shown)
    expected = _outcome(kind.mirror, mirror, program, metrics)
    if isinstance(expected, Refused):
        return expected
    found = _outcome(kind.boards, _names(kind.boards, groups, program), program, metrics)
    if isinstance(found, Refused):
        way = found.kind
    elif _same(found, expected, program.is_ordered):
        return expected
    else:
        way = f"{program.operations[-1]}{' in order' if _same(found, expected, False) else ''}"
    raise _fault(way)(kind, program, found, expected)


def _outcome(side: Side, names: Mapping[str, Any], program: Program, metrics: Sequence[str]) -> Any:
    """Return the result in a form that is the same on both sides, or the error."""
    source = _of_side(program.text, side)
    # A queryset without standings.
    normal = Normal(() if source.startswith("M.") else metrics)
    try:
        with transaction.atomic():
            return normal(eval(source, dict(names)))
    except (ObjectDoesNotExist, MultipleObjectsReturned) as error:
        return type(error).__name__
    except Exception as error:
        return Refused(error)


def _of_side(text: str, side: Side) -> str:
    own = 'entry=OuterRef("pk")'
    if len(fields := key_fields(side.model, 0)) > 1:
        own = ", ".join(f'{name}=OuterRef("{name}")' for name in fields)
    return text.replace("ENTRIES", side.entries).replace("OWN", own)


def _names(side: Side, groups: Mapping[str, Group], program: Program) -> dict[str, Any]:
    """Return what the names in a program stand for."""
    helpers = Helpers(side)
    names: dict[str, Any] = {
        **vars(functions_of_models),
        **vars(models),
        "timedelta": datetime.timedelta,
        "M": side.model.objects.all(),
        "N": side.notes._base_manager.all(),
        "P": Group.objects.all(),
        "G": groups,
        **{name: getattr(helpers, name) for name in dir(helpers) if not name.startswith("_")},
    }
    names["S"] = eval(_of_side(program.base, side), names)
    # Two querysets whose population is a view are one only if they are one object.
    names["R"] = names["S"] if program.other == program.base else eval(_of_side(program.other, side), names)
    return names


class Normal:
    """Makes of a result what can be compared: rows become tuples, querysets lists, and floats are rounded."""

    def __init__(self, metrics: Sequence[str]) -> None:
        self.metrics = metrics

    def __call__(self, value: Any) -> Any:
        match value:
            case Model():
                return self._row(value)
            case QuerySet() | list():
                return [self(item) for item in value]
            case tuple():
                return tuple(self(item) for item in value)
            case dict():
                return {key: self(item) for key, item in value.items()}
            case Standing():
                return self(tuple(getattr(value, name) for name in STANDING))
            case str():
                return str(value)
            case float() | Decimal():
                return float(f"{value:.9g}")
        return value

    def _row(self, row: Any) -> Any:
        names = [*STORED, *self.metrics, *sorted(name for name in vars(row) if re.fullmatch(r"a\d", name))]
        return (row.pk, *(self(getattr(row, name)) for name in names))


class Helpers:
    """The functions that a program may call."""

    def __init__(self, side: Side) -> None:
        self._side = side

    def key(self, position: int) -> Any:
        return key(self._side.model, position)

    def entry(self, position: int) -> Any:
        return self._side.model._base_manager.get(pk=self.key(position))

    @staticmethod
    def pages(queryset: Any, size: int) -> list[list[Any]]:
        pages = []
        for start in range(0, MOST_PAGES, size):
            page = list(queryset[start : start + size])
            if not page:
                break
            pages.append(page)
        return pages

    def placed(self, queryset: Any, position: int) -> Any:
        """Return the primary key of a row among those shown, or of any where none is."""
        keys = [entry.pk for entry in queryset]
        return keys[position % len(keys)] if keys else self.key(position)

    def placed_entry(self, queryset: Any, position: int) -> Any:
        return self._side.model._base_manager.get(pk=self.placed(queryset, position))

    @staticmethod
    def explained(queryset: Any, **options: Any) -> bool:
        return bool(queryset.explain(**options))

    @staticmethod
    def pickled(queryset: Any) -> Any:
        return pickle.loads(pickle.dumps(queryset))

    @staticmethod
    def requeried(queryset: Any) -> Any:
        clone = queryset.all()
        clone.query = pickle.loads(pickle.dumps(queryset.query))
        return clone

    def updated(self, queryset: Any, **values: Any) -> Any:
        number = queryset.update(**values)
        return number, self._stored("pk", *values)

    def deleted(self, queryset: Any) -> Any:
        number, by_model = queryset.delete()
        return number, sorted(by_model.values()), self._stored("pk")

    def _stored(self, *names: str) -> list[Any]:
        return sorted(QuerySet(self._side.model).values_list(*names), key=repr)

    @staticmethod
    def standings_of(queryset: Any) -> list[Any]:
        return [(entry.pk, queryset.get_standing(entry)) for entry in queryset]

    def prefetched(self, queryset: Any) -> list[Any]:
        prefetch = Prefetch(self._side.entries, queryset, to_attr="found")
        return [
            (group.name, sorted((entry.pk, entry.rank) for entry in group.found))
            for group in Group.objects.prefetch_related(prefetch)
        ]

    @staticmethod
    def noted(queryset: Any) -> list[Any]:
        return [(entry, sorted(note.points for note in entry.notes.all())) for entry in queryset]

    @staticmethod
    def grouped(queryset: Any) -> list[Any]:
        return [(entry, None if entry.grp is None else entry.grp.name) for entry in queryset]


def _same(found: Any, expected: Any, is_ordered: bool) -> bool:
    if isinstance(found, list) and isinstance(expected, list) and not is_ordered:
        return Counter(map(repr, found)) == Counter(map(repr, expected))
    return bool(found == expected)


@cache
def _fault(way: str) -> type[Fault]:
    # Hypothesis takes errors of one type, raised in one line, for one fault.
    return type("Fault", (Fault,), {"way": way})


def some_programs(number: int, **options: Any) -> settings:
    """Return the settings of Hypothesis for so many programs."""
    # To explain a failure, it would trace each line that runs.
    phases = [phase for phase in settings().phases if phase is not Phase.explain]
    return settings(max_examples=number, deadline=None, phases=phases, **options)


# With composite primary keys, Django 6.1 takes each annotation that values() selects for such a key, also one
# of plain Django: test_tables.py has it. The mirror's metrics are columns.
MISCOUNTED = re.compile(r"(rank|board_size)__in=S\.")
# Every Django counts a composite key among what is selected as one column, and cuts off distinct rows what
# their order adds, and more: distinct().order_by("score").values_list("pk") gives half of the key.
CUT = re.compile(r"distinct\(.*values(_list)?\(|values(_list)?\(.*distinct\(")


def programs_for(kind: Kind) -> st.SearchStrategy[Program]:
    """Return a strategy for programs that Django runs on a model."""
    if len(key_fields(kind.mirror.model, 0)) < 2:
        return programs()
    left_out = [CUT, MISCOUNTED] if django.VERSION >= (6, 1) else [CUT]
    return programs().filter(lambda program: not any(way.search(program.text) for way in left_out))


def faults(kind: Kind, number: int, *, seed: int) -> tuple[list[Fault], int]:
    """Run programs until so many find nothing new; return a fault for each way to fail, and how many ran."""
    found: dict[str, Fault] = {}
    ran = 0

    @hypothesis.seed(seed)
    @some_programs(number, database=None)
    @given(program=programs_for(kind))
    def examine(program: Program) -> None:
        nonlocal ran
        ran += 1
        try:
            with rolled_back():
                run(kind, program)
        except Fault as fault:
            if fault.way not in found:
                raise

    for _ in range(MOST_ROUNDS):
        try:
            examine()
        except Fault as fault:
            found[fault.way] = fault
        except BaseExceptionGroup as group:
            found.update((fault.way, fault) for fault in group.exceptions if isinstance(fault, Fault))
        else:
            break
    return list(found.values()), ran

"""Defects that are put into the functions of triggers are found by programs of writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from hypothesis.errors import Flaky

from tests.counters.operations import OPERATIONS, make
from tests.counters.opposed import oppose
from tests.counters.programs import assert_programs_are_exact, machine
from tests.counters.rows import assert_exact, sweep
from tests.counters.sessions import execute

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("committing")]

WRITES = ("save", "bulk_create", "update_values", "publish", "move", "delete", "merge", "copy_in")


class Defect(NamedTuple):
    """What stands in the function of a trigger, and what is put in its place."""

    function: str
    text: str
    broken: str
    writes: tuple[str, ...] = WRITES


DEFECTS = {
    "sign": Defect("counter_delete_post_comments", "SELECT -1 AS _sign", "SELECT 1 AS _sign"),
    "filter": Defect(
        "counter_update_post_comments", 'CASE WHEN ("is_public") THEN 1 ELSE 0 END', "1", ("publish", "save")
    ),
    "no TRUNCATE": Defect(
        "counter_truncate_post_comments", "BEGIN", "BEGIN RETURN NULL;", ("save", "truncate")
    ),
    "early return for an extreme": Defect(
        "counter_insert_post_mentions",
        "IF NOT _change_more THEN",
        "IF EXISTS (SELECT FROM counters_post p WHERE p.slug = _change_k "
        "AND p.heaviest_mention >= _change_1) THEN RETURN NULL; ELSIF NOT _change_more THEN",
        ("mention",),
    ),
    "an extreme looked up before its row is free": Defect(
        "counter_delete_post_mentions",
        "WITH signed AS MATERIALIZED",
        """UPDATE counters_post p SET heaviest_mention = m.heaviest FROM (
            SELECT o.slug, (SELECT max(n.weight) FROM counters_mention n WHERE n.slug = o.slug) AS heaviest
            FROM old_rows o GROUP BY o.slug
        ) m WHERE p.slug = m.slug;
        RETURN NULL;
        WITH signed AS MATERIALIZED""",
        ("mention",),
    ),
    "rows that move counted once": Defect(
        "counter_update_post_comments", "SELECT -1 AS _sign", "SELECT 0 AS _sign", ("move", "save")
    ),
    "no leaving": Defect(
        "counter_leave_post_comments",
        "BEGIN",
        "BEGIN RETURN NULL;",
        ("save", "delete_post_by_database", "insert_post"),
    ),
    "a changed key keeps its count": Defect(
        "counter_rekey_post_comments", "BEGIN", "BEGIN RETURN NEW;", ("save", "rekey_post")
    ),
    "a stale save is stored": Defect(
        "counter_keep_post", "BEGIN", "BEGIN RETURN NEW;", ("stale_save", "save")
    ),
    "a parent starts with what it is given": Defect(
        "counter_start_post", "BEGIN", "BEGIN RETURN NEW;", ("insert_post", "delete_post")
    ),
    "a merge adds what it leaves": Defect(
        "journal_post_votes_cast_settle",
        'DELETE FROM "counters_post_votes_cast_journal" j WHERE j.ctid = ANY',
        "SELECT FROM counters_post_votes_cast_journal j WHERE j.ctid = ANY",
        ("vote",),
    ),
}


@contextmanager
def put_in(defect: Defect) -> Iterator[None]:
    ((intact,),) = execute(
        "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname ~ %s",
        [f"^[a-z]*_{defect.function}_[0-9a-f]+$"],
    )
    broken = intact.replace(defect.text, defect.broken)
    assert broken != intact
    execute(broken)
    try:
        yield
    finally:
        execute(intact)


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_found(name: str) -> None:
    defect = DEFECTS[name]
    assert OPERATIONS.keys() >= {*defect.writes}
    with machine(2) as opened, put_in(defect), pytest.raises((AssertionError, Flaky)):
        assert_programs_are_exact(opened, 200, defect.writes, is_hunt=True)


OPPOSED = 320


def test_opposed_transactions_do_not_deadlock() -> None:
    for kind in ("statement", "journal"):
        sweep()
        make()
        assert oppose(OPPOSED, kind) == {"committed": OPPOSED}
        assert_exact()


def test_locks_without_an_order_are_found() -> None:
    make()
    defect = Defect("counter_insert_post_comments", 'ORDER BY p."id" FOR', "ORDER BY random() FOR")
    with put_in(defect):
        assert oppose(OPPOSED, "statement")["deadlocks"] > 0
    assert_exact()

"""The SQL that installs triggers: migrations of users hold it, so a changed word is a new one for all.

``python -m pytest tests/counters/test_golden.py --write-golden`` writes the files anew; read what changed.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from leaderboard.counters.registry import registered

GOLDEN = Path(__file__).parent / "golden"
# Inline, in a journal, filtered, summed, extreme; a chain; an average; many to many; generic.
GROUPS = ["post_comments", "blog_posts", "post_reviews", "post_tags", "post_votes_cast"]


def installed(slug: str) -> str:
    """Return the SQL of all triggers that keep one group of counters."""
    (bodies,) = (
        bodies
        for registration in registered()
        for bodies in registration.bodies
        if bodies.group.slug == slug and registration.model._meta.app_label == "counters"
    )
    parts = []
    for model, trigger in bodies.triggers:
        sql = trigger.compile(model).sql
        given = {name: sql.kwargs.get(name, "") for name in ("when", "operation", "table", "condition")}
        parts.append(" ".join(["--", trigger.name, *filter(None, given.values())]))
        parts += [sql.kwargs.get("declare", ""), sql.kwargs["func"].strip(), ""]
    # What is around each of them, of a statement trigger and of one for rows.
    for number in (0, -1):
        model, trigger = bodies.triggers[number]
        parts.append(inspect.cleandoc(trigger.compile(model).install_sql))
    return "\n".join(parts) + "\n"


@pytest.mark.parametrize("slug", GROUPS)
def test_the_sql_of_triggers(slug: str, request: pytest.FixtureRequest) -> None:
    path = GOLDEN / f"{slug}.sql"
    if request.config.getoption("--write-golden"):
        path.write_text(installed(slug))
    assert installed(slug) == path.read_text()


def test_there_is_no_other_file() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(GROUPS)

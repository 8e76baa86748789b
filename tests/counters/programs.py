"""Programs of writes over several connections, interleaved between statements, and what is right then.

A statement that waits for a lock goes on when the one that it waits for has ended; meanwhile the others do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

from django.contrib.contenttypes.models import ContentType
from django.db import Error, connection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from leaderboard.counters import check, fold_journals, repair
from leaderboard.reference import Counter, counted
from leaderboard.testing import assert_no_drift
from tests.counters.models import Author, Blog, Comment, Mention, Post, Review, Site, Tag, Vote
from tests.counters.operations import OPERATIONS, UNRECORDED, make
from tests.counters.rows import ACTIONS, act_by_database, move_all, sweep
from tests.counters.sessions import REPEATABLE_READ, Session, execute, sessions, settled

__all__ = ["Step", "assert_programs_are_exact", "machine", "run"]

MODELS = (Site, Blog, Author, Tag, Post, Comment)
CONTROLS = [
    "commit",
    "commit",
    "rollback",
    "savepoint",
    "look",
    "commit",
    "back",
    "commit",
    "prepare",
    "release",
]
CONTROLS += ["commit", "rollback", "commit", "savepoint", "look", "commit", "back", "commit", "release"]
# Of PostgreSQL: a failed serialization, a deadlock, a violated constraint, a row that is named twice, rows
# of the same transaction in a TRUNCATE, which is also refused to an old snapshot.
EXPECTED = {"40001", "40P01", "23503", "23505", "21000", "55006", "0A000"}


class Step(NamedTuple):
    session: int
    name: str
    a: int
    b: int
    c: int


# There, the trigger of a MERGE that deletes a row and, by ON DELETE CASCADE, others of the same table sees
# the others only. It is not so on 15.18, 17.10 and 18.6; of 16, no other release was tried.
MERGE_LOSES_ROWS = 160002


def steps(count: int, names: Sequence[str]) -> st.SearchStrategy[list[Step]]:
    small = st.integers(0, 5)
    step = st.builds(Step, st.integers(0, count - 1), st.sampled_from(names), small, small, small)
    # Short lists are rare, as little happens in them.
    return st.sampled_from([8, 16, 16, 24, 24]).flatmap(lambda n: st.lists(step, min_size=n, max_size=n + 16))


@contextmanager
def machine(count: int) -> Iterator[list[Session]]:
    """Open sessions, on a database that itself acts on rows that refer to others."""
    sweep()
    for action in ACTIONS:
        act_by_database(*action)
    try:
        with sessions(count) as opened:
            yield opened
    finally:
        sweep()
        for table, column, _ in ACTIONS:
            act_by_database(table, column, "")


def assert_programs_are_exact(
    opened: list[Session], count: int, names: Sequence[str] = tuple(OPERATIONS), *, is_hunt: bool = False
) -> None:
    """Run programs at random; raise ``AssertionError`` where one leaves a counter that is wrong.

    A hunt is for a defect that is known to be there: it is always the same, and its find is not made smaller.
    """
    if connection.pg_version == MERGE_LOSES_ROWS:  # type: ignore[attr-defined]
        names = [name for name in names if name != "merge"]
    controls = CONTROLS[: max(1, len(names) // 2)]
    if not UNRECORDED.keys().isdisjoint(names):
        # What is dirty may be wrong, until it is repaired at the end.
        controls = [name for name in controls if name != "look"]
    given_steps = steps(len(opened), [*names, *controls])

    @settings(
        max_examples=count,
        phases=(Phase.generate,) if is_hunt else tuple(Phase),
        derandomize=is_hunt,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck) if is_hunt else settings().suppress_health_check,
    )
    @given(given_steps)
    def program(each: list[Step]) -> None:
        run(opened, each)

    program()


# A run


def run(opened: list[Session], program: Sequence[Step]) -> None:
    sweep()
    make()
    try:
        _interleave(opened, program)
    except BaseException:
        for session in opened:
            if not session.blockers() and session.depth:
                session.run(lambda session=session: session.abort(ZeroDivisionError()))  # type: ignore[misc]
        raise
    assert_right(mends=any(step.name in UNRECORDED for step in program))


def _interleave(opened: list[Session], program: Sequence[Step]) -> None:
    postponed: dict[Session, deque[Step]] = {session: deque() for session in opened}
    truncates = any(step.name == "truncate" for step in program)
    running: dict[Session, Any] = {}

    def advance() -> bool:
        """Start what can be started; tell whether something has been."""
        waiting = settled(*opened)
        started = False
        for session in opened:
            if session in waiting:
                continue
            if (future := running.pop(session, None)) is not None:
                future.result()
            if postponed[session]:
                step = postponed[session].popleft()
                running[session] = session.start(partial(_perform, session, step, truncates=truncates))
                started = True
                settled(*opened)
        return started

    for step in program:
        postponed[opened[step.session]].append(step)
        while advance():
            pass
    # Who waits for another goes on when that one has ended.
    while any(session.depth or running.get(session) or postponed[session] for session in opened):
        for session in opened:
            if session not in running and not postponed[session] and session.depth:
                postponed[session].append(Step(0, "commit", 1, 0, 0))
                break
        while advance():
            pass


def _perform(session: Session, step: Step, *, truncates: bool) -> None:
    try:
        if step.name in CONTROLS:
            _control(session, step.name, truncates=truncates)
            return
        if not session.depth:
            session.enter(REPEATABLE_READ if (step.a + step.b + step.c) % 3 == 0 else None)
        action = OPERATIONS.get(step.name) or UNRECORDED[step.name]
        action(step.a, step.b, step.c)
    except Error as error:
        session.abort(error)
        if getattr(error.__cause__, "sqlstate", getattr(error.__cause__, "pgcode", None)) not in EXPECTED:
            raise
    except BaseException as error:
        session.abort(error)
        raise


def _control(session: Session, name: str, *, truncates: bool) -> None:
    match name:
        case "commit" | "rollback":
            while session.depth:
                session.leave(rolls_back=name == "rollback")
        case "savepoint" if 0 < session.depth < 4:
            session.enter()
        case "release" | "back" if session.depth > 1:
            session.leave(rolls_back=name == "back")
        case "prepare" if session.depth:
            while session.depth > 1:
                session.leave()
            execute(f"PREPARE TRANSACTION 'program {session.pid}'")
            session.leave(rolls_back=True)
            execute(f"COMMIT PREPARED 'program {session.pid}'")
        case "look" if not (
            truncates and execute("SHOW transaction_isolation") == [(REPEATABLE_READ.lower(),)]
        ):
            # For a snapshot from before a TRUNCATE the table is empty, and what was counted of it is not.
            _look()


def _look() -> None:
    """In every snapshot, at any moment, columns and what waits for them add up."""
    for report in check(*MODELS):
        for drift in report.drifts:
            # What has come before its parent is looked up at the commit.
            if not any(name in drift.counter for name in ("last", "fewest", "heaviest", "rating")):
                raise AssertionError(f"in a transaction: {drift}")


# What is right


def assert_right(*, mends: bool) -> None:
    if mends:
        repair(only_dirty=True)
    for report in check(*MODELS):
        assert not report.drifts, report.drifts
        # A vote is not kept from coming by a key, so that it and its post may overlook each other.
        assert not report.left_over or report.counters == ["counters.Post.vote_count"], report
    _assert_matches_reference()
    fold_journals()
    assert_no_drift(*MODELS)
    for table in ("comments", "votes_cast"):
        waiting = f"FROM counters_post_{table}_journal j JOIN counters_post p ON p.id = j.key"
        assert not execute(f"SELECT {waiting} WHERE j.reason <> 0")
        assert not execute(f"SELECT {waiting} GROUP BY j.key HAVING count(*) > 1")
    move_all()
    for table, column in [("comments", "karma"), ("votes_cast", "vote_count")]:
        stored = execute(f"SELECT id, {column} FROM counters_post ORDER BY id")
        assert stored == list(Post.objects.order_by("id").values_list("id", column))
        waiting = f"SELECT FROM counters_post_{table}_journal j JOIN counters_post p ON p.id = j.key"
        assert not execute(waiting)
    assert_no_drift(*MODELS)


def _by(name: str) -> Callable[[Any], Any]:
    return lambda row: row[name]


def _assert_matches_reference() -> None:
    """Hold what is read to what plain Python counts of the rows."""
    comments = list(
        Comment.objects.values(
            "id", "post_id", "author_id", "parent_id", "is_public", "votes", "price", "written_at"
        )
    )
    posts, blogs = (
        list(Post.objects.values("id", "slug", "blog_id")),
        list(Blog.objects.values("id", "site_id")),
    )
    tags = list(Post.tags.through.objects.values("post_id", "tag_id"))
    content_type = ContentType.objects.get_for_model(Post).pk
    votes = [
        row
        for row in Vote.objects.values("object_id", "content_type_id")
        if row["content_type_id"] == content_type
    ]
    keys = [row["id"] for row in posts]
    of_post = _by("post_id")

    expected: dict[Any, dict[str, dict[Any, Any]]] = {Post: {}}
    for name, counter in {
        "comment_count": Counter(function="count", key=of_post, matches=_by("is_public")),
        "karma": Counter(function="sum", key=of_post, value=_by("votes")),
        "spent": Counter(
            function="sum", key=of_post, value=lambda row: None if row["price"] is None else row["price"] * 2
        ),
        "last_comment_at": Counter(function="max", key=of_post, value=_by("written_at")),
        "fewest_votes": Counter(
            function="min",
            key=of_post,
            value=_by("votes"),
            matches=lambda row: row["author_id"] is not None,
        ),
    }.items():
        expected[Post][name] = counted(counter, comments, keys)
    expected[Post]["tag_count"] = counted(Counter(function="count", key=of_post), tags, keys)
    expected[Post]["vote_count"] = counted(Counter(function="count", key=_by("object_id")), votes, keys)
    stars = list(Review.objects.values("post_id", "stars"))
    expected[Post]["rating"] = counted(Counter(function="avg", key=of_post, value=_by("stars")), stars, keys)
    mentions = list(Mention.objects.values("post_id", "weight"))
    slugs = {row["slug"]: row["id"] for row in posts if row["slug"] is not None}
    heaviest = Counter(function="max", key=lambda row: slugs.get(row["post_id"]), value=_by("weight"))
    expected[Post]["heaviest_mention"] = counted(heaviest, mentions, keys)

    # Chains, of what is expected of the rows below.
    counts = expected[Post]["comment_count"]
    on_posts = Counter(function="sum", key=_by("blog_id"), value=lambda row: counts[row["id"]])
    of_blogs = counted(on_posts, posts, [row["id"] for row in blogs])
    on_blogs = Counter(function="sum", key=_by("site_id"), value=lambda row: of_blogs[row["id"]])
    expected[Blog] = {"comment_count": of_blogs}
    expected[Site] = {"comment_count": counted(on_blogs, blogs, _keys(Site))}
    expected[Author] = {
        "comment_count": counted(Counter(function="count", key=_by("author_id")), comments, _keys(Author))
    }
    expected[Comment] = {
        "reply_count": counted(Counter(function="count", key=_by("parent_id")), comments, _keys(Comment))
    }
    expected[Tag] = {"post_count": counted(Counter(function="count", key=_by("tag_id")), tags, _keys(Tag))}
    for model, counters in expected.items():
        for name, by_key in counters.items():
            read = dict(model.objects.values_list("pk", name))
            wanted = {key: _as_read(value) for key, value in by_key.items()}
            assert read == wanted, f"{model.__name__}.{name} is {read}, not {wanted}"


def _keys(model: Any) -> list[Any]:
    return list(model.objects.values_list("pk", flat=True))


def _as_read(value: Any) -> Any:
    """Return an exact average with as many digits as PostgreSQL gives of it."""
    if not isinstance(value, Fraction):
        return value
    ((quotient,),) = execute("SELECT %s::numeric / %s", [value.numerator, value.denominator])
    return Decimal(quotient)

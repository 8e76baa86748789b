"""The counters that a call is about, by whatever they are named."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from django.db import router
from django.db.models import Field, Model

from leaderboard.counters.batches import Batches
from leaderboard.counters.bodies import Bodies
from leaderboard.counters.fields import CounterField
from leaderboard.counters.groups import CounterGroup
from leaderboard.counters.registry import registered

__all__ = ["Chosen", "chosen_batches"]

if TYPE_CHECKING:
    # A counter, all of a model, or either by name: "blog.Post.comment_count", "blog.Post".
    Chosen = Field[Any, Any] | type[Model] | str
else:
    Chosen = Field | type | str


def chosen_batches(chosen: Sequence[Chosen], using: str) -> list[Batches]:
    """Return the groups of some counters, or all; of a chain, the lower ones first.

    Those whose models are kept from the database by a router are left out. Raises ``ValueError`` where
    something chosen is no counter and has none, or is not there.
    """
    every = [bodies for registration in registered() for bodies in registration.bodies]
    names = {name for bodies in every for name in _names(bodies)}
    labels = set(map(_label, chosen))
    for label in sorted(labels - names):
        like = get_close_matches(label, names) or sorted(names)
        raise ValueError(
            f"{label!r} is no counter, and no model with counters. There is {' or '.join(like)}."
        )
    here = [each for each in every if router.allow_migrate_model(using, each.group.link.target)]
    for label in sorted(labels - {name for bodies in here for name in _names(bodies)}):
        raise ValueError(f"{label!r} is not in the database {using!r}: a router keeps it from there.")
    wanted = [bodies for bodies in here if not chosen or labels & {*_names(bodies)}]
    return [Batches(bodies, using) for bodies in sorted(wanted, key=lambda bodies: _height(bodies.group))]


def _names(bodies: Bodies) -> list[str]:
    """Return the names of the counters of a group, and of their model."""
    label = bodies.group.link.target._meta.label
    return [label, *(field.label for field in bodies.group.fields)]


def _label(chosen: Chosen) -> str:
    if isinstance(chosen, str):
        return chosen
    if isinstance(chosen, CounterField):
        return chosen.label
    return str(chosen) if isinstance(chosen, Field) else chosen._meta.label


def _height(group: CounterGroup, seen: Sequence[CounterGroup] = ()) -> int:
    """Return how many groups of counters lie below one, in chains."""
    below = {field for counter in group.counters for field in counter.counters_below()}
    groups = [bodies.group for registration in registered() for bodies in registration.bodies]
    heights = [
        1 + _height(other, [*seen, other])
        for other in groups
        if other not in seen and below & {*other.fields}
    ]
    return max(heights, default=0)

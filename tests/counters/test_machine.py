"""The proof: programs of writes at random, over interleaved connections, leave every counter right."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.counters.operations import OPERATIONS, UNRECORDED
from tests.counters.programs import assert_programs_are_exact, machine

pytestmark = pytest.mark.usefixtures("committing")

# As many in all as the profile says.
PROGRAMS = max(40, settings().max_examples * 2 // 5)


@pytest.mark.parametrize("connections", [2, 3])
def test_programs_leave_every_counter_right(connections: int) -> None:
    with machine(connections) as opened:
        assert_programs_are_exact(opened, PROGRAMS)


def test_a_repair_of_what_is_dirty_leaves_every_counter_right() -> None:
    with machine(2) as opened:
        assert_programs_are_exact(opened, PROGRAMS // 2, [*OPERATIONS, *[*UNRECORDED, "repair_all"] * 4])

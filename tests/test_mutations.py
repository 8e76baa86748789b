from __future__ import annotations

import pytest

from tests.defects import MUTATIONS, Mutation
from tests.mutations import mutated


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[mutation.name for mutation in MUTATIONS])
def test_the_text_that_is_mutated_is_there(mutation: Mutation) -> None:
    with mutated(mutation) as copy:
        assert copy is not None
        compile((copy / "leaderboard" / f"{mutation.module}.py").read_text(), mutation.module, "exec")

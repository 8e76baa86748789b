from __future__ import annotations

import pytest

from tests.defects import MUTATIONS, Mutation
from tests.mutations import defective

pytestmark = pytest.mark.once


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[mutation.name for mutation in MUTATIONS])
def test_the_text_that_is_mutated_is_there(mutation: Mutation) -> None:
    text = defective(mutation)
    assert text is not None
    compile(text, mutation.module, "exec")

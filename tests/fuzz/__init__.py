"""Random programs, chains of queryset operations, run on standings that are derived and on stored ones.

A program is a Python expression over ``S``, as ``S.filter(rank__lte=2).order_by("-score", "pk")[:3]``. It
is run on a model with boards, where ``S`` has standings that SQL derives, and on the model's mirror, where
``S`` has them in columns that the reference has filled. What plain Django makes of the columns is what it
must make of the standings.
"""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.fuzz.running")

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A server answers in its own time, which is no property of the code under test.
settings.register_profile(
    "default", max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", parent=settings.get_profile("default"), max_examples=5000)
settings.register_profile("matrix", parent=settings.get_profile("default"), max_examples=40)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

from __future__ import annotations

import pytest

# pytest rewrites the assertions of test files only, unless told: their values are shown where they fail.
pytest.register_assert_rewrite("tests.boards")

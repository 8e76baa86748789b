"""Every Python snippet of the README runs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import isolate_apps

README = Path(__file__).parent.parent / "README.md"


@pytest.mark.django_db
@isolate_apps("tests.testapp")
def test_the_quickstart_works_when_pasted() -> None:
    declaration, use = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    module: dict[str, Any] = {"__name__": "tests.testapp.quickstart"}
    exec(declaration, module)
    test_model, attempt_model = module["Test"], module["Attempt"]
    for model, table in ((test_model, "quickstart_test"), (attempt_model, "quickstart_attempt")):
        model._meta.db_table = table
    with connection.schema_editor() as editor:
        editor.create_model(test_model)
        editor.create_model(attempt_model)
    test = test_model.objects.create(name="Logic", cut_off=50)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for name, score in (("Ada", 90), ("Ada", 60), ("Grace", 70), ("Alan", 40)):
        attempt = attempt_model.objects.create(
            test=test,
            candidate=name,
            score=score,
            started_at=start,
            finished_at=start + timedelta(minutes=30),
        )
    module |= {"test": test, "attempt": attempt, "friends": ["Grace", "Alan"]}
    results = []
    for line in use.splitlines():
        if line.startswith("board = "):
            exec(line, module)
        elif line.strip():
            results.append(eval(line.split("#")[0], module))
    everything, passed, by_percentile, top, around, standing, among_friends = results
    assert {(e.candidate, e.score): e.rank for e in everything} == {
        ("Ada", 90): 1,
        ("Ada", 60): None,
        ("Grace", 70): 2,
        ("Alan", 40): 3,
    }
    assert sorted(e.rank or 0 for e in passed) == [0, 1, 2]
    assert [e.rank for e in by_percentile] == [1, 2, 3, None]
    assert [e.candidate for e in top] == [e.candidate for e in around] == ["Ada", "Grace", "Alan"]
    assert (standing.rank, standing.board_size, standing.percentile) == (1, 3, 100.0)
    assert {e.candidate: e.rank for e in among_friends} == {"Grace": 1, "Alan": 2}

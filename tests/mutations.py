"""``python -m tests.mutations``: defects put into the SQL side one at a time, each of which a test must find.

Each mutation replaces a piece of the library's text in a copy of the project, where the tests that are
named with it then run. Exits with 1 where a mutation survives, or where its text is no longer there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from example.embedded import database_url

ROOT = Path(__file__).parent.parent
PROPERTIES = "tests/test_properties.py"
DECLARATIONS = "tests/test_declarations.py"
PAGES = "tests/test_pages.py"
VIEWS = "tests/test_views.py"


class Mutation(NamedTuple):
    """A defect: what it is, the module, the text and what takes its place, and the tests to find it."""

    name: str
    module: str
    text: str
    mutant: str
    tests: str = PROPERTIES


MUTATIONS = (
    Mutation("competition is dense", "expressions", "self._over(Rank())", "self._over(DenseRank())"),
    Mutation("dense is competition", "expressions", "self._over(DenseRank())", "self._over(Rank())"),
    Mutation(
        "modified is ordinal",
        "expressions",
        'self._over(Count("*"))',
        "self._over(RowNumber(), self.tie_break)",
    ),
    Mutation(
        "ordinal without tie-break",
        "expressions",
        "self._over(RowNumber(), self.tie_break)",
        "self._over(RowNumber(), OrderBy(self.tie_break, descending=True))",
    ),
    Mutation("fractional is not halved", "expressions", 'Decimal("0.5")', 'Decimal("1")'),
    Mutation(
        "strict is weak",
        "expressions",
        "case PercentileKind.STRICT:\n                return _whole(100 * (n - self.modified)), n",
        "case PercentileKind.STRICT:\n                return _whole(100 * (n - self.competition + 1)), n",
    ),
    Mutation(
        "weak leaves itself out",
        "expressions",
        "(n - self.competition + 1)), n",
        "(n - self.competition)), n",
    ),
    Mutation(
        "mean is SciPy's",
        "expressions",
        "- self.competition + 1)), n\n            case PercentileKind.SCIPY",
        "- self.competition + 2)), n\n            case PercentileKind.SCIPY",
    ),
    Mutation(
        "percent_rank over n", "expressions", "Greatest(_whole(n - 1), Value(1))", "Greatest(n, Value(1))"
    ),
    Mutation(
        "the size counts everyone",
        "expressions",
        "if self.ranked is None else Count(Value(1), filter=self.ranked)",
        "if True else None",
    ),
    Mutation(
        "unranked rows push others down",
        "expressions",
        "self.board if ranked is None else [*self.board, ranked]",
        "self.board",
    ),
    Mutation(
        "NULL terms are ranked",
        "population",
        "present = all_of([not_null(term.expression) for term in self.board.terms])",
        "present = Value(True)",
    ),
    Mutation(
        "NULL terms are ranked in top()",
        "population",
        "            query.add_q(Q(not_null(term.expression)))\n",
        "            pass\n",
    ),
    Mutation(
        "everyone is eligible", "population", "[self.board.eligible] if self.board.eligible else []", "[]"
    ),
    Mutation(
        "an unknown eligibility is one",
        "expressions",
        "Case(When(condition, then=Value(True)), default=Value(False)",
        "Case(When(Negation(condition), then=Value(False)), default=Value(True)",
    ),
    Mutation(
        "a NULL member competes",
        "population",
        '            conditions.append(Q((f"{self.board.member}__isnull", False)))\n',
        "            pass\n",
    ),
    Mutation(
        "a NULL board is a board",
        "population",
        "            if name not in self.table.pins[self.ranking]\n",
        "            if False\n",
    ),
    Mutation(
        "the worst entry counts",
        "population",
        'OrderBy(self.at("counting", name), term.descending)\n',
        'OrderBy(self.at("counting", name), not term.descending)\n',
    ),
    Mutation(
        "the latest is the first", "population", "latest = counting.kind is Counting.LATEST", "latest = False"
    ),
    Mutation(
        "members are not told apart",
        "population",
        'self._column("member", F(str(self.board.member))), *apart]',
        "*apart]",
    ),
    Mutation("unfinished entries are rivals", "population", "self._nth(complete)", "self._nth()"),
    Mutation(
        "the higher primary key counts",
        "population",
        "order_by=[*order, OrderBy(pk)]",
        "order_by=[*order, OrderBy(pk, descending=True)]",
    ),
    Mutation(
        "the worst entry counts in top()",
        "population",
        "[OrderBy(unshared(term.expression), term.descending)",
        "[OrderBy(unshared(term.expression), not term.descending)",
    ),
    Mutation(
        "every entry of a member counts",
        "population",
        'self.only = Comparison(nth, Value(1), arg_joiner=" = ")',
        'self.only = Comparison(nth, Value(1), arg_joiner=" >= ")',
    ),
    Mutation(
        "boards are not told apart",
        "population",
        'partition_by=[self.at("standing", name) for name in self.partition],\n',
        "",
    ),
    Mutation(
        "top() looks members up without an index",
        "population",
        "table.stops_early and finds_counting_entries(table.view.model, self.board)",
        "table.stops_early",
        PAGES,
    ),
    Mutation(
        "several boards count as one",
        "population",
        "table.pins[ranking].get(name) is lookup for lookup in table.shared)\n        ]\n        self.terms",
        "table.pins[ranking].get(name) for _ in [0])\n        ]\n        self.terms",
        "tests/test_correlated.py",
    ),
    Mutation(
        "every term ascends",
        "population",
        'OrderBy(self.at("standing", name), term.descending)',
        'OrderBy(self.at("standing", name))',
    ),
    Mutation(
        "text without regard to case, as many a locale has it",
        "expressions",
        "return Collate(resolved, self.collation)",
        'return models.Func(resolved, function="UPPER", output_field=field)',
    ),
    Mutation(
        "who is excluded is pending",
        "population",
        "Case(When(Q(*conditions), then=present))",
        "Case(When(Q(*conditions), then=present), default=Value(False))",
    ),
    Mutation(
        "superseded before pending",
        "cutoffs",
        """        (pending, Qualification.PENDING),
        (superseded, Qualification.SUPERSEDED),
""",
        """        (superseded, Qualification.SUPERSEDED),
        (pending, Qualification.PENDING),
""",
    ),
    Mutation("at least is more than", "cutoffs", 'arg_joiner = " >= "', 'arg_joiner = " > "'),
    Mutation("at most is less than", "cutoffs", 'arg_joiner = " <= "', 'arg_joiner = " < "'),
    Mutation(
        "NOT makes an unknown true",
        "cutoffs",
        "return Negation(self._rules[0].condition(tally, row))",
        "return Negation(holds(self._rules[0].condition(tally, row)))",
    ),
    Mutation("OR is AND", "cutoffs", "join = staticmethod(any_of)", "join = staticmethod(all_of)"),
    Mutation(
        "a tie at the border is split",
        "cutoffs",
        "Product(Value(100), tally.competition)",
        "Product(Value(100), tally.modified)",
    ),
    Mutation(
        "top count splits ties",
        "cutoffs",
        "Comparison(tally.competition, row(self.count)",
        "Comparison(tally.modified, row(self.count)",
    ),
    Mutation(
        "a NULL pause hides the time",
        "expressions",
        "length = Coalesce(length, zero, output_field=DURATION)",
        "pass",
    ),
    Mutation(
        "running times stand still",
        "expressions",
        "Coalesce(self.finish, Now()) if running else self.finish",
        "self.finish",
    ),
    Mutation(
        "the view changes the population",
        "standings",
        'view = cast("LeaderboardQuery", self.view.clone())\n        view.metrics = {}',
        "return self.view.clone().filter(rank=1)\n        view.metrics = {}",
        VIEWS,
    ),
    Mutation(
        "filters reach into the table",
        "sql",
        "self.where = without(self.where, table.enforced)",
        "table.query.where.add(self.where, 'AND')",
        VIEWS,
    ),
    Mutation(
        "exclude() drops the unranked",
        "derived",
        "                clause.add(IsNull(column, False), AND)\n",
        "                pass\n",
        VIEWS,
    ),
    Mutation(
        "a board beyond a nullable relation hides its rows",
        "standings",
        "table.join_type == LOUTER",
        "table.join_type == INNER",
        "tests/test_relations.py",
    ),
    Mutation(
        "reverse() turns top() round",
        "query",
        "ranked.query.standard_ordering = True",
        "pass",
        PAGES,
    ),
    Mutation(
        "exclude() forgets a nullable column",
        "derived",
        "nullable.append(right)",
        "pass",
        "tests/test_conditions.py",
    ),
    Mutation(
        "unranked entries come first",
        "derived",
        "order.nulls_last, order.nulls_first =",
        "order.nulls_first, order.nulls_last =",
        "tests/test_order.py",
    ),
    Mutation(
        "neighbours on the wrong side",
        "query",
        'operator = ">" if order.descending != later else "<"',
        'operator = ">" if order.descending == later else "<"',
        PAGES,
    ),
    Mutation(
        "as_population() ranks everyone",
        "population",
        '            conditions.append(InSubquery(F("pk"), self.ranking.view))\n',
        "            pass\n",
    ),
    Mutation(
        "declarations are shared",
        "structure",
        "return unshared(expression).resolve_expression(",
        "return expression.resolve_expression(",
        DECLARATIONS,
    ),
    Mutation(
        "terms are shared in top()",
        "population",
        "OrderBy(unshared(term.expression), term.descending)",
        "OrderBy(term.expression, term.descending)",
        DECLARATIONS,
    ),
)


@contextmanager
def mutated(mutation: Mutation) -> Iterator[Path | None]:
    """Yield a copy of the project with the defect, or None where its text is not there exactly once."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder)
        for name in ("leaderboard", "migrations", "example", "tests", "pyproject.toml"):
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy)
        path = copy / "leaderboard" / f"{mutation.module}.py"
        text = path.read_text()
        if text.count(mutation.text) != 1:
            yield None
            return
        path.write_text(text.replace(mutation.text, mutation.mutant))
        yield copy


def killed_by(mutation: Mutation, url: str) -> str:
    """Return the test that found the defect; nothing where none did."""
    with mutated(mutation) as copy:
        return "" if copy is None else failing_test(copy, [mutation.tests], url)


def failing_test(folder: Path, tests: list[str], url: str) -> str:
    """Return the first test that fails; nothing where all pass."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "--tb=no", "--no-header", *tests],
        cwd=folder,
        env={**os.environ, "DATABASE_URL": url, "HYPOTHESIS_PROFILE": "mutations"},
        capture_output=True,
        text=True,
    )
    failed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    if done.returncode != int(bool(failed)):
        raise RuntimeError(f"pytest did not run:\n{done.stdout}{done.stderr}")
    return failed[0].rpartition("::")[2] if failed else ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("only", nargs="*", help="parts of the names of the mutations to try")
    only = parser.parse_args().only
    survivors = 0
    with database_url() as url:
        if test := failing_test(ROOT, sorted({mutation.tests for mutation in MUTATIONS}), url):
            print(f"{test} fails without any mutation.", file=sys.stderr)
            return 1
        for mutation in MUTATIONS:
            if only and not any(part in mutation.name for part in only):
                continue
            test = killed_by(mutation, url)
            survivors += not test
            print(f"{mutation.name}\t{'killed by ' + test if test else 'SURVIVED'}", flush=True)
    return int(survivors > 0)


if __name__ == "__main__":
    sys.exit(main())

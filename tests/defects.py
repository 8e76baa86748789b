"""Defects that are put into the SQL side by ``python -m tests.mutations``, each with the tests to find it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["MUTATIONS", "Mutation"]

PROPERTIES = "tests/test_properties.py"
DECLARATIONS = "tests/test_declarations.py"
PAGES = "tests/test_pages.py"
VIEWS = "tests/test_views.py"
PREPARED = "tests/test_prepared.py"


class Mutation(NamedTuple):
    """A defect: what it is, the module, the text and what takes its place, and the tests to find it."""

    name: str
    module: str
    text: str
    mutant: str
    tests: str = PROPERTIES


MUTATIONS = (
    Mutation(
        "competition is dense", "expressions/tally", "self._ordered(Rank())", "self._ordered(DenseRank())"
    ),
    Mutation(
        "dense is competition", "expressions/tally", "self._ordered(DenseRank())", "self._ordered(Rank())"
    ),
    Mutation(
        "modified is ordinal",
        "expressions/tally",
        'self._ordered(Count("*"))',
        "self._ordered(RowNumber(), *self.ties)",
    ),
    Mutation(
        "ordinal without tie-break",
        "expressions/tally",
        "self._ordered(RowNumber(), *self.ties)",
        "self._ordered(RowNumber(), *reversed([tie.desc() for tie in self.ties]))",
    ),
    Mutation("fractional is not halved", "expressions/ranks", 'Decimal("0.5")', 'Decimal("1")'),
    Mutation(
        "strict is weak",
        "expressions/percentiles",
        "case PercentileKind.STRICT:\n            return whole(100 * (n - tally.modified)), n",
        "case PercentileKind.STRICT:\n            return whole(100 * (n - tally.competition + 1)), n",
    ),
    Mutation(
        "weak leaves itself out",
        "expressions/percentiles",
        "(n - tally.competition + 1)), n",
        "(n - tally.competition)), n",
    ),
    Mutation(
        "mean is SciPy's",
        "expressions/percentiles",
        "- tally.competition + 1)), n\n        case PercentileKind.SCIPY",
        "- tally.competition + 2)), n\n        case PercentileKind.SCIPY",
    ),
    Mutation(
        "percent_rank over n",
        "expressions/percentiles",
        "Greatest(whole(n - 1), Value(1))",
        "Greatest(n, Value(1))",
    ),
    Mutation(
        "the size counts everyone",
        "expressions/tally",
        "if self.ranked is None else Count(Value(1), filter=self.ranked)",
        "if True else None",
    ),
    Mutation(
        "unranked rows push others down",
        "expressions/tally",
        "self.partition_by if ranked is None else [*self.partition_by, ranked]",
        "self.partition_by",
    ),
    Mutation(
        "NULL terms are ranked",
        "standings/eligibility",
        "complete = all_of(present)",
        'complete = not_null(F("pk"))',
    ),
    Mutation(
        "NULL terms are ranked in top()",
        "standings/entries",
        "for condition in (*eligible, *present):",
        "for condition in eligible:",
    ),
    Mutation(
        "everyone is eligible",
        "standings/eligibility",
        "    if declaration.eligible:\n        # Where",
        "    if False:\n        # Where",
    ),
    Mutation(
        "an unknown eligibility is one",
        "expressions/logic",
        "Case(When(condition, then=Value(True)), default=Value(False)",
        "Case(When(Negation(condition), then=Value(False)), default=Value(True)",
    ),
    Mutation(
        "a NULL member competes",
        "standings/eligibility",
        '        conditions.append(Q((f"{declaration.member}__isnull", False)))\n',
        "        pass\n",
    ),
    Mutation(
        "a NULL board is a board",
        "standings/eligibility",
        "[not_null(columns.here(declaration.within[name])) for name in ranking.free]",
        "[]",
    ),
    Mutation(
        "the worst entry counts",
        "standings/counting",
        "OrderBy(query.column(name), term.descending)\n",
        "OrderBy(query.column(name), not term.descending)\n",
    ),
    Mutation(
        "the latest is the first",
        "declaration/counting",
        "latest = self.kind is Counting.LATEST",
        "latest = False",
    ),
    Mutation("members are not told apart", "standings/counting", "[*columns.member, *(", "[*("),
    Mutation(
        "unfinished entries are rivals",
        "standings/counting",
        "[columns.complete] if columns.complete else []",
        "[]",
    ),
    Mutation(
        "the higher primary key counts",
        "standings/counting",
        "order_by=[*order, *map(OrderBy, key_order(query))]",
        "order_by=[*order, *(OrderBy(key, descending=True) for key in key_order(query))]",
    ),
    Mutation(
        "the worst entry counts in top()",
        "standings/rivals",
        "OrderBy(term.expression, term.descending)",
        "OrderBy(term.expression, not term.descending)",
    ),
    Mutation(
        "every entry of a member counts",
        "standings/table",
        "equal(standings.column(counting[0]), Value(1))",
        "IsNull(standings.column(counting[0]), False)",
    ),
    Mutation(
        "boards are not told apart",
        "standings/table",
        "            partition_by=[standings.column(name) for name in columns.partition],\n",
        "",
    ),
    Mutation(
        "top() looks members up without an index",
        "standings/plan",
        "        and finds_counting_entries(view.model, rankings[0].declaration)\n",
        "        and True\n",
        PAGES,
    ),
    Mutation(
        "several boards count as one",
        "standings/plan",
        "frozenset(name for name, lookup in own.items() if any(lookup is pin for pin in shared))",
        "frozenset(own)",
        "tests/test_correlated.py",
    ),
    Mutation(
        "every term ascends",
        "standings/table",
        "OrderBy(column, term.descending)",
        "OrderBy(column)",
    ),
    Mutation(
        "text without regard to case, as many a locale has it",
        "expressions/terms",
        "return Collate(resolved, self.collation)",
        'return models.Func(resolved, function="UPPER", output_field=field)',
    ),
    Mutation(
        "who is excluded is pending",
        "standings/eligibility",
        "Case(When(Q(*eligible), then=complete))",
        "Case(When(Q(*eligible), then=complete), default=False)",
    ),
    Mutation(
        "superseded before pending",
        "expressions/qualification",
        """        (pending, Qualification.PENDING),
        (superseded, Qualification.SUPERSEDED),
""",
        """        (superseded, Qualification.SUPERSEDED),
        (pending, Qualification.PENDING),
""",
    ),
    Mutation("at least is more than", "declaration/cut_offs", 'arg_joiner = " >= "', 'arg_joiner = " > "'),
    Mutation("at most is less than", "declaration/cut_offs", 'arg_joiner = " <= "', 'arg_joiner = " < "'),
    Mutation(
        "NOT makes an unknown true",
        "declaration/cut_offs",
        "return Negation(self._rules[0].condition(tally, row))",
        "return models.Func(self._rules[0].condition(tally, row), template='(%(expressions)s IS NOT TRUE)',"
        " output_field=models.BooleanField())",
    ),
    Mutation(
        "OR is AND",
        "declaration/cut_offs",
        "join = staticmethod(any_of)",
        "join = staticmethod(all_of)",
    ),
    Mutation(
        "a tie at the border is split",
        "declaration/cut_offs",
        "Product(Value(100), rank_of(self.kind, tally))",
        "Product(Value(100), tally.modified)",
    ),
    Mutation(
        "top count splits ties",
        "declaration/cut_offs",
        "Comparison(rank_of(self.kind, tally), row(*self.row_values())",
        "Comparison(tally.modified, row(*self.row_values())",
    ),
    Mutation(
        "a NULL pause hides the time",
        "expressions/times",
        "length = Coalesce(length, zero, output_field=DURATION)",
        "pass",
    ),
    Mutation(
        "running times stand still",
        "expressions/times",
        "Coalesce(self.finish, Now()) if running else self.finish",
        "self.finish",
    ),
    Mutation(
        "metrics of the view limit its boards",
        "orm/query",
        "query.where = WhereNode([*conditions], connector=AND)",
        "query.where = self.where.clone()",
        VIEWS,
    ),
    Mutation(
        "a random view is drawn twice",
        "orm/query",
        "            and is_repeatable(condition)\n",
        "",
        VIEWS,
    ),
    Mutation(
        "filters reach into the table",
        "orm/query",
        "query.where = evaluated_outside(without(query.where, enforced), query.alias_map.keys())",
        "table.where.add(query.where, AND)",
        VIEWS,
    ),
    Mutation(
        "exclude() drops the unranked",
        "orm/query",
        "            clause.add(IsNull(side, False), AND)\n",
        "            pass\n",
        VIEWS,
    ),
    Mutation(
        "a board beyond a nullable relation hides its rows",
        "orm/levels",
        "table.join_type == LOUTER",
        "table.join_type != LOUTER",
        "tests/test_relations.py",
    ),
    Mutation(
        "reverse() turns top() round",
        "orm/queryset",
        "clone.query.standard_ordering = True",
        "pass",
        PAGES,
    ),
    Mutation(
        "exclude() forgets a nullable column",
        "orm/query",
        "nullable.append(right)",
        "pass",
        "tests/test_conditions.py",
    ),
    Mutation(
        "unranked entries come first",
        "orm/ordering",
        "order.nulls_last, order.nulls_first =",
        "order.nulls_first, order.nulls_last =",
        "tests/test_order.py",
    ),
    Mutation(
        "neighbours on the wrong side",
        "querysets/places",
        'operator = ">" if order.descending != later else "<"',
        'operator = ">" if order.descending == later else "<"',
        PAGES,
    ),
    Mutation(
        "as_population() ranks everyone",
        "standings/eligibility",
        "        conditions.append(InSubquery(*keys, ranking.ranking.view))\n",
        "        pass\n",
    ),
    Mutation(
        "declarations are shared",
        "orm/trees",
        "return unshared(expression).resolve_expression(",
        "return expression.resolve_expression(",
        DECLARATIONS,
    ),
    Mutation(
        "subqueries are looked up row by row in top()",
        "standings/plan",
        "        and not any(map(holds_query, rankings[0].declaration.row_expressions()))\n",
        "",
        DECLARATIONS,
    ),
    Mutation(
        "what is prepared is changed by its use",
        "standings/table",
        "query = entries.lowest.copied_level()",
        "query = entries.lowest",
        PREPARED,
    ),
    Mutation(
        "levels above the entries are shared",
        "orm/levels",
        "copied = self.copied_level()",
        "copied = self",
        PREPARED,
    ),
    Mutation(
        "what may change is prepared",
        "orm/trees",
        "isinstance(value, models.QuerySet | Query | Promise | LazyObject)",
        "False",
        PREPARED,
    ),
    Mutation(
        "expressions of one's own are prepared",
        "orm/trees",
        "isinstance(value, BaseExpression | F) and not _is_known(type(value).resolve_expression)",
        "False",
        PREPARED,
    ),
    Mutation(
        "all shapes are one",
        "standings/plan",
        "return self.model, metrics, only.shared, self.only_ranked, self.looks_up_members",
        "return self.model, metrics",
        PREPARED,
    ),
    Mutation(
        "a pin by a subquery is not found again",
        "orm/conditions",
        "if isinstance(lookup, PinnedTo | PinnedToNull) and same(lookup.declared, declared):",
        "if False:",
        DECLARATIONS,
    ),
    Mutation(
        "the view decides nothing",
        "querysets/places",
        "if not self._is_whole_board:",
        "if False:",
        "tests/test_standing.py",
    ),
    Mutation(
        "orders by metrics leave ties",
        "orm/ordering",
        "if is_derived and self._has_keys():",
        "if False:",
        "tests/test_order.py tests/test_golden.py",
    ),
    Mutation(
        "what is made of a metric puts NULL first",
        "orm/query",
        "return any(map(self.is_made_of_derived, parts_of(expression)))",
        "return False",
        "tests/test_order.py",
    ),
    Mutation(
        "NULL is never a board",
        "declaration/leaderboard",
        "return self.nulls_distinct is False",
        "return False",
        "tests/test_declared.py",
    ),
    Mutation(
        "a member is its first field",
        "declaration/leaderboard",
        "[F(name) for name in self.member]",
        "[F(name) for name in self.member[:1]]",
        "tests/test_declared.py",
    ),
    Mutation(
        "ties are in no order",
        "standings/table",
        "OrderBy(column, tie.descending, nulls_last=True)",
        "OrderBy(column, not tie.descending, nulls_last=True)",
        "tests/test_declared.py",
    ),
    Mutation(
        "seats are shared",
        "declaration/cut_offs",
        "Comparison(rank_of(self.kind, tally), row",
        "Comparison(tally.competition, row",
        "tests/test_declared.py",
    ),
    Mutation(
        "subqueries are evaluated for each metric",
        "standings/entries",
        "plan.levels.entry, is_fenced=True)",
        "plan.levels.entry, is_fenced=False)",
        "tests/test_plans.py",
    ),
    Mutation(
        "a period is named by its start only",
        "expressions/times",
        "DATE_TRUNC(%(period)s, (%(expressions)s)::%(type)s)",
        "((%(expressions)s)::%(type)s)",
        "tests/test_declared.py",
    ),
    Mutation(
        "a condition in aggregate() compares a reference, beside columns",
        "orm/query",
        "return parts, field_parts, annotation",
        "return parts, field_parts, expression",
        "tests/test_aggregates.py",
    ),
    Mutation(
        "a composite key is selected as one",
        "orm/query",
        "keys.set_values(key_names(keys.model))",
        'keys.set_values(["pk"])',
        "tests/test_tables.py",
    ),
    Mutation(
        "columns beside a composite key are grouped by number",
        "orm/query",
        "if len(key_fields(self.query.model)) > 1:",
        "if False:",
        "tests/test_tables.py",
    ),
    Mutation(
        "what an aggregate refers to binds inside",
        "orm/query",
        "if summarize and isinstance(annotation, NullsLast) and not self.combinator:",
        "if False:",
        "tests/test_tables.py",
    ),
    Mutation(
        "the table of another schema is joined under its name",
        "orm/query",
        "self.alias_map[name].relabeled_clone(renamed)",
        "self.alias_map[name]",
        "tests/test_tables.py",
    ),
    Mutation(
        "a covering index leaves out what expressions are made of",
        "declaration/indexes",
        "needed = [*sources_of(*within, *map(as_written, terms), *member), *key]",
        "needed = [*sources_of(*member), *key]",
        "tests/test_covering.py",
    ),
    Mutation(
        "any index on the terms covers a board",
        "declaration/coverage",
        "        and needed <= {",
        "        and set() <= {",
        "tests/test_covering.py",
    ),
    Mutation(
        "the first of each board without those that tie",
        "orm/columns",
        "ROWS WITH TIES",
        "ROWS ONLY",
        "tests/test_each.py",
    ),
    Mutation(
        "the first of each board are cut off in a view too",
        "querysets/each",
        "n if is_whole else None",
        "n",
        "tests/test_each.py",
    ),
    Mutation(
        "the board of NULL has no first entries",
        "querysets/each",
        "(False, True) if declaration.null_is_a_board",
        "(None,) if declaration.null_is_a_board",
        "tests/test_each.py",
    ),
)

"""What ``leaderboard.orm`` leans on in Django without its documentation: every name, and how it is called.

``python -m tests.contract`` says what the installed Django has moved.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import django

__all__ = ["CONTRACT", "IMPORTS", "Leaning", "moved"]

# Modules and names that Django does not document.
IMPORTS: Mapping[str, str] = {
    "django.core.management.commands": "makemigrations migrate",
    "django.db.migrations": "AlterModelTable",
    "django.db.migrations.autodetector": "MigrationAutodetector OperationDependency",
    "django.db.migrations.loader": "MigrationLoader",
    "django.db.models.expressions": (
        "BaseExpression Col ColPairs Combinable CombinedExpression Expression Ref ResolvedOuterRef"
    ),
    "django.db.models.constants": "LOOKUP_SEP",
    "django.db.models.fields.related_lookups": "RelatedExact",
    "django.db.models.fields.reverse_related": "ForeignObjectRel",
    "django.db.models.functions.datetime": "TruncBase",
    "django.db.models.query": "ModelIterable",
    "django.db.models.query_utils": "DeferredAttribute",
    "django.db.models.sql": "Query",
    "django.db.models.sql.compiler": "SQLCompiler",
    "django.db.models.sql.constants": "INNER LOUTER",
    "django.db.models.sql.datastructures": "BaseTable Join",
    "django.db.models.sql.where": "AND OR ExtraWhere WhereNode",
}


@dataclass(frozen=True, kw_only=True)
class Leaning:
    """What is used of one class.

    ``attributes`` are read or set; ``calls`` are the arguments that we give to methods; ``overrides`` are
    the parameters, by name and without ``self``, of methods that we replace.
    """

    sample: Callable[[], Any]
    attributes: str = ""
    calls: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, str] = field(default_factory=dict)

    def names(self) -> set[str]:
        return {*self.attributes.split(), *self.calls, *self.overrides}


def _attempts() -> Any:
    from tests.testapp.models import Attempt

    return Attempt._base_manager.all()


def _query() -> Any:
    query = _attempts().filter(test__name="a").query
    # Both are made when they are first needed.
    query.external_aliases, query.subquery = {}, False
    return query


def _condition() -> Any:
    (condition,) = _query().where.children
    return condition


def _join() -> Any:
    return list(_query().alias_map.values())[1]


def _ordering() -> Any:
    from django.db.models import F

    return F("pk").desc()


def _relation() -> Any:
    return _attempts().model._meta.get_field("test").remote_field


def _autodetector() -> Any:
    state = import_module("django.db.migrations.state").ProjectState
    detector = import_module("django.db.migrations.autodetector").MigrationAutodetector(state(), state())
    # Set when changes are detected.
    detector.changes(import_module("django.db.migrations.graph").MigrationGraph())
    return detector


CONTRACT: Mapping[str, Leaning] = {
    "django.db.models.sql.Query": Leaning(
        sample=_query,
        attributes=(
            "alias_map alias_prefix alias_refcount annotation_select annotation_select_mask annotations "
            "base_table combinator combined_queries compiler default_cols default_ordering deferred_loading "
            "distinct distinct_fields "
            "external_aliases extra_order_by extra_select extra_tables group_by high_mark is_sliced low_mark "
            "model order_by select select_for_update select_related standard_ordering "
            "subq_aliases subquery table_map where"
        ),
        calls={
            "add_annotation": "expression, name",
            "add_ordering": "first, second",
            "add_q": "condition",
            "build_where": "condition",
            "can_filter": "",
            "clear_limits": "",
            "clear_ordering": "force=True",
            "clear_select_clause": "",
            "clone": "",
            "get_initial_alias": "",
            "get_meta": "",
            "is_nullable": "field",
            "relabeled_clone": "change_map",
            "resolve_lookup_value": "value, can_reuse, allow_joins",
            "set_annotation_mask": "names",
            "set_group_by": "",
            "set_limits": "high=1",
            "set_select": "columns",
            "set_values": "names",
            "unref_alias": "alias",
        },
        overrides={
            "build_filter": (
                "filter_expr, branch_negated, current_negated, can_reuse, allow_joins, split_subq, "
                "check_filterable, summarize, update_join_types"
            ),
            "change_aliases": "change_map",
            "combine": "rhs, connector",
            "solve_lookup_type": "lookup, summarize",
            "get_compiler": "using, connection, elide_empty",
            "resolve_expression": "query, args, kwargs",
            "resolve_ref": "name, allow_joins, reuse, summarize",
            "table_alias": "table_name, create, filtered_relation",
        },
    ),
    "django.db.models.sql.where.WhereNode": Leaning(
        sample=lambda: _query().where,
        attributes="children connector contains_aggregate contains_over_clause negated",
        calls={"add": "condition, connector"},
    ),
    "django.db.models.sql.compiler.SQLCompiler": Leaning(
        sample=lambda: _query().get_compiler("default"),
        attributes="annotation_col_map klass_info query select",
        calls={
            "as_sql": "",
            "compile": "node",
            "get_converters": "expressions",
            ("quote_name" if django.VERSION >= (6, 1) else "quote_name_unless_alias"): "name",
        },
        overrides={"collapse_group_by": "expressions, having", "_order_by_pairs": ""},
    ),
    "django.db.models.sql.datastructures.BaseTable": Leaning(
        sample=lambda: next(iter(_query().alias_map.values())),
        attributes="identity table_alias table_name",
        overrides={"as_sql": "compiler, connection", "relabeled_clone": "change_map"},
    ),
    "django.db.models.sql.datastructures.Join": Leaning(
        sample=_join, attributes="filtered_relation join_field join_type"
    ),
    "django.db.models.expressions.Col": Leaning(
        sample=lambda: _condition().lhs,
        attributes="alias identity output_field target _output_field_or_none _constructor_args",
        calls={
            "get_source_expressions": "",
            "set_source_expressions": "expressions",
            "flatten": "",
            "copy": "",
        },
        overrides={
            "as_sql": "compiler, connection",
            "relabeled_clone": "relabels",
            "select_format": "compiler, sql, params",
        },
    ),
    "django.db.models.expressions.OrderBy": Leaning(
        sample=_ordering, attributes="descending expression nulls_first nulls_last", calls={"copy": ""}
    ),
    "django.db.models.lookups.Lookup": Leaning(
        sample=_condition, attributes="lhs rhs contains_aggregate contains_over_clause"
    ),
    "django.db.models.Func": Leaning(
        sample=lambda: import_module("django.db.models.functions").Lower("name"),
        attributes="extra function",
    ),
    "django.db.models.F": Leaning(
        sample=lambda: import_module("django.db.models").F("name"),
        attributes="name",
        overrides={
            "resolve_expression": "query, allow_joins, reuse, summarize, for_save",
        },
    ),
    "django.db.models.Value": Leaning(
        sample=lambda: import_module("django.db.models").Value(1), attributes="value _constructor_args"
    ),
    "django.db.models.Field": Leaning(
        sample=lambda: _attempts().model._meta.pk,
        attributes="attname column model name null",
        calls={"deconstruct": "", "get_col": "alias"},
    ),
    "django.db.models.fields.reverse_related.ForeignObjectRel": Leaning(
        sample=_relation, attributes="multiple name"
    ),
    "django.db.models.options.Options": Leaning(
        sample=lambda: _attempts().model._meta,
        attributes=(
            "auto_created concrete_fields concrete_model db_table local_concrete_fields local_many_to_many "
            "managers pk pk_fields"
        ),
        calls={"get_parent_list": ""},
    ),
    "django.db.models.QuerySet": Leaning(
        sample=_attempts,
        attributes=(
            "_db _fields _for_write _hints _iterable_class _known_related_objects _prefetch_done "
            "_prefetch_related_lookups _result_cache query"
        ),
        calls={"_chain": "", "_not_support_combined_queries": "method"},
        overrides={
            "__init__": "model, query, using, hints",
            "_clone": "",
            "_fetch_all": "",
            "delete": "",
            "extra": "select, where, params, tables, order_by, select_params",
            "select_for_update": "nowait, skip_locked, of, no_key",
            "update": "kwargs",
            "update_or_create": "defaults, create_defaults, kwargs",
        },
    ),
    "django.db.migrations.autodetector.MigrationAutodetector": Leaning(
        sample=_autodetector,
        attributes="from_state generated_operations renamed_models",
        overrides={
            "add_operation": "app_label, operation, dependencies, beginning",
            "check_dependency": "operation, dependency",
        },
    ),
    "django.db.migrations.loader.MigrationLoader": Leaning(
        sample=lambda: import_module("django.db.migrations.loader").MigrationLoader(None),
        attributes="unmigrated_apps",
    ),
    "django.db.models.Manager": Leaning(
        sample=lambda: type(_attempts()).as_manager(), attributes="_built_with_as_manager"
    ),
}


def moved(contract: Mapping[str, Leaning] = CONTRACT, imports: Mapping[str, str] = IMPORTS) -> list[str]:
    """Return, by name, what the installed Django does not have as it is leaned on; empty where it has all."""
    gone = [
        f"{module}.{name}"
        for module, names in imports.items()
        for name in names.split()
        if not _has(module, name)
    ]
    if not gone:
        for owner, leaning in contract.items():
            gone += [f"{owner}.{problem}" for problem in _problems(leaning)]
    return gone


def _has(module: str, name: str) -> bool:
    try:
        return hasattr(import_module(module), name)
    except ImportError:
        return False


def _problems(leaning: Leaning) -> Iterator[str]:
    sample = leaning.sample()
    yield from (name for name in leaning.attributes.split() if not hasattr(sample, name))
    for name, arguments in leaning.calls.items():
        method = getattr(sample, name, None)
        if not callable(method) or not _accepts(method, arguments):
            yield f"{name}({arguments})"
    for name, parameters in leaning.overrides.items():
        method = getattr(sample, name, None)
        if not callable(method) or ", ".join(inspect.signature(method).parameters) != parameters:
            yield f"{name}({parameters}), which is overridden"


def _accepts(method: Any, arguments: str) -> bool:
    given = [argument for argument in arguments.split(", ") if argument]
    named = dict.fromkeys(argument.partition("=")[0] for argument in given if "=" in argument)
    try:
        inspect.signature(method).bind(*[None for argument in given if "=" not in argument], **named)
    except TypeError:
        return False
    return True


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    for name in (gone := moved()):
        print(f"Django {django.__version__} has moved {name}")
    return int(bool(gone))


if __name__ == "__main__":
    sys.exit(main())

"""Triggers that run as their owner, on a path that nobody else can change, and whose functions go with them.

CREATE OR REPLACE FUNCTION pgtrigger_counter_…() RETURNS TRIGGER … SECURITY DEFINER AS …;
ALTER FUNCTION pgtrigger_counter_…() SET search_path = public, pg_temp;
CREATE TRIGGER pgtrigger_counter_… AFTER INSERT ON blog_comment REFERENCING NEW TABLE AS new_rows …
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pgtrigger
from pgtrigger import compiler

__all__ = [
    "MARK",
    "STATE_TABLE",
    "DeferredTriggerSql",
    "InstalledTrigger",
    "OwnedTrigger",
    "OwnedTriggerSql",
    "StatementTriggerSql",
    "trigger_name",
]

MARK = "django-pgleaderboard"
# Says which columns are right, because triggers have kept them without a gap.
STATE_TABLE = "leaderboard_counterstate"
# How the names of triggers begin that write to other tables than their own.
ON_WRITTEN_TABLES = tuple(f"counter_{event}_" for event in ("insert", "update", "delete", "truncate"))
# An identifier of PostgreSQL has 63 bytes, of which the longest prefix and the hash of pgtrigger take 18.
LONGEST_NAME = 45


def trigger_name(*parts: str) -> str:
    """Return a name made of ``parts``, shortened where it is too long to be told from others."""
    name = "_".join(part.lower() for part in parts)
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: LONGEST_NAME - 9]}_{digest}"


class OwnedTriggerSql(compiler.UpsertTriggerSql):
    """The statements that install a trigger, version 1: migrations refer to them.

    A role that may write the table need not have rights on what the function writes: it runs as its owner.
    It sees the schemas that the migration saw, and temporary tables last, so that none stands in for a
    table of ours. Nobody else may use the function for a trigger on a table of his own.

    A trigger that replaces one in the same transaction leaves no gap, unless it keeps something else: then
    its body has another fingerprint behind the name of what it keeps.

    Policies do not bind the owner of a table. Where FORCE ROW LEVEL SECURITY does bind him, the write fails
    instead of overlooking the rows that he may not see.
    """

    def get_template(self) -> str:
        return """
            CREATE OR REPLACE FUNCTION {pgid}() RETURNS TRIGGER LANGUAGE plpgsql SECURITY DEFINER AS $body$
#variable_conflict use_column
{declare}
BEGIN
{func}
END;
$body$;

            DO $path$ BEGIN
                EXECUTE 'ALTER FUNCTION {pgid}() SET search_path = ' || (
                    SELECT string_agg(quote_ident(name), ', ') FROM unnest(current_schemas(false)) name
                ) || ', pg_temp';
            END $path$;
            ALTER FUNCTION {pgid}() SET row_security = off;
            REVOKE ALL ON FUNCTION {pgid}() FROM PUBLIC;
            COMMENT ON FUNCTION {pgid}() IS '{mark}';

            DROP TRIGGER IF EXISTS {pgid} ON {table};
            CREATE {constraint} TRIGGER {pgid}
                {when} {operation} ON {table}
                {timing}
                {referencing}
                FOR EACH {level} {condition}
                EXECUTE FUNCTION {execute};

            COMMENT ON TRIGGER {pgid} ON {table} IS '{hash}';

            DO $state$ BEGIN
                IF to_regclass('{state}') IS NOT NULL THEN
                    UPDATE {state} s
                    SET stopped = replace(s.stopped, pg_current_xact_id()::text || ':{pgid};', '')
                    FROM pg_proc f WHERE f.oid = '{pgid}'::regproc AND position(';{pgid};' IN s.kept_by) > 0
                    AND (position(' ' || s.name || '=' IN f.prosrc) = 0
                        OR position(' ' || s.name || '=' || s.fingerprint || ';' IN f.prosrc) > 0);
                END IF;
            END $state$;
        """.replace("{mark}", MARK).replace("{state}", STATE_TABLE)


class DeferredTriggerSql(OwnedTriggerSql):
    """The statements that install a trigger which runs at commit, and reads by index.

    A session plans its statements once, and the table may have been all but empty then. Nor does a scan by
    bitmap tell the index which of its entries are dead: with many writes of one key it reads them ever again.
    """

    def get_template(self) -> str:
        return (
            super().get_template()
            + """
            ALTER FUNCTION {pgid}() SET enable_seqscan = off;
            ALTER FUNCTION {pgid}() SET enable_bitmapscan = off;
        """
        )


class StatementTriggerSql(OwnedTriggerSql):
    """The statements that install a trigger for each statement on a table and on every partition of it.

    PostgreSQL fires it for the table that a statement names only. On a partition that is detached it is
    silent, as its rows are not counted any more.
    """

    def get_template(self) -> str:
        return (
            super().get_template()
            + """
            DO $parts$ DECLARE part regclass; BEGIN
                FOR part IN
                    SELECT t.relid FROM pg_partition_tree('{table}') t JOIN pg_class c ON c.oid = t.relid
                    WHERE t.level > 0 AND c.relkind IN ('r', 'p')
                LOOP
                    EXECUTE format('DROP TRIGGER IF EXISTS {partition_trigger} ON %s', part);
                    EXECUTE format(
                        'CREATE TRIGGER {partition_trigger} {when} {operation} ON %s {referencing} '
                        'FOR EACH STATEMENT WHEN (pg_partition_root(%L::regclass) = %L::regclass) '
                        'EXECUTE FUNCTION {execute}', part, part, '{table}'
                    );
                END LOOP;
            END $parts$;
        """.replace("{partition_trigger}", elsewhere(self.kwargs["pgid"]))
        )


def elsewhere(pgid: str) -> str:
    """Return the name that a trigger has on a table without a model: pgtrigger prunes others."""
    return pgid.replace("pgtrigger_", "leaderboard_", 1)


class InstalledTrigger(compiler.Trigger):
    """A trigger as a migration holds it; uninstalling it drops its function as well.

    ``requires`` is what must be there before it, as pairs of the label of a model and the name of a field, or
    None for the model itself. Migrations do not hold that, their order does.
    """

    requires: Sequence[tuple[str, str | None]] = ()

    @property
    def turn(self) -> int:
        """When it is removed: as writers lock tables, first those that they write to, or both would wait."""
        return 0 if str(self.name).startswith(ON_WRITTEN_TABLES) else 1

    @property
    def uninstall_sql(self) -> str:
        # With its triggers: a table that was renamed meanwhile has another name than the one known here.
        pgid = self.sql.pgid
        return f"""
            DO $state$ BEGIN
                IF to_regclass('{STATE_TABLE}') IS NOT NULL THEN
                    UPDATE {STATE_TABLE} SET stopped = stopped || pg_current_xact_id()::text || ':{pgid};'
                    WHERE position(';{pgid};' IN kept_by) > 0;
                END IF;
            END $state$;
            DROP FUNCTION IF EXISTS {pgid}() CASCADE;
        """


class OwnedTrigger(pgtrigger.Trigger):
    """A trigger of :class:`OwnedTriggerSql`. ``func`` and ``declare`` are SQL, or functions that return it.

    ``table`` is the table that it stands on, where that is not the one of the model whose migrations have it:
    the table of a many-to-many relation has no migrations. ``requires`` is as for :class:`InstalledTrigger`.

    ``pgtrigger.ignore()`` does not reach it: what it keeps would silently differ.
    """

    def __init__(
        self,
        *,
        table: str | None = None,
        requires: Sequence[tuple[str, str | None]] = (),
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.table = table
        self.requires = requires

    def table_on(self, model: Any) -> str:
        """Return the table that it stands on, where ``model`` has it."""
        return self.table or str(model._meta.db_table)

    def get_pgid(self, model: Any) -> str:
        pgid = str(super().get_pgid(model))
        # pgtrigger prunes what has its prefix and stands on another table than that of its model.
        return pgid if self.table is None else elsewhere(pgid)

    def get_func(self, model: Any) -> str:
        return str(self.func() if callable(self.func) else self.func)

    def render_declare(self, model: Any) -> str:
        return str(self.declare() if callable(self.declare) else self.declare or "")

    def compile(self, model: Any) -> InstalledTrigger:
        arguments: dict[str, Any] = {**super().compile(model).sql.kwargs}
        del arguments["ignore_func_name"]
        if self.table is not None:
            arguments["table"] = self.table
        template: type[OwnedTriggerSql] = OwnedTriggerSql
        if self.level == pgtrigger.Statement:
            template = StatementTriggerSql
        elif self.timing == pgtrigger.Deferred:
            template = DeferredTriggerSql
        installed = InstalledTrigger(name=self.name, sql=template(**arguments))
        installed.requires = self.requires
        return installed

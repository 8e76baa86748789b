"""Columns that are read as more than what is stored in them, wherever a query has them."""

from __future__ import annotations

from typing import Any

from django.db.models.expressions import Col

from leaderboard.orm.versions import quote_alias

__all__ = ["ReadColumn"]


class ReadColumn(Col):
    """A column whose field says by ``read_sql(stored, alias, connection)`` how it is read.

    ``stored`` is the column itself and ``alias`` that of its table, both as SQL. Where columns bear no
    table's name, as in an index, it is what is stored.
    """

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        sql, params = super().as_sql(compiler, connection)
        if self.alias is None:
            return sql, params
        field: Any = self.target
        read = field.read_sql(sql, quote_alias(compiler, self.alias), connection)
        return (sql if read is None else read), params

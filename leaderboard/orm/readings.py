"""Fields whose columns are read as more than what is stored in them, wherever a query has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.expressions import Col

from leaderboard.orm.versions import quote_alias

if TYPE_CHECKING:
    AnyField = models.Field[Any, Any]
else:
    AnyField = models.Field

__all__ = ["ReadColumn", "ReadField"]


class ReadColumn(Col):
    """A column whose field says how it is read.

    Where columns bear no table's name, as in an index, it is what is stored.
    """

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        sql, params = super().as_sql(compiler, connection)
        if self.alias is None:
            return sql, params
        field: Any = self.target
        read = field.read_sql(sql, quote_alias(compiler, self.alias), connection)
        return (sql if read is None else read), params


class ReadField(AnyField):
    """A field that is read by an expression, with values of another field's type."""

    @property
    def target_field(self) -> AnyField:
        """A field that converts and compares the values."""
        raise NotImplementedError

    def read_sql(self, stored: str, alias: str, connection: Any) -> str | None:
        """Return the SQL by which the column of a table called ``alias`` is read; None for what is stored."""
        raise NotImplementedError

    def get_col(self, alias: Any, output_field: Any = None) -> ReadColumn:
        if output_field is None or output_field is self:
            output_field = self.target_field
        return ReadColumn(alias, self, output_field)

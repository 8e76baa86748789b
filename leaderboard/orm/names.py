"""Classes of Django that the floors above use although it does not document them."""

from __future__ import annotations

from django.db.models.expressions import Combinable, CombinedExpression
from django.db.models.functions.datetime import TruncBase

__all__ = ["Combinable", "CombinedExpression", "TruncBase"]

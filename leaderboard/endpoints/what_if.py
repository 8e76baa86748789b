"""What another cut-off would make of a board: who would qualify, beside who does now.

    SELECT app_attempt._now_qualification, app_attempt._then_qualification, COUNT(app_attempt.id) …

Both are of one statement, and so of one moment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count

from leaderboard.declaration.cut_offs import AtLeast, AtMost, CutOff, PercentileAtLeast, TopCount, TopPercent
from leaderboard.declaration.leaderboard import Leaderboard
from leaderboard.endpoints.errors import InvalidParameter
from leaderboard.endpoints.filtering import in_zone
from leaderboard.endpoints.ordering import Orderings
from leaderboard.endpoints.parameters import Parameters
from leaderboard.expressions.arguments import reason_of
from leaderboard.expressions.fields import value_field
from leaderboard.kinds import Qualification
from leaderboard.orm.trees import same

__all__ = ["WhatIf", "what_would_be"]

NUMBER = re.compile(r"[0-9]{1,3}(\.[0-9]{1,9})?", re.ASCII)
MOST = 10**15
THRESHOLDS: dict[str, Callable[[Any, Any], CutOff]] = {"at_least": AtLeast, "at_most": AtMost}
SHARES: dict[str, Callable[[Any], CutOff]] = {"top_percent": TopPercent, "percentile": PercentileAtLeast}
NOW, THEN = "_now_", "_then_"


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """How many ranked entries of a view qualify by a rule, and by the rule that the board has.

    ``gained`` would qualify and do not now, ``lost`` are those who do now and would not.
    """

    rule: CutOff
    ranked: int
    qualified: int
    qualified_now: int
    gained: int
    lost: int


def what_would_be(view: Any, given: Mapping[str, str], orderings: Orderings) -> WhatIf:
    """Return what the cut-off that parameters give would make of a queryset that is on one board.

    It is one of ``at_least`` and ``at_most``, a value of what ``of`` names among what the board may be
    ordered by, ``top_count``, ``top_percent`` and ``percentile``. Without ``of`` it is of what the board's
    own rule is about, or of its first ordering term. Raises ``InvalidParameter`` for a parameter that
    cannot be right.
    """
    parameters = Parameters(given)
    rule = _rule(parameters, view.leaderboard, orderings)
    changed = view.leaderboard.replace(cut_off=rule)
    # Once, as an entry may be found by several rows that are joined to it.
    rows = view.ranked().each_once().with_qualification(prefix=NOW)
    rows = rows.with_leaderboard(changed).with_qualification(prefix=THEN)
    groups = rows.ranked().order_by().values_list(f"{NOW}qualification", f"{THEN}qualification")
    counts = {(now, then): count for now, then, count in groups.annotate(Count("pk"))}

    def counted(is_counted: Callable[[bool, bool], bool]) -> int:
        passes = Qualification.QUALIFIED
        return sum(
            count for (now, then), count in counts.items() if is_counted(now == passes, then == passes)
        )

    return WhatIf(
        rule=rule,
        ranked=sum(counts.values()),
        qualified=counted(lambda now, then: then),
        qualified_now=counted(lambda now, then: now),
        gained=counted(lambda now, then: then and not now),
        lost=counted(lambda now, then: now and not then),
    )


def _rule(parameters: Parameters, board: Leaderboard, orderings: Orderings) -> CutOff:
    kinds = (*THRESHOLDS, "top_count", *SHARES)
    kind = parameters.only(*kinds)
    if kind is None:
        raise InvalidParameter("at_least", f"give one of {', '.join(kinds)}.")
    if kind in THRESHOLDS:
        return _threshold(parameters, kind, board, orderings)
    if parameters.text("of") is not None:
        raise InvalidParameter("of", f"cannot be given beside {kind}.")
    if kind == "top_count":
        return TopCount(parameters.whole(kind, 0, least=0, most=MOST))
    text = parameters.text(kind) or ""
    if not NUMBER.fullmatch(text) or not 0 <= Decimal(text) <= 100:
        raise InvalidParameter(kind, f"{text!r} is no number from 0 to 100.")
    return SHARES[kind](Decimal(text))


def _threshold(parameters: Parameters, kind: str, board: Leaderboard, orderings: Orderings) -> CutOff:
    values = orderings.values()
    declared = board.cut_off
    own = declared.expression if isinstance(declared, AtLeast | AtMost) else None
    name = parameters.choice("of", [*values])
    if name is None:
        named = [other for other, (expression, _) in values.items() if same(expression, own)]
        name = next(iter(named or values), None)
    if name is None:
        raise InvalidParameter("of", "the board is ordered by nothing that has a name.")
    expression, field = values[name]
    text = parameters.text(kind) or ""
    try:
        value = in_zone(value_field(field).clean(text, None))
    except (TypeError, ValueError, ValidationError) as error:
        raise InvalidParameter(kind, f"{text!r} is no value of {name}: {reason_of(error)}") from error
    return THRESHOLDS[kind](expression, value)

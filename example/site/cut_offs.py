"""The recruiter's page: who would qualify by another cut-off."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.http import Http404

from example.assessments.models import BOARDS, Attempt, Test
from example.site.boards import Board, columns_of, require_ranked_by
from example.site.charts import chart_of
from example.site.computed import tell_plan
from example.site.parts import PartlyView
from leaderboard.endpoints import InvalidParameter, Pager, board_or_404, what_would_be
from leaderboard.templatetags.leaderboard import time_taken

__all__ = ["CutOff"]

NUMBER = re.compile(r"-?[0-9]{1,6}", re.ASCII)
# Of those on either side of the cut-off, and of all others by its links.
PAGER = Pager(size=12)


class CutOff(PartlyView):
    """Shows who would qualify by the cut-off that is given, and how many by every other one."""

    template_name = "site/cut_off.html"
    part_name = "site/outcome.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the cut-off makes of the board; raises ``InvalidParameter`` for what cannot be one."""
        named, key = kwargs.pop("board"), kwargs.pop("test")
        board = board_or_404(Attempt.objects.board(named).select_related("candidate", "test"), test=key)
        try:
            test = Test.objects.get(pk=key)
        except Test.DoesNotExist as error:
            raise Http404(f"There is no test {key}.") from error
        require_ranked_by(test, named)
        value = self._value(test)
        given = {"at_most": str(60 * value)} if test.is_timed else {"at_least": str(value)}
        found = what_would_be(board, given, Board.pager.orderings(board))
        moved = board.with_leaderboard(BOARDS[named].replace(cut_off=found.rule)).standings()
        beside = PAGER.page(moved, self._place(found.qualified))
        chosen = moved.page(PAGER.size).explain_plan()
        tell_plan(self.request, "both sides of the cut-off", chosen)
        counts = self._counts(board, test, found.qualified_now)
        marked = min((abs(count["value"] - value), count["value"]) for count in counts)[1]
        return super().get_context_data(
            test=test,
            value=value,
            text=text_of(test, value),
            found=found,
            difference=found.qualified - found.qualified_now,
            beside=beside,
            counts=counts,
            marked=marked,
            chart=chart_of([(c["text"], c["count"], "own" if c["value"] == marked else "") for c in counts]),
            columns=columns_of(named),
            **kwargs,
        )

    def _place(self, qualified: int) -> dict[str, str]:
        """Return which page is shown: the one that the URL names, or else the one with the cut-off."""
        named = {name: self.request.GET[name] for name in ("cursor", "page") if name in self.request.GET}
        # Who qualifies comes before who does not.
        return named or {"rank": str(max(qualified - PAGER.size // 2 + 1, 1))}

    def _value(self, test: Test) -> int:
        text = self.request.GET.get("cut_off")
        if text is None:
            return _middle(test) if test.is_timed else test.least_score or _middle(test)
        if not NUMBER.fullmatch(text) or not test.scale_from <= int(text) <= test.scale_to:
            unit = "minutes" if test.is_timed else "points"
            raise InvalidParameter(
                "cut_off", f"{text!r} is no whole number of {unit} from {test.scale_from} to {test.scale_to}."
            )
        return int(text)

    def _counts(self, board: Any, test: Test, now: int) -> list[dict[str, Any]]:
        values = range(test.scale_from, test.scale_to + 1, test.scale_step)

        def condition(value: int) -> Q:
            if test.is_timed:
                return Q(time_taken__lte=timedelta(minutes=value))
            return Q(score__gte=value)

        counted = {f"at_{value}": Count("pk", filter=condition(value)) for value in values}
        counts = board.with_time_taken().ranked().aggregate(**counted)
        return [
            {
                "value": value,
                "text": text_of(test, value),
                "count": counts[f"at_{value}"],
                "more": counts[f"at_{value}"] - now,
            }
            for value in values
        ]


def text_of(test: Test, value: int) -> str:
    """Return a cut-off as people write it."""
    return time_taken(timedelta(minutes=value)) if test.is_timed else str(value)


def _middle(test: Test) -> int:
    return (test.scale_from + test.scale_to) // 2

"""The report of one candidate at one test."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.http import Http404
from django.views.generic import TemplateView

from example.assessments.models import Attempt
from example.site.boards import Board, columns_of, require_ranked_by
from example.site.charts import Chart, chart_of
from example.site.computed import tell_plan
from example.site.margins import Margin, margin_of
from leaderboard.endpoints import Histogram, Range, board_or_404, histogram_of
from leaderboard.templatetags.leaderboard import time_taken

__all__ = ["Report"]

CODE = re.compile(r"[A-Za-z0-9]{1,12}", re.ASCII)
BINS = 24
NEIGHBOURS = 3


class Report(TemplateView):
    """Where a candidate stands, among whom, and by how much that qualifies."""

    template_name = "site/report.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the attempts of a candidate with their metrics, the neighbours and the histogram.

        Raises ``Http404`` where the candidate has no attempt.
        """
        named, key, code = kwargs.pop("board"), kwargs.pop("test"), kwargs.pop("candidate")
        board = board_or_404(Attempt.objects.board(named).select_related("candidate", "test"), test=key)
        if not CODE.fullmatch(code):
            raise Http404(f"{code!r} is no code of a candidate.")
        own = board.standings().filter(candidate=code).order_by("started_at", "pk")
        attempts = list(own)
        if not attempts:
            raise Http404(f"There is no attempt of {code!r} at test {key}.")
        shown = next((attempt for attempt in attempts if attempt.rank is not None), attempts[-1])
        require_ranked_by(shown.test, named)
        near: Any = []
        tell_plan(self.request, "the own attempts", own.explain_plan())
        if shown.rank is not None:
            near = board.standings().around(shown, before=NEIGHBOURS, after=NEIGHBOURS)
            tell_plan(self.request, "the neighbours", near.explain_plan())
        found = histogram_of(
            board,
            {"of": "time" if shown.test.is_timed else "score", "bins": str(BINS)},
            Board.pager.orderings(board),
        )
        margin = margin_of(shown)
        value = shown.time_taken if shown.test.is_timed else shown.score
        return super().get_context_data(
            attempts=attempts,
            shown=shown,
            test=shown.test,
            candidate=shown.candidate,
            near=near,
            margin=margin,
            chart=_chart(
                found, value if shown.rank is not None else None, margin, is_timed=shown.test.is_timed
            ),
            columns=columns_of(named),
            **kwargs,
        )


def _chart(found: Histogram, own: Any, margin: Margin | None, *, is_timed: bool) -> Chart:
    ranges = found.ranges
    mine = None
    if own is not None:
        mine = next((n for n, one in enumerate(ranges) if one.low <= own < one.high), len(ranges) - 1)

    def mark(number: int, one: Range) -> str:
        if number == mine:
            return "own"
        if margin is None:
            return ""
        # Ranges of which nobody qualifies.
        is_short = one.low > margin.cut_off if is_timed else one.high <= margin.cut_off
        return "short" if is_short else ""

    return chart_of(
        [
            (_label(one, is_last=one is ranges[-1]), one.count, mark(number, one))
            for number, one in enumerate(ranges)
        ]
    )


def _label(one: Range, *, is_last: bool) -> str:
    if isinstance(one.low, timedelta):
        return f"{time_taken(_whole(one.low))} to {time_taken(_whole(one.high))}"
    if one.high - one.low <= 1:
        return str(one.low)
    # The ranges of whole numbers have one width, so the last one may go beyond the highest.
    return f"{one.low} or more" if is_last else f"{one.low} to {one.high - 1}"


def _whole(value: timedelta) -> timedelta:
    return timedelta(seconds=round(value.total_seconds()))

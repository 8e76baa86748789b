"""The tests, and the pages of their boards."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Count
from django.http import Http404
from django.utils.functional import cached_property
from django.views.generic import TemplateView

from example.assessments.models import Attempt, Test
from example.site.computed import tell_plan
from leaderboard.endpoints import BoardView, Pager

__all__ = ["ORDERS", "Board", "Index", "columns_of", "require_ranked_by"]

ORDERS = {
    "rank": "Best first",
    "-rank": "Last first",
    "time_taken": "Fastest first",
    "-time_taken": "Slowest first",
    "name": "By name",
}

# Of these a page is read by the index.
OWN_ORDERS = ("rank", "-rank")


def require_ranked_by(test: Test, board: str) -> None:
    """Raise ``Http404`` where a test is ranked on another board."""
    if test.board != board:
        raise Http404(f"{test} is ranked {Test.Board(test.board).label}.")


def columns_of(board: str) -> dict[str, str]:
    """Return what tables have beside metrics."""
    if board == Test.Board.TIMED:
        return {"Candidate": "candidate__name", "Limit": "limit"}
    return {"Candidate": "candidate__name", "Score": "score"}


class Index(TemplateView):
    """All tests."""

    template_name = "site/index.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the tests with how many took them."""
        tests = Test.objects.annotate(
            attempt_count=Count("attempts"), candidate_count=Count("attempts__candidate", distinct=True)
        )
        return super().get_context_data(tests=tests.order_by("pk"), **kwargs)


class Board(BoardView):
    """The leaderboard of a test, as a page for people, and as JSON and files for programs."""

    model = Attempt
    fields: ClassVar = {
        "code": "candidate_id",
        "name": "candidate__name",
        "score": "score",
        "limit": "limit",
    }
    pager = Pager(size=25, max_size=100, others={"name": "candidate__name"})
    search = ("candidate__name", "candidate__code")
    template_name = "site/board.html"
    orders = ORDERS

    def get_queryset(self) -> Any:
        """Return the attempts on the board that the URL names."""
        return super().get_queryset().board(self.kwargs["board"])

    def get_view(self) -> Any:
        """Return what is asked for, with all that a row shows."""
        return super().get_view().select_related("candidate", "test")

    def get_page(self) -> dict[str, Any]:
        """Return a page, having seen that the test is ranked on this board."""
        found = super().get_page()
        require_ranked_by(self.test, self.kwargs["board"])
        tell_plan(self.request, "this page", self._chosen(found))
        return found

    def _chosen(self, found: dict[str, Any]) -> Any:
        """Return the plan of the library for such a page."""
        view = self.get_view()
        if found["ordering"] in OWN_ORDERS:
            return self.pager.with_metrics(view).page(found["size"]).explain_plan()
        return self.pager.ordered(view, {"ordering": found["ordering"]})[: found["size"]].explain_plan()

    @cached_property
    def test(self) -> Test:
        """The test, which comes with every entry."""
        if self.page is not None and self.page.entries:
            found: Test = self.page.entries[0].test
            return found
        return Test.objects.get(pk=self.kwargs["test"])

    @property
    def board_size(self) -> int | None:
        """How many are ranked, where somebody is shown."""
        return self.page.entries[0].board_size if self.page is not None and self.page.entries else None

    @property
    def example(self) -> str:
        """The code of somebody who is shown."""
        entries = [] if self.page is None else self.page.entries
        return entries[-1].candidate_id if entries else "C0001"

    @property
    def shown(self) -> dict[str, str]:
        """What the table has beside metrics."""
        return columns_of(self.kwargs["board"])

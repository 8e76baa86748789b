"""Boards over HTTP: pages, and what else there is to ask of one."""

from leaderboard.endpoints.boards import board_or_404
from leaderboard.endpoints.cursor import Cursor, Cursors
from leaderboard.endpoints.errors import InvalidParameter
from leaderboard.endpoints.histogram import Histogram, Range, histogram_of
from leaderboard.endpoints.ordering import Order, Orderings
from leaderboard.endpoints.page import Page, Pager
from leaderboard.endpoints.views import BoardView
from leaderboard.endpoints.what_if import WhatIf, what_would_be

__all__ = [
    "BoardView",
    "Cursor",
    "Cursors",
    "Histogram",
    "InvalidParameter",
    "Order",
    "Orderings",
    "Page",
    "Pager",
    "Range",
    "WhatIf",
    "board_or_404",
    "histogram_of",
    "what_would_be",
]

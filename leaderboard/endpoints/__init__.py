"""Boards over HTTP: pages, and what else there is to ask of one."""

from leaderboard.endpoints.cursor import Cursor, Cursors
from leaderboard.endpoints.errors import InvalidParameter
from leaderboard.endpoints.ordering import Order, Orderings
from leaderboard.endpoints.page import Page, Pager
from leaderboard.endpoints.views import BoardView

__all__ = ["BoardView", "Cursor", "Cursors", "InvalidParameter", "Order", "Orderings", "Page", "Pager"]

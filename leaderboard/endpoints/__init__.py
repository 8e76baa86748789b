"""Boards over HTTP: pages, and what else there is to ask of one."""

from leaderboard.endpoints.cursor import Cursor, Cursors
from leaderboard.endpoints.errors import InvalidParameter
from leaderboard.endpoints.ordering import Order, Orderings
from leaderboard.endpoints.page import Page, Pager

__all__ = ["Cursor", "Cursors", "InvalidParameter", "Order", "Orderings", "Page", "Pager"]

"""The URLs of the site."""

from __future__ import annotations

from django.urls import include, path, register_converter

from example.site.boards import Board, Index
from example.site.converters import BoardConverter
from example.site.cut_offs import CutOff
from example.site.posts import AddComment, Counts, PostPage, Posts, Vote
from example.site.reports import Report

__all__ = ["handler400", "handler404", "urlpatterns"]

register_converter(BoardConverter, "board")

handler400 = "example.site.errors.bad_request"
handler404 = "example.site.errors.not_found"

urlpatterns = [
    path("", Index.as_view(), name="index"),
    # A page, and what else there is of a board: its neighbours, histogram and files, as JSON and CSV.
    path("<board:board>/<int:test>/", include(Board.urls("board"))),
    path("<board:board>/<int:test>/cut-off/", CutOff.as_view(), name="cut-off"),
    path("<board:board>/<int:test>/candidates/<str:candidate>/", Report.as_view(), name="report"),
    path("posts/", Posts.as_view(), name="posts"),
    path("posts/<int:post>/", PostPage.as_view(), name="post"),
    path("posts/<int:post>/counts/", Counts.as_view(), name="counts"),
    path("posts/<int:post>/comments/", AddComment.as_view(), name="add-comment"),
    path("posts/<int:post>/comments/<int:comment>/vote/", Vote.as_view(), name="vote"),
]

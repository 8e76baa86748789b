"""Posts with counters, which triggers keep: comments and votes count as soon as they are there."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View
from django.views.generic import TemplateView

from example.talk.models import Blog, Comment, Post
from leaderboard.endpoints import InvalidParameter

__all__ = ["AddComment", "Counts", "PostPage", "Posts", "Vote"]

SHOWN = 20
KEY = re.compile(r"[0-9]{1,18}", re.ASCII)


class CommentForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for django-stubs only
    """What somebody has to say."""

    text = forms.CharField(label="Comment", max_length=500, widget=forms.Textarea(attrs={"rows": 3}))

    class Meta:
        model = Comment
        fields = ("text",)


def post_or_404(key: int) -> Post:
    """Return a post with its counters; raises ``Http404``."""
    try:
        post: Post = Post.objects.get(pk=key)
    except Post.DoesNotExist as error:
        raise Http404(f"There is no post {key}.") from error
    return post


class Posts(TemplateView):
    """All posts, those with the most votes first."""

    template_name = "site/posts.html"

    def get_template_names(self) -> list[str]:
        """Return the template of the page, or of the list alone."""
        return ["site/post_list.html"] if self.request.htmx else ["site/posts.html"]  # type: ignore[attr-defined]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the blogs and posts; every number is a column."""
        posts = Post.objects.order_by("-karma", "pk")
        return super().get_context_data(posts=posts, blogs=Blog.objects.order_by("pk"), **kwargs)


class PostPage(TemplateView):
    """A post with its newest comments, or those before one."""

    template_name = "site/post.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the post and some comments; raises ``InvalidParameter`` for what is no comment's key."""
        post = post_or_404(kwargs.pop("post"))
        kwargs.setdefault("form", CommentForm())
        return super().get_context_data(
            post=post, **comments_of(post, self.request.GET.get("before")), **kwargs
        )


def comments_of(post: Post, before: str | None = None) -> dict[str, Any]:
    """Return the newest public comments, and where older ones are."""
    comments = Comment.objects.filter(post=post, is_public=True).order_by("-pk")
    if before is not None:
        if not KEY.fullmatch(before):
            raise InvalidParameter("before", f"{before!r} is no number of a comment.")
        comments = comments.filter(pk__lt=int(before))
    found = list(comments[: SHOWN + 1])
    shown = found[:SHOWN]
    return {"comments": shown, "older": shown[-1].pk if len(found) > SHOWN else None, "is_newest": not before}


class Counts(View):
    """The counters of a post; of status 204 as long as they are those that a page has."""

    def get(self, request: HttpRequest, post: int) -> HttpResponse:
        """Return the part of a page that shows the counters."""
        found = post_or_404(post)
        if request.GET.get("seen") == f"{found.comment_count} {found.karma}":
            return HttpResponse(status=204)
        return render(request, "site/counts.html", {"post": found})


class AddComment(View):
    """Adds a comment."""

    http_method_names = ("post", "options")

    def post(self, request: Any, post: int) -> HttpResponse:
        """Store the comment, and show it with the new counts; 400 where it is empty or too long."""
        found = post_or_404(post)
        form = CommentForm(request.POST, instance=Comment(post=found))
        is_valid = form.is_valid()
        if is_valid:
            form.save()
            if not request.htmx:
                return redirect("post", post=post)
            found, form = post_or_404(post), CommentForm()
        context = {"post": found, "form": form, **comments_of(found)}
        template = "site/talk.html" if request.htmx else "site/post.html"
        return render(request, template, context, status=200 if is_valid else 400)


class Vote(View):
    """Votes for a comment, or against it."""

    http_method_names = ("post", "options")

    def post(self, request: Any, post: int, comment: int) -> HttpResponse:
        """Add the vote in one statement, so that none is lost; raises ``InvalidParameter`` for no vote."""
        value = request.POST.get("value")
        if value not in ("1", "-1"):
            raise InvalidParameter("value", f"{value!r} is none of 1, -1.")
        own = Comment.objects.filter(pk=comment, post=post, is_public=True)
        if not own.update(votes=F("votes") + int(value)):
            raise Http404(f"There is no comment {comment} on post {post}.")
        if not request.htmx:
            return redirect("post", post=post)
        context = {"post": post_or_404(post), "comment": own.get()}
        return render(request, "site/voted.html", context)

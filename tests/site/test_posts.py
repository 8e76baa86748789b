from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from example.site.posts import SHOWN
from example.talk.models import Blog, Comment, Post
from tests.site.pages import get, read


@pytest.fixture
def post() -> Post:
    blog = Blog.objects.create(name="Notes")
    return post_of(blog, 30)


def post_of(blog: Blog, comments: int) -> Post:
    post: Post = Post.objects.create(blog=blog, title=f"Post with {comments}")
    Comment.objects.bulk_create(
        Comment(post=post, text=f"comment number {n}", votes=n % 3) for n in range(comments)
    )
    Comment.objects.create(post=post, text="a secret", is_public=False)
    return post


def test_posts_show_their_counters(post: Post) -> None:
    page = get("/posts/")
    assert "30 comments 30 votes" in page.text
    assert "Notes: 30 comments in all." in page.text
    part = get("/posts/", htmx=True)
    assert "<!doctype" not in part.html
    assert "30 comments 30 votes" in part.text


def test_no_posts() -> None:
    assert "There are no posts yet." in get("/posts/").text


def test_a_post_shows_the_newest_comments_and_leads_to_the_older_ones(post: Post) -> None:
    page = get(f"/posts/{post.pk}/")
    assert page.status == 200
    assert [n for n in range(30) if f"comment number {n} " in page.text] == [*range(30 - SHOWN, 30)]
    assert "a secret" not in page.text
    last = Comment.objects.get(text=f"comment number {30 - SHOWN}")
    assert f'?before={last.pk}"' in page.html
    older = get(f"/posts/{post.pk}/", before=last.pk)
    assert [n for n in range(30) if f"comment number {n} " in older.text] == [*range(30 - SHOWN)]
    assert "?before=" not in older.html


@pytest.mark.parametrize("htmx", [False, True])
def test_a_comment_counts_at_once(post: Post, htmx: bool) -> None:
    headers = {"hx-request": "true"} if htmx else {}
    client = Client()
    response = client.post(f"/posts/{post.pk}/comments/", {"text": "<b>new</b>"}, headers=headers)
    if htmx:
        assert response.status_code == 200
        page = read(response)
        assert "<!doctype" not in page.html
    else:
        assert (response.status_code, response.headers["Location"]) == (302, f"/posts/{post.pk}/")
        page = read(client.get(f"/posts/{post.pk}/"))
    assert "31 comments 30 votes" in page.text
    assert "&lt;b&gt;new&lt;/b&gt;" in page.html


@pytest.mark.parametrize("text", ["", "   ", "x" * 501, "a\0b"])
@pytest.mark.parametrize("htmx", [False, True])
def test_a_comment_that_cannot_be(post: Post, text: str, htmx: bool) -> None:
    headers = {"hx-request": "true"} if htmx else {}
    response = Client().post(f"/posts/{post.pk}/comments/", {"text": text}, headers=headers)
    assert response.status_code == 400
    page = read(response)
    assert 'role="alert"' in page.html
    assert "30 comments" in page.text
    assert Comment.objects.filter(post=post).count() == 31


@pytest.mark.parametrize(("value", "votes"), [("1", 31), ("-1", 29)])
@pytest.mark.parametrize("htmx", [False, True])
def test_a_vote_counts_at_once(post: Post, value: str, votes: int, htmx: bool) -> None:
    comment = Comment.objects.get(text="comment number 4")
    headers = {"hx-request": "true"} if htmx else {}
    url = f"/posts/{post.pk}/comments/{comment.pk}/vote/"
    response = Client().post(url, {"value": value}, headers=headers)
    if htmx:
        page = read(response)
        assert 'hx-swap-oob="true"' in page.html
        assert f"Votes: {1 + int(value)}" in page.text
        assert f"30 comments {votes} votes" in page.text
    else:
        assert response.status_code == 302
    assert f"30 comments {votes} votes" in get(f"/posts/{post.pk}/").text


def test_votes_that_cannot_be(post: Post) -> None:
    hidden = Comment.objects.get(is_public=False)
    shown = Comment.objects.get(text="comment number 4")
    other = post_of(post.blog, 1)
    for where, key, value, status, reason in [
        (post, shown.pk, "100", 400, "value: '100' is none of 1, -1."),
        (post, hidden.pk, "1", 404, f"There is no comment {hidden.pk} on post {post.pk}."),
        (other, shown.pk, "1", 404, f"There is no comment {shown.pk} on post {other.pk}."),
        (post, 10**30, "1", 404, "There is no comment"),
    ]:
        response = Client().post(f"/posts/{where.pk}/comments/{key}/vote/", {"value": value})
        assert response.status_code == status
        assert reason in read(response).text
    shown.refresh_from_db()
    assert shown.votes == 1


def test_polling_sends_nothing_as_long_as_nothing_changed(post: Post) -> None:
    url = f"/posts/{post.pk}/counts/"
    assert Client().get(url, {"seen": "30 30"}).status_code == 204
    Comment.objects.create(post=post, votes=5)
    page = get(url, htmx=True, seen="30 30")
    assert page.status == 200
    assert "31 comments 35 votes" in page.text


@pytest.mark.parametrize(
    ("url", "given", "status", "reason"),
    [
        ("/posts/999999/", {}, 404, "There is no post 999999."),
        (f"/posts/{10**30}/", {}, 404, "There is no post"),
        ("/posts/999999/counts/", {}, 404, "There is no post 999999."),
        (None, {"before": "x"}, 400, "before: 'x' is no number of a comment."),
        (None, {"before": "1\0"}, 400, "is no number of a comment."),
        (None, {"before": "9" * 30}, 400, "is no number of a comment."),
    ],
)
def test_what_is_not_there(
    post: Post, url: str | None, given: dict[str, str], status: int, reason: str
) -> None:
    page = get(url or f"/posts/{post.pk}/", **given)
    assert page.status == status
    assert reason in page.text


@pytest.mark.parametrize(("url", "number"), [("/posts/", 2), ("/posts/{}/", 2), ("/posts/{}/counts/", 1)])
def test_as_many_statements_whatever_the_number_of_comments(url: str, number: int) -> None:
    blog = Blog.objects.create(name="Notes")
    for comments in (10, 1000):
        own: Any = post_of(blog, comments)
        with CaptureQueriesContext(connection) as captured:
            assert get(url.format(own.pk)).status == 200
        assert len(captured) == number

"""The demo of counters: what they cost to read, and how one that is wrong is found and mended."""

from __future__ import annotations

import time
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Q

from example.progress import Progress
from example.talk.models import Blog, Post
from leaderboard import counters, ignore

BLOG = "Synthetic blog"
POSTS = 50
BATCH = 20_000

# A fifth of the comments is not public; a vote is from -2 to 5.
SYNTHESISE = """
    INSERT INTO talk_comment (post_id, text, is_public, votes)
    SELECT post.id, '', random() >= 0.2, floor(8 * random()) - 2
      FROM generate_series(%(first)s, %(last)s) AS n
      JOIN talk_post AS post ON post.blog_id = %(blog)s AND post.title = 'Post ' || (1 + n %% %(posts)s)
"""


def run_demo(comments: int) -> None:
    """Fill a blog, read its counters beside ``COUNT(*)``, then break one, find it and mend it."""
    Blog.objects.filter(name=BLOG).delete()
    blog = Blog.objects.create(name=BLOG)
    Post.objects.bulk_create(Post(blog=blog, title=f"Post {n}") for n in range(1, POSTS + 1))
    _synthesise(blog, comments)
    posts = Post.objects.filter(blog=blog)
    blog.refresh_from_db()
    print(f"\nCounters of {POSTS} posts with {comments:,} comments, {blog.comment_count:,} of them public")
    for post in posts.order_by("-karma", "pk")[:3]:
        print(f"    {post.title:<8}  {post.comment_count:,} public comments, karma {post.karma:,}")
    public = Count("comments", filter=Q(comments__is_public=True))
    counted = _timed("COUNT(*) of all posts", posts.annotate(n=public).values_list("n", flat=True))
    kept = _timed("the counters", posts.values_list("comment_count", flat=True))
    print(f"    the same numbers: {sorted(counted) == sorted(kept)}")
    _break_and_mend(posts.order_by("pk")[0])


def _synthesise(blog: Blog, comments: int) -> None:
    progress = Progress(BLOG, comments)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.42)")
        for first in range(1, comments + 1, BATCH):
            last = min(first + BATCH - 1, comments)
            cursor.execute(SYNTHESISE, {"blog": blog.pk, "posts": POSTS, "first": first, "last": last})
            progress(last)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE talk_comment, talk_post")


def _timed(what: str, queryset: Any) -> list[int]:
    began = time.perf_counter()
    values = list(queryset)
    print(f"    {what}: {(time.perf_counter() - began) * 1000:.1f} ms")
    return values


def _break_and_mend(post: Post) -> None:
    print("\nA counter that is made wrong by raw SQL, under ignore(), is found and mended")
    with ignore(), connection.cursor() as cursor:
        cursor.execute("UPDATE talk_post SET comment_count = 12345 WHERE id = %s", [post.pk])
    for report in counters.check(Post):
        for drift in report.drifts:
            print(
                f"    {drift.counter} of row {drift.key}: {drift.stored:,} stored, {drift.counted:,} counted"
            )
    mended = sum(report.wrong for report in counters.repair(Post, Blog, only_dirty=True))
    wrong = sum(report.wrong for report in counters.check(Post, Blog))
    post.refresh_from_db()
    print(f"    {mended} mended, {wrong} wrong; the post has {post.comment_count:,} again")

"""A blog of a few posts and some thousand comments, the same in every run."""

from __future__ import annotations

import random

from example.talk.models import Blog, Comment, Post

__all__ = ["BLOG", "load_sample"]

BLOG = "Notes on tests"
SEED = 42
# What a post is called, and how many comments it has.
POSTS = (
    ("How the cut-off of Data structures was found", 1800),
    ("What a percentile says, and what it does not", 640),
    ("Two thirds of you tied: on tests with few points", 310),
    ("Why a break does not count as time taken", 120),
    ("The marathon as a test", 45),
    ("Operating systems opens next month", 0),
)
SAID = (
    "This is what I had hoped to read.",
    "Does it hold for a second attempt too?",
    "I would have set it five points lower.",
    "The table made it clear to me.",
    "My own report says the same.",
    "Could you show the plan of that query?",
    "A tie is a tie: both should qualify.",
    "Thank you for the figures.",
    "I came here for the marathon and stayed for the SQL.",
    "What happens when a start is corrected afterwards?",
)


def load_sample() -> None:
    """Add the blog; a tenth of its comments is not public."""
    chance = random.Random(SEED)
    blog = Blog.objects.create(name=BLOG)
    for title, comments in POSTS:
        post = Post.objects.create(blog=blog, title=title)
        Comment.objects.bulk_create(
            Comment(
                post=post,
                text=chance.choice(SAID),
                is_public=chance.random() >= 0.1,
                votes=chance.randint(-2, 9),
            )
            for _ in range(comments)
        )

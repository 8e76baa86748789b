"""Holds a model's boards to the plain Python reference, in the tests of whoever declares them."""

from leaderboard.testing.comparison import assert_matches_reference, reference_standings

__all__ = ["assert_matches_reference", "reference_standings"]

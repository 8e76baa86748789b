"""Holds a model's boards to the plain Python reference, and counters to rows, in the tests of their users."""

from leaderboard.testing.comparison import assert_matches_reference, reference_standings
from leaderboard.testing.drift import assert_no_drift

__all__ = ["assert_matches_reference", "assert_no_drift", "reference_standings"]

"""Tests, candidates and their attempts."""

"""The command ``manage.py leaderboard``."""

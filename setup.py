"""The packages: setuptools finds them, but cannot both find them and map ``migrations/`` into one of them."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["leaderboard", "leaderboard.*"]), "leaderboard.migrations"])

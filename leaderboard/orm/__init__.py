"""The fence: all that leans on Django's private API is in this package, and nothing about leaderboards is.

The floors above use what is defined here and Django's documented API. ``tests/test_contract.py`` names
every private attribute, method and signature, and says which one a new Django has moved.
"""

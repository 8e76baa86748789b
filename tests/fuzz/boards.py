"""The boards that every model declares."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Q

from leaderboard import AtLeast, Latest, Leaderboard, TimeTaken, TopCount, TopPercent

__all__ = ["BOARDS", "DECLARATIONS", "TERMS"]

TAKEN = TimeTaken("started_at", "finished_at")

# Arguments, of which boards with other kinds of rank and percentile are made too.
DECLARATIONS: dict[str, dict[str, Any]] = {
    "timed": {
        "within": ["grp"],
        "order_by": ["-score", TAKEN],
        "eligible": Q(flagged=False),
        "time_taken": TAKEN,
        "cut_off": AtLeast("score", F("grp__level")),
    },
    "members": {
        "within": ["grp"],
        "member": "who",
        "order_by": ["-score"],
        "eligible": Q(flagged=False),
        "time_taken": TAKEN,
        "cut_off": TopCount(2),
    },
    "latest": {
        "member": "who",
        "counting": Latest("made"),
        "order_by": ["-score", "laps"],
        "rank_kind": "dense",
        "cut_off": TopPercent(50),
    },
    "everyone": {
        "order_by": ["laps"],
        "rank_kind": "ordinal",
        "percentile_kind": "mean",
        "cut_off": TopCount(3) & ~AtLeast("score", 2),
    },
    "laps": {
        "within": ["grp", "laps"],
        "order_by": ["made"],
        "eligible": ~Q(flagged=True),
        "rank_kind": "modified",
        "percentile_kind": "strict",
    },
}

BOARDS = {name: Leaderboard(**arguments) for name, arguments in DECLARATIONS.items()}

# The terms as the mirror has them: a time taken is stored there, under the prefix of its board.
TERMS = {
    name: ["{prefix}time_taken" if term is TAKEN else term for term in arguments["order_by"]]
    for name, arguments in DECLARATIONS.items()
}

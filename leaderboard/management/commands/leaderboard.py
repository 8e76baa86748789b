"""``manage.py leaderboard``: parses and prints; what is done is in :mod:`leaderboard.counters`.

It ends with 0 where all is well, with 1 where ``check`` has found something, and with 2 where what was asked
for cannot be done.
"""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections

from leaderboard.counters.overview import CounterStanding, overview
from leaderboard.counters.upkeep import backfill, check, fold_journals, repair
from leaderboard.management.bars import Bars

__all__ = ["Command"]

SHOWN_DRIFTS = 10
ACTIONS = {
    "counters": "list counters: built or not, what waits for them, and triggers that are amiss",
    "backfill": "build what is not built; go on where that was interrupted",
    "check": "compare counters with the rows that they count; end with 1 where something is wrong",
    "repair": "mend what is wrong",
    "fold": "merge what waits in side tables, and move what was left over; for cron",
}


class Command(BaseCommand):
    """The command. Each subcommand has a method, which returns data, lines for people, and what is wrong."""

    help = "Lists, builds, checks, repairs and folds counters."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="|".join(ACTIONS))
        for name, about in ACTIONS.items():
            action = actions.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")
            action.add_argument(
                "counters", nargs="*", help="counters or models, as in blog.Post.comment_count or blog.Post"
            )
            action.add_argument("--database", default=DEFAULT_DB_ALIAS, help="the alias of the database")
            action.add_argument("--json", action="store_true", help="print JSON")
            if name != "counters":
                action.add_argument("--batch-size", type=_size, default=1000, help="rows in one transaction")
            if name == "repair":
                action.add_argument(
                    "--only-dirty", action="store_true", help="only what was written under ignore()"
                )

    def handle(self, *_: Any, action: str, counters: Sequence[str], database: str, **options: Any) -> None:
        if database not in connections:
            raise CommandError(
                f"There is no database {database!r}; there is {' or '.join(connections)}.", returncode=2
            )
        try:
            result, lines, complaint = getattr(self, f"do_{action}")(counters, database, options)
        except (ImproperlyConfigured, OperationalError, ValueError) as error:
            raise CommandError(str(error), returncode=2) from error
        if options["json"]:
            self.stdout.write(json.dumps(result, default=str, indent=2))
        else:
            for line in lines:
                self.stdout.write(line)
        if complaint:
            raise CommandError(complaint, returncode=1)

    def do_counters(self, names: Sequence[str], using: str, options: dict[str, Any]) -> Any:
        """List counters."""
        standings = overview(*names, using=using)
        lines = _table(standings) if standings else ["There are no counters."]
        return [asdict(standing) for standing in standings], lines, ""

    def do_backfill(self, names: Sequence[str], using: str, options: dict[str, Any]) -> Any:
        """Build counters."""
        with self._bars(names, using) as bars:
            reports = backfill(*names, using=using, batch_size=options["batch_size"], progress=bars)
        lines = [
            f"{', '.join(each.counters)}: built, {each.rows:,} rows seen, {each.wrong:,} written."
            for each in reports
        ]
        return [asdict(each) for each in reports], lines or ["All counters are built."], ""

    def do_check(self, names: Sequence[str], using: str, options: dict[str, Any]) -> Any:
        """Compare counters."""
        with self._bars(names, using) as bars:
            reports = check(*names, using=using, batch_size=options["batch_size"], progress=bars)
        lines = []
        for each in reports:
            lines.append(f"{', '.join(each.counters)}: {each.rows:,} rows seen, {each.wrong:,} values wrong.")
            lines += [
                f"  {drift.counter} of {drift.key!r} is {drift.stored}, and should be {drift.counted}"
                for drift in each.drifts[:SHOWN_DRIFTS]
            ]
            if each.left_over:
                lines.append(f"  {each.left_over:,} keys were written to unrecorded, and are not repaired")
            lines += [f"  the trigger {name} is missing or disabled" for name in each.unguarded]
            if each.not_built:
                lines.append(f"  not built, and counted on every read: {', '.join(each.not_built)}")
        wrong = sum(each.wrong + each.left_over + len(each.unguarded) for each in reports)
        complaint = "Something is wrong: migrate, or enable triggers; then repair." if wrong else ""
        return [asdict(each) for each in reports], lines or ["There are no counters."], complaint

    def do_repair(self, names: Sequence[str], using: str, options: dict[str, Any]) -> Any:
        """Mend counters."""
        with self._bars(names, using) as bars:
            reports = repair(
                *names,
                using=using,
                batch_size=options["batch_size"],
                only_dirty=options["only_dirty"],
                progress=bars,
            )
        lines = [
            f"{', '.join(each.counters)}: {each.rows:,} rows seen, {each.wrong:,} mended." for each in reports
        ]
        return [asdict(each) for each in reports], lines or ["There are no counters."], ""

    def do_fold(self, names: Sequence[str], using: str, options: dict[str, Any]) -> Any:
        """Move what waits."""
        folded = fold_journals(*names, using=using, batch_size=options["batch_size"])
        lines = [f"{relation}: {rows:,} rows had several waiting." for relation, rows in folded.items()]
        return folded, lines or ["There are no counters."], ""

    def _bars(self, names: Sequence[str], using: str) -> Any:
        totals: dict[str, int] = {}
        for standing in overview(*names, using=using):
            totals[standing.group] = standing.rows
        return closing(Bars(self.stderr, totals))


def _table(standings: Sequence[CounterStanding]) -> list[str]:
    rows = [("counter", "state", "storage", "over", "waiting", "dirty", "triggers")]
    rows += [
        (
            each.name,
            each.state,
            each.storage,
            each.relation,
            f"{each.waiting:,}",
            f"{each.dirty:,}",
            _triggers(each),
        )
        for each in standings
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    amiss = dict.fromkeys(f"The trigger {name}." for each in standings for name in each.amiss)
    return [*lines, *amiss]


def _triggers(standing: CounterStanding) -> str:
    if standing.state == "missing":
        return "missing"
    return f"{len(standing.amiss)} amiss" if standing.amiss else "installed"


def _size(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)

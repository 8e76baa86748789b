"""The parameters of a request, read as what they must be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from leaderboard.endpoints.errors import InvalidParameter

__all__ = ["Parameters", "no_text"]

# As many digits as every bigint may have.
WHOLE = re.compile("[0-9]{1,18}", re.ASCII)
# Halves of pairs, which are in no UTF-8.
SURROGATES = re.compile("[\ud800-\udfff]")


def no_text(value: str) -> str | None:
    """Return why PostgreSQL has no such text; None where it may."""
    if "\0" in value:
        return "a NUL byte is in no text."
    return "half of a surrogate pair is in no text." if SURROGATES.search(value) else None


class Parameters:
    """The parameters of a request by name; of several values of one, the last counts.

    Raises :class:`~leaderboard.endpoints.InvalidParameter` for a NUL byte and for half of a surrogate pair,
    which PostgreSQL has in no text.
    """

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = {name: given[name] for name in given}
        for name, value in self._given.items():
            if (reason := no_text(f"{name}{value}")) is not None:
                raise InvalidParameter(SURROGATES.sub("", name.replace("\0", "")), reason)

    def text(self, name: str) -> str | None:
        """Return the value of a parameter; None where it is not given, or empty."""
        return self._given.get(name) or None

    def whole(self, name: str, default: int, *, least: int = 1, most: int) -> int:
        """Return a whole number; raise ``InvalidParameter`` for anything else, and for one out of bounds."""
        text = self.text(name)
        if text is None:
            return default
        number = int(text) if WHOLE.fullmatch(text) else None
        if number is None or not least <= number <= most:
            raise InvalidParameter(name, f"{text!r} is no whole number from {least} to {most}.")
        return number

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        """Return one of several words; raise ``InvalidParameter`` for another one."""
        text = self.text(name)
        if text is not None and text not in choices:
            raise InvalidParameter(name, f"{text!r} is none of {', '.join(choices)}.")
        return text

    def only(self, *names: str) -> str | None:
        """Return which of these is given; raise ``InvalidParameter`` for several."""
        given = [name for name in names if self.text(name) is not None]
        if len(given) > 1:
            raise InvalidParameter(given[1], f"cannot be given beside {given[0]}.")
        return given[0] if given else None

"""Single values of a log, read leniently: what Core, its builds and the shippers made of them.

Each reader takes the value and the log's notes and returns None for a value that is not there
(absent, null, an empty string). What had to be mended is noted.
"""

from collections.abc import MutableMapping
from typing import Any

Notes = MutableMapping[str, int]
"""Counts by kind of what had to be mended; a kind that is not there counts 0."""

_TOO_LARGE = 1e300
"""No count and no price is this large; below it an int is a finite float too."""


def text(value: Any, notes: Notes) -> str | None:
    """A text; numbers and booleans are spelled out, anything deeper is not a text."""
    if isinstance(value, str):
        return value or None
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    notes["not_a_text"] += 1
    return None


def count(value: Any, notes: Notes) -> int | None:
    """A number of tokens: `22`, `22.0` and `"22"` alike; negative, boolean or not finite is 0, and noted."""
    number = _number(value, notes, bad=0)
    return None if number is None else int(number)


def amount(value: Any, notes: Notes) -> float | None:
    """A sum of money, a number or its text; negative, boolean or not finite is 0, and noted."""
    number = _number(value, notes, bad=0)
    return None if number is None else float(number)


def duration(value: Any, notes: Notes) -> int | None:
    """Milliseconds; what is no such number is unknown rather than 0, which would spoil an average."""
    number = _number(value, notes, bad=None)
    return None if number is None else int(number)


def _number(value: Any, notes: Notes, bad: int | None) -> int | float | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        value = spelled_out(value)
    if type(value) in (int, float) and 0 <= value < _TOO_LARGE:
        number: int | float = value
        return number
    notes["bad_number"] += 1
    return bad


def spelled_out(digits: str) -> int | float | None:
    """The number that a text is; None when it is none."""
    for kind in (int, float):
        try:
            return kind(digits)
        except ValueError:
            continue
    return None

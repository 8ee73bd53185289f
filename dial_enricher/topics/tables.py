"""What the commands for people print: texts on one line, and columns that line up in a terminal."""

import unicodedata
from collections.abc import Sequence

_GAP = "  "


def table(rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> list[str]:
    """A line for each row, the columns aligned, those at the positions in `right` to the right."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    return [
        _GAP.join(_padded(cell, widths[place], place in right) for place, cell in enumerate(row)).rstrip()
        for row in cells
    ]


def one_line(text: str) -> str:
    """The text with a space for each run of what cannot be printed: nothing in it steers a terminal."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def shortened(text: str, most: int) -> str:
    """The beginning of a text, on one line of at most `most` characters."""
    line = one_line(text)
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _padded(cell: str, to: int, right: bool) -> str:
    space = " " * (to - width(cell))
    return space + cell if right else cell + space


def width(text: str) -> int:
    """The columns that a text takes in a terminal: wide letters take two, combining marks none."""
    wide = sum(unicodedata.east_asian_width(one) in "WF" for one in text)
    return len(text) + wide - sum(bool(unicodedata.combining(one)) for one in text)

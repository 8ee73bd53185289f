"""Outputs that lie among the inputs: what an earlier run has made is nothing to read."""

import os
from collections.abc import Iterable
from pathlib import Path

POINTS = {"lp": ".lp.gz", "json": ".ndjson.gz"}
"""By format. What is put behind the name of an input for the name of its output."""
MARKER = ".done"
"""Behind the name of an output."""
LETTERS = ".dead.ndjson"
_NAMES = (*POINTS.values(), *(f"{points}{MARKER}" for points in POINTS.values()), LETTERS)


class Outputs:
    """The directories that get outputs."""

    def __init__(self, directories: Iterable[str] = ()) -> None:
        self._directories = [os.path.realpath(directory) for directory in directories]

    def hold(self, path: str) -> bool:
        """Whether a file lies in one of them."""
        real = Path(os.path.realpath(path))
        return any(real.is_relative_to(directory) for directory in self._directories)

    def have_made(self, path: str) -> bool:
        """Whether a file lies in one of them and is called as what is made there.

        Whatever else lies there may be an input that somebody has forgotten: it must not be left out quietly.
        """
        return path.endswith(_NAMES) and self.hold(path)

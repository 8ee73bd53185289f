"""The program with a memory of files, run again and again; its points and letters go to files."""

import json
import subprocess
from collections import Counter
from pathlib import Path

from tests.killing import marks, numbered, numbers_of
from tests.support import PLAIN, Done, Json, finish, start


def lines(first: int, last: int) -> bytes:
    """Lines with the numbers from one up to another."""
    return numbered(range(first, last), "project-1")


def append(file: Path, data: bytes) -> None:
    with file.open("ab") as open_file:
        open_file.write(data)


class Program:
    """Reads files and remembers how far; what came of it is told by the numbers of the records."""

    def __init__(self, directory: Path, *options: str | Path) -> None:
        self.directory = directory
        self.state = directory / "state"
        self.out = directory / "points"
        self.dead = directory / "letters"
        self.log = directory / "messages"
        self.options = options

    @property
    def command(self) -> tuple[str | Path, ...]:
        written = ("--checkpoint", self.state, "--output", self.out, "--dead-letter", self.dead)
        return (*PLAIN, *written, "--log-file", self.log, *self.options)

    def start(self, *files: str | Path) -> subprocess.Popen[bytes]:
        return start(*self.command, *files)

    def run(self, *files: str | Path) -> Done:
        """Runs it to its end, which has to be a good one."""
        done = finish(self.start(*files))
        assert (done.code, done.out) == (0, b""), (done, self.log.read_text())
        assert "Traceback" not in self.log.read_text()
        return done

    @property
    def numbers(self) -> list[int]:
        """Of the records that were written, in their order."""
        points = self.out.read_bytes().splitlines(keepends=True)
        assert all(point.endswith(b"\n") for point in points)
        found = numbers_of(points)
        assert len(found) == len(points)
        return found

    def check(self, *numbers: int) -> None:
        """These were written, and each once."""
        assert Counter(self.numbers) == Counter(numbers)

    @property
    def letters(self) -> list[Json]:
        text = self.dead.read_text() if self.dead.exists() else ""
        return [json.loads(letter) for letter in text.splitlines()]

    @property
    def marks(self) -> dict[str, int]:
        """How many lines are done of each file, by its name."""
        return {mark["path"]: mark["lines"] for mark in marks(self.state)}

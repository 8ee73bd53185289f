"""Logs as they are written, rolled, renamed, copied, cut and deleted while somebody follows them.

A script is a generator: whenever it yields, time passes for the one who follows.
"""

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

Script = Iterator[str | None]
"""Yields None for a moment, else the name of what is to be done to the follower."""


class Writer:
    """A log of one program, which keeps its file open, and may be in the middle of a line."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.rolls = 0
        self.line = self.rest = b""
        """A line of which a part is written, and the rest of it."""
        self.fd = -1
        self.open(path)

    def open(self, path: Path) -> None:
        if self.fd >= 0:
            os.close(self.fd)
        self.path = path
        self.fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self.fd, rest) :]


class Day:
    """A directory of logs, and all lines that were written there: each is one of its own.

    `is_held` tells whether the follower has a file open, `delivered` how many lines have come out.
    """

    most_rolled = 4
    """Of the files that a writer has left; the oldest are deleted."""
    least_part = 12
    """Bytes of a line that tell it from all others."""

    def __init__(
        self,
        directory: Path,
        make: Callable[[int], bytes],
        is_held: Callable[[Path], bool],
        delivered: Callable[[], int],
    ) -> None:
        self.directory = directory
        self.elsewhere = directory / "elsewhere"
        self.elsewhere.mkdir(parents=True, exist_ok=True)
        self._make = make
        self._is_held = is_held
        self._delivered = delivered
        self._begun = 0
        self._moves = 0
        self.written: list[bytes] = []
        """Lines with a newline, and what stood behind the last one of a file that was deleted."""
        self.rolled: deque[Path] = deque()
        self.moved = False
        """Whether something went that is nowhere else, since all was delivered the last time."""
        self.writers = [Writer(name, directory / f"{name}.0.log") for name in ("core", "app", "proxy")]

    @property
    def pattern(self) -> str:
        return str(self.directory / "*.log*")

    @property
    def expected(self) -> Counter[bytes]:
        return Counter(self.written)

    def close(self) -> None:
        for writer in self.writers:
            os.close(writer.fd)

    def _lines(self, count: int) -> Iterator[bytes]:
        for _ in range(count):
            self._begun += 1
            yield self._make(self._begun)

    # What a program does

    def write(self, writer: Writer, count: int) -> Script:
        """So many lines; the first one may have begun before."""
        self._end_line(writer)
        lines = list(self._lines(count))
        writer.write(b"".join(lines))
        self.written += lines
        yield from ()

    def part(self, writer: Writer, count: int) -> Script:
        """The beginning of a line, or more of one: so much that no other line begins like it."""
        if not writer.rest:
            (writer.line,) = self._lines(1)
            writer.rest = writer.line
            self.written.append(writer.line)
        most = min(self.least_part + count, len(writer.rest) - 1)
        writer.write(writer.rest[:most])
        writer.rest = writer.rest[most:]
        yield from ()

    def _end_line(self, writer: Writer) -> None:
        writer.write(writer.rest)
        writer.rest = b""

    def roll(self, writer: Writer, count: int) -> Script:
        """DIAL Core at midnight and at 1 GiB: a file of another name, and the oldest is deleted."""
        self._end_line(writer)
        self.rolled.append(writer.path)
        writer.rolls += 1
        writer.open(self.directory / f"{writer.name}.{writer.rolls}.log")
        yield from self.write(writer, count)
        while len(self.rolled) > self.most_rolled:
            yield from self.delete(self.rolled.popleft())

    # What others do to its files

    def delete(self, path: Path) -> Script:
        """Deletes a file as soon as the follower has it open, whether it was read or not."""
        yield from self._until_held(path)
        path.unlink()
        self.moved = True

    def _until_held(self, path: Path) -> Script:
        while path.stat().st_size and not self._is_held(path):
            yield None

    def _other_name(self, writer: Writer, directory: Path) -> Path:
        """As logrotate makes them, without `extension .log` or with it: then the new name sorts first."""
        self._moves += 1
        log = writer.path
        number = self._moves
        return directory / (f"{log.stem}-{number}{log.suffix}" if number % 2 else f"{log.name}.{number}")

    def rename(self, writer: Writer, count: int, *, away: bool = False) -> Script:
        """As logrotate does it with `create`: for a while the writer goes on with the old file.

        It leaves an empty one alone.
        """
        new = self._other_name(writer, self.elsewhere if away else self.directory)
        if not writer.path.stat().st_size:
            return
        if away:
            yield from self._until_held(writer.path)
            self.moved = True
        else:
            self.rolled.append(new)
        old = writer.path
        old.rename(new)
        for _ in range(count % 4):
            yield from self.write(writer, count)
            yield from self.pause(writer, count % 18)
        self._end_line(writer)
        writer.open(old)

    def rename_away(self, writer: Writer, count: int) -> Script:
        """To a name that nobody follows."""
        return self.rename(writer, count, away=True)

    def copy_truncate(self, writer: Writer, count: int, *, pieces: int = 1, away: bool = False) -> Script:
        """As logrotate does it with `copytruncate`; the writer is quiet, or lines were lost by that alone."""
        self._end_line(writer)
        if away:
            yield from self.caught_up()
        copy = self._other_name(writer, self.elsewhere if away else self.directory)
        data = writer.path.read_bytes()
        length = max(1, -(-len(data) // pieces))
        with copy.open("wb", buffering=0) as target:
            for begin in range(0, len(data), length):
                if pieces > 1:
                    yield from self.pause(writer, 3)
                target.write(data[begin : begin + length])
        os.truncate(writer.path, 0)
        if not away:
            self.rolled.append(copy)
        yield from self.write(writer, count)

    def copy_slowly(self, writer: Writer, count: int) -> Script:
        return self.copy_truncate(writer, count, pieces=5)

    def copy_away(self, writer: Writer, count: int) -> Script:
        """To a name that nobody follows: what was not read is lost to anybody."""
        return self.copy_truncate(writer, count, away=True)

    def copy_too_early(self, writer: Writer, count: int) -> Script:
        """Lines come between the copying and the emptying, which only the follower has seen then."""
        self._end_line(writer)
        yield from self.caught_up()
        copy = self._other_name(writer, self.directory)
        copy.write_bytes(writer.path.read_bytes())
        self.rolled.append(copy)
        yield from self.write(writer, count % 3 + 1)
        yield from self.caught_up()
        os.truncate(writer.path, 0)
        yield from self.write(writer, count)

    def replace(self, writer: Writer, count: int) -> Script:
        """Deletes a file in the middle of a line, and begins another one, mostly of the same inode."""
        yield from self._until_held(writer.path)
        if writer.rest:
            self.written[self.written.index(writer.line)] = writer.line.removesuffix(writer.rest)
            writer.rest = b""
        path = writer.path
        path.unlink()
        os.close(writer.fd)
        writer.fd = -1
        self.moved = True
        for _ in range(count):
            yield None
        writer.open(path)
        yield from self.write(writer, count)

    # What happens to the follower

    def caught_up(self) -> Script:
        """Waits until all whole lines have come out."""
        while self._delivered() < len(self.written) - sum(bool(writer.rest) for writer in self.writers):
            yield None
        self.moved = False

    def restart(self, how: str) -> Script:
        """Ends the follower, which is started again. What has been deleted by then was read before."""
        if self.moved:
            yield from self.caught_up()
        yield how

    def told(self, writer: Writer, count: int) -> Script:
        return self.restart("told")

    def killed(self, writer: Writer, count: int) -> Script:
        return self.restart("killed")

    def pause(self, writer: Writer, count: int) -> Script:
        """Time passes."""
        for _ in range(count):
            yield None

    def play(self, steps: Iterable[tuple[str, int, int]]) -> Script:
        """Steps by name, number of the writer and count; in the end every line is ended and comes out."""
        for name, number, count in steps:
            yield from getattr(self, name)(self.writers[number % len(self.writers)], count)
        for writer in self.writers:
            self._end_line(writer)
        yield from self.caught_up()


QUIET = ("write", "part", "pause", "roll", "rename", "rename_away")
HARD = ("copy_truncate", "copy_slowly", "copy_away", "replace")
EARLY = ("copy_too_early",)
RESTARTS = ("told", "killed")

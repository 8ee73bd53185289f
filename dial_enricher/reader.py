"""File descriptors become batches of lines, in one thread, with a deadline for the oldest line.

`select` and `os.read` on the descriptor rather than a thread on `sys.stdin`: a thread blocked there aborts
the interpreter at exit, and only `select` lets a quiet stream flush by age.
"""

import os
import select
import stat
from collections.abc import Iterable, Iterator

from dial_enricher.batch import Batcher
from dial_enricher.event import Line
from dial_enricher.outlet import Outlet
from dial_enricher.signals import Stop
from dial_enricher.split import Splitter

_CHUNK_BYTES = 1 << 20
_QUIET_SECONDS = 0.2
"""After so long without input, a writer has nothing left to say to a program that was told to stop."""
STDIN = "-"


class InputFailed(Exception):
    """An input cannot be opened or read; the message names it."""


class Reader:
    """Reads sources one after the other (paths; `-` is stdin) and yields batches of lines."""

    def __init__(self, sources: Iterable[str], batcher: Batcher, max_line_bytes: int, stop: Stop) -> None:
        self._sources = sources
        self._outlet = Outlet(batcher)
        self._max_line_bytes = max_line_bytes
        self._stop = stop

    def batches(self) -> Iterator[list[Line]]:
        """Batches until the last source has ended or the program is told to stop.

        An empty one says that the input pauses: nothing more comes before what is under way could be done.

        Raises InputFailed when a source cannot be opened or read, after the lines before that were yielded.
        """
        self._stop.begin()
        failure: OSError | None = None
        source = ""
        try:
            for source in self._sources:
                if not self._stop.asked or source == STDIN:  # what a pipe holds is nowhere else
                    yield from self._read(source)
        except OSError as error:
            failure = error
        yield from self._outlet.rest()
        if failure is not None:
            raise InputFailed(f"cannot read {shown(source)}: {failure.strerror}")

    def _read(self, source: str) -> Iterator[list[Line]]:
        fd = 0 if source == STDIN else os.open(source, os.O_RDONLY | os.O_CLOEXEC)
        splitter = Splitter(shown(source), self._max_line_bytes)
        try:
            is_file = stat.S_ISREG(os.fstat(fd).st_mode)
            for chunk in self._chunks(fd, is_file):
                for batch in self._outlet.fill(splitter.feed(chunk)):
                    yield batch
                    if is_file and self._stop.asked:  # a file keeps what we leave
                        return
                if not chunk and (due := self._outlet.due()) is not None:
                    yield due
        finally:
            if fd != 0:
                os.close(fd)
        if self._stop.reason is None and not (is_file and self._stop.asked):  # else we cut the last line
            yield from self._outlet.fill(splitter.finish())

    def _chunks(self, fd: int, is_file: bool) -> Iterator[bytes]:
        """Chunks until the end of the source; an empty one when there is something better to do than wait."""
        while True:
            ready = self._wait(fd)
            if self._stop.asked and (is_file or not ready or self._stop.reading_is_over()):
                return
            if not ready:
                yield b""
                continue
            try:
                chunk = os.read(fd, _CHUNK_BYTES)
            except BlockingIOError:  # somebody else made this descriptor non-blocking and was faster
                continue
            if not chunk:
                return
            yield chunk

    def _wait(self, fd: int) -> bool:
        """Whether there is something to read now; false when the batch or the patience is at its end."""
        while True:
            timeout = _QUIET_SECONDS if self._stop.asked else self._outlet.patience()
            readable = select.select([fd, self._stop.fd], [], [], timeout)[0]
            if self._stop.fd not in readable:
                return fd in readable
            self._stop.quiet()


def shown(source: str) -> str:
    """What a source is called in logs and dead letters; a file name need not be UTF-8, nor one line."""
    name = "stdin" if source == STDIN else os.fsencode(source).decode(errors="replace")
    return "".join(char if char.isprintable() else "\ufffd" for char in name)

"""Sources become batches of lines, in one thread, with a deadline for the oldest line.

`select` and `os.read` on the descriptor rather than a thread on `sys.stdin`: a thread blocked there aborts
the interpreter at exit, and only `select` lets a quiet stream flush by age.
"""

import os
import select
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from dial_enricher.batch import Batcher
from dial_enricher.event import Line
from dial_enricher.inputs.packing import Damaged, unpacked
from dial_enricher.inputs.sources import STDIN, Source, is_url, shown
from dial_enricher.logformat import is_whole
from dial_enricher.logs import LOGGER
from dial_enricher.meter import Meter, NoMeter
from dial_enricher.outlet import Outlet
from dial_enricher.signals import Stop
from dial_enricher.split import Splitter

_CHUNK_BYTES = 1 << 18
_QUIET_SECONDS = 0.2
"""After so long without input, a writer has nothing left to say to a program that was told to stop."""


class Reader:
    """Reads sources one after the other, packed or not, and yields batches of lines.

    A source that cannot be opened, or not be read to its end, is told in the log, and the next one goes on.
    """

    def __init__(
        self,
        sources: Iterable[Source],
        batcher: Batcher,
        max_line_bytes: int,
        stop: Stop,
        meter: Meter | None = None,
    ) -> None:
        self._sources = sources
        self._outlet = Outlet(batcher)
        self._max_line_bytes = max_line_bytes
        self._stop = stop
        self._meter = meter or NoMeter()
        self.failures: list[str] = []
        """A sentence for each source that was not read to its end, unless the program was told to stop."""
        self.may_recover = False
        """Whether one of them was not damaged: another run may be able to read it."""

    def batches(self) -> Iterator[list[Line]]:
        """Batches until the last source has ended or the program is told to stop.

        An empty one says that the input pauses: nothing more comes before what is under way could be done.
        """
        self._stop.begin()
        for source in self._sources:
            if not self._stop.asked or source.name == STDIN:  # what a pipe holds is nowhere else
                yield from self._read(source)
        yield from self._outlet.rest()

    def _read(self, source: Source) -> Iterator[list[Line]]:
        """Reads a source as far as possible; where it breaks off, its last line says so."""
        splitter = Splitter(shown(source.name), self._max_line_bytes)
        self._meter.begin(source)
        self._has_read = False
        try:
            yield from self._read_on(source, splitter)
        except Damaged as error:
            reason = str(error)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self.may_recover = True
        else:
            return
        to_its_end = " to its end" if self._has_read else ""
        self.failures.append(f"cannot read {shown(source.name)}{to_its_end}: {reason}")
        LOGGER.error("%s", self.failures[-1])
        if self._has_read:
            yield from self._outlet.fill(_broken_off(splitter, reason))

    def _read_on(self, source: Source, splitter: Splitter) -> Iterator[list[Line]]:
        """Reads a source to its end, or until the program is told to stop. Raises Damaged, OSError."""
        with self._opened(source) as (chunks, is_kept):
            try:
                for piece in unpacked(chunks):
                    for batch in self._outlet.fill(splitter.feed(piece)):
                        yield batch
                        if is_kept and self._stop.asked:  # a file keeps what we leave
                            return
                    if self._stop.asked and (is_kept or self._stop.reading_is_over()):
                        break  # of a little that is packed a lot may be left
                    if not piece and (due := self._outlet.due()) is not None:
                        yield due
            except Damaged:
                if not self._stop.asked:  # else we cut it
                    raise
        if self._stop.reason is None and not (is_kept and self._stop.asked):  # else we cut the last line
            yield from self._outlet.fill(splitter.finish())

    @contextmanager
    def _opened(self, source: Source) -> Iterator[tuple[Iterator[bytes], bool]]:
        """The chunks of a source as they are stored, and whether it keeps what is not read."""
        if is_url(source.name):
            from dial_enricher.inputs import remote  # fsspec: only who has URLs needs it

            with remote.opened(source.name) as chunks:
                yield self._metered(chunks), True
            return
        fd = 0 if source.name == STDIN else os.open(source.name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            is_file = stat.S_ISREG(os.fstat(fd).st_mode)
            yield self._metered(self._chunks(fd, is_file)), is_file
        finally:
            if fd != 0:
                os.close(fd)

    def _metered(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if chunk:
                self._has_read = True
                self._meter.read(len(chunk))
            yield chunk

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


def _broken_off(splitter: Splitter, reason: str) -> list[Line]:
    """What stands behind the last newline of a source that could not be read on.

    A whole record there is a line like others; half a one tells what is missing.
    """
    last = splitter.break_off(reason)
    return [replace(last, damage=""), splitter.break_off(reason)] if is_whole(last) else [last]

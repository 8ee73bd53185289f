"""Points to standard output, or to a file."""

import os
from contextlib import suppress

from dial_enricher.errors import SinkClosed, SinkDown
from dial_enricher.event import Event
from dial_enricher.schema import MEASUREMENTS
from dial_enricher.sinks.descriptor import (
    is_appended_to,
    is_named,
    last_newline,
    sync,
    write_lines,
)

_BEGINNINGS = [b'{"measurement":"', *(f"{name},".encode() for name in MEASUREMENTS)]
_LONGEST_BEGINNING = max(map(len, _BEGINNINGS))


class OutputSink:
    """Writes a batch at once, and nothing but whole lines. An event is settled when it is written.

    Without a path to standard output. A file is appended to; when it was moved away it is begun anew. Half a
    line at its end is cut off, which a run that was killed has left; of standard output only if the output of
    that run is `continued`.
    Raises SinkClosed when the reader of a pipe has gone, SinkDown for a full disk and the like.
    """

    def __init__(self, path: str | None = None, fd: int = 1, *, continued: bool = False) -> None:
        self._path = path
        self._name = "standard output" if path is None else path
        self._fd = fd if path is None else self._open(path)
        if path is None and continued and is_appended_to(fd):
            _mend(fd)

    def _open(self, path: str) -> int:
        try:
            is_file = os.path.isfile(path) or not os.path.exists(path)
            way = os.O_RDWR if is_file else os.O_WRONLY  # a pipe open for both never says that nobody reads
            fd = os.open(path, way | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            if is_file:
                _cut_half_point(fd, fd, path)
        except OSError as error:
            raise SinkDown.by(error, f"cannot open {path}") from None
        return fd

    def write(self, events: list[Event]) -> list[Event]:
        live = [event for event in events if event.live]
        try:
            self._write(b"".join([line for event in live for line in event.output]))
        except BrokenPipeError:
            raise SinkClosed from None
        except OSError as error:
            raise SinkDown(f"cannot write to {self._name}: {error.strerror}") from None
        for event in live:
            event.written = True
        return events

    def _write(self, lines: bytes) -> None:
        if self._path is not None and not is_named(self._fd, self._path):
            sync(self._fd)
            os.close(self._fd)
            self._fd = self._open(self._path)
        write_lines(self._fd, lines)

    def flush(self) -> list[Event]:
        return []

    def sync(self) -> None:
        """Puts what was written on the disk, if it went to a file. Raises SinkDown."""
        try:
            sync(self._fd)
        except OSError as error:
            raise SinkDown(f"cannot write to {self._name}: {error.strerror}") from None


def _cut_half_point(fd: int, readable: int, name: str) -> None:
    """Cuts off half a point at the end of a file, which `readable` is a descriptor of, too.

    Raises SinkDown for half a line of somebody else.
    """
    size = os.fstat(fd).st_size
    begin = last_newline(readable, size)
    half = os.pread(readable, _LONGEST_BEGINNING, begin)
    if not any(half.startswith(known) or known.startswith(half) for known in _BEGINNINGS):
        raise SinkDown(f"{name} ends in half a line that is no point: name another file", misconfigured=True)
    if begin < size:
        os.ftruncate(fd, begin)


def _mend(fd: int) -> None:
    """Cuts off half a line at the end of what may only be written, if it may be read at all."""
    with suppress(OSError):  # then it stays as it is: no reason not to start
        readable = os.open(f"/dev/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _cut_half_point(fd, readable, "standard output")
        finally:
            os.close(readable)

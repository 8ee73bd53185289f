"""Points to a file descriptor, usually standard output."""

import errno
import os
import select
import stat
from collections.abc import Sequence

from dial_enricher.errors import SinkClosed, SinkDown
from dial_enricher.event import Event


class StdoutSink:
    """Writes a batch at once, and nothing but whole lines.

    Raises SinkClosed when the reader of a pipe has gone, SinkDown for a full disk and the like.
    """

    def __init__(self, fd: int = 1) -> None:
        self._fd = fd

    def write(self, events: Sequence[Event]) -> None:
        data = b"".join([line for event in events for line in event.output])
        if data:
            self._write(data)
        for event in events:
            event.written = True

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._write_some(rest) :]
        except BrokenPipeError:
            raise SinkClosed from None
        except OSError as error:
            self._drop_half_line(data[: len(data) - len(rest)])
            raise SinkDown(f"cannot write to standard output: {error.strerror}") from None

    def _write_some(self, data: memoryview) -> int:
        """Bytes written; waits for a descriptor that somebody made non-blocking."""
        while True:
            try:
                return os.write(self._fd, data)
            except BlockingIOError:
                select.select([], [self._fd], [])

    def _drop_half_line(self, written: bytes) -> None:
        """Cuts a file back to its last whole line after the disk filled up in the middle of one."""
        half = len(written) - (written.rfind(b"\n") + 1)
        status = os.fstat(self._fd)
        if half and stat.S_ISREG(status.st_mode):
            os.ftruncate(self._fd, status.st_size - half)


def leave_quietly(fd: int = 1) -> None:
    """Points a descriptor whose reader has gone at the null device, so that nothing fails at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, fd)
    os.close(null)


def check_open(fd: int, name: str) -> None:
    """Raises SinkDown when a descriptor was closed before the start."""
    try:
        os.fstat(fd)
    except OSError as error:
        if error.errno != errno.EBADF:
            raise
        raise SinkDown(f"{name} is closed") from None

"""File descriptors that are written to: whole lines, or an error."""

import errno
import fcntl
import os
import select
import stat

from dial_enricher.errors import SinkDown

_CHUNK_BYTES = 1 << 16


def write_all(fd: int, data: bytes) -> None:
    """Writes all of it. Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[_write_some(fd, rest) :]


def sync_directory(path: str | os.PathLike[str]) -> None:
    """Makes new names in a directory last through a crash of the machine. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_lines(fd: int, lines: bytes) -> None:
    """Writes all of the lines. Raises OSError; a file then ends with the last line that fitted."""
    rest = memoryview(lines)
    try:
        while rest:
            rest = rest[_write_some(fd, rest) :]
    except OSError:
        _drop_half_line(fd, lines[: len(lines) - len(rest)])
        raise


def _write_some(fd: int, data: memoryview) -> int:
    """Bytes written; waits for a descriptor that somebody made non-blocking."""
    while True:
        try:
            return os.write(fd, data)
        except BlockingIOError:
            select.select([], [fd], [])


def _drop_half_line(fd: int, written: bytes) -> None:
    """Cuts a file back to its last whole line after the disk filled up in the middle of one."""
    half = len(written) - (written.rfind(b"\n") + 1)
    status = os.fstat(fd)
    if half and stat.S_ISREG(status.st_mode):
        os.ftruncate(fd, status.st_size - half)


def last_newline(fd: int, end: int) -> int:
    """The place behind the last newline before a place in a file; 0 when there is none."""
    while end > 0:
        begin = max(0, end - _CHUNK_BYTES)
        newline = os.pread(fd, end - begin, begin).rfind(b"\n")
        if newline >= 0:
            return begin + newline + 1
        end = begin
    return 0


def is_appended_to(fd: int) -> bool:
    """Whether it is a file that a shell has opened by `>>`."""
    return bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND) and stat.S_ISREG(os.fstat(fd).st_mode)


def sync(fd: int) -> None:
    """Puts what was written on the disk, if it is a file."""
    if stat.S_ISREG(os.fstat(fd).st_mode):
        os.fsync(fd)


def is_named(fd: int, path: str) -> bool:
    """Whether an open file still has its name."""
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except OSError:
        return False


def leave_quietly(fd: int) -> None:
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
        raise SinkDown(f"{name} is closed", misconfigured=True) from None

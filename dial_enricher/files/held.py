"""A file that is held open while it is read, and what happens to it meanwhile."""

import os
import stat
import time
from contextlib import suppress
from dataclasses import dataclass

from dial_enricher.event import Line, Origin
from dial_enricher.files.mark import HEAD_BYTES, Mark, Marks, is_telling
from dial_enricher.inputs.packing import format_of
from dial_enricher.inputs.sources import OUTPUT_REMEMBERS, shown
from dial_enricher.logformat import is_whole
from dial_enricher.logs import LOGGER
from dial_enricher.sinks.descriptor import last_newline
from dial_enricher.split import Splitter

_CHUNK_BYTES = 1 << 20
_BEFORE_BYTES = 4096
"""Before a chunk, which have to be what was read for the chunk to follow it."""
_TAIL_BYTES = 64 * 1024
"""Of what was read that are kept, to know a copy that was made a moment before the file was emptied."""
_OVERLAP_BYTES = 16 * 1024
"""Of these that have to stand in the copy."""


@dataclass(slots=True, frozen=True)
class Former:
    """What a file was before it was cut, as far as it was read."""

    head: bytes
    offset: int
    tail: bytes
    """What stood before the offset."""


class NoFile(Exception):
    """A name that does not lead to a file in which places are remembered; the message says what it is."""


class HeldFile:
    """An open file. Its lines come whole; of the last one it waits for the end.

    Raises NoFile, and OSError wherever it is read.
    """

    def __init__(self, path: str, max_line_bytes: int) -> None:
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe without writers blocks
        status = os.fstat(self.fd)
        if not stat.S_ISREG(status.st_mode):
            os.close(self.fd)
            raise NoFile("is a directory" if stat.S_ISDIR(status.st_mode) else "is no regular file")
        if form := format_of(os.pread(self.fd, HEAD_BYTES, 0)):
            os.close(self.fd)
            raise NoFile(f"is packed ({form.name}); {OUTPUT_REMEMBERS}")
        self.key = (status.st_dev, status.st_ino)
        self.path = path
        self.born = status.st_mtime_ns
        self.gone_since: float | None = None
        """Since when no name leads here and nothing came, in seconds of the monotonic clock."""
        self._max_line_bytes = max_line_bytes
        try:
            self._directory = os.stat(os.path.dirname(os.path.abspath(path)))
            self._begin(None)
        except OSError:
            self.close()
            raise

    def _begin(self, mark: Mark | None) -> None:
        """Reads on from a mark; without one from the beginning."""
        self.mark = mark
        """Behind the last line that was read."""
        self._last: Line | None = None
        self.offset = self._begin_of_line(mark.offset) if mark else 0
        """Bytes that were read."""
        self.origin = Origin(os.path.abspath(self.path), *self.key, os.pread(self.fd, HEAD_BYTES, 0))
        self._splitter = Splitter(
            shown(self.path),
            self._max_line_bytes,
            self.origin,
            offset=self.offset,
            lines=mark.lines if mark else 0,
        )
        begin = max(0, self.offset - _TAIL_BYTES)
        self._tail = os.pread(self.fd, self.offset - begin, begin)
        self._cut = False

    def _begin_of_line(self, offset: int) -> int:
        """The place behind a line whose newline came only after it had been read."""
        before, after = os.pread(self.fd, 1, offset - 1), os.pread(self.fd, 1, offset)
        return offset + 1 if before != b"\n" and after == b"\n" else offset

    # Where it is found

    def find(self, marks: Marks) -> Mark | None:
        """The mark that this file was read to."""
        return marks.find(self.fd, self.key, self.origin.path)

    def resume(self, mark: Mark) -> None:
        """Begins at a mark, instead of the beginning."""
        self._begin(mark)

    def begins_like(self, head: bytes) -> bool:
        """Whether this file has the same first bytes as another one, as far as both have any."""
        common = min(len(self.origin.head), len(head))
        return self.origin.head[:common] == head[:common]

    def same_until(self, other: "HeldFile", place: int, end: int) -> bool:
        """Whether both files hold the same bytes between two places."""
        while place < end:
            ours, theirs = (os.pread(fd, min(_CHUNK_BYTES, end - place), place) for fd in (self.fd, other.fd))
            if not ours or ours != theirs:
                return False
            place += len(ours)
        return True

    def was_read_with(self, other: Former) -> bool:
        """Whether this file is a copy of another one as it was a moment before that was cut."""
        begin, end = other.offset - len(other.tail), self.size
        if end > other.offset or end - begin < min(end, _OVERLAP_BYTES) or not self.begins_like(other.head):
            return False
        return os.pread(self.fd, end - begin, begin) == other.tail[: end - begin]

    def at_end(self) -> Mark | None:
        """The mark behind the last whole line that is there now, for a copy whose lines were read elsewhere.

        Nobody has counted its lines.
        """
        end = last_newline(self.fd, self.size)
        begin = last_newline(self.fd, end - 1)
        origin = Origin(self.origin.path, *self.key, os.pread(self.fd, HEAD_BYTES, 0))
        splitter = Splitter("", self._max_line_bytes, origin, offset=begin)
        lines = splitter.feed(os.pread(self.fd, end - begin, begin))
        return Mark.behind(lines[0]) if lines else None

    def rename(self, path: str) -> None:
        """Raises OSError when the name has gone already."""
        if path != self.path:
            self._directory = os.stat(os.path.dirname(os.path.abspath(path)))
            self.path, self.origin.path = path, os.path.abspath(path)

    # How it is read

    def reached(self) -> Mark | None:
        """The mark behind the last line that was read."""
        if self._last is not None:
            self.mark, self._last = Mark.behind(self._last), None
        return self.mark

    @property
    def size(self) -> int:
        """Bytes by now."""
        return os.fstat(self.fd).st_size

    def was_cut(self) -> bool:
        """Whether something else stands where we have read: somebody copied the file and emptied it."""
        head = self.origin.head
        return self._cut or self.size < self.offset or os.pread(self.fd, len(head), 0) != head

    def begin_again(self) -> Former:
        """Reads a file that was cut from its beginning; what it was."""
        LOGGER.info("%s was cut, and is read from its beginning", shown(self.path))
        former = Former(self.origin.head, self.offset, self._tail)
        self._begin(None)
        return former

    def read(self) -> list[Line]:
        """The lines that the next chunk ends; none when it does not follow what was read before.

        A file that was cut may have grown beyond our place since. So its head and what stands before the
        chunk are compared each time: who reads slowly is not told of it in another way.
        """
        before = self._tail[-_BEFORE_BYTES:]
        chunk = os.pread(self.fd, len(before) + _CHUNK_BYTES, self.offset - len(before))
        head = os.pread(self.fd, len(self.origin.head), 0)
        if head != self.origin.head or not chunk.startswith(before):
            self._cut = True
            return []
        chunk = chunk[len(before) :]
        self._tail = (self._tail + chunk)[-_TAIL_BYTES:]
        if chunk and self.gone_since is not None:
            self.gone_since = time.monotonic()  # somebody still writes to it
        known = len(head)
        if known < HEAD_BYTES:
            self.origin.head += chunk[known - self.offset : HEAD_BYTES - self.offset]
        self.offset += len(chunk)
        return self._keep_last(self._splitter.feed(chunk))

    def finish(self) -> list[Line]:
        """What stands behind the last newline, when nothing more will come."""
        return self._keep_last(self._splitter.finish())

    def is_deleted(self) -> bool:
        """Whether it has no name at all any more."""
        return os.fstat(self.fd).st_nlink == 0

    def is_directory_there(self) -> bool:
        """Whether the directory of its name is the one that it was opened in."""
        try:
            return os.path.samestat(os.stat(os.path.dirname(self.origin.path)), self._directory)
        except FileNotFoundError:
            return False

    def finish_whole(self) -> list[Line]:
        """What stands behind the last newline if that is a whole record; else it is left for another time."""
        lines = self._splitter.finish()
        if lines and not is_whole(lines[0]):
            LOGGER.warning(
                "%s, line %d has no end yet, and is left for the next run", lines[0].source, lines[0].number
            )
            return []
        return self._keep_last(lines)

    def _keep_last(self, lines: list[Line]) -> list[Line]:
        for line in reversed(lines):
            if is_telling(line):
                self._last = line
                break
        return lines

    def has_gone_for(self, seconds: float) -> bool:
        """Whether its name has gone, and so long ago that nobody writes to it any more."""
        return self.gone_since is not None and time.monotonic() >= self.gone_since + seconds

    def close(self) -> None:
        with suppress(OSError):  # some network file systems tell now that the file has gone
            os.close(self.fd)

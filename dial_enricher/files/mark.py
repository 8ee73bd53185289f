"""How far a file was dealt with, and how to know it again."""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from dial_enricher.event import Line

HEAD_BYTES = 1024
"""Of the beginning of a file, which tell it from others."""
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file: behind a line. Holds digests and no text.

    A file is known by its content, its first bytes and the line before the mark: its name changes when it is
    rolled, its inode when it is moved to another disk, and both may come to belong to another file.
    """

    path: str
    """Its last known name."""
    device: int
    inode: int
    offset: int
    """Bytes before the mark."""
    lines: int
    """Lines before the mark."""
    line_begin: int
    """Bytes before the last of these lines."""
    line_sha256: str
    """Of the last line, without its newline."""
    head_bytes: int
    head_sha256: str
    """Of the first bytes, none of which is behind the mark."""

    @classmethod
    def behind(cls, line: Line) -> "Mark":
        """The mark behind a line, which has an origin."""
        origin = line.origin
        assert origin is not None
        head = origin.head[: line.end]
        return cls(
            path=origin.path,
            device=origin.device,
            inode=origin.inode,
            offset=line.end,
            lines=line.number,
            line_begin=line.begin,
            line_sha256=line.excess.sha256 if line.excess else sha256(line.raw).hexdigest(),
            head_bytes=len(head),
            head_sha256=sha256(head).hexdigest(),
        )

    def fits(self, fd: int) -> bool:
        """Whether a file holds what was read up to the mark. Raises OSError."""
        head = os.pread(fd, self.head_bytes, 0)
        return sha256(head).hexdigest() == self.head_sha256 and self.follows_line(fd)

    def follows_line(self, fd: int) -> bool:
        """Whether the last line before the mark stands in a file. Raises OSError."""
        digest = sha256()
        place = self.line_begin
        while place < self.offset:
            chunk = os.pread(fd, min(_CHUNK_BYTES, self.offset - place), place)
            if not chunk:  # it was cut this very moment
                return False
            place += len(chunk)
            digest.update(chunk.removesuffix(b"\n") if place == self.offset else chunk)
        return digest.hexdigest() == self.line_sha256


def is_telling(line: Line) -> bool:
    """Whether a mark may stand behind a line: a blank one tells no file from another."""
    return bool(line.raw) and not line.raw.isspace()


class Marks:
    """Marks that were made, to be found again by the content of a file."""

    def __init__(self, marks: Iterable[Mark] = ()) -> None:
        self._by_head: defaultdict[int, defaultdict[str, list[Mark]]] = defaultdict(lambda: defaultdict(list))
        """By length and digest of the head: a thousand marks cost no more than one to look through."""
        for mark in marks:
            self.add(mark)

    def add(self, mark: Mark) -> None:
        alike = self._by_head[mark.head_bytes][mark.head_sha256]
        if mark not in alike:
            alike.append(mark)

    def find(self, fd: int, key: tuple[int, int], path: str) -> Mark | None:
        """The mark of a file with a device and inode and a name: of several the last one in it.

        Raises OSError.
        """
        head = os.pread(fd, HEAD_BYTES, 0)
        alike = [
            mark
            for length, marks in self._by_head.items()
            for mark in marks.get(sha256(head[:length]).hexdigest(), ())
        ]

        def likely(mark: Mark) -> tuple[int, bool, bool]:
            return mark.offset, (mark.device, mark.inode) == key, mark.path == path

        return max((mark for mark in alike if mark.follows_line(fd)), key=likely, default=None)

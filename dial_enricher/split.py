"""Chunks of bytes become lines, of bounded length; pure."""

from hashlib import sha256
from typing import Protocol

from dial_enricher.event import Excess, Line, Origin


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


class Splitter:
    """Splits one source at its newlines. Of a line that is too long only the head is kept.

    It begins at an offset in bytes, before which there were so many lines.
    """

    def __init__(
        self,
        source: str,
        max_line_bytes: int,
        origin: Origin | None = None,
        *,
        offset: int = 0,
        lines: int = 0,
    ) -> None:
        self._source = source
        self._max = max_line_bytes
        self._origin = origin
        self._offset = offset
        self._number = lines
        self._begin_line()

    def _begin_line(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0
        self._hash: _Hash | None = None  # set as soon as the line is too long

    def feed(self, chunk: bytes) -> list[Line]:
        """The lines that the chunk ends."""
        lines = []
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:  # four times as fast as split on long lines
            self._extend(chunk[start:end])
            lines.append(self._end_line())
            start = end + 1
        self._extend(chunk[start:])
        return lines

    def finish(self) -> list[Line]:
        """The last line, when the source ended without a newline."""
        return [self._end_line(newline=0)] if self._length else []

    def break_off(self, damage: str) -> Line:
        """What was read of the line that cannot be read to its end, for this reason; maybe nothing."""
        line = self._end_line(newline=0)
        line.damage = damage
        return line

    def _extend(self, piece: bytes) -> None:
        self._length += len(piece)
        if self._hash is not None:
            self._hash.update(piece)
        else:
            self._parts.append(piece)
            if self._length > self._max:
                line = b"".join(self._parts)
                self._hash = sha256(line)
                self._parts = [line[: self._max]]

    def _end_line(self, newline: int = 1) -> Line:
        """The line that ends here, with so many bytes behind it that are none of its own."""
        self._number += 1
        begin, self._offset = self._offset, self._offset + self._length + newline
        raw = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        excess = Excess(self._length, self._hash.hexdigest()) if self._hash is not None else None
        self._begin_line()
        return Line(raw, self._source, self._number, excess, self._origin, begin, self._offset)

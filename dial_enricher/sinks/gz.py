"""Points to a file, packed by gzip: the same points always make the same bytes."""

import zlib

from dial_enricher.errors import SinkDown
from dial_enricher.event import Event
from dial_enricher.sinks.descriptor import write_all

_LEVEL = 6
"""Of points 18 % is left at 100 MB/s; level 1 leaves 23 % at 230. Points are a fiftieth of their log, so even
that is a small part of the time."""
_PIECE = 1 << 18
"""Bytes that are packed at once, wherever batches end: when they leave depends on the clock."""
_GZIP = zlib.MAX_WBITS | 16
"""The form of gzip; its header then has no time and no name."""


class GzSink:
    """Packs points into an open file. An event is settled when it is handed over; the file is whole when the
    sink is closed.

    Raises SinkDown for a full disk and the like, with the `name` that the file will have.
    """

    def __init__(self, fd: int, name: str) -> None:
        self._fd = fd
        self._name = name
        self._packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        self._rest = bytearray()

    def write(self, events: list[Event]) -> list[Event]:
        for event in events:
            if event.live:
                self._rest += b"".join(event.output)
                event.written = True
        while len(self._rest) >= _PIECE:
            self._write(self._packer.compress(self._rest[:_PIECE]))
            del self._rest[:_PIECE]
        return events

    def flush(self) -> list[Event]:
        return []

    def close(self) -> None:
        """Writes what is left. Raises SinkDown."""
        self._write(self._packer.compress(self._rest) + self._packer.flush())

    def _write(self, packed: bytes) -> None:
        try:
            write_all(self._fd, packed)
        except OSError as error:
            raise SinkDown.by(error, f"cannot write {self._name}") from None

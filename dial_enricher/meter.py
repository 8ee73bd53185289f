"""Who wants to know how far reading has come."""

from typing import Protocol

from dial_enricher.inputs.sources import Source


class Meter(Protocol):
    def begin(self, source: Source, done: int = 0) -> None:
        """A source is opened, of which an earlier run has read so many bytes."""

    def read(self, size: int) -> None:
        """So many bytes of it were read, as they are stored."""


class NoMeter:
    """Nobody wants to know."""

    def begin(self, source: Source, done: int = 0) -> None:
        pass

    def read(self, size: int) -> None:
        pass

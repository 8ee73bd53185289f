"""Where lines leave a reader as batches, in time: a batcher with a clock."""

import time
from collections.abc import Iterable, Iterator

from dial_enricher.batch import Batcher
from dial_enricher.event import Line


class Outlet:
    """What all readers share: when batches leave, and when to say that the input pauses."""

    def __init__(self, batcher: Batcher) -> None:
        self._batcher = batcher
        self._told_pause = True

    def fill(self, lines: Iterable[Line]) -> Iterator[list[Line]]:
        """Takes lines; yields each batch that is full, and what is old by then."""
        now = time.monotonic()
        for line in lines:
            self._told_pause = False
            if self._batcher.add(line, now):
                yield self._batcher.take()
        if self._batcher.until_old(time.monotonic()) == 0:
            yield self._batcher.take()

    def due(self) -> list[Line] | None:
        """What should leave although nothing came: an old batch, or an empty one when a pause begins."""
        patience = self.patience()
        if patience == 0:
            batch = self._batcher.take()
            self._told_pause = not batch
            return batch
        return None

    def patience(self) -> float | None:
        """Seconds until something is due; None: nothing will be before more comes."""
        until_old = self._batcher.until_old(time.monotonic())
        if until_old is not None:
            return until_old
        return None if self._told_pause else 0.0

    def rest(self) -> Iterator[list[Line]]:
        """The last batch."""
        if batch := self._batcher.take():
            yield batch

"""Where lines leave a reader as batches, in time: a batcher with a clock."""

import time
from collections.abc import Iterable, Iterator

from dial_enricher.batch import Batcher
from dial_enricher.event import Line

_PAUSE_SECONDS = 0.05
"""After so long without a line the input pauses. Less may be a writer who needs a moment to fill a pipe
again: to settle all that is under way each time would make a stream as slow as the server or one worker."""

_LONG_AGO = float("-inf")


class Outlet:
    """What all readers share: when batches leave, and when to say that the input pauses."""

    def __init__(self, batcher: Batcher) -> None:
        self._batcher = batcher
        self._pause_after = min(_PAUSE_SECONDS, batcher.max_delay)
        self._last_line: float | None = None
        """When it came; None since a pause was told."""

    def fill(self, lines: Iterable[Line]) -> Iterator[list[Line]]:
        """Takes lines; yields each batch that is full, and what is old by then."""
        now = time.monotonic()
        came = False
        for line in lines:
            came = True
            if self._batcher.add(line, now):
                yield self._batcher.take()
        if self._batcher.until_old(time.monotonic()) == 0:
            yield self._batcher.take()
        if came:
            self._last_line = time.monotonic()

    def due(self) -> list[Line] | None:
        """What should leave although nothing came: an old batch, or an empty one when a pause begins."""
        patience = self.patience()
        if patience == 0:
            batch = self._batcher.take()
            self._last_line = _LONG_AGO if batch else None  # who does not fill a batch is no busy writer
            return batch
        return None

    def patience(self) -> float | None:
        """Seconds until something is due; None: nothing will be before more comes."""
        now = time.monotonic()
        until_old = self._batcher.until_old(now)
        if until_old is not None or self._last_line is None:
            return until_old
        return max(0.0, self._last_line + self._pause_after - now)

    def rest(self) -> Iterator[list[Line]]:
        """The last batch."""
        if batch := self._batcher.take():
            yield batch

"""The batcher: a pure object that says when a batch is full or old, and how long the reader may block.

It reads no clock: times are seconds of a monotonic clock, handed in.
"""

from dial_enricher.event import Line


class Batcher:
    """Collects lines into a batch that ends by count, by bytes or by age, whichever comes first."""

    def __init__(self, max_lines: int, max_bytes: int, max_delay: float) -> None:
        self._max_lines = max_lines
        self._max_bytes = max_bytes
        self.max_delay = max_delay
        self._lines: list[Line] = []
        self._bytes = 0
        self._born = 0.0

    def add(self, line: Line, now: float) -> bool:
        """Adds a line; true when the batch is full and should leave."""
        if not self._lines:
            self._born = now
        self._lines.append(line)
        self._bytes += len(line.raw)
        return len(self._lines) >= self._max_lines or self._bytes >= self._max_bytes

    def until_old(self, now: float) -> float | None:
        """Seconds until the batch should leave as it is; None while it is empty."""
        return max(0.0, self._born + self.max_delay - now) if self._lines else None

    def take(self) -> list[Line]:
        """The batch; the next one begins empty."""
        lines, self._lines, self._bytes = self._lines, [], 0
        return lines

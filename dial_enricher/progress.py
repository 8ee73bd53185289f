"""How far the run is: a bar on a terminal, now and then a line elsewhere, or nothing.

The bar is written over itself, so it gives way to the log for a moment: who speaks, speaks above it.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

from dial_enricher import logs
from dial_enricher.event import Line
from dial_enricher.inputs.sources import Source, shown
from dial_enricher.stats import Stats

BAR_SECONDS = 0.2
"""Between two drawings of the bar,"""
LINE_SECONDS = 5.0
"""or between two lines where there is no terminal."""
_STDERR = 2
_COLUMNS = 80
"""Of a terminal that does not tell how wide it is."""
_TO_START = b"\r"
_ERASE = b"\x1b[K"
"""Clears the line from the cursor on: also what an earlier bar left there when the terminal was wider."""
_COUNTED = "{rate_fmt}, {line_rate} lines/s, {points} points, {dead} dead"
_KNOWN = "{percentage:.0f}% of {total_fmt}B, {remaining} left, " + _COUNTED
_UNKNOWN = "{n_fmt}B, {elapsed}, " + _COUNTED
_BAR_KNOWN = "{percentage:3.0f}% |{bar:10}| {remaining} left, {n_fmt}B of {total_fmt}B, " + _COUNTED


@dataclass(slots=True)
class Seen:
    """What is known of a run by now."""

    total: int | None
    """Bytes of all sources as stored; None where nobody knows."""
    read: int = 0
    """Bytes, by an earlier run as well."""
    done_before: int = 0
    """Bytes of them by an earlier run: they say nothing about speed."""
    lines: int = 0
    points: int = 0
    dead: int = 0
    file: str = ""
    """The one that was begun last; its name is clean."""

    def text(self, seconds: float, known: str, unknown: str, columns: int | None = None) -> str:
        """All of it in one line, which is cut to the columns of a terminal."""
        from tqdm.std import tqdm

        figures: dict[str, Any] = {
            "n": min(self.read, self.total) if self.total else self.read,
            "total": self.total,
            "initial": self.done_before,
            "elapsed": seconds,
            "ncols": columns,
            "ascii": not _writes_blocks(),
            "unit": "B",
            "unit_scale": True,
            "bar_format": (known if self.total else unknown) + (", {file}" if self.file else ""),
            "line_rate": f"{self.lines / seconds:,.0f}" if seconds else "?",
            "points": f"{self.points:,}",
            "dead": f"{self.dead:,}",
            "file": self.file,
        }
        return tqdm.format_meter(**figures)


class Screen(Protocol):
    seconds: float
    """Between two times that something is shown."""

    def show(self, seen: Seen, seconds: float) -> None: ...
    def close(self, seen: Seen, seconds: float) -> None: ...


class Bar:
    """The last line of a terminal. Log lines that go there as well are written above it."""

    seconds = BAR_SECONDS

    def __init__(self, fd: int = _STDERR) -> None:
        self._fd = fd
        self._drawn = b""
        self._handlers = [one for one in logs.LOGGER.handlers if type(one) is logging.StreamHandler]
        self._streams = [handler.stream for handler in self._handlers]
        for handler in self._handlers:
            handler.setStream(_Above(self, handler.stream))

    def show(self, seen: Seen, seconds: float) -> None:
        columns = _columns(self._fd) - 1  # a full line would make some terminals begin another one
        text = seen.text(seconds, _BAR_KNOWN, _UNKNOWN, columns)
        self._drawn = text.encode(sys.stderr.encoding, "replace")
        self.draw()

    def close(self, seen: Seen, seconds: float) -> None:
        self.clear()
        for handler, stream in zip(self._handlers, self._streams, strict=True):
            handler.setStream(stream)

    def draw(self) -> None:
        if self._drawn:
            self._write(_TO_START + self._drawn + _ERASE)

    def clear(self) -> None:
        if self._drawn:
            self._write(_TO_START + _ERASE)

    def _write(self, data: bytes) -> None:
        try:
            os.write(self._fd, data)
        except BlockingIOError:  # the terminal is busy: there will be another drawing
            return
        except OSError:  # it has gone, and the run must not end with it
            self._fd = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)


class _Above:
    """A stream that clears the bar first and draws it again afterwards."""

    def __init__(self, bar: Bar, stream: TextIO) -> None:
        self._bar = bar
        self._stream = stream

    def write(self, text: str) -> None:
        self._bar.clear()
        self._stream.write(text)
        self._stream.flush()
        self._bar.draw()

    def flush(self) -> None:
        self._stream.flush()


@dataclass(slots=True)
class Lines:
    """A line every few seconds and one at the end, in the form of the log: no control characters."""

    form: logs.LogFormat
    seconds: float = LINE_SECONDS

    def show(self, seen: Seen, seconds: float) -> None:
        figures = {"read": seen.read, "lines": seen.lines, "points": seen.points, "dead": seen.dead}
        if seen.total is not None:
            figures["total"] = seen.total
        logs.say("progress: " + seen.text(seconds, _KNOWN, _UNKNOWN), figures, self.form)

    def close(self, seen: Seen, seconds: float) -> None:
        self.show(seen, seconds)


class Progress:
    """Is told what is read and counted, by one reader or by several, and shows it; a Meter.

    Without a screen it shows nothing. `total` is the size of all sources, None where that is not known.
    """

    def __init__(
        self, screen: Screen | None, total: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._screen = screen
        self._clock = clock
        self._seen = Seen(total)
        self._begun: float | None = None
        """When the first news came: models take their time to load."""
        self._shown = 0.0
        """So many seconds after that something was shown last."""
        self._stats = Stats()
        """Of the batches that are watched,"""
        self._counted = (0, 0, 0)
        """and what was counted of them."""

    def begin(self, source: Source, done: int = 0) -> None:
        self._seen.file = shown(source.inside)
        self._seen.read += done
        self._seen.done_before += done
        self._show()

    def read(self, size: int) -> None:
        self._seen.read += size
        self._show()

    def count(self, lines: int, points: int, dead: int) -> None:
        """So many more."""
        self._seen.lines += lines
        self._seen.points += points
        self._seen.dead += dead
        self._show()

    def watch(self, batches: Iterator[list[Line]], stats: Stats) -> Iterator[list[Line]]:
        """Hands batches on, and counts what became of each when the next one is asked for."""
        self._stats = stats
        for batch in batches:
            yield batch
            self._look()

    def close(self) -> None:
        """The run has ended: the last word, or a clean line for what is said next."""
        self._look()
        if self._screen is not None:
            self._screen.close(self._seen, self._seconds())

    def _look(self) -> None:
        now = (self._stats.lines, self._stats.points.total(), self._stats.dead.total())
        self.count(*(after - before for after, before in zip(now, self._counted, strict=True)))
        self._counted = now

    def _seconds(self) -> float:
        """Since the first news."""
        if self._begun is None:
            self._begun = self._clock()
        return self._clock() - self._begun

    def _show(self) -> None:
        if self._screen is None:
            return
        seconds = self._seconds()
        if seconds - self._shown >= self._screen.seconds:
            self._shown = seconds
            self._screen.show(self._seen, seconds)


def _writes_blocks() -> bool:
    return sys.stderr is not None and sys.stderr.encoding.lower().startswith("utf")


def _columns(fd: int) -> int:
    try:
        return os.get_terminal_size(fd).columns or _COLUMNS
    except OSError:
        return _COLUMNS

"""Lines that go through the parts of the program and come out as points and dead letters."""

import json
import os
from collections.abc import Callable
from typing import NamedTuple

from dial_enricher import logformat
from dial_enricher.assemble import assemble
from dial_enricher.errors import Code
from dial_enricher.event import Event, Fault, Line
from dial_enricher.pipeline import Sink
from dial_enricher.sinks.deadletter import DeadLetters
from dial_enricher.sinks.output import OutputSink
from dial_enricher.stats import Stats
from tests.support import PLAIN_SETTINGS, Json, memory

SOURCE = "a.log"
Decode = Callable[[Line], list[Event]]


class Unreachable:
    """A sink that can deliver nothing, as when a server is gone for good."""

    def write(self, events: list[Event]) -> list[Event]:
        for event in events:
            if event.live:
                event.fault = Fault(Code.UNDELIVERED, "write", "the server is gone")
                event.release()
        return events

    def flush(self) -> list[Event]:
        return []


class Ended(NamedTuple):
    out: bytes
    dead: bytes
    """The file of dead letters."""
    stats: Stats

    @property
    def letters(self) -> list[Json]:
        """The letters, but for their times."""
        found = [json.loads(one) for one in self.dead.splitlines()]
        return [{name: value for name, value in letter.items() if name != "time"} for letter in found]


def numbered(data: bytes) -> list[Line]:
    """The lines of some bytes."""
    parts = data.split(b"\n")
    return [Line(raw, SOURCE, number) for number, raw in enumerate(parts[:-1] if not parts[-1] else parts, 1)]


def ended(
    data: bytes,
    *,
    decode: Decode = logformat.decode,
    reachable: bool = True,
    with_content: bool = False,
) -> Ended:
    """What becomes of some lines: through all stages to a sink and a file of dead letters."""
    with memory() as target, memory() as file:
        graves = DeadLetters(f"/proc/self/fd/{file}", with_content=with_content)
        sink: Sink = OutputSink(fd=target) if reachable else Unreachable()
        pipeline = assemble(PLAIN_SETTINGS, sink, graves, decode)
        pipeline.process(numbered(data))
        pipeline.stats.close()
        assert graves._fd is not None
        os.close(graves._fd)
        return Ended(_content(target), _content(file), pipeline.stats)


def _content(fd: int) -> bytes:
    return os.pread(fd, os.fstat(fd).st_size, 0)

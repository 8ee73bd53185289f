"""Points to a file descriptor, usually standard output."""

from dial_enricher.errors import SinkClosed, SinkDown
from dial_enricher.event import Event
from dial_enricher.sinks.descriptor import write_lines


class StdoutSink:
    """Writes a batch at once, and nothing but whole lines.

    Raises SinkClosed when the reader of a pipe has gone, SinkDown for a full disk and the like.
    """

    def __init__(self, fd: int = 1) -> None:
        self._fd = fd

    def write(self, events: list[Event]) -> list[Event]:
        live = [event for event in events if event.live]
        try:
            write_lines(self._fd, b"".join([line for event in live for line in event.output]))
        except BrokenPipeError:
            raise SinkClosed from None
        except OSError as error:
            raise SinkDown(f"cannot write to standard output: {error.strerror}") from None
        for event in live:
            event.written = True
        return events

    def flush(self) -> list[Event]:
        return []

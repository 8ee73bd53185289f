"""What a child tells its parent, one message after the other through a pipe."""

import logging
import os
from dataclasses import dataclass
from multiprocessing.connection import Connection

from dial_enricher.progress import BAR_SECONDS, Seen
from dial_enricher.stats import Stats


@dataclass(frozen=True, slots=True)
class Said:
    """Something for the log, which is the parent's: it holds back what is repeated by any child."""

    record: logging.LogRecord


@dataclass(frozen=True, slots=True)
class Done:
    """The output is there, and its marker."""

    stats: Stats
    damage: list[str]
    """Why it is not all that the input should hold; nothing when it is."""


@dataclass(frozen=True, slots=True)
class DoneBefore:
    """Another run was faster."""


@dataclass(frozen=True, slots=True)
class Failed:
    """There is no output."""

    reason: str
    hopeless: bool
    """Whether the next input would fare no better."""


class Wire:
    """The child's end of the pipe, and the screen of its progress. It ends with its parent."""

    seconds = BAR_SECONDS

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def tell(self, message: object) -> None:
        try:
            self._connection.send(message)
        except OSError:
            os._exit(1)  # an exception might be taken for the fault of a record

    def show(self, seen: Seen, seconds: float) -> None:
        self.tell(seen)

    def close(self, seen: Seen, seconds: float) -> None:
        self.tell(seen)


class ToParent(logging.Handler):
    """Sends the log through the pipe."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def emit(self, record: logging.LogRecord) -> None:
        record.msg, record.args = record.getMessage(), ()  # which may hold what cannot be sent
        self._wire.tell(Said(record))

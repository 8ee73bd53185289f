"""Dead letters: the records that could not be used, one JSON object for each."""

import dataclasses
import os
import stat
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from itertools import accumulate

from dial_enricher import jsontext
from dial_enricher.endpoint import logged_columns
from dial_enricher.errors import Code, SinkDown
from dial_enricher.event import Event, Json
from dial_enricher.logs import LOGGER
from dial_enricher.points import clean
from dial_enricher.signals import Stop
from dial_enricher.sinks.descriptor import check_open, is_named, sync, write_lines

_HEAP_BYTES = 1 << 20
"""Letters are written in heaps of about this size: all of a large batch at once would double its memory."""


class DeadLetters:
    """Reports each dead event to the log, and writes it to a file when there is one.

    `path` is a file that is appended to, `-` for stderr, or None. A letter says what is known of the request
    in columns, or has its points; it holds the text of its record only `with_content`. A regular file never
    grows beyond `max_bytes`, what it held before included; one that was moved away or deleted is begun anew.
    `name` is what it is called in errors, when that is not its path.
    Raises SinkDown when the file cannot be opened or written, or is full: nothing is lost quietly.
    """

    def __init__(
        self,
        path: str | None,
        *,
        with_content: bool = False,
        max_bytes: int = 1 << 30,
        name: str | None = None,
    ) -> None:
        self._with_content = with_content
        self._max_bytes = max_bytes
        self._path = path
        self._name = name or path
        self._fd: int | None = None
        self.written = 0
        """Letters so far; of those that a disk took before it was full none counts."""
        self._is_file = self._in_mid_line = False
        if path == "-":
            check_open(2, "standard error")
            self._fd = 2
        elif path is not None:
            self._fd = self._open(path)

    def _open(self, path: str) -> int:
        try:
            fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SinkDown.by(error, f"cannot open the dead-letter file {self._name}") from None
        self._is_file = stat.S_ISREG(os.fstat(fd).st_mode)
        self._in_mid_line = self._is_file and _ends_in_mid_line(path)
        return fd

    def bury(self, events: Sequence[Event]) -> None:
        for event in events:
            _report(event)
        if self._fd is not None and events:
            if self._path and self._is_file and not is_named(self._fd, self._path):
                self.sync()
                os.close(self._fd)
                self._fd = self._open(self._path)
            for letters in _heaps(jsontext.dumps(self._letter(event)) + b"\n" for event in events):
                self._write(self._fd, letters)

    def sync(self) -> None:
        """Puts the letters on the disk. Raises SinkDown."""
        try:
            if self._fd is not None:
                sync(self._fd)
        except OSError as error:
            raise SinkDown.by(error, f"cannot write the dead-letter file {self._name}") from None

    def _write(self, fd: int, letters: list[bytes]) -> None:
        if self._in_mid_line:
            letters[0] = b"\n" + letters[0]
        fitting = self._fitting(fd, letters)
        try:
            write_lines(fd, b"".join(letters[:fitting]))
            self.written += fitting
        except OSError as error:
            raise SinkDown.by(error, f"cannot write the dead-letter file {self._name}") from None
        if fitting < len(letters):
            raise SinkDown(
                f"the dead-letter file {self._name} is full (--dead-letter-max: {self._max_bytes} bytes),"
                " so move it away or raise the limit, and start again"
            )
        self._in_mid_line = False

    def _fitting(self, fd: int, letters: list[bytes]) -> int:
        """How many of the letters there is room for."""
        if not self._is_file:
            return len(letters)
        room = self._max_bytes - os.fstat(fd).st_size
        return sum(end <= room for end in accumulate(map(len, letters)))

    def _letter(self, event: Event) -> Json:
        fault, line = event.fault, event.line
        assert fault is not None
        letter: Json = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "code": fault.code,
            "stage": fault.stage,
            "detail": fault.detail,
            "source": line.source,
            "line": line.number,
            "length": line.excess.length if line.excess else len(event.raw),
            "sha256": line.excess.sha256 if line.excess else sha256(event.raw).hexdigest(),
        }
        letter |= _known(event)
        if self._with_content and event.raw:
            letter |= _content(event.raw)
        return letter


class Undertaker:
    """Buries dead events while that is possible; when it is not, tells the program to stop.

    What was read before goes its way, but reading more would lose what dies. Where records come again by
    themselves, those that could not be delivered get no letter.
    """

    def __init__(self, letters: DeadLetters, stop: Stop, *, comes_again: bool = False) -> None:
        self._letters = letters
        self._stop = stop
        self._comes_again = comes_again
        self._failed = False

    def bury(self, events: Sequence[Event]) -> None:
        if self._comes_again:
            events = _without_undelivered(events)
        if self._failed:
            self._regret(events)
            return
        written = self._letters.written
        try:
            self._letters.bury(events)
        except SinkDown as error:
            self._failed = True
            self._stop.because(str(error))
            self._regret(events[self._letters.written - written :])

    def _regret(self, events: Sequence[Event]) -> None:
        """Says which records died without a letter, unless they come again."""
        if self._comes_again:
            for event in events:
                event.lost = True
        elif events:
            _tell_of(events)

    def sync(self) -> None:
        """Puts the letters on the disk. Raises SinkDown."""
        self._letters.sync()


def _tell_of(events: Sequence[Event]) -> None:
    first, last = events[0].line, events[-1].line
    LOGGER.warning(
        "no letter for dead records: %d, from %s, line %d, to %s, line %d",
        *(len(events), first.source, first.number, last.source, last.number),
    )


def _without_undelivered(events: Sequence[Event]) -> list[Event]:
    """The events without those that could not be delivered, which will be read again."""
    kept = []
    for event in events:
        assert event.fault is not None
        if event.fault.code is Code.UNDELIVERED:
            event.lost = True
        else:
            kept.append(event)
    return kept


def _heaps(letters: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The letters in lists, each of which is written at once."""
    heap: list[bytes] = []
    size = 0
    for letter in letters:
        heap.append(letter)
        size += len(letter)
        if size >= _HEAP_BYTES:
            yield heap
            heap, size = [], 0
    if heap:
        yield heap


def _ends_in_mid_line(path: str) -> bool:
    """Whether a program was killed while it wrote a letter here."""
    try:
        with open(path, "rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
    except OSError:  # it is empty, or may only be written: then a blank line too many does no harm
        return os.path.getsize(path) > 0


def _known(event: Event) -> Json:
    """What a letter may tell of the record in any case: no text of it, but its points or its columns."""
    if event.output and len(event.output) >= len(event.points):  # else rendering stopped half way
        return {"points": [point.decode().removesuffix("\n") for point in event.output]}
    record = _clean(_columns(event))
    return {"record": record} if record else {}


def _columns(event: Event) -> Json:
    exchange, log = event.exchange, event.log
    if exchange is not None:
        usage = dataclasses.asdict(exchange.usage) if exchange.usage else {}
        return {"measurement": exchange.measurement} | exchange.columns | usage
    return logged_columns(log.data, Counter()) if log is not None else {}


def _clean(columns: Json) -> Json:
    """The columns that are known, as a point would hold them.

    Goes by the type that a value has, not by the one that it ought to have: an event may have died of that.
    """
    return {
        name: clean(value, Counter())
        for name, value in columns.items()
        if value != "" and type(value) in (str, int, float)
    }


def _content(raw: bytes) -> dict[str, str]:
    try:
        return {"content": raw.decode()}
    except UnicodeDecodeError:
        return {"content_base64": b64encode(raw).decode()}


def _report(event: Event) -> None:
    fault, line = event.fault, event.line
    assert fault is not None
    LOGGER.warning(
        "dead: %s (%s) in %s, line %d: %s",
        fault.code,
        fault.stage,
        line.source,
        line.number,
        fault.detail,
        extra={"code": fault.code},
    )

"""rsyslog as the other end of a conversation: its omprog waits for an answer to every line.

What it does was tried on rsyslog 8.2302 with confirmMessages="on". The program says `OK` at the start, and
then answers every line; anything but `OK` makes rsyslog send it again. With useTransactions="on" lines come
between two marks, and may be answered `DEFER_COMMIT`: then a refusal of the second mark brings all of them
again. But a program that dies between the marks is not sent again what it deferred. So a line is deferred
only when it is in a spool on the disk; without a spool every line is delivered before its answer.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from threading import Condition, Thread

from dial_enricher.batch import Batcher
from dial_enricher.errors import SettingError, SinkClosed, SinkDown
from dial_enricher.event import Event, Line
from dial_enricher.inputs.reader import Reader
from dial_enricher.inputs.sources import STDIN, as_given, shown
from dial_enricher.logs import LOGGER
from dial_enricher.signals import AWAY, Stop
from dial_enricher.sinks.descriptor import last_newline, write_lines
from dial_enricher.split import Splitter

_BEGIN, _COMMIT = b"BEGIN TRANSACTION", b"COMMIT TRANSACTION"
_OK, _DEFERRED, _REFUSED = b"OK\n", b"DEFER_COMMIT\n", b"not stored, send it again\n"
_DOT_SECONDS = 3.0
"""A dot says that an answer will come: by default rsyslog waits 10 s for it. It takes 4,095 of them."""
_HEADER = b"dial-enricher: lines that rsyslog has handed over\n"
_CHUNK_BYTES = 1 << 20


class Rsyslog(Reader):
    """Reads standard input and answers on standard output. It is its own witness.

    Nothing is answered `OK` before all records until there are stored, ignored or dead letters.
    Raises SinkClosed when nobody reads the answers any more.
    """

    def __init__(self, batcher: Batcher, max_line_bytes: int, stop: Stop, spool: "Spool | None") -> None:
        super().__init__(as_given([STDIN]), batcher, max_line_bytes, stop)
        self._spool = spool
        self._answers = _Answers()
        self._in_transaction = False
        self._marks = 0
        self._lost = False

    def batches(self) -> Iterator[list[Line]]:
        """Batches until standard input ends; an empty one asks for all before it to be settled."""
        self._stop.begin()
        self._answers.busy()
        if self._spool is not None:
            for lines in self._spool.lines(self._max_line_bytes):
                yield from self._outlet.fill(lines)
            yield from self._deliver()
        self._answers.say(_REFUSED if self._lost else _OK)
        splitter = Splitter(shown(STDIN), self._max_line_bytes)
        for chunk in self._chunks(0, is_file=False):
            for line in splitter.feed(chunk):
                self._answers.busy()
                yield from self._take(line)
            if not chunk and (due := self._outlet.due()) is not None:
                yield due
        yield from self._deliver()  # a transaction that was not ended

    def _take(self, line: Line) -> Iterator[list[Line]]:
        """Takes a line or a mark, and answers it."""
        if line.raw in (_BEGIN, _COMMIT):
            self._marks += 1
            self._in_transaction = line.raw == _BEGIN
            yield from self._deliver()
            self._answer()
            return
        line.number -= self._marks
        deferred = self._in_transaction and self._defer(line)
        yield from self._outlet.fill([line])
        if not deferred:
            yield from self._deliver()
            self._answer()

    def _defer(self, line: Line) -> bool:
        """Answers a line that rsyslog may forget then; false if it may not."""
        if self._spool is None or line.excess or not self._spool.keep(line.raw):
            return False
        self._answers.say(_DEFERRED)
        self._answers.busy()  # rsyslog waits for the next answer already
        return True

    def _answer(self) -> None:
        self._answers.say(_REFUSED if self._lost else _OK)
        if self._lost and self._spool is not None:
            self._stop.because(AWAY)
        self._lost = False

    def _deliver(self) -> Iterator[list[Line]]:
        """Has all that was read settled; then the spool is of no use any more."""
        yield from self._outlet.rest()
        yield []
        if self._spool is not None and not self._lost and not self._stop.reason:
            self._spool.clear()

    # The witness

    def settled(self, events: Sequence[Event]) -> None:
        self._lost |= any(event.lost for event in events)

    def rest(self) -> None:
        pass


class _Answers:
    """Standard output, with a dot every few seconds while an answer takes its time."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._busy = False
        self._dots = Thread(target=self._dot, daemon=True)

    def busy(self) -> None:
        """An answer is waited for, or will be before long."""
        with self._changed:
            if not self._dots.is_alive():
                self._dots.start()
            self._busy = True
            self._changed.notify()

    def say(self, answer: bytes) -> None:
        """Raises SinkClosed."""
        with self._changed:
            self._busy = False
            self._changed.notify()
            try:
                write_lines(1, answer)
            except BrokenPipeError:
                raise SinkClosed from None
            except OSError as error:
                raise SinkDown(f"cannot answer rsyslog on standard output: {error.strerror}") from None

    def _dot(self) -> None:
        with self._changed:
            while True:
                if not self._busy:
                    self._changed.wait()
                elif not self._changed.wait(_DOT_SECONDS):
                    try:
                        os.write(1, b".")
                    except OSError:
                        return  # the next answer will tell


class Spool:
    """The lines of a transaction that rsyslog has handed over and that are not stored yet, on the disk.

    It holds the text of conversations, for its owner alone to read, and is emptied as soon as all is stored.
    Raises SinkDown when it cannot be opened, or another process uses it.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._mark()
            self._drop_half_line()
        except BlockingIOError:
            raise SinkDown(f"the checkpoint {path} is in use by another process") from None
        except OSError as error:
            raise SinkDown.by(error, f"cannot open the checkpoint {path}") from None

    def _mark(self) -> None:
        """Marks a new file as ours."""
        check_spool(self._path)
        if os.fstat(self._fd).st_size < len(_HEADER):
            os.ftruncate(self._fd, 0)
            write_lines(self._fd, _HEADER)

    def _drop_half_line(self) -> None:
        """Cuts off what a program was killed while it wrote: it was not answered, so rsyslog has it."""
        os.ftruncate(self._fd, last_newline(self._fd, os.fstat(self._fd).st_size))

    def lines(self, max_line_bytes: int) -> Iterator[list[Line]]:
        """What a program that was killed has left here."""
        splitter = Splitter(shown(self._path), max_line_bytes)
        place = len(_HEADER)
        while chunk := os.pread(self._fd, _CHUNK_BYTES, place):
            place += len(chunk)
            yield splitter.feed(chunk)

    def keep(self, line: bytes) -> bool:
        """Whether a line is kept now; if not, it should not be deferred."""
        try:
            write_lines(self._fd, line + b"\n")
        except OSError as error:
            LOGGER.warning(
                "cannot write the checkpoint %s: %s", self._path, error.strerror, extra={"code": "spool"}
            )
            return False
        return True

    def clear(self) -> None:
        os.ftruncate(self._fd, len(_HEADER))


def check_spool(path: str) -> None:
    """Raises SettingError for what is no spool and would be emptied, OSError for what cannot be read."""
    if not os.path.exists(path):
        return
    with open(path, "rb") as file:
        begin = file.read(len(_HEADER))
    if not _HEADER.startswith(begin):  # a part of it: we were killed while we wrote it
        raise SettingError(f"{path} is no checkpoint of --ack rsyslog: name another file, or a new one")

"""An outage of the server while input never ends: memory does not grow, and no more is read than has room."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from subprocess import Popen
from threading import Event, Thread

import psutil
import pytest

from tests.delivery import Log, Sender, check_stored, record, rows_of, sender, stored, understood
from tests.dialcore import Generator
from tests.faults import faults
from tests.faults.dialects import DIALECTS
from tests.faults.server import FaultServer, serving
from tests.influxd import Influx, wait_for
from tests.support import PATIENCE, changed, finish, line, log

TWO = DIALECTS[1]
MIB = 1024 * 1024
MOST_GROWTH = 64 * MIB
MOST_READ = 32 * MIB
"""Three packages of 8 MiB, a batch of 2 MiB, and what waits in buffers."""
OUTAGE = 2.0
"""Seconds, after the program has read what it may."""
OPTIONS = ("--dead-letter-content", "--batch-lines", "500", "--max-delay", "2", "--influx-timeout", "5")
"""Packages become full before they are old."""
HANGS = [faults.hangs] * 100_000


def production(lines: int) -> bytes:
    return b"".join(Generator(7, "production").lines(lines))


def small(lines: int) -> bytes:
    """Records with a time of their own."""
    begin = datetime(2026, 3, 2)
    times = (begin + timedelta(milliseconds=number) for number in range(lines))
    return b"".join(
        line(changed(record(number), "request.time", time.isoformat(timespec="milliseconds")))
        for number, time in enumerate(times)
    )


def dead(lines: int) -> bytes:
    """Records without a time, whose texts take four times as much memory when they are decoded."""
    text = "Привіт, світ! " * 2000 + "\N{GRINNING FACE}"
    body = json.dumps({"messages": [{"role": "user", "content": text}]}, ensure_ascii=False)
    timeless = changed(changed(log(), "request.body", body), "request.time", "never")
    bad = json.dumps(timeless, ensure_ascii=False).encode() + b"\n"
    return b"".join(line(record(number)) if number % 20 == 0 else bad for number in range(lines))


LINES: dict[str, Callable[[], bytes]] = {
    "production": lambda: production(1300),
    "small": lambda: small(19_000),
    "dead": lambda: dead(1000),
}
"""More bytes, or more lines, than three packages hold."""


@cache
def offered(shape: str) -> Log:
    return understood(LINES[shape]())


class Stream:
    """Input that is offered as fast as a program reads: first a tenth of it, then the rest."""

    def __init__(self, process: Popen[bytes], data: bytes) -> None:
        self.data = data
        self.first = data.index(b"\n", len(data) // 10) + 1
        self.written = 0
        self.go_on = Event()
        self._process = process
        self._writer = Thread(target=self._write, daemon=True)
        self._writer.start()

    def _write(self) -> None:
        assert self._process.stdin is not None
        for end in (self.first, len(self.data)):
            while self.written < end:
                piece = self.data[self.written : min(end, self.written + 65536)]
                self._process.stdin.write(piece)
                self._process.stdin.flush()
                self.written += len(piece)
            self.go_on.wait(PATIENCE)

    def wait_until_blocked(self) -> None:
        """Returns when the program reads no more."""
        before = -1
        while before != (before := self.written):
            time.sleep(1)

    def wait_until_written(self) -> None:
        self._writer.join(PATIENCE)
        assert self.written == len(self.data)


def peak(process: Popen[bytes]) -> int:
    """The most memory that a process ever had, in bytes."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (kibibytes,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(kibibytes) * 1024


def stored_lines(server: FaultServer) -> int:
    return sum(len(write.lines) for write in server.writes if write.status == 204)


def begin(program: Sender, data: bytes, server: FaultServer) -> tuple[Popen[bytes], Stream, int]:
    """A program that has delivered the first part to a healthy server, and its memory then."""
    process = program.start()
    stream = Stream(process, data)
    good = len(understood(data[: stream.first]).good)
    wait_for(lambda: stored_lines(server) == good)
    return process, stream, psutil.Process(process.pid).memory_info().rss


@pytest.mark.parametrize(
    ("trouble", "shape"), [("hangs", "production"), ("refuses", "small"), ("refuses", "dead")]
)
def test_an_outage_takes_little_memory(
    trouble: str, shape: str, influx: Influx, database: str, tmp_path: Path
) -> None:
    whole = offered(shape)
    with serving(TWO, influx, database) as server:
        program = sender(server, tmp_path, *OPTIONS)
        process, stream, before = begin(program, whole.data, server)
        if trouble == "hangs":
            server.script += HANGS
        else:
            server.shut()
        stream.go_on.set()
        stream.wait_until_blocked()
        blocked_at = stream.written
        time.sleep(OUTAGE)
        assert stream.written == blocked_at
        assert stream.written - stream.first < MOST_READ
        assert stream.written < len(whole.data)
        assert peak(process) - before < MOST_GROWTH
        server.script.clear()
        server.open()
        stream.wait_until_written()
        wait_for(lambda: stored_lines(server) >= len(whole.good))
        assert peak(process) - before < MOST_GROWTH
        done = finish(process)
        assert done.code == 0, done.err
    check_stored(influx, database, whole.rows)
    program.check_dead(whole)


def test_dead_letters_take_little_memory(influx: Influx, database: str, tmp_path: Path) -> None:
    """The outage is given up: all that is offered becomes dead letters, with its content."""
    whole = offered("production")
    with serving(TWO, influx, database) as server:
        program = sender(server, tmp_path, *OPTIONS, "--retry-time", "3")
        process, stream, before = begin(program, whole.data, server)
        server.shut()
        stream.go_on.set()
        stream.wait_until_written()
        wait_for(lambda: len(list(undelivered_points(program))) + stored_lines(server) >= len(whole.good))
        assert peak(process) - before < MOST_GROWTH
        done = finish(process)
        assert done.code == 4, done.err
    found, dead = stored(influx, database), rows_of(undelivered_points(program))
    assert not found & dead
    assert found | dead == whole.rows


def undelivered_points(program: Sender) -> Iterator[bytes]:
    with (program.directory / "letters").open("rb") as letters:
        whole = (letter for letter in letters if letter.endswith(b"\n"))
        for letter in map(json.loads, whole):
            if letter["code"] == "undelivered":
                yield from (point.encode() + b"\n" for point in letter["points"])

"""A long outage in real time: `python -m benchmarks.soak`.

A server refuses connections, or hangs, for ten minutes, while a log without end is offered. The program has
to keep its memory, and afterwards each point has to be in the database once.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import psutil

from benchmarks.processes import ENVIRONMENT, ROOT
from tests.delivery import Row, rows_of, stored
from tests.dialcore import Generator
from tests.faults import faults
from tests.faults.dialects import Two
from tests.faults.server import FaultServer, serving
from tests.influxd import Influx, influxd, wait_for
from tests.support import through

SEED = 1
MIB = 1024 * 1024
MOST_GROWTH = 64 * MIB
DATABASE = "dial"
BEFORE = 500
"""Lines that a healthy server gets before the outage."""
AFTER = 2_000
"""Lines that are offered when it is over."""
OPTIONS = (
    "--to influxdb --influx-version 2 --language off --topics off --summary always --max-delay 60".split()
)
"""Packages leave when they are full, not when they are old: so they take the most memory."""


class Stream:
    """A log without end, offered as fast as the program reads it."""

    def __init__(self, process: subprocess.Popen[bytes], shape: str) -> None:
        self.lines: list[bytes] = []
        """What was offered."""
        self._process = process
        self._shape = shape
        self._last: int | None = None
        self._writer = Thread(target=self._write, daemon=True)
        self._writer.start()

    def _write(self) -> None:
        assert self._process.stdin is not None
        with self._process.stdin as stdin:
            for line in Generator(SEED, self._shape).lines(sys.maxsize):
                stdin.write(line)
                self.lines.append(line)
                if self._last is not None and len(self.lines) >= self._last:
                    return

    def end_after(self, lines: int) -> None:
        """Offers so many lines more, which the program has to take."""
        self._last = len(self.lines) + lines
        self._writer.join()


@dataclass(slots=True)
class Memory:
    """What the program takes, in bytes; printed as a table while time goes by."""

    process: subprocess.Popen[bytes]
    stream: Stream
    start: int = field(init=False)

    def __post_init__(self) -> None:
        print("| moment | memory, MiB | peak so far, MiB | lines offered |\n|---|---:|---:|---:|", flush=True)
        self.start = self.tell("start of the outage")

    def tell(self, moment: str) -> int:
        """Print a row; the memory now."""
        now = psutil.Process(self.process.pid).memory_info().rss
        offered = len(self.stream.lines)
        print(f"| {moment} | {now / MIB:.1f} | {self.peak() / MIB:.1f} | {offered:,} |", flush=True)
        return int(now)

    def peak(self) -> int:
        """The most that it ever took, by the system's own account."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(row.split()[1]) for row in status.splitlines() if row.startswith("VmHWM")) * 1024


@dataclass(slots=True, frozen=True)
class Outcome:
    """What became of a run."""

    growth: int
    offered: int
    read: int
    points: int
    """That the lines are worth."""
    stored: int
    lost: int
    surplus: int
    """Points in the database that no line is worth: those that are counted twice."""
    code: int

    def goals(self) -> dict[str, tuple[str, str, bool]]:
        """What was measured, what was wanted, and whether that is so."""
        return {
            "growth of memory": (f"{self.growth / MIB:.1f} MiB", "< 64 MiB", self.growth < MOST_GROWTH),
            "lines read": (f"{self.read:,}", f"{self.offered:,} offered", self.read == self.offered),
            "points stored": (f"{self.stored:,}", f"{self.points:,}", self.stored == self.points),
            "points lost": (f"{self.lost:,}", "0", self.lost == 0),
            "points counted twice": (f"{self.surplus:,}", "0", self.surplus == 0),
            "exit code": (f"{self.code}", "0", self.code == 0),
        }


@contextmanager
def program(server: FaultServer, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The program at work, with its messages in files of a directory."""
    letters = ("--dead-letter", directory / "letters", "--dead-letter-content")
    command = [sys.executable, "-m", "dial_enricher", *OPTIONS, *letters, "--log-file", directory / "log"]
    with (directory / "summary").open("wb") as summary:
        process = subprocess.Popen(
            [*map(str, command)],
            cwd=ROOT,
            env=ENVIRONMENT | server.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=summary,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def soak(influx: Influx, directory: Path, minutes: int, *, hangs: bool, shape: str) -> Outcome:
    """Lets a server be away for some minutes, and looks at what is left of the log."""
    with serving(Two(), influx, DATABASE) as server, program(server, directory) as process:
        stream = Stream(process, shape)
        wait_for(lambda: _stored_lines(server) >= BEFORE)
        begin_outage(server, hangs=hangs)
        memory = Memory(process, stream)
        for minute in range(1, minutes + 1):
            time.sleep(60)
            memory.tell(f"{minute} min")
        end_outage(server)
        stream.end_after(AFTER)
        memory.tell("after the outage")
        growth = memory.peak() - memory.start
        code = process.wait()
    return _outcome(stream.lines, stored(influx, DATABASE), growth, code, directory)


def begin_outage(server: FaultServer, *, hangs: bool) -> None:
    """From now on nothing is stored."""
    if hangs:
        server.script += [faults.hangs] * 1_000_000
    else:
        server.shut()


def end_outage(server: FaultServer) -> None:
    """From now on all is well."""
    server.script.clear()
    server.open()


def _stored_lines(server: FaultServer) -> int:
    return sum(len(write.lines) for write in server.writes if write.status == 204)


def _outcome(lines: list[bytes], found: set[Row], growth: int, code: int, directory: Path) -> Outcome:
    expected = rows_of(through(b"".join(lines)).lines)
    summary = (directory / "summary").read_text()
    figures = dict(word.split("=") for word in summary.split() if "=" in word)
    return Outcome(
        growth=growth,
        offered=len(lines),
        read=int(figures["lines"]),
        points=len(expected),
        stored=len(found),
        lost=len(expected - found),
        surplus=len(found - expected),
        code=code,
    )


def main() -> None:
    """Measure, print tables, and fail when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description="Sit out an outage.")
    parser.add_argument("--minutes", type=int, default=10, metavar="N", help="how long the server is away")
    parser.add_argument("--hangs", action="store_true", help="it takes requests and never answers")
    parser.add_argument("--shape", choices=("production", "sample"), default="production", help="of the log")
    arguments = parser.parse_args()
    with TemporaryDirectory() as name, influxd(Path(name)) as influx:
        outcome = soak(influx, Path(name), arguments.minutes, hangs=arguments.hangs, shape=arguments.shape)
    print("\n| what | measured | goal |\n|---|---:|---:|")
    goals = outcome.goals()
    for what, (measured, goal, met) in goals.items():
        print(f"| {what} | {measured} | {goal}{'' if met else ' (**missed**)'} |")
    sys.exit(not all(met for *_, met in goals.values()))


if __name__ == "__main__":
    main()

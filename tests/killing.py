"""A program that is killed by `kill -9` at a random moment, and what it had sent and remembered by then."""

import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Lock

from tests.delivery import NO_PROXY, record
from tests.faults.dialects import Reply
from tests.faults.server import FaultServer, Visit
from tests.influxd import wait_for
from tests.support import PATIENCE, PLAIN, Json, finish, line, start

BATCH = 60
QUICK = ("--influx-version", "1", "--log-level", "error", "--batch-lines", str(BATCH), "--max-delay", "0")
"""Options with which each batch of lines is a package of its own."""
UNDER_WAY = 2
"""Packages that wait for an answer at once."""
_LOOK = 0.0003
"""Seconds between two looks at whether the moment has come."""
_SPAN = re.compile(rb'core_span_id="?([0-9a-f]{16})')


def numbered(numbers: Iterable[int], project: str) -> bytes:
    """Lines that are told by their numbers, of a project that makes them differ from others."""
    return b"".join(line(record(number, project)) for number in numbers)


def numbers_of(points: Iterable[bytes]) -> list[int]:
    """The numbers of the records that points were made of."""
    return [int(match[1], 16) for point in points if (match := _SPAN.search(point))]


def marks(state: Path) -> list[Json]:
    """What a checkpoint holds; it has to be whole."""
    document = state.read_bytes() if state.exists() else b""
    found: list[Json] = json.loads(document)["files"] if document else []
    return found


def wait_until(come: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Returns when a moment has come, or the program has ended before."""
    deadline = time.monotonic() + PATIENCE
    while not come() and process.poll() is None:
        assert time.monotonic() < deadline, "the moment does not come"
        time.sleep(_LOOK)


def kill(process: subprocess.Popen[bytes]) -> bool:
    """Kills the program; false when it had ended by itself, which has to be well."""
    process.kill()
    done = finish(process)
    assert done.code == -9 or (done.code, done.err) == (0, ""), (done.code, done.err)
    return done.code == -9


@dataclass
class Tally:
    """What many kills have done."""

    runs: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    """Kills, by what the program was doing."""
    part_way: int = 0
    """Kills of runs that had moved a mark, but not to the end."""
    again: list[int] = field(default_factory=list)
    """Records that were sent again after each kill."""
    passed_over: int = 0
    """Records before a mark that nobody had confirmed."""
    needless: int = 0
    """Records that were sent again though a mark stood behind them."""
    most_open: int = 0
    """Packages, at the most, that were sent before the last save and not before its marks."""
    lost: int = 0
    surplus: int = 0
    """Points in the database that no record is worth."""

    @property
    def kills(self) -> int:
        return self.hits.total()

    def check(self) -> None:
        """Nothing was lost or came twice, and nothing was sent again that need not be."""
        assert (self.lost, self.surplus, self.passed_over, self.needless) == (0, 0, 0, 0), self
        assert self.most_open <= UNDER_WAY, self
        assert self.part_way, self


class Gate:
    """The way into the server: each request may take a moment, and who is inside is known."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.longest = 0.0
        """Seconds."""
        self._lock = Lock()
        self.inside = 0
        self.come = 0

    def __call__(self, visit: Visit) -> Reply:
        with self._lock:
            self.inside += 1
            self.come += 1
        try:
            time.sleep(self._random.uniform(0, self.longest))
            return visit.store()
        finally:
            with self._lock:
                self.inside -= 1


class Quarry:
    """The program with files, a checkpoint and a server. Of each run is known what it sent.

    `first` tells of each file the number of its first record.
    """

    def __init__(self, server: FaultServer, directory: Path, tally: Tally, random: Random) -> None:
        self.directory = directory
        self.state = directory / "state"
        self.first: dict[Path, int] = {}
        self.tally = tally
        self._server = server
        self._random = random
        self._gate = Gate(Random(random.random()))
        self._sent: set[int] = set()
        """By all runs."""
        self.confirmed: set[int] = set()
        self._marked: set[int] = set()
        """When the last run ended."""
        self._was_killed = False

    def start(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        self.tally.runs += 1
        self._server.requests.clear()
        self._server.script[:] = [self._gate] * 1000
        self._gate.come, self._gate.longest = 0, self._random.choice((0, 0.008))
        self._saved = self._save_time()
        command = (*PLAIN, "--to", "influxdb", *QUICK, "--checkpoint", self.state, *arguments)
        return start(*command, env=NO_PROXY | self._server.environment | dict(env or {}))

    def hit(self, process: subprocess.Popen[bytes], meanwhile: Callable[[], None] = lambda: None) -> bool:
        """Kills the program at a random moment; false when it had ended by itself."""
        come = self._moment()

        def look() -> bool:
            meanwhile()
            return come()

        wait_until(look, process)
        time.sleep(self._random.choice((0, self._random.uniform(0, 0.006))))
        return self.kill(process)

    def kill(self, process: subprocess.Popen[bytes]) -> bool:
        """Kills the program now, and looks at what it has done; false when it had ended by itself."""
        phase = self._phase()
        killed = kill(process)
        before = len(self._marked)
        self.end_run()
        if killed:
            new = Path(f"{self.state}.new")
            self.tally.hits["saving" if new.exists() else phase] += 1
            new.unlink(missing_ok=True)
            self.tally.part_way += before < len(self._marked) < len(self.all)
        self._was_killed = killed
        return killed

    def _moment(self) -> Callable[[], bool]:
        """A moment to be killed at: after some time, some requests, or some changes of the checkpoint."""
        begin = time.monotonic()
        match self._random.choice(("time", "requests", "requests", "saves")):
            case "time":
                seconds = self._random.uniform(0, 0.5)
                return lambda: time.monotonic() >= begin + seconds
            case "requests":
                requests = self._random.randint(1, 12)
                return lambda: self._gate.come >= requests
            case _:
                saves, last = self._random.randint(1, 6), self._saved

                def saved() -> bool:
                    nonlocal saves, last
                    if last != (last := self._save_time()):
                        saves -= 1
                    return saves <= 0

                return saved

    def _save_time(self) -> int:
        try:
            return self.state.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _phase(self) -> str:
        """What the program is doing."""
        if self._gate.inside:
            return "under way"
        if self._gate.come == 0:
            return "start"
        return "idle" if self.confirmed_now() >= self.all else "between"

    @property
    def all(self) -> set[int]:
        """The records whose lines have ended by now."""
        return {
            first + place
            for file, first in self.first.items()
            for place in range(file.read_bytes().count(b"\n"))
        }

    def confirmed_now(self) -> set[int]:
        """Those that are stored by now."""
        answered = [visit for visit in self._server.writes if visit.status == 204]
        return self.confirmed.union(*(numbers_of(visit.lines) for visit in answered))

    def end_run(self) -> None:
        """Counts on what a run has sent, now that it has ended."""
        wait_for(lambda: self._gate.inside == 0)
        visits = list(self._server.writes)
        sent = [number for visit in visits for number in numbers_of(visit.lines)]
        assert len(sent) == len(set(sent)), "a run sends each record once"
        if self._was_killed:
            self.tally.again.append(len(self._sent.intersection(sent)))
        self.tally.needless += len(self._marked.intersection(sent))
        self._sent.update(sent)
        self.confirmed = self.confirmed_now()
        self._marked = self._behind_marks()
        self.tally.passed_over += len(self._marked - self.confirmed)
        if self._save_time() != self._saved:
            self._check_open(visits)

    def _behind_marks(self) -> set[int]:
        return {
            self.first[Path(mark["path"])] + place
            for mark in marks(self.state)
            for place in range(mark["lines"])
        }

    def _check_open(self, visits: list[Visit]) -> None:
        """Looks at what was under way when the checkpoint was saved."""
        saved = self._save_time() / 1e9 - (time.time() - time.monotonic())
        early = [visit for visit in visits if visit.time < saved]
        still_open = [visit for visit in early if not self._marked.issuperset(numbers_of(visit.lines))]
        self.tally.most_open = max(self.tally.most_open, len(still_open))

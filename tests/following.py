"""The program that follows logs, as a process that may be started again, and what it has to bring."""

import atexit
import os
import subprocess
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals
from typing import Any

from tests.delivery import record
from tests.influxd import Influx, wait_for
from tests.support import PLAIN, Done, finish, line, start, through

QUICK = ("--max-delay", "0.1")


def listens(process: subprocess.Popen[bytes]) -> bool:
    """Whether a program is so far that it minds SIGTERM."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next(one for one in status.splitlines() if one.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (SIGTERM - 1) & 1)


def open_paths(process: subprocess.Popen[bytes]) -> list[Path]:
    """What a running program has open."""
    return list(Path(f"/proc/{process.pid}/fd").iterdir())


def count_stored(influx: Influx, database: str) -> int:
    """Points of all kinds."""
    query = f'SELECT COUNT("chat_id") FROM /.*/ WHERE time > {-1 << 62}'
    return sum(row["count"] for row in influx.query(database, query))


class Following:
    """The program on a directory of logs. Records are written here too, so that it is known what has to come.

    With an `end` it has a checkpoint, and `again` ends it that way and starts it again.
    """

    def __init__(self, directory: Path, *patterns: str, end: Signals | None = None) -> None:
        self.directory = directory
        self.logs = directory / "log"
        self.logs.mkdir(parents=True)
        self.out = directory / "points"
        self.log_file = directory / "messages"
        self.state = directory / "state"
        self.command: tuple[str | Path, ...] = (*PLAIN, *QUICK, "--follow", "--log-file", self.log_file)
        self.patterns = [str(self.logs / pattern) for pattern in patterns]
        self.end = end
        self.data = b""
        """All lines that were written."""
        self._records = self.kills = 0

    # What is written

    def lines(self, count: int = 1) -> bytes:
        """So many new lines, to be written by the caller."""
        made = b"".join(line(record(self._records + one)) for one in range(count))
        self._records += count
        self.data += made
        return made

    def write(self, name: str | Path, count: int = 1) -> Path:
        path = self.logs / name
        with path.open("ab") as file:
            file.write(self.lines(count))
        return path

    # The program

    def start(self, *more: str | Path, to_pipe: bool = False, **how: Any) -> subprocess.Popen[bytes]:
        output = () if to_pipe else ("--output", self.out)
        memory = ("--checkpoint", self.state) if self.end else ()
        arguments = (*self.command, *output, *memory, *more, *self.patterns)
        self.process = start(*arguments, stdin=subprocess.DEVNULL, **how)
        atexit.register(self.process.kill)
        return self.process

    def stop(self, number: Signals = SIGTERM) -> Done:
        wait_for(lambda: listens(self.process))
        self.process.send_signal(number)
        done = finish(self.process)
        assert done.code == (-number if number == SIGKILL else 128 + number), done.err
        return done

    def again(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Ends the program if it has a memory, and starts it again after something that happens meanwhile."""
        if self.end:
            self.stop(self.end)
            self.kills += self.end == SIGKILL
        meanwhile()
        if self.end:
            self.start()

    @property
    def points(self) -> list[bytes]:
        """What has come out; of a last one that is not whole nothing."""
        text = self.out.read_bytes() if self.out.exists() else b""
        return text[: text.rfind(b"\n") + 1].splitlines(keepends=True)

    @property
    def messages(self) -> str:
        return self.log_file.read_text()

    def holds(self, status: os.stat_result) -> bool:
        """Whether the program has a file open; not when it has ended."""
        if self.process.returncode is not None:
            return False
        for path in open_paths(self.process):
            with suppress(FileNotFoundError):  # closed this very moment
                if os.path.samestat(status, os.stat(path)):
                    return True
        return False

    def wait_until_held(self, path: Path) -> None:
        wait_for(lambda: self.holds(path.stat()))

    def caught_up(self) -> None:
        """Returns when each record has come at least once."""
        wanted = set(through(self.data).lines)
        wait_for(lambda: wanted <= set(self.points))

    def check(self, found: list[bytes] | None = None) -> None:
        """Each record has come once; after a kill, those that were under way have come once more."""
        expected = Counter(through(self.data).lines)
        came = Counter(self.points if found is None else found)
        assert not expected - came, f"{(expected - came).total()} of {expected.total()} were lost"
        assert came.keys() == expected.keys()
        most = max(came.values(), default=0)
        assert most <= 1 + self.kills, f"some came {most} times, {(came - expected).total()} too many"


ENDS = {"for once": None, "told": SIGTERM, "killed": SIGKILL}


def in_each_way(directory: Path, story: Callable[[Following], object], *patterns: str) -> None:
    """Tells a story at once to a program without a memory, to one that is told to end, and to one killed.

    The story writes, and has the program started again in the middle. In the end all has come.
    """

    def tell(name: str) -> None:
        one = Following(directory / name.replace(" ", "_"), *patterns, end=ENDS[name])
        one.start()
        try:
            story(one)
            one.caught_up()
            one.stop()
            one.check()
        except AssertionError as problem:
            raise AssertionError(f"{name}: {problem}") from problem
        finally:
            one.process.kill()

    with ThreadPoolExecutor(len(ENDS)) as threads:
        for outcome in [threads.submit(tell, name) for name in ENDS]:
            outcome.result()

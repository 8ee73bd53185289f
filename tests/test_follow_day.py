"""A day of three programs and their logs in about a minute, followed to a file and to InfluxDB at once."""

import os
import subprocess
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from signal import SIGKILL, SIGTERM

import pytest

from tests.day import HARD, QUIET, Day
from tests.delivery import NO_PROXY, check_stored, record, rows_of
from tests.following import QUICK, count_stored, listens, open_paths
from tests.influxd import Influx
from tests.support import PATIENCE, PLAIN, finish, line, start, through

HOURS = 24
MOMENT = 0.12
"""Seconds."""
ENDS = {"told": SIGTERM, "killed": SIGKILL}


class Follower:
    """One program of the two, which is started again whenever the script has it ended."""

    def __init__(self, directory: Path, day: Day, *target: str | Path, env: dict[str, str]) -> None:
        directory.mkdir()
        self.log_file = directory / "messages"
        memory = ("--checkpoint", directory / "state", "--log-file", self.log_file)
        self._command = (*PLAIN, *QUICK, "--follow", *memory, *target, day.pattern)
        self._env = NO_PROXY | env
        self.start()

    def start(self) -> None:
        self.process: subprocess.Popen[bytes] = start(*self._command, stdin=subprocess.DEVNULL, env=self._env)

    def end(self, how: str) -> None:
        while not listens(self.process):
            time.sleep(0.02)
        self.process.send_signal(ENDS[how])
        done = finish(self.process)
        assert done.code == (143 if how == "told" else -SIGKILL), (done.err, self.log_file.read_text())
        assert done.out == b""


def script(random: Random) -> list[tuple[str, int, int]]:
    """What happens hour by hour: all programs write, and one thing more is done to the log of one."""
    events = [*QUIET[2:], *HARD] * 3
    random.shuffle(events)
    steps = []
    for hour in range(HOURS):
        steps += [("write", writer, random.randint(20, 120)) for writer in range(3)]
        steps.append((events[hour], hour, random.randint(5, 25)))
        steps.append(("part", random.randrange(3), random.randint(1, 200)))
        if hour in (6, 12, 18):
            steps.append(("killed" if hour == 12 else "told", 0, 0))
        steps += [("pause", 0, random.randint(1, 8)), ("write", hour, random.randint(1, 9))]
    return steps


@pytest.mark.parametrize("seed", [1])
def test_a_day(seed: int, influx: Influx, database: str, tmp_path: Path) -> None:
    influx.database(database)
    out = tmp_path / "points"
    day = Day(
        tmp_path / "log",
        lambda number: line(record(number)),
        lambda path: all(path.stat().st_ino in inodes(one) for one in followers),
        lambda: min(count(out), count_stored(influx, database)),
    )
    day.most_rolled = 10
    settings = {"INFLUX_URL": influx.url, "INFLUX_DATABASE": database}
    followers = [
        Follower(tmp_path / "to_file", day, "--output", out, env={}),
        Follower(tmp_path / "to_influx", day, "--to", "influxdb", "--influx-version", "1", env=settings),
    ]
    try:
        play(day, script(Random(seed)), followers)
        for follower in followers:
            follower.end("told")
    finally:
        for follower in followers:
            follower.process.kill()
        day.close()
    points = through(b"".join(day.written)).lines
    check_stored(influx, database, rows_of(points))
    expected, found = Counter(points), Counter(out.read_bytes().splitlines(keepends=True))
    assert found.keys() == expected.keys()
    assert max(found.values()) <= 2, "some came again although they were not under way when it was killed"


def play(day: Day, steps: list[tuple[str, int, int]], followers: list[Follower]) -> None:
    written, since = 0, time.monotonic()
    for what in day.play(steps):
        if len(day.written) > written:
            written, since = len(day.written), time.monotonic()
        assert time.monotonic() < since + PATIENCE, "it does not come"
        if what is None:
            time.sleep(MOMENT)
            continue
        for follower in followers:
            follower.end(what)
        for follower in followers:
            follower.start()


def count(out: Path) -> int:
    """Different points; none of what is no whole line yet."""
    text = out.read_bytes() if out.exists() else b""
    return len(set(text[: text.rfind(b"\n") + 1].splitlines()))


def inodes(follower: Follower) -> set[int]:
    """Of the files that a program has open."""
    found = set()
    for path in open_paths(follower.process):
        with suppress(FileNotFoundError):  # closed this very moment
            found.add(os.stat(path).st_ino)
    return found

"""`--follow` as a process: slow and vanishing readers, signals, and what may not be followed."""

import ctypes
import os
import re
import select
import shutil
import subprocess
import time
from collections import Counter
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

import pytest

from tests.following import Following, open_paths
from tests.influxd import wait_for
from tests.support import PATIENCE, check_refused, finish, through

ANY = "aidial-*.log*"
CAPBSET_DROP, OVERRIDE, READ_SEARCH = 24, 1, 2
"""Of prctl: what lets root read files that it may not read."""


class Reader:
    """The other end of a program's standard output, which reads as much as it likes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self._fd = process.stdout.fileno()
        self.text = b""

    @property
    def points(self) -> list[bytes]:
        return self.text.splitlines(keepends=True)

    def take(self, count: int) -> None:
        """Reads until so many points have come, and little more."""
        while self.text.count(b"\n") < count:
            assert select.select([self._fd], [], [], PATIENCE)[0], "it does not come"
            self.text += os.read(self._fd, 4096)


def blocked(one: Following, *more: str) -> Reader:
    """The reader of a program that has more to write than a pipe takes; it has read a few points."""
    reader = Reader(one.start("--batch-lines", "20", *more, to_pipe=True))
    reader.take(200)
    return reader


def test_a_file_that_is_deleted_while_it_is_read(tmp_path: Path) -> None:
    """The reader takes its time; the program holds the file until it has been read to its end."""
    one = Following(tmp_path, ANY)
    logs = [one.write(f"aidial-{number}.log", 2000) for number in range(2)]
    reader = blocked(one)
    for log in logs:
        one.wait_until_held(log)
        log.unlink()
    late = one.write("aidial-2.log", 3)
    while not one.holds(late.stat()):  # it looks for new files while it is busy
        assert len(reader.points) < 1500
        reader.take(len(reader.points) + 20)
        time.sleep(0.1)
    late.unlink()
    reader.take(4003)
    wait_for(lambda: not any("(deleted)" in os.readlink(path) for path in open_paths(one.process)))
    one.stop()
    one.check(reader.points)


@pytest.mark.parametrize("copy", ["aidial-1.log.1", "aidial-1-1.log"])
def test_a_file_that_is_copied_and_emptied_while_it_is_read(copy: str, tmp_path: Path) -> None:
    """It has grown beyond what was read of it before the program looks again."""
    one = Following(tmp_path, ANY)
    log = one.write("aidial-1.log", 3000)
    reader = blocked(one)
    shutil.copy(log, one.logs / copy)
    os.truncate(log, 0)
    one.write(log, 3500)
    one.write("aidial-2.log", 2)
    reader.take(6502)
    one.stop()
    one.check(reader.points)


def test_a_file_that_is_emptied_before_anything_of_it_was_read(tmp_path: Path) -> None:
    one = Following(tmp_path, ANY)
    log = one.write("aidial-1.log", 3000)
    os.utime(log, (1, 1))  # the oldest is read first
    late = one.write("aidial-2.log", 1)
    reader = blocked(one)
    one.wait_until_held(late)
    shutil.copy(late, one.logs / "aidial-2.log.1")
    os.truncate(late, 0)
    one.write(late, 5)
    reader.take(3006)
    one.write(late, 1)
    reader.take(3007)
    one.stop()
    one.check(reader.points)


# Signals, and readers that go away


@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
def test_it_leaves_when_it_is_told(number: Signals, tmp_path: Path) -> None:
    one = Following(tmp_path, ANY, "never-*.log")
    one.start()
    one.write("aidial-1.log", 3)
    one.caught_up()
    one.stop(number)
    one.check()


def test_what_was_written_before_the_signal_is_read(tmp_path: Path) -> None:
    """Also in a file that it has not seen: when a machine goes down there is no other time to read it."""
    one = Following(tmp_path, ANY)
    one.write("aidial-1.log", 3)
    one.start()
    one.caught_up()
    one.write("aidial-1.log", 1500)
    one.write("aidial-2.log", 3)
    one.stop()
    one.check()


def test_nothing_ever_matches(tmp_path: Path) -> None:
    one = Following(tmp_path, "never-*.log", end=SIGTERM)
    one.start()
    wait_for(one.state.exists)
    one.stop()
    assert one.points == []
    assert re.fullmatch(r"\S+ WARNING cannot follow \S+/never-\*\.log: no file is there yet\n", one.messages)


@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
def test_it_is_told_while_it_writes(number: Signals, tmp_path: Path) -> None:
    """As Vector does it with its child: no standard input, a pipe, and a signal for this process alone.

    What was read is written; the next one goes on with the rest.
    """
    one = Following(tmp_path, ANY, end=number)
    one.write("aidial-1.log", 4000)
    reader = blocked(one, "--drain-time", "1")
    one.process.send_signal(number)
    time.sleep(1.2)  # the time for reading on is over before its reader goes on
    done = finish(one.process)
    assert done.code == 128 + number
    first = reader.text + done.out
    assert first.endswith(b"\n")
    assert first.count(b"\n") < 4000
    reader = Reader(one.start(to_pipe=True))
    reader.take(4000 - first.count(b"\n"))
    one.stop(number)
    one.check((first + reader.text).splitlines(keepends=True))


def test_its_reader_goes_away(tmp_path: Path) -> None:
    """What the pipe did not take is written by the next one."""
    one = Following(tmp_path, ANY, end=SIGTERM)
    one.write("aidial-1.log", 4000)
    reader = blocked(one)
    assert one.process.stdout is not None
    one.process.stdout.close()
    assert one.process.wait(PATIENCE) == 141
    points = through(one.data).lines
    later = Reader(one.start(to_pipe=True))
    while not later.text.endswith(points[-1]):
        later.take(later.text.count(b"\n") + 1)
    one.stop()
    came = Counter(reader.points[:-1] + later.points)
    assert (came - Counter(points)).total() <= 20, "more than the batch under way came again"
    in_the_pipe = sum(len(point) for point in points if point not in came)
    assert in_the_pipe < 65536 + len(points[0])


# What it may not follow


@pytest.mark.parametrize("flag", ["--output", "--dead-letter", "--checkpoint", "--log-file"])
def test_it_does_not_follow_what_it_writes(flag: str, tmp_path: Path) -> None:
    one = Following(tmp_path, ANY)
    one.write("aidial-1.log")
    own = one.logs / "aidial-own.log"
    one.start(flag, own, to_pipe=True)
    check_refused(finish(one.process), flag)


def without_privileges() -> None:
    """Root may no longer read what the mode of a file forbids."""
    libc = ctypes.CDLL(None)
    for capability in (OVERRIDE, READ_SEARCH):
        libc.prctl(CAPBSET_DROP, capability, 0, 0, 0)


def test_files_and_directories_that_may_not_be_read(tmp_path: Path) -> None:
    """It says so, follows the others, and takes these up when it may."""
    one = Following(tmp_path, ANY, "secret/*.log")
    one.write("aidial-1.log", 2)
    secret = one.write("aidial-2.log", 2)
    secret.chmod(0)
    (one.logs / "secret").mkdir()
    hidden = one.write("secret/dial.log", 2)
    hidden.parent.chmod(0o600)
    one.start(preexec_fn=without_privileges)
    wait_for(lambda: len(one.points) == 2 and "aidial-2.log: Permission denied" in one.messages)
    hidden.parent.chmod(0o700)
    secret.chmod(0o600)
    one.caught_up()
    secret.chmod(0)
    one.write(secret, 2)
    one.caught_up()
    one.stop()
    one.check()

"""`--follow` with many files: limits, and what it costs to wait."""

import os
import re
import resource
import time
from pathlib import Path
from signal import SIGTERM

import psutil

from tests.following import Following, open_paths
from tests.influxd import wait_for
from tests.support import finish

ANY = "aidial-*.log*"


def limited(soft: int, hard: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


MANY = 3000


def test_three_thousand_files(tmp_path: Path) -> None:
    """A soft limit of open files is raised."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    one = Following(tmp_path, ANY)
    for number in range(MANY):
        one.write(f"aidial-{number}.log")
    one.start(preexec_fn=lambda: limited(256, hard))
    one.caught_up()
    for number in (0, 1500, MANY - 1):
        one.write(f"aidial-{number}.log")
    one.caught_up()
    assert len(open_paths(one.process)) > MANY
    one.stop()
    one.check()


SENTENCE = r"\S+ ERROR stopped: cannot (follow|write the checkpoint) [^\n]*: Too many open files\n"


def test_more_files_than_the_system_allows(tmp_path: Path) -> None:
    """It says so and leaves; with few less it works on. There is no number in between that does harm."""
    ones = [Following(tmp_path / str(files), ANY, end=SIGTERM) for files in (200, *range(238, 251, 2), MANY)]
    for one in ones:
        one.write("aidial-0.log", 2)
        for number in range(1, int(one.directory.name)):
            one.write(f"aidial-{number}.log")
        one.start(preexec_fn=lambda: limited(256, 256))
    codes = []
    for one in ones:
        wait_for(lambda one=one: one.process.poll() is not None or len(one.points) > one_each(one))  # type: ignore[misc]
    time.sleep(1.5)  # they look through their directories once more
    for one in ones:
        if one.process.poll() is None:
            one.write("aidial-0.log")
            one.caught_up()
            one.stop()
            one.check()
            assert one.messages == ""
        else:
            assert finish(one.process).code == 1
            assert re.fullmatch(SENTENCE, one.messages)
        codes.append(one.process.returncode)
    assert codes == sorted(codes, reverse=True)
    assert (codes[0], codes[-1]) == (143, 1)


def one_each(one: Following) -> int:
    return int(one.directory.name)


def test_it_rests(tmp_path: Path) -> None:
    """While nothing is written to 100 files it takes a small share of a processor."""
    one = Following(tmp_path, ANY, end=SIGTERM)
    for number in range(100):
        one.write(f"aidial-{number}.log")
    one.start()
    one.caught_up()
    process = psutil.Process(one.process.pid)
    before, begun = process.cpu_times(), time.monotonic()
    time.sleep(3)
    after, ended = process.cpu_times(), time.monotonic()
    used = after.user + after.system - before.user - before.system
    assert used < 0.2 * (ended - begun)
    one.stop()


def test_rolled_files_leave_nothing_behind(tmp_path: Path) -> None:
    """No open file, no memory, and no more than a line of the checkpoint."""
    one = Following(tmp_path, ANY, end=SIGTERM)
    one.start()
    long = b'{"a":"' + b"x" * (1 << 20) + b'"}\n'
    figures = []
    for _ in range(2):
        logs = [one.logs / f"aidial-{number}.log" for number in range(50)]
        for log in logs:
            log.write_bytes(long + one.lines(1) + long + one.lines(1))
        one.caught_up()
        for log in logs:
            log.unlink()
        wait_for(lambda: not any(".log" in os.readlink(path) for path in open_paths(one.process)))
        process = psutil.Process(one.process.pid)
        figures.append((len(open_paths(one.process)), process.memory_info().rss))
    one.stop()
    one.check()
    (files, memory), (files_later, memory_later) = figures[0], figures[-1]
    assert files_later == files
    assert memory_later < memory + 30_000_000
    assert one.state.stat().st_size < 1000 * 150

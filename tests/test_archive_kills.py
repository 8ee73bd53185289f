"""`--output DIRECTORY`: whatever ends it, and whenever, the next run ends with the same bytes."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import tiny_model
from tests.archiving import QUIET, Box, children, hunt
from tests.killing import wait_until
from tests.support import GOOD_LINES, PATIENCE, PROGRAM, finish, needed, run
from tests.test_process_signals import EXIT_CODE

KILLS = int(os.environ.get("ARCHIVE_KILLS", "20"))
"""For a long hunt: ARCHIVE_KILLS=1000."""


def is_running(pid: int) -> bool:
    """Whether a process is there, and is not only waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while is_running(pid):
        assert time.monotonic() < deadline, "a child outlives its parent"
        time.sleep(0.002)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


@contextmanager
def stuck(box: Box, number: int) -> Iterator[subprocess.Popen[bytes]]:
    """The program when all logs are done, and some pipes are not, of which nobody writes the rest."""
    names = [f"pipe{place}" for place in range(number)]
    for name in names:
        os.mkfifo(box.directory / name)
    process = box.start(*names, "--jobs", str(number + 1), "--max-delay", "0", *QUIET)
    pipes = [os.open(box.directory / name, os.O_WRONLY) for name in names]
    try:
        for pipe in pipes:
            os.write(pipe, GOOD_LINES[0] + b"{")
        wait_until(lambda: _is_stuck(box, process, number), process)
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in pipes:
            os.close(pipe)


def _is_stuck(box: Box, process: subprocess.Popen[bytes], number: int) -> bool:
    parts = [name for name in box.names() if name.endswith(".part")]
    return len(parts) == len(children(process)) == number and len(_done(box)) == len(box.data)


def _done(box: Box) -> list[str]:
    """The logs whose outputs have markers."""
    return [name for name in box.data if f"{name}.lp.gz.done" in box.names()]


def check_whole(box: Box) -> None:
    """All logs have their outputs, and nothing else is there."""
    assert box.unpacked() == box.whole()
    assert box.names() == box.expected_names()


def check_next_run(box: Box) -> None:
    """The next run brings the rest."""
    assert box.run("--jobs", "2", *QUIET) == (0, b"", "")
    check_whole(box)


# Signals


@pytest.mark.parametrize("number", EXIT_CODE)
def test_a_signal_ends_the_children_too(number: signal.Signals, box: Box) -> None:
    """What is done stays; what is half done goes."""
    with stuck(box, 2) as process:
        pids = children(process)
        process.send_signal(number)
        assert finish(process) == (EXIT_CODE[number], b"", "")
        assert not any(map(is_running, pids))
    check_whole(box)


def test_a_signal_to_the_whole_group_is_one_signal(box: Box) -> None:
    """Ctrl-C reaches the children as well; that is no trouble of theirs to be told of."""
    with stuck(box, 1) as process:
        (child,) = children(process)
        os.kill(child, signal.SIGINT)
        time.sleep(0.2)
        assert is_running(child)
        process.send_signal(signal.SIGINT)
        assert finish(process) == (130, b"", "")
    check_whole(box)


def test_children_leave_with_their_parent(box: Box) -> None:
    """`kill -9`: they notice although they wait for input. What they were writing is no output."""
    with stuck(box, 3) as process:
        pids = children(process)
        process.kill()
        finish(process)
        for pid in pids:
            wait_for_end(pid)
    parts = {name for name in box.names() if name.endswith(".part")}
    assert len(parts) == 3
    assert box.names() == box.expected_names() | parts


def test_a_child_that_is_killed_costs_its_own_file_only(box: Box) -> None:
    with stuck(box, 1) as process:
        (pid,) = children(process)
        os.kill(pid, signal.SIGKILL)
        done = finish(process)
    assert done.code == 1
    (error,) = done.err.splitlines()
    assert " ERROR pipe0 is not done: " in error
    assert "SIGKILL" in error
    check_whole(box)


READY = """
import os, sys
from dial_enricher import logformat
from dial_enricher.archive.make import make_archive
from dial_enricher.inputs.sources import Source
from dial_enricher.report import Run
from dial_enricher.settings import Settings
from dial_enricher.signals import Stop

settings = Settings(languages=("en", "de"), topic_model=sys.argv[1], output_directory="out")
make_archive(settings, [Source("a.log", "a.log")], Stop(), Run(), logformat.decode, 1, "1")
print(len(os.listdir("/proc/self/task")), "numpy" in sys.modules)
"""


def test_who_forks_has_one_thread(tmp_path: Path) -> None:
    """Or a child may wait for ever for a lock that a thread held; the models bring libraries with threads."""
    (tmp_path / "a.log").touch()
    model = str(tiny_model.write(tmp_path / "model"))
    done = run(model, program=(sys.executable, "-c", READY), cwd=tmp_path)
    assert done == (0, b"1 True\n", "")


# Disks


def test_a_file_that_may_not_grow_stops_it(box: Box) -> None:
    """As a full disk does: one sentence, and no part of an output."""
    box.run()
    room = sorted(len(data) for data in box.files().values())[-2] - 1
    shutil.rmtree(box.out)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    done = box.run("--jobs", "2", preexec_fn=limit)
    error, *_ = done.err.splitlines()
    assert done.code == 1
    assert "stopped: cannot write out/" in error
    assert box.names() <= box.expected_names()
    check_next_run(box)


UNSHARE = ("unshare", "--mount", *(() if os.geteuid() == 0 else ("--map-root-user",)))
SCRIPT = """
mkdir -p out && mount -t tmpfs -o size=16k tmpfs out || exit 99
"$@"
code=$?
find out -type f > seen
exit $code
"""


def test_a_full_disk_stops_it(box: Box) -> None:
    program = (*UNSHARE, "sh", "-c", SCRIPT, "sh", *PROGRAM)
    done = box.run("--jobs", "2", program=program)
    if done.code == 99:
        needed("a namespace in which disks can be mounted")
    assert done.code == 1
    assert "stopped: cannot write out/" in done.err
    assert "No space left on device" in done.err
    assert done.err.count("\n") <= 2, "no sentence for each input"
    seen = (box.directory / "seen").read_text().split()
    assert seen
    assert not [name for name in seen if not name.endswith((".lp.gz", ".lp.gz.done"))]


# Two at once


def test_two_runs_share_the_work(box: Box) -> None:
    """Nothing is mixed, and nothing is done twice that one of them finds done."""
    for name in box.data:
        (box.logs / name).write_bytes(box.data[name] * 5)
        box.data[name] *= 5
    processes = [box.start("--jobs", "2", "--summary", "always") for _ in range(2)]
    ended = [finish(process) for process in processes]
    assert [done.code for done in ended] == [0, 0], ended
    assert box.unpacked() == box.whole()
    assert box.names() == box.expected_names()


# Kills at random moments


def test_kills_at_random_moments(tmp_path: Path) -> None:
    """`kill -9` of the program or of a child; in the end all is as if nothing had been."""
    tally = hunt(tmp_path, kills=KILLS, seed=KILLS)
    assert tally["parent"] + tally["child"] == KILLS
    assert tally["part way"] >= KILLS // 2, tally

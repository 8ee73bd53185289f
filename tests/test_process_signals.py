"""Real processes that are told to stop, or whose reader goes away."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.support import (
    GOOD_LINES,
    PATIENCE,
    PLAIN,
    Done,
    changed,
    feed,
    finish,
    line,
    log,
    read_some,
    start,
    through,
)

ONE = line(log())
ONE_POINT = through(ONE).out
GOOD = b"".join(GOOD_LINES)
POINTS = through(GOOD).out

EXIT_CODE = {signal.SIGTERM: 143, signal.SIGINT: 130}
EACH_SIGNAL = pytest.mark.parametrize("number", EXIT_CODE)


def started(*more: str) -> subprocess.Popen[bytes]:
    """The program, which has shown by a first point that it runs."""
    process = start(*PLAIN, "--max-delay", "0", *more)
    feed(process, ONE)
    assert read_some(process) == ONE_POINT
    return process


def finish_by_itself(process: subprocess.Popen[bytes]) -> Done:
    """The end of a process whose standard input stays open."""
    stdin, process.stdin = process.stdin, None
    assert stdin is not None
    done = finish(process)
    with suppress(BrokenPipeError):
        stdin.close()
    return done


@EACH_SIGNAL
def test_an_idle_program_leaves_when_it_is_told(number: signal.Signals) -> None:
    process = started()
    process.send_signal(number)
    assert finish_by_itself(process) == (EXIT_CODE[number], b"", "")


@EACH_SIGNAL
def test_what_the_pipe_holds_is_written_first(number: signal.Signals) -> None:
    process = started("--batch-lines", "3")
    few = b"".join(GOOD_LINES[:12])
    feed(process, few)
    process.send_signal(number)
    assert finish_by_itself(process) == (EXIT_CODE[number], through(few).out, "")


@EACH_SIGNAL
def test_an_unfinished_batch_and_an_unfinished_line_are_written_first(number: signal.Signals) -> None:
    process = start(*PLAIN, "--max-delay", "3600", "--batch-lines", "2")
    feed(process, ONE * 2)
    assert read_some(process) == ONE_POINT * 2
    feed(process, ONE * 4 + ONE[:-1])
    process.send_signal(number)
    assert finish_by_itself(process) == (EXIT_CODE[number], ONE_POINT * 5, "")


def blocked() -> subprocess.Popen[bytes]:
    """The program, stuck in the middle of one large batch, of whose output only a byte is read."""
    process = start(*PLAIN, "--batch-lines", "400", "--max-delay", "3600")
    feed(process, ONE * 400)
    assert read_some(process, most=1) == ONE_POINT[:1]
    return process


def test_a_slow_reader_still_gets_everything() -> None:
    process = blocked()
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert process.poll() is None
    assert finish_by_itself(process) == (143, (ONE_POINT * 400)[1:], "")


def test_a_second_signal_is_not_waited_for() -> None:
    """The first one alone cannot end it: it has points to write, and nobody takes them."""
    process = blocked()
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) in EXIT_CODE.values()
    done = finish_by_itself(process)
    assert len(done.out) < len(ONE_POINT * 400) - 1
    assert done.err == ""


def test_a_writer_that_never_pauses_does_not_keep_it() -> None:
    process = started("--summary", "never")
    assert process.stdin is not None
    pipe = os.dup(process.stdin.fileno())  # the writer's own: it goes on after the other end is closed
    told, at_the_signal = Event(), 0

    def write() -> None:
        nonlocal at_the_signal
        number = 0
        with suppress(BrokenPipeError):
            while True:
                os.write(pipe, line(changed(log(), "project.id", str(number))))
                number += 1
                if not told.is_set():
                    at_the_signal = number
                time.sleep(0.001)

    writer = Thread(target=write)
    writer.start()
    out = read_some(process)
    while not at_the_signal:  # the thread may be slower than the program
        time.sleep(0.001)
    told.set()
    process.send_signal(signal.SIGTERM)
    done = finish_by_itself(process)
    writer.join(PATIENCE)
    os.close(pipe)
    assert done.code == 143
    out += done.out
    assert out.endswith(b"\n")
    numbers = [int(number) for number in re.findall(rb"project_id=(\d+)", out)]
    assert numbers == list(range(out.count(b"\n")))
    assert len(numbers) >= at_the_signal > 0
    assert len(done.err.splitlines()) <= 1, "at most the line that was half written"


@EACH_SIGNAL
def test_a_file_is_left_at_the_end_of_a_line(number: signal.Signals, tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(GOOD * 20)
    process = start(*PLAIN, "--batch-lines", "10", file)
    out = read_some(process)
    process.send_signal(number)
    done = finish_by_itself(process)
    out += done.out
    assert (done.code, done.err) == (EXIT_CODE[number], "")
    assert out.endswith(b"\n")
    assert (POINTS * 20).startswith(out)
    assert len(out) < len(POINTS * 20)


@EACH_SIGNAL
def test_a_signal_during_the_start_does_not_lose_what_the_pipe_holds(
    number: signal.Signals, tmp_path: Path
) -> None:
    """The program waits for its rates, and has read nothing yet."""
    rates = tmp_path / "rates"
    os.mkfifo(rates)
    process = start(*PLAIN, "--rates", str(rates), "--drain-time", "0.5")
    feed(process, ONE * 3)
    with rates.open("w") as writer:
        process.send_signal(number)
        time.sleep(0.7)  # longer than the time for draining, which has not begun
        writer.write("{}")
    assert finish_by_itself(process) == (EXIT_CODE[number], ONE_POINT * 3, "")


def test_no_file_is_begun_after_the_signal(tmp_path: Path) -> None:
    """Standard input drains first; what was named behind it is left alone."""
    file = tmp_path / "log"
    file.write_bytes(GOOD)
    process = started("-", str(file))
    feed(process, ONE)
    process.send_signal(signal.SIGTERM)
    assert finish_by_itself(process) == (143, ONE_POINT, "")


def test_a_signal_that_was_ignored_at_the_start_stays_ignored() -> None:
    """As `nohup` and shells in the background have it."""
    process = start(
        *PLAIN, "--max-delay", "0", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)
    )
    feed(process, ONE)
    assert read_some(process) == ONE_POINT
    process.send_signal(signal.SIGINT)
    feed(process, ONE)
    assert read_some(process) == ONE_POINT
    assert finish(process) == (0, b"", "")


def test_dead_letters_are_told_after_a_signal_too() -> None:
    process = started("--summary", "always", "--strict")
    feed(process, b"?\n")
    process.send_signal(signal.SIGTERM)
    done = finish_by_itself(process)
    assert done.code == 143
    assert "lines=2 records=2 points=1 ignored=0 dead=1 dead_invalid_json=1" in done.err


# The reader goes away


@pytest.mark.parametrize("more", [(), ("--batch-lines", "1"), ("--summary", "always")])
def test_it_leaves_quietly_with_its_reader(more: tuple[str, ...]) -> None:
    """As in `dial-enricher | head -1`."""
    process = start(*PLAIN, *more)

    def write() -> None:
        with suppress(BrokenPipeError):
            feed(process, GOOD * 3)

    writer = Thread(target=write)
    writer.start()
    assert POINTS.startswith(read_some(process, most=1000))
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(PATIENCE) == 141
    writer.join(PATIENCE)
    assert process.stderr is not None
    assert process.stderr.read() == b""


def test_a_pipeline_in_a_shell(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(GOOD * 3)
    process = start(
        "-c",
        f'"$0" -m dial_enricher {" ".join(PLAIN)} < {file} | head -n 1; echo ${{PIPESTATUS[0]}}',
        sys.executable,
        program=["bash"],
    )
    assert finish(process) == (0, POINTS[: POINTS.index(b"\n") + 1] + b"141\n", "")

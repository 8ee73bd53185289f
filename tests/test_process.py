"""Real processes: what goes in, what comes out, and what happens when one of the two cannot."""

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from dial_enricher import __version__
from tests.support import (
    GOOD_LINES,
    PATIENCE,
    PLAIN,
    SAMPLE,
    TOTALS,
    changed,
    feed,
    finish,
    line,
    log,
    needed,
    read_some,
    run,
    start,
    through,
)

GOOD = b"".join(GOOD_LINES)
POINTS = through(GOOD).out
ONE = line(log())
ONE_POINT = through(ONE).out
OTHER = line(changed(log(), "user.title", "Other"))
OTHER_POINT = through(OTHER).out
TWO, TWO_POINTS = ONE + OTHER, ONE_POINT + OTHER_POINT

WRITTEN: dict[str, tuple[bytes, bytes]] = {
    "nothing": (b"", b""),
    "a newline at the end": (TWO, TWO_POINTS),
    "no newline at the end": (TWO[:-1], TWO_POINTS),
    "carriage returns": (TWO.replace(b"\n", b"\r\n"), TWO_POINTS),
    "a carriage return at the end": (TWO[:-1] + b"\r", TWO_POINTS),
    "a byte order mark": (b"\xef\xbb\xbf" + TWO, TWO_POINTS),
    "a byte order mark before a blank line": (b"\xef\xbb\xbf\r\n" + TWO, TWO_POINTS),
    "blank lines": (b"\n \n\t\r\n" + TWO.replace(b"\n", b"\n\n"), TWO_POINTS),
    "NUL bytes around": (b"\0\0\0" + ONE[:-1] + b"\0\0\n\0\0", ONE_POINT),
    "NUL bytes inside": (
        ONE.replace(b"Engineer", b"Engi\0eer"),
        ONE_POINT.replace(b"Engineer", rb"Engi\ eer"),
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_lines_are_written_in_many_ways(name: str) -> None:
    data, points = WRITTEN[name]
    assert run(*PLAIN, stdin=data) == (0, points, "")


@pytest.mark.parametrize("bad", [b"\xff", b"\xed\xa0\xbd", b"\xc3", b"\xf8\x88\x80\x80\x80"])
def test_invalid_utf8_costs_its_line_only(bad: bytes) -> None:
    done = run(*PLAIN, "--summary", "never", stdin=ONE + ONE.replace(b"Engineer", bad) + OTHER)
    assert (done.code, done.out) == (0, TWO_POINTS)
    assert "invalid_utf8" in done.err
    assert "stdin, line 2" in done.err


# Where it comes from


def test_a_file_as_standard_input() -> None:
    with SAMPLE.open("rb") as file:
        done = run(*PLAIN, "--summary", "always", stdin=file)
    assert (done.code, done.out) == (0, POINTS)
    assert f"lines={TOTALS['lines']} records={TOTALS['records']} points={len(done.lines)}" in done.err


def test_files_and_standard_input_in_the_order_they_are_named(tmp_path: Path) -> None:
    for name, data in (("a", ONE), ("b", TWO[:-1]), ("empty", b"")):
        (tmp_path / name).write_bytes(data)
    a, b, empty = (str(tmp_path / name) for name in ("a", "b", "empty"))
    assert run(*PLAIN, b, a, empty, a, stdin=OTHER) == (0, TWO_POINTS + ONE_POINT, "")
    assert run(*PLAIN, a, "-", b, stdin=OTHER) == (0, ONE_POINT + OTHER_POINT + TWO_POINTS, "")
    assert run("enrich", *PLAIN, "-", "--", b, stdin=OTHER) == (0, OTHER_POINT + TWO_POINTS, "")


def test_a_fault_names_its_file_and_line(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(ONE + b"?\n")
    second.write_bytes(TWO + b"[]!\n")
    letters = tmp_path / "letters"
    done = run(*PLAIN, first, second, "--dead-letter", letters)
    assert done.code == 0
    told = [json.loads(letter) for letter in letters.read_bytes().splitlines()]
    assert [(letter["source"], letter["line"]) for letter in told] == [(str(first), 2), (str(second), 3)]


def test_a_file_name_that_is_no_utf8(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/a\xff.log"
    with open(name, "wb") as file:
        file.write(ONE + b"?\n")
    letters = tmp_path / "letters"
    done = run(*PLAIN, os.fsdecode(name), "--dead-letter", letters, "--log-file", tmp_path / "log")
    assert (done.code, done.out) == (0, ONE_POINT)
    assert len(letters.read_bytes().splitlines()) == 1
    assert "invalid_json" in (tmp_path / "log").read_text("utf-8")


@pytest.mark.parametrize("name", ["missing", "directory"])
def test_what_is_no_file_is_refused_before_anything_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    good = tmp_path / "good"
    good.write_bytes(ONE)
    done = run(*PLAIN, good, tmp_path / name)
    assert (done.code, done.out) == (2, b"")
    assert str(tmp_path / name) in done.err
    assert done.err.splitlines()[-1].startswith("Error: ")


def test_a_file_that_cannot_be_read_ends_it_after_what_was_read(tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.write_bytes(ONE)
    done = run(*PLAIN, good, "/proc/self/mem")  # opens, and cannot be read from its start
    assert (done.code, done.out) == (1, ONE_POINT)
    assert "cannot read /proc/self/mem" in done.err
    assert len(done.err.splitlines()) == 1


def test_a_terminal_as_standard_input_is_shown_the_help() -> None:
    master, slave = pty.openpty()
    try:
        done = run(*PLAIN, stdin=slave)
    finally:
        os.close(master)
        os.close(slave)
    assert (done.code, done.err) == (0, "")
    assert done.out == run("--help").out
    assert b"dial-enricher" in done.out


# A line that is too long


def peak_memory(process: subprocess.Popen[bytes]) -> int:
    """Bytes that a running process had in memory at most."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@pytest.mark.parametrize(("longest", "room"), [(1_000_000, 20_000_000), (32 * 1024 * 1024, 150_000_000)])
def test_a_line_of_40_megabytes_is_dead_and_memory_stays_bounded(
    longest: int, room: int, tmp_path: Path
) -> None:
    letters = tmp_path / "letters"
    options = ("--max-line-bytes", str(longest), "--dead-letter", letters, "--dead-letter-content")
    process = start(*PLAIN, *options)
    feed(process, ONE)
    assert read_some(process) == ONE_POINT
    before = peak_memory(process)
    feed(process, b'{"a":"' + b"x" * 40_000_000 + b"\n" + OTHER)
    assert read_some(process) == OTHER_POINT
    assert peak_memory(process) - before < room
    assert finish(process).code == 0
    (letter,) = (json.loads(one) for one in letters.read_bytes().splitlines())
    assert (letter["code"], letter["line"], letter["length"]) == ("line_too_long", 2, 40_000_006)
    assert letter["content"] == '{"a":"' + "x" * (longest - 6)


# When it comes out


def test_a_lonely_line_does_not_wait_for_others() -> None:
    process = start(*PLAIN, "--batch-lines", "1000", "--max-delay", "0.05")
    feed(process, ONE)
    assert read_some(process) == ONE_POINT
    assert process.poll() is None
    assert finish(process) == (0, b"", "")


def test_a_batch_waits_until_it_is_full() -> None:
    process = start(*PLAIN, "--batch-lines", "2", "--max-delay", "3600")
    feed(process, ONE)
    assert read_some(process, seconds=0.5) == b""
    feed(process, OTHER)
    assert read_some(process) == TWO_POINTS
    assert finish(process) == (0, b"", "")


def test_a_slow_reader_gets_everything() -> None:
    process = start(*PLAIN, "--batch-lines", "50")
    writer = Thread(target=feed, args=(process, GOOD * 3))
    writer.start()
    out = b""
    while len(out) < 3 * len(POINTS):
        time.sleep(0.002 if out else 0.5)
        piece = read_some(process, most=10_007)
        assert piece, "the program left too early"
        out += piece
    writer.join()
    assert finish(process) == (0, b"", "")
    assert out == POINTS * 3


def test_a_slow_writer_is_waited_for() -> None:
    process = start(*PLAIN, "--max-delay", "0")
    out = collect(process)
    for at in range(0, len(GOOD), 20_011):
        time.sleep(0.005)
        feed(process, GOOD[at : at + 20_011])
        time.sleep(0.005)
    assert process.stdin is not None
    process.stdin.close()
    assert b"".join(out()) == POINTS
    assert process.wait(PATIENCE) == 0


def collect(process: subprocess.Popen[bytes]) -> Callable[[], list[bytes]]:
    """Reads the standard output of a process in the background; the result waits for its end."""
    pieces: list[bytes] = []
    stream = process.stdout
    assert stream is not None
    reader = Thread(target=lambda: pieces.extend(iter(lambda: os.read(stream.fileno(), 1 << 16), b"")))
    reader.start()

    def result() -> list[bytes]:
        reader.join(PATIENCE)
        return pieces

    return result


def test_pipes_that_somebody_made_non_blocking() -> None:
    process = start(*PLAIN, "--max-delay", "0", preexec_fn=unblocked)
    time.sleep(0.5)  # so that it finds nothing to read, and soon nowhere to write
    writer = Thread(target=feed, args=(process, GOOD))
    writer.start()
    time.sleep(0.5)
    out = collect(process)
    writer.join(PATIENCE)
    assert process.stdin is not None
    process.stdin.close()
    assert b"".join(out()) == POINTS
    assert process.wait(PATIENCE) == 0


def unblocked() -> None:
    for fd in (0, 1):
        os.set_blocking(fd, False)


# How it is called


def test_the_console_script_is_the_module() -> None:
    script = Path(sys.executable).with_name("dial-enricher")
    if not script.exists():
        needed("the installed package")
    for arguments in ([*PLAIN], ["--help"], ["enrich", "--help"], ["schema"], ["--nonsense"]):
        by_script: Any = run(*arguments, stdin=ONE, program=[str(script)])
        assert by_script == run(*arguments, stdin=ONE)


def test_it_tells_its_version() -> None:
    assert run("--version") == (0, f"dial-enricher, version {__version__}\n".encode(), "")

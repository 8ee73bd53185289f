"""Real processes whose streams are closed or full: one sentence, a clear exit code, and no half line."""

import json
import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import GOOD_LINES, PLAIN, changed, line, log, run, through

GOOD = b"".join(GOOD_LINES)
POINTS = through(GOOD).out
ONE = line(log())
OTHER = line(changed(log(), "user.title", "Other"))
TWO = ONE + OTHER
TWO_POINTS = through(TWO).out


def test_a_full_disk_is_told_in_one_sentence() -> None:
    with open("/dev/full", "wb") as full:
        done = run(*PLAIN, stdin=GOOD, stdout=full)
    assert done.code == 1
    (sentence,) = done.err.splitlines()
    assert sentence.endswith("stopped: cannot write to standard output: No space left on device")


@pytest.mark.parametrize("before", [b"", POINTS[: POINTS.index(b"\n") + 1]])
@pytest.mark.parametrize("room", [60_000, 100_003])
def test_a_disk_that_fills_up_holds_whole_lines_only(before: bytes, room: int, tmp_path: Path) -> None:
    file = tmp_path / "points"
    file.write_bytes(before)
    with file.open("ab") as target:
        done = run(
            *(*PLAIN, "--batch-lines", "20"),
            stdin=GOOD,
            stdout=target,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
        )
    assert done.code == 1
    assert "cannot write to standard output: File too large" in done.err
    assert len(done.err.splitlines()) == 1
    written = file.read_bytes()
    assert written.endswith(b"\n")
    assert (before + POINTS).startswith(written)
    assert room - 2000 < len(written) <= room


def test_a_disk_that_fills_up_holds_whole_dead_letters_only(tmp_path: Path) -> None:
    file = tmp_path / "dead"
    done = run(
        *(*PLAIN, "--dead-letter", file),
        stdin=b"?\n" * 1000,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)),
    )
    assert done.code == 1
    assert "cannot write the dead-letter file" in done.err
    letters = file.read_bytes()
    assert letters.endswith(b"\n")
    assert 59_000 < len(letters) <= 60_000
    assert {json.loads(letter)["code"] for letter in letters.splitlines()} == {"invalid_json"}


CLOSED: dict[str, tuple[tuple[int, ...], str]] = {
    "standard input": ((0,), "standard input is closed"),
    "standard output": ((1,), "standard output is closed"),
    "both": ((0, 1), "is closed"),
    "all": ((0, 1, 2), ""),
}


def closing(*descriptors: int) -> Callable[[], None]:
    def close() -> None:
        for fd in descriptors:
            os.close(fd)

    return close


@pytest.mark.parametrize("name", CLOSED)
def test_closed_descriptors_are_refused(name: str) -> None:
    descriptors, sentence = CLOSED[name]
    done = run(*PLAIN, stdin=ONE, preexec_fn=closing(*descriptors))
    assert (done.code, done.out) == (2, b"")
    assert sentence in done.err
    assert len(done.err.splitlines()) == (2 not in descriptors)


def test_a_closed_standard_input_does_not_matter_to_files(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(TWO)
    assert run(*PLAIN, file, preexec_fn=closing(0)) == (0, TWO_POINTS, "")


@pytest.mark.parametrize(
    "more", [[], ["--dead-letter", "-"], ["--log-level", "debug", "--summary", "always"]]
)
def test_without_standard_error_the_work_is_done(more: list[str], tmp_path: Path) -> None:
    done = run(*PLAIN, *more, stdin=ONE + b"?\n" + OTHER, preexec_fn=closing(2))
    assert done == (0, TWO_POINTS, "")


def test_a_standard_error_that_is_full_does_not_stop_the_work() -> None:
    with open("/dev/full", "wb") as full:
        done = run(*PLAIN, "--summary", "always", stdin=ONE + b"?\n" + OTHER, stderr=full)
    assert (done.code, done.out) == (0, TWO_POINTS)

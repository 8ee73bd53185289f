"""Real processes: what they tell their operator, and what becomes of dead letters."""

import base64
import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support import PLAIN, SAMPLE, TOTALS, Done, check_refused, line, log, run, through

ONE = line(log())
ONE_POINT = through(ONE).out
BAD = b"no json\n"
MIXED = BAD + ONE + b"[7]\n" + b"\xff\n" + line({"request": {"body": "x"}}) + ONE + line(log("/v1/models"))
DEAD = ["invalid_json", "not_a_dial_log", "invalid_utf8", "missing_field"]


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_every_line_for_telegraf_begins_with_its_level(level: str) -> None:
    options = ("--log-format", "telegraf", "--log-level", level, "--summary", "always")
    done = run(*PLAIN, *options, stdin=SAMPLE.read_bytes() + MIXED)
    assert done.code == 0
    lines = done.err.splitlines()
    assert [one for one in lines if not re.match(r"[EWIDT]! \S", one)] == []
    assert any(one.startswith("W! ") for one in lines) == (level != "error")


def test_an_error_for_telegraf_is_one() -> None:
    with open("/dev/full", "wb") as full:
        done = run(*PLAIN, "--log-format", "telegraf", stdin=ONE, stdout=full)
    assert done.err == "E! stopped: cannot write to standard output: No space left on device\n"


def test_every_line_in_json_parses() -> None:
    options = ("--log-format", "json", "--log-level", "debug", "--summary", "always")
    done = run(*PLAIN, *options, stdin=SAMPLE.read_bytes() + MIXED)
    told = [json.loads(one) for one in done.err.splitlines()]
    assert {"time", "level", "message"} <= set.intersection(*(set(one) for one in told))
    assert {one["level"] for one in told} == {"info", "warning"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", one["time"]) for one in told)
    assert told[-1]["lines"] == TOTALS["lines"] + MIXED.count(b"\n")
    assert told[-1]["points"] == len(done.lines)


def test_every_line_of_text_has_time_and_level() -> None:
    done = run(*PLAIN, "--log-level", "debug", "--summary", "always", stdin=SAMPLE.read_bytes() + MIXED)
    form = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (INFO|WARNING) \S.*")
    assert all(form.fullmatch(one) for one in done.err.splitlines())
    assert done.err


def test_the_log_can_go_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("before\n")
    done = run(*PLAIN, "--log-file", file, "--summary", "never", stdin=BAD + ONE)
    assert done == (0, ONE_POINT, "")
    told = file.read_text().splitlines()
    assert told[0] == "before"
    assert any("invalid_json" in one for one in told)


@pytest.mark.parametrize(
    ("summary", "data", "shown"),
    [
        ("always", ONE, True),
        ("always", BAD, True),
        ("always", b"", True),
        ("auto", ONE, False),
        ("auto", BAD, True),
        ("auto", b"", False),
        ("never", ONE, False),
        ("never", BAD, False),
    ],
)
def test_the_summary(summary: str, data: bytes, shown: bool) -> None:
    done = run(*PLAIN, "--summary", summary, "--log-level", "error", stdin=data)
    lines, good = data.count(b"\n"), data.count(ONE)
    expected = f"lines={lines} records={lines} points={good} ignored=0 dead={lines - good}"
    assert (expected in done.err) == shown
    assert len(done.err.splitlines()) == shown


def test_the_same_trouble_is_not_told_again_and_again() -> None:
    done = run(*PLAIN, "--summary", "never", stdin=(BAD + b"[]\n" + b"7\n") * 2000)
    told = [one for one in done.err.splitlines() if "dead: " in one]
    assert (
        2 <= len(told) <= 10
    )  # two codes; more only if this takes longer than the pause between two tellings
    assert "invalid_json 2000" in done.err
    assert "not_a_dial_log 2000" in done.err


# Dead letters


def letters(done: Done, text: str) -> list[dict[str, object]]:
    assert done.code == 0
    return [json.loads(one) for one in text.splitlines()]


def test_a_dead_letter_tells_where_and_why_and_no_content(tmp_path: Path) -> None:
    file = tmp_path / "letters"
    done = run(*PLAIN, "--dead-letter", file, stdin=MIXED)
    found = letters(done, file.read_text())
    assert done.out == ONE_POINT * 2
    assert [letter["code"] for letter in found] == DEAD
    assert [letter["line"] for letter in found] == [1, 3, 4, 5]
    raw = MIXED.split(b"\n")
    for letter in found:
        one = raw[int(str(letter["line"])) - 1]
        assert letter["sha256"] == sha256(one).hexdigest()
        assert letter["length"] == len(one)
        assert letter["source"] == "stdin"
        assert letter["stage"] == "decode"
        assert set(letter) == {"time", "code", "stage", "detail", "source", "line", "length", "sha256"}


def test_a_dead_letter_can_hold_its_record_byte_for_byte(tmp_path: Path) -> None:
    file = tmp_path / "letters"
    options = ("--dead-letter", file, "--dead-letter-content")
    found = letters(run(*PLAIN, *options, stdin=MIXED), file.read_text())
    raw = MIXED.split(b"\n")
    for letter in found:
        one = raw[int(str(letter["line"])) - 1]
        if letter["code"] == "invalid_utf8":
            assert base64.b64decode(str(letter["content_base64"])) == one
        else:
            assert str(letter["content"]).encode() == one


def test_dead_letters_can_be_read_again(tmp_path: Path) -> None:
    """They are appended, readable by their owner only, and their records can be tried once more."""
    file = tmp_path / "letters"
    options = ("--dead-letter", file, "--dead-letter-content")
    for _ in range(2):
        run(*PLAIN, *options, stdin=BAD + ONE.replace(b'"time"', b'"tame"'))
    found = [json.loads(one) for one in file.read_text().splitlines()]
    assert [letter["code"] for letter in found] == ["invalid_json", "missing_field"] * 2
    assert file.stat().st_mode & 0o777 == 0o600
    mended = found[1]["content"].replace('"tame"', '"time"')
    assert run(*PLAIN, stdin=mended.encode()).out == ONE_POINT


def test_dead_letters_can_go_to_standard_error() -> None:
    done = run(*PLAIN, "--dead-letter", "-", "--log-level", "error", "--summary", "never", stdin=MIXED)
    assert [letter["code"] for letter in letters(done, done.err)] == DEAD


@pytest.mark.parametrize("path", ["/nonexistent/letters", "/dev/null/letters"])
def test_a_dead_letter_file_that_cannot_be_opened_is_refused(path: str) -> None:
    check_refused(run(*PLAIN, "--dead-letter", path, stdin=MIXED), path)


def test_a_dead_letter_file_that_cannot_be_written_stops_it() -> None:
    done = run(*PLAIN, "--dead-letter", "/dev/full", "--batch-lines", "1", stdin=ONE + BAD + ONE)
    assert (done.code, done.out) == (1, ONE_POINT * 2), "what was read goes its way"
    assert "stopped: cannot write the dead-letter file /dev/full: No space left on device" in done.err


@pytest.mark.parametrize(("data", "code"), [(MIXED, 3), (ONE, 0), (b"", 0), (line(log("/v1/models")), 0)])
def test_strict_tells_dead_letters_by_the_exit_code(data: bytes, code: int) -> None:
    assert run(*PLAIN, "--strict", stdin=data).code == code
    assert run(*PLAIN, stdin=data).code == 0

"""The closing summary: the same line as ever, more of it on a terminal, and all of it in a file."""

import json
import os
import pickle
import re
import signal
import stat
import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

import dial_enricher
from dial_enricher.errors import Code, SettingError, SinkDown
from dial_enricher.signals import AWAY
from dial_enricher.stats import Stats
from dial_enricher.summary_file import check, write
from tests.support import (
    PLAIN,
    SAMPLE,
    TOTALS,
    Json,
    changed,
    check_refused,
    feed,
    finish,
    line,
    log,
    run,
    start,
    through,
)
from tests.terminal import on_terminal

ONE = line(log())
CHAT = {"messages": [{"role": "user", "content": "12 + 30"}]}
MUTE = line(log(body=CHAT))
"""No language tells what it is in."""


def read(file: Path) -> Json:
    document: Json = json.loads(file.read_bytes())
    return document


# What it holds


def test_the_file_has_all_figures(tmp_path: Path) -> None:
    file = tmp_path / "summary.json"
    done = run(*PLAIN, "--summary-file", file, "--summary", "always", stdin=SAMPLE.read_bytes())
    assert done.code == 0
    document = read(file)
    started, ended = (datetime.fromisoformat(document.pop(name)) for name in ("started", "ended"))
    seconds, rate = document.pop("seconds"), document.pop("lines_per_second")
    assert started < ended
    assert seconds > 0
    assert rate * seconds == pytest.approx(TOTALS["lines"], abs=rate * 0.001), "seconds are rounded"
    ignored, notes = document.pop("ignored_by_shape"), document.pop("notes")
    assert sum(ignored.values()) == TOTALS["ignored"]
    assert {"cut_body", "broken_body"} <= notes.keys()
    assert document == {
        "version": dial_enricher.__version__,
        "exit_code": 0,
        "stopped": None,
        "lines": TOTALS["lines"],
        "records": TOTALS["records"],
        "points": sum(TOTALS["points"].values()),
        "points_by_measurement": TOTALS["points"],
        "ignored": TOTALS["ignored"],
        "dead": TOTALS["dead"],
        "dead_by_code": {"invalid_json": TOTALS["dead"]},
        "again": 0,
        "undefined": {},
        "remarks": [],
        "failures": [],
    }
    told = dict(word.split("=") for word in done.err.splitlines()[-1].split() if "=" in word)
    assert {name: document.get(name) for name in ("lines", "records", "points", "ignored", "dead")} == {
        name: int(figure) for name, figure in told.items() if name != "dead_invalid_json"
    }


@pytest.mark.parametrize(("scope", "undefined"), [("chat", 2), ("all", 3), ("off", None)])
def test_undefined_are_those_that_were_asked_about(scope: str, undefined: int | None, tmp_path: Path) -> None:
    records = [
        log(body={"messages": [{"role": "user", "content": "Who wrote the first program of all?"}]}),
        log(body=CHAT),
        log(body=CHAT),
        changed(log(body=CHAT), "chat.id", None),
        changed(log(body=CHAT), "response.status", "500"),
        changed(log(body=CHAT), "request.time", ""),
        log("/v1/gpt/rate", body={"rate": True}),
        log("/v1/toolset/t/mcp", body={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
    ]
    file = tmp_path / "summary"
    options = ("--language", scope, "--languages", "en,de", "--topics", "off", "--summary", "always")
    done = run(*options, "--summary-file", file, stdin=b"".join(map(line, records)))
    assert read(file)["undefined"] == ({} if undefined is None else {"language": undefined})
    assert re.findall(r"language_undefined=(\d+)", done.err) == ([str(undefined)] if undefined else [])


def test_an_enricher_that_always_tells_has_a_zero_in_the_file_alone(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    data = line(log(body={"messages": [{"role": "user", "content": "Wer hat das hier geschrieben?"}]}))
    options = ("--languages", "en,de", "--topics", "off", "--summary", "always", "--summary-file", file)
    done = run(*options, stdin=data)
    assert read(file)["undefined"] == {"language": 0}
    assert done.err.endswith("lines=1 records=1 points=1 ignored=0 dead=0\n")


# How runs end


def test_the_file_tells_of_dead_letters_and_their_exit_code(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    assert run(*PLAIN, "--strict", "--summary-file", file, stdin=ONE + b"?\n").code == 3
    document = read(file)
    assert (document["exit_code"], document["dead_by_code"]) == (3, {"invalid_json": 1})
    assert document["stopped"] is None


def test_an_output_that_fails_leaves_a_summary(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    done = run(*PLAIN, "--output", "/dev/full", "--summary-file", file, stdin=ONE)
    document = read(file)
    assert (done.code, document["exit_code"], document["lines"], document["points"]) == (1, 1, 1, 0)
    assert document["stopped"] == "cannot write to /dev/full: No space left on device"
    assert f" ERROR stopped: {document['stopped']}\n" in done.err


def test_letters_that_cannot_be_written_leave_a_summary(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    done = run(*PLAIN, "--dead-letter", "/dev/full", "--summary-file", file, stdin=ONE + b"?\n")
    assert (done.code, read(file)["exit_code"]) == (1, 1)
    assert read(file)["stopped"] == "cannot write the dead-letter file /dev/full: No space left on device"


def test_a_server_that_is_away_leaves_a_summary(tmp_path: Path) -> None:
    file, log = tmp_path / "summary", tmp_path / "a.log"
    log.write_bytes(ONE)
    env = {"INFLUX_URL": "http://127.0.0.1:1", "INFLUX_DATABASE": "d"}
    options = ("--to", "influxdb", "--retry-time", "0", "--checkpoint", tmp_path / "state")
    done = run(*PLAIN, *options, "--summary-file", file, log, env=env)
    assert (done.code, read(file)["exit_code"], read(file)["again"]) == (4, 4, 1)
    assert read(file)["stopped"] == AWAY


BUG = """
from dial_enricher import pipeline
from dial_enricher.__main__ import main

def process(*_: object) -> None:
    raise RuntimeError("secret")

pipeline.Pipeline.process = process
main()
"""


def test_a_bug_leaves_a_summary(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    done = run(*PLAIN, "--summary-file", file, program=(sys.executable, "-c", BUG), stdin=ONE)
    assert (done.code, read(file)["exit_code"]) == (1, 1)
    assert read(file)["stopped"].startswith("a bug, please report it: RuntimeError at ")
    assert f"stopped by {read(file)['stopped']}" in done.err
    assert "secret" not in file.read_text()


def test_a_reader_that_goes_away_leaves_a_summary(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    process = start(*PLAIN, "--summary-file", file, stdin=subprocess.PIPE)
    assert process.stdout
    process.stdout.close()
    process.stdout = None
    assert finish(process, ONE).code == read(file)["exit_code"] == 141
    assert read(file)["stopped"] == "the reader of standard output went away"


def test_a_signal_leaves_a_summary(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    process = start(*PLAIN, "--max-delay", "0", "--summary-file", file)
    feed(process, ONE)
    assert process.stdout and process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 143
    finish(process)
    document = read(file)
    assert (document["exit_code"], document["lines"], document["points"]) == (143, 1, 1)
    assert document["stopped"] == "told to stop by SIGTERM"


def test_a_run_that_cannot_begin_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_text("of yesterday")
    check_refused(run(*PLAIN, "--summary-file", file, "--where", "price=0", stdin=ONE), "price")
    assert file.read_text() == "of yesterday"


# Where it goes


def test_the_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    file, link = tmp_path / "summary", tmp_path / "link"
    file.write_text("old")
    old = file.open()
    link.symlink_to(file)
    (tmp_path / "summary.new").write_text("a run that was killed left it")
    write(link, {"lines": 1})
    assert old.read() == "old", "who has it open reads on in the old one"
    assert read(file) == {"lines": 1}
    assert link.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["link", "summary"]


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(SinkDown, match=f"cannot write the summary file {pipe}"):
        write(pipe, {})  # nobody reads it, and nobody waits for that
    fd = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write(pipe, {"lines": 1})
    assert json.loads(os.read(fd, 100)) == {"lines": 1}
    os.close(fd)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    with pytest.raises(SinkDown, match="No space left"):
        write(Path("/dev/full"), {})


def test_what_cannot_be_written_is_known_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="there is no directory /nonexistent"):
        check(Path("/nonexistent/summary"))
    check(tmp_path / "summary")
    check(Path("/dev/null"))
    check_refused(run(*PLAIN, "--summary-file", tmp_path, stdin=ONE), "--summary-file")


@pytest.mark.parametrize("option", ["--output", "--dead-letter", "--log-file"])
def test_the_file_is_no_other_output(option: str, tmp_path: Path) -> None:
    file = tmp_path / "one"
    done = run(*PLAIN, option, file, "--summary-file", file, stdin=ONE)
    check_refused(done, "--summary-file")


def test_the_file_is_no_input(tmp_path: Path) -> None:
    file = tmp_path / "one.log"
    file.write_bytes(ONE)
    check_refused(run(*PLAIN, "--summary-file", file, file), "--summary-file")
    assert file.read_bytes() == ONE


@pytest.mark.parametrize(("more", "code"), [((), 1), (("--strict",), 3)])
def test_a_file_that_cannot_be_written_in_the_end_costs_the_exit_code(
    more: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    directory = tmp_path / "gone"
    directory.mkdir()
    process = start(*PLAIN, *more, "--max-delay", "0", "--summary-file", directory / "summary")
    feed(process, ONE + b"?\n")
    assert process.stdout and process.stdout.readline()
    directory.rmdir()
    done = finish(process, b"")
    assert done.code == code
    sentences = [one for one in done.err.splitlines() if "summary file" in one]
    assert len(sentences) == 1
    assert f"cannot write the summary file {directory / 'summary'}: No such file or directory" in sentences[0]


# On the screen


def test_a_terminal_is_told_more() -> None:
    bucket = line(log("/v1/bucket"))
    with on_terminal(*PLAIN) as (process, terminal):
        process.communicate(ONE + ONE + bucket + b"?\n")
        terminal.look_to_the_end()
    *_, summary, points, ignored, dead, time, last = terminal.lines
    assert summary.endswith(" INFO lines=4 records=4 points=2 ignored=1 dead=1 dead_invalid_json=1")
    assert points == "  points     analytics 2"
    assert ignored == "  ignored    /v1/bucket 1"
    assert dead == "  dead       invalid_json 1"
    assert re.fullmatch(r"  time       \d+\.\d s, [\d,]+ lines/s", time)
    assert last == ""


@pytest.mark.parametrize("form", ["telegraf", "json"])
def test_a_host_that_reads_a_terminal_gets_one_line(form: str) -> None:
    with on_terminal(*PLAIN, "--log-format", form) as (process, terminal):
        process.communicate(ONE)
        terminal.look_to_the_end()
    assert len(terminal.lines) == 2
    assert "lines=1 records=1 points=1 ignored=0 dead=0" in terminal.lines[0]


# Accounts of parts


def test_accounts_of_parts_add_up(tmp_path: Path) -> None:
    lines = SAMPLE.read_bytes().splitlines(keepends=True)
    whole, parts = through(b"".join(lines)).stats, Stats()
    for begin in range(0, len(lines), 30):
        parts.merge(pickle.loads(pickle.dumps(through(b"".join(lines[begin : begin + 30])).stats)))
    assert parts == whole
    parts.close()


def test_merged_accounts_keep_everything() -> None:
    one, other = Stats(remarks=["no topic model found"], again=2), Stats(remarks=["no topic model found"])
    other.undefined.update(language=3)
    other.dead[Code.REJECTED] = 1
    one.undefined["language"] = 0
    one.merge(other)
    assert one.remarks == ["no topic model found"]
    assert (one.again, one.undefined, one.dead) == (2, Counter(language=3), Counter({Code.REJECTED: 1}))
    for shape in range(300):
        one.merge(Stats(ignored=Counter({f"/{shape}": 1})))
    assert one.ignored.total() == 300
    assert len(one.ignored) == 101

"""`--output DIRECTORY`: what is told of it, and what never is."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from dial_enricher import logformat
from dial_enricher.archive.messages import Done, DoneBefore, Failed, Wire
from dial_enricher.archive.place import Place
from dial_enricher.archive.work import Work
from dial_enricher.inputs.sources import Source
from dial_enricher.settings import Scope, Settings
from tests.archiving import BAD, Box
from tests.canaries import Canaries
from tests.doctoring import plain
from tests.support import GOOD_LINES, PLAIN, SAMPLE, run
from tests.test_privacy import check_silent

CANARIES = Canaries()
COUNTS = ("lines", "records", "points", "points_by_measurement", "ignored", "dead", "dead_by_code")


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_one_summary_of_all(box: Box) -> None:
    """The same as that of one stream, beside the files; of what is skipped nothing is counted again."""
    for name in list(box.data)[:2]:
        (box.logs / name).write_bytes(box.data[name] + BAD)
    box.run("--jobs", "3", "--summary-file", "whole.json")
    stream = ("enrich", *PLAIN, "--recursive", "logs", "--summary-file", "stream.json")
    assert run(*stream, cwd=box.directory).code == 0
    whole, stream_summary = (_summary(box, name) for name in ("whole.json", "stream.json"))
    assert {name: whole[name] for name in COUNTS} == {name: stream_summary[name] for name in COUNTS}
    assert (whole["dead"], whole["files_done"], whole["files_skipped"]) == (2, 5, 0)
    assert "files_done" not in stream_summary
    box.run("--summary-file", "again.json")
    again = _summary(box, "again.json")
    assert (again["lines"], again["files_done"], again["files_skipped"]) == (0, 0, 5)


def _summary(box: Box, name: str) -> Any:
    return json.loads((box.directory / name).read_bytes())


def test_progress_of_all_children(box: Box) -> None:
    """The last line has seen all bytes and all lines, of each child."""
    done = box.run("--jobs", "3", "--progress", "always", "--log-format", "json")
    told = [json.loads(line) for line in done.err.splitlines()]
    (last,) = [one for one in told if one["message"].startswith("progress: ")][-1:]
    size = sum(map(len, box.data.values()))
    lines = sum(data.count(b"\n") for data in box.data.values())
    assert (last["read"], last["total"], last["lines"]) == (size, size, lines)
    assert last["points"] == b"".join(box.whole().values()).count(b"\n")


def test_nothing_that_is_written_beside_the_points_holds_a_text(tmp_path: Path) -> None:
    data = b"".join([*CANARIES.good_lines(), *CANARIES.dead_lines()])
    for name in ("one.log", "two.log"):
        (tmp_path / name).write_bytes(data)
    options = ("--dead-letter", "out", "--log-level", "debug", "--summary", "always")
    done = run(*PLAIN, "one.log", "two.log", "--output", "out/", "--jobs", "2", *options, cwd=tmp_path)
    assert done.code == 0
    assert " dead: " in done.err
    written = [path for path in (tmp_path / "out").iterdir() if path.suffix != ".gz"]
    assert sorted(path.suffix for path in written) == [".done", ".done", ".ndjson", ".ndjson"]
    check_silent(done.err, *(path.read_bytes() for path in written))


# Read errors


class _Ear:
    """The parent's end of a wire."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def send(self, message: object) -> None:
        self.heard.append(message)


def test_an_input_that_breaks_off_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk or a network may come back, so half an input is no output, and has no letters."""
    log = tmp_path / "a.log"
    log.write_bytes(b"".join(GOOD_LINES) * 20 + BAD)
    read = os.read

    def broken(fd: int, size: int) -> bytes:
        if os.lseek(fd, 0, os.SEEK_CUR) > 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(fd, 10_000)

    monkeypatch.setattr(os, "read", broken)
    assert outcome(log) == Failed(f"cannot read {log} to its end: Input/output error", hopeless=False)
    assert list(tmp_path.iterdir()) == [log]


def test_letters_are_on_the_disk_before_they_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, synced = tmp_path / "a.log", list[str]()
    log.write_bytes(GOOD_LINES[0] + BAD)
    rename = os.rename
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.readlink(f"/proc/self/fd/{fd}")))

    def checked(old: Path, new: Path) -> None:
        assert str(old) in synced
        rename(old, new)

    monkeypatch.setattr(os, "rename", checked)
    assert isinstance(outcome(log), Done)
    assert (tmp_path / "a.log.dead.ndjson").read_bytes().count(b"\n") == 1


def test_what_another_run_has_done_meanwhile_is_left(tmp_path: Path) -> None:
    """It was not done when the parent looked, but is when the child may write."""
    log = tmp_path / "a.log"
    log.write_bytes(GOOD_LINES[0])
    assert isinstance(outcome(log), Done)
    before = {path: path.stat() for path in tmp_path.iterdir()}
    assert isinstance(outcome(log), DoneBefore)
    assert {path: path.stat() for path in tmp_path.iterdir()} == before


def outcome(log: Path, directory: Path | None = None) -> object:
    """What a child says of a log whose files go beside it, or elsewhere."""
    settings = Settings(language=Scope.OFF, topics=Scope.OFF, output_directory="out", dead_letter="out")
    ear: Any = _Ear()
    output, letters = (
        (directory or log.parent) / (log.name + suffix) for suffix in (".lp.gz", ".dead.ndjson")
    )
    place = Place(Source(str(log), log.name), output, letters)
    return Work(settings, "f", "1", [], logformat.decode, 1)._outcome(place, Wire(ear))


# The doctor


def test_the_doctor_looks_at_the_directories(tmp_path: Path) -> None:
    report = plain(SAMPLE, "--output", f"{tmp_path}/new/out/", "--dead-letter", tmp_path / "letters")
    assert report.code == 0
    report.check("output", "ok", f"a file in {tmp_path}/new/out/ for each input")
    report.check("dead letters", "ok", f"a file in {tmp_path}/letters for each input in which something dies")
    assert not list(tmp_path.iterdir()), "it makes nothing"


def test_the_doctor_finds_what_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    report = plain(SAMPLE, "--output", f"{tmp_path}/file/out/", "--dead-letter", tmp_path / "file")
    report.check("output", "FAIL", f"{tmp_path}/file is a file")
    report.check("dead letters", "FAIL", f"{tmp_path}/file is a file")
    assert plain("--output", f"{tmp_path}/").code == 2, "standard input has no name"

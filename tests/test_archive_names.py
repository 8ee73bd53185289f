"""`--output DIRECTORY`: whose a place is, where outputs may lie, and names that make trouble."""

import gzip
import json
import os
import resource
from pathlib import Path

import pytest

from dial_enricher.archive.draft import Draft
from dial_enricher.archive.messages import Failed
from dial_enricher.errors import SinkDown
from tests.archiving import BAD, QUIET, Box
from tests.support import GOOD_LINES, PLAIN, Done, check_refused, run
from tests.test_archive_parts import place_in
from tests.test_archive_told import outcome

FIRST = "2026-03-01/aidial.0.log"
ODD = os.fsdecode(b"new\nline \xff.log")
"""A name that is neither one line nor UTF-8."""
SHOWN = "new\ufffdline \ufffd.log"


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


# Whose a place is


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Logs of one name, one size and one time in two directories."""
    for name in ("x1", "x2"):
        file = tmp_path / name / "a.log"
        file.parent.mkdir()
        file.write_bytes(GOOD_LINES[0])
        os.utime(file, (1, 1))
    return tmp_path


def enrich(directory: Path, *arguments: str, out: str = "o") -> Done:
    return run(*PLAIN, *arguments, "--output", f"{directory / out}/", *QUIET, cwd=directory)


def tree(directory: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_ino, path.read_bytes()) for path in directory.rglob("*") if path.is_file()
    }


def check_taken(two: Path, first: str, second: str) -> None:
    """The first has its output; the second is refused, and nothing is written, nor begun beside it."""
    before = tree(two)
    (two / "b.log").write_bytes(GOOD_LINES[1])
    done = enrich(two, "b.log", second)
    check_refused(done, "name another --output, or delete")
    told = f"{two}/o/a.log.lp.gz was made of {first}, and would be made of {second} now"
    assert told.replace(" x2", f" {two}/x2") in done.err
    assert f"delete {two}/o/a.log.lp.gz.done" in done.err
    (two / "b.log").unlink()
    assert tree(two) == before
    assert enrich(two, second, out="other").code == 0
    (two / "o" / "a.log.lp.gz.done").unlink()
    assert enrich(two, second).code == 0, "who has deleted the marker wants it"


@pytest.mark.parametrize("change", ["nothing", "time", "settings"])
def test_a_place_is_of_one_input(change: str, two: Path) -> None:
    assert enrich(two, "x1/a.log").code == 0
    if change == "time":
        os.utime(two / "x2" / "a.log")
    if change == "settings":
        document = json.loads((two / "o" / "a.log.lp.gz.done").read_text())
        (two / "o" / "a.log.lp.gz.done").write_text(json.dumps(document | {"settings": "other"}))
    check_taken(two, f"{two}/x1/a.log", "x2/a.log")


def test_a_place_is_of_one_url(two: Path) -> None:
    urls = [f"file://{two}/{name}/a.log" for name in ("x1", "x2")]
    assert enrich(two, urls[0]).code == 0
    before = tree(two)
    assert enrich(two, urls[0]) == (0, b"", "")
    assert tree(two) == before
    check_taken(two, *urls)


@pytest.mark.parametrize("name", ["x1/a.log", "./x1/../x1/a.log", "x2/../link/a.log", "{0}/x1/a.log"])
def test_a_file_may_be_named_in_any_way(name: str, two: Path) -> None:
    (two / "link").symlink_to("x1")
    assert enrich(two, "x1/a.log") == (0, b"", "")
    before = tree(two)
    assert enrich(two, name.format(two)) == (0, b"", "")
    assert tree(two) == before, "it is done"


@pytest.mark.parametrize("source", [{}, {"source": None}, {"source": 1}])
def test_a_marker_of_an_older_form_is_of_nobody(source: dict[str, object], two: Path) -> None:
    assert enrich(two, "x1/a.log").code == 0
    marker = two / "o" / "a.log.lp.gz.done"
    document = json.loads(marker.read_text())
    del document["source"]
    marker.write_text(json.dumps(document | source))
    assert enrich(two, "x2/a.log") == (0, b"", "")
    assert json.loads(marker.read_text())["source"] == f"{two}/x2/a.log"


def test_a_place_that_another_run_has_taken_meanwhile(two: Path) -> None:
    """It was free when the parent looked."""
    out = two / "o"
    out.mkdir()
    assert not isinstance(outcome(two / "x1" / "a.log", out), Failed)
    before = tree(two)
    failed = outcome(two / "x2" / "a.log", out)
    assert isinstance(failed, Failed)
    assert not failed.hopeless
    assert failed.reason.startswith(
        f"{two}/x2/a.log is not done: {out}/a.log.lp.gz was made of {two}/x1/a.log"
    )
    assert tree(two) == before


# Outputs among inputs

WALKS = (("--recursive", "."), ("**/*",), ("**/*.log", "**/*.gz"), ("--recursive", "*"), ("./**/*",))


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("out", ["points/", "deep/points/"])
def test_outputs_may_lie_below_the_inputs(walk: tuple[str, ...], out: str, box: Box) -> None:
    """The next run takes none for an input, nor does the doctor, nor another shard."""
    (box.logs / FIRST).write_bytes(box.data[FIRST] + BAD)
    box.data["2026-03-01/packed.gz"] = GOOD_LINES[0]
    (box.logs / "2026-03-01" / "packed.gz").write_bytes(gzip.compress(GOOD_LINES[0]))
    command = (*walk, "--output", out, "--dead-letter", "letters/")
    box.out = box.logs / out
    names = None
    for _ in range(3):
        assert run(*PLAIN, *command, *QUIET, cwd=box.logs) == (0, b"", "")
        assert box.unpacked() == box.whole()
        assert names in (None, box.times())
        names = box.times()
    assert run(*PLAIN, *command, "--shard", "1/2", *QUIET, cwd=box.logs) == (0, b"", "")
    assert box.times() == names
    looked = run("doctor", *PLAIN, *command, cwd=box.logs).out.decode()
    assert FIRST in looked
    assert ".lp.gz" not in looked


def test_a_log_among_the_outputs_is_never_left_out_quietly(box: Box) -> None:
    """Not even at the first start."""
    (box.logs / "points").mkdir()
    (box.logs / "points" / "one.log").write_bytes(GOOD_LINES[0])
    done = run(*PLAIN, "--recursive", ".", "--output", "points/", cwd=box.logs)
    check_refused(done, "points/one.log lies in the directory of --output")


def test_an_output_that_is_named_is_refused(box: Box) -> None:
    box.run()
    done = run(*PLAIN, f"out/{FIRST}.lp.gz", "--output", "out/", cwd=box.directory)
    check_refused(done, "lies in the directory of --output")


def test_a_directory_of_outputs_alone_holds_nothing_to_read(box: Box) -> None:
    box.run()
    done = run(*PLAIN, "--recursive", "out", "--output", "out/", cwd=box.directory)
    check_refused(done, "the directory out holds no file")


# Names that make trouble


def check_only(box: Box, name: str, *words: str) -> None:
    """An input costs itself only: one sentence, each time, and nothing is left behind."""
    others = {f"{other}.lp.gz" for other in box.data if other != name}
    for _ in range(2):
        done = box.run("--jobs", "2", *QUIET)
        assert done.code == 1
        (error,) = done.err.splitlines()
        assert f" ERROR logs/{name} is not done: cannot write out/" in error
        assert [word for word in words if word not in error] == []
        assert set(box.unpacked()) == others
        assert not [name for name in box.names() if name.endswith(".part")]


def test_a_name_that_is_too_long_costs_one_input(box: Box) -> None:
    name = f"2026-03-01/{'a' * 246}.log"
    box.data[name] = GOOD_LINES[0]
    (box.logs / name).write_bytes(GOOD_LINES[0])
    check_only(box, name, "File name too long")


@pytest.mark.parametrize("kind", ["", ".done"])
def test_a_directory_in_place_of_a_file_costs_one_input(kind: str, box: Box) -> None:
    (box.out / f"{FIRST}.lp.gz{kind}").mkdir(parents=True)
    check_only(box, FIRST, f"{FIRST}.lp.gz{kind}: Is a directory")


def test_a_file_in_place_of_a_directory_costs_what_is_below_it(box: Box) -> None:
    box.out.mkdir()
    (box.out / "2026-03-01").touch()
    done = box.run("--summary-file", "summary", *QUIET)
    assert (done.code, done.err.count(" is not done: cannot write out/2026-03-01: File exists\n")) == (1, 3)
    assert set(box.unpacked()) == {f"{name}.lp.gz" for name in box.data if name.startswith("2026-03-02")}
    summary = json.loads((box.directory / "summary").read_text())
    assert (summary["stopped"], len(summary["failures"])) == (None, 3)


@pytest.mark.parametrize("kind", ["output", "marker", "letters"])
def test_a_directory_is_noticed_before_an_input_is_read(kind: str, tmp_path: Path) -> None:
    place = place_in(tmp_path)
    path: Path = getattr(place, kind)
    path.mkdir(parents=True)
    with pytest.raises(SinkDown, match=f"cannot write {path}: Is a directory") as caught:
        Draft(place)
    assert caught.value.misconfigured
    assert not list(tmp_path.rglob("*.part"))


def test_messages_show_any_name_on_one_line(tmp_path: Path) -> None:
    """Here by each message that holds the name of an output."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ODD).write_bytes(GOOD_LINES[0] + BAD * 20)
    check_refused(
        enrich(tmp_path, f"one/{ODD}", f"two/{ODD}"), f"would both become {tmp_path}/o/{SHOWN}.lp.gz"
    )
    assert enrich(tmp_path, f"one/{ODD}") == (0, b"", "")
    done = enrich(tmp_path, f"two/{ODD}")
    check_refused(done, f"{tmp_path}/o/{SHOWN}.lp.gz was made of {tmp_path}/one/{SHOWN}")
    assert f"delete {tmp_path}/o/{SHOWN}.lp.gz.done" in done.err
    full = ("--dead-letter", str(tmp_path / ODD), "--dead-letter-max", "100")
    assert f"stopped: the dead-letter file {tmp_path}/{SHOWN}/{SHOWN}.dead.ndjson is full" in _one_line(
        enrich(tmp_path, f"one/{ODD}", *full)
    )
    (tmp_path / "c" / f"{ODD}.lp.gz").mkdir(parents=True)
    told = f"{SHOWN} is not done: cannot write {tmp_path}/c/{SHOWN}.lp.gz: Is a directory"
    assert told in _one_line(enrich(tmp_path, f"one/{ODD}", out="c"))
    check_refused(
        enrich(tmp_path, "one", "--dead-letter", f"one/{ODD}"), f"--dead-letter one/{SHOWN} is a file"
    )
    check_refused(enrich(tmp_path, "two", out=f"one/{ODD}/x"), f"one/{SHOWN}/x/: Not a directory")
    small = (resource.RLIMIT_FSIZE, (1, 1))
    process = run(
        *(*PLAIN, f"one/{ODD}", "--output", "small/", *QUIET),
        cwd=tmp_path,
        preexec_fn=lambda: resource.setrlimit(*small),
    )
    assert f"stopped: cannot write small/{SHOWN}.lp.gz: File too large" in _one_line(process)


def _one_line(done: Done) -> str:
    assert done.code == 1
    (line,) = done.err.splitlines()
    return line


# Limits of the system


def test_too_few_open_files_stop_it_with_one_sentence(box: Box) -> None:
    """What is there is whole, and the next run brings the rest."""
    done = few_files(box, 20, 20)
    line = _one_line(done)
    assert " of --jobs 20: Too many open files; take fewer, or raise what limits them" in line
    summary = json.loads((box.directory / "summary").read_text())
    assert line.endswith(f" ERROR stopped: {summary['stopped']}")
    assert box.run("--jobs", "2", *QUIET) == (0, b"", "")
    assert box.unpacked() == box.whole()


@pytest.mark.parametrize("files", range(9, 18))
@pytest.mark.parametrize("jobs", [1, 2])
def test_too_few_open_files_are_no_bug(files: int, jobs: int, box: Box) -> None:
    """Whether the parent notices first or a child, which may then say it of each input."""
    done = few_files(box, files, jobs)
    assert done.code == (1 if done.err else 0)
    assert [line for line in done.err.splitlines() if "Too many open files" not in line] == []
    assert box.unpacked_done().items() <= box.whole().items()


def few_files(box: Box, files: int, jobs: int) -> Done:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    box.out.mkdir()
    done = box.run("--jobs", str(jobs), "--summary-file", "summary", *QUIET, preexec_fn=limit)
    assert not [name for name in box.names() if name.endswith(".part")]
    return done


def test_the_summary_tells_why_it_stopped(box: Box) -> None:
    done = box.run(
        *("--summary-file", "summary", *QUIET),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )
    summary = json.loads((box.directory / "summary").read_text())
    assert (done.code, summary["exit_code"]) == (1, 1)
    assert summary["stopped"].startswith("cannot write out/")
    assert summary["stopped"].endswith(": File too large")

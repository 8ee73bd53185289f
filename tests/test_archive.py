"""`--output DIRECTORY`: an output for each input, and none is made twice."""

import gzip
import json
import os
from pathlib import Path

import pytest

from tests.archiving import BAD, Box, points_of
from tests.support import GOOD_LINES, PLAIN, SAMPLE, check_refused, run

FIRST = "2026-03-01/aidial.0.log"


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_one_file(tmp_path: Path) -> None:
    """What is packed is, to the byte, what standard output would have had."""
    done = run(*PLAIN, SAMPLE, "--output", f"{tmp_path}/new/out/", "--summary", "never")
    plain = run(*PLAIN, SAMPLE, "--summary", "never")
    assert (done.code, done.out) == (0, b"")
    assert done.err.count("\n") == plain.err.count("\n") == 2, "who is dead, and how many"
    packed = (tmp_path / "new" / "out" / f"{SAMPLE.name}.lp.gz").read_bytes()
    assert gzip.decompress(packed) == plain.out
    assert packed[4:8] == bytes(4), "no time"
    assert packed[3] == 0, "no name"


def test_the_marker_tells_what_the_output_was_made_of(tmp_path: Path) -> None:
    run(*PLAIN, SAMPLE, "--output", tmp_path)
    marker = json.loads((tmp_path / f"{SAMPLE.name}.lp.gz.done").read_text())
    counts = run(*PLAIN, SAMPLE, "--summary", "always", "--log-format", "json").err.splitlines()[-1]
    figures = json.loads(counts)
    status = SAMPLE.stat()
    assert (marker["size"], marker["mtime_ns"]) == (status.st_size, status.st_mtime_ns)
    assert marker["output_size"] == (tmp_path / f"{SAMPLE.name}.lp.gz").stat().st_size
    assert {name: marker[name] for name in ("lines", "points")} == {
        name: figures[name] for name in ("lines", "points")
    }
    assert {f"dead_{code}": count for code, count in marker["dead"].items()} == {
        name: count for name, count in figures.items() if name.startswith("dead_")
    }


def test_json(tmp_path: Path) -> None:
    run(*PLAIN, "--format", "json", SAMPLE, "--output", tmp_path)
    packed = (tmp_path / f"{SAMPLE.name}.ndjson.gz").read_bytes()
    assert gzip.decompress(packed) == run(*PLAIN, "--format", "json", SAMPLE).out


def test_directories_are_kept(box: Box) -> None:
    assert box.run("--jobs", "2") == (0, b"", "")
    assert box.unpacked() == box.whole()
    assert box.names() == box.expected_names()


def test_the_bytes_are_the_same_whatever_the_jobs(box: Box) -> None:
    """And whatever the batches: when these end depends on the clock."""
    box.run()
    one = box.files()
    box.out.rename(box.directory / "one")
    box.run("--jobs", "3", "--batch-lines", "1")
    assert box.files() == one


def test_what_is_done_is_skipped(box: Box) -> None:
    assert box.run("--jobs", "2", "--summary", "always").err.rstrip().endswith("files_done=5 files_skipped=0")
    before = box.times()
    again = box.run("--summary", "always")
    assert again.code == 0
    assert again.err.rstrip().endswith(
        "lines=0 records=0 points=0 ignored=0 dead=0 files_done=0 files_skipped=5"
    )
    assert box.times() == before


def check_made_again(box: Box, *names: str, options: tuple[str, ...] = ()) -> None:
    """A run makes the outputs of some logs again, and no others."""
    before = box.times()
    assert box.run(*options, "--jobs", "2") == (0, b"", "")
    changed = {name for name, time in box.times().items() if before.get(name) != time}
    assert changed == box.expected_names(*names)
    assert box.run(*options) == (0, b"", "")
    assert box.names() == box.expected_names()


def test_what_has_changed_is_made_again(box: Box) -> None:
    box.run()
    box.data[FIRST] += GOOD_LINES[0]
    (box.logs / FIRST).write_bytes(box.data[FIRST])
    check_made_again(box, FIRST)
    assert box.unpacked() == box.whole()


def test_a_change_that_keeps_the_size_is_noticed(box: Box) -> None:
    box.run()
    os.utime(box.logs / FIRST)
    check_made_again(box, FIRST)


@pytest.mark.parametrize("rest", [b"", b"{", b"[]", b"{}", b'{"version": 2}'])
def test_a_marker_that_tells_nothing_does_not_count(rest: bytes, box: Box) -> None:
    box.run()
    (box.out / f"{FIRST}.lp.gz.done").write_bytes(rest)
    check_made_again(box, FIRST)


def test_an_output_that_is_gone_or_cut_is_made_again(box: Box) -> None:
    box.run()
    second = "2026-03-02/aidial.1.log"
    box.output(FIRST).unlink()
    os.truncate(box.output(second), 10)
    check_made_again(box, FIRST, second)
    assert box.unpacked() == box.whole()


def test_with_other_settings_all_is_made_again(box: Box) -> None:
    box.run()
    check_made_again(box, options=("--schema", "lean"))
    assert b"response_id=" not in box.unpacked()[f"{FIRST}.lp.gz"].split(b" ")[0]


def test_settings_that_make_the_same_points_make_nothing_again(box: Box) -> None:
    box.run()
    before = box.times()
    box.run("--jobs", "2", "--strict", "--batch-lines", "7", "--max-delay", "1", "--log-level", "error")
    assert box.times() == before


# Wrong settings


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (("--checkpoint", "state"), "--checkpoint"),
        (("--follow",), "--follow"),
        (("--ack", "rsyslog"), "--ack"),
        (("--dead-letter", "-"), "--dead-letter"),
        (("--dead-letter", "a.log"), "--dead-letter"),
    ],
)
def test_what_makes_one_stream_is_refused(options: tuple[str, ...], name: str, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"")
    (tmp_path / "b.log").write_bytes(b"")
    check_refused(run(*PLAIN, "b.log", "--output", "out/", *options, cwd=tmp_path), name)
    assert not (tmp_path / "out").exists()


def test_no_server_gets_it(tmp_path: Path) -> None:
    env = {"INFLUX_URL": "http://127.0.0.1:1", "INFLUX_DATABASE": "d"}
    check_refused(run(*PLAIN, SAMPLE, "--output", tmp_path, "--to", "influxdb", env=env), "--output")


def test_standard_input_has_no_place(tmp_path: Path) -> None:
    check_refused(run(*PLAIN, "--output", tmp_path), "standard input")
    check_refused(run(*PLAIN, SAMPLE, "-", "--output", tmp_path), "standard input")
    assert not list(tmp_path.iterdir())


def test_jobs_need_a_directory(tmp_path: Path) -> None:
    check_refused(run(*PLAIN, SAMPLE, "--jobs", "2"), "--jobs")
    check_refused(run(*PLAIN, SAMPLE, "--jobs", "2", "--output", tmp_path / "file"), "--jobs")


def test_two_inputs_with_one_output(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "aidial.log").write_bytes(b"")
    done = run(*PLAIN, "one/aidial.log", "two/aidial.log", "--output", "out/", cwd=tmp_path)
    check_refused(done, "one/aidial.log and two/aidial.log")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("options", [("--output", "."), ("--output", "out/", "--dead-letter", "logs")])
def test_an_output_is_never_an_input(options: tuple[str, ...], box: Box) -> None:
    """Or the next run would find one more."""
    done = run(*PLAIN, "--recursive", "logs", *options, cwd=box.directory)
    check_refused(done, "lies in the directory of")


@pytest.mark.parametrize("directory", ["/proc/none/", "/proc/sys"])
def test_a_directory_that_cannot_be_written_to(directory: str) -> None:
    check_refused(run(*PLAIN, SAMPLE, "--output", directory), directory)
    check_refused(run(*PLAIN, SAMPLE, "--output", directory + "/"), directory)


# Dead letters


def test_letters_lie_beside_the_points(box: Box) -> None:
    """One file for each input of which something died, with the options that letters have."""
    (box.logs / FIRST).write_bytes(box.data[FIRST] + BAD)
    done = box.run("--dead-letter", "out", "--dead-letter-content", "--jobs", "2", "--strict")
    assert done.code == 3
    assert box.unpacked() == box.whole()
    assert box.names() == {f"{FIRST}.dead.ndjson"} | box.expected_names()
    (letter,) = map(json.loads, (box.out / f"{FIRST}.dead.ndjson").read_text().splitlines())
    assert (letter["code"], letter["content"], letter["source"]) == (
        "invalid_json",
        "no json",
        f"logs/{FIRST}",
    )
    assert box.marker(FIRST)["dead"] == {"invalid_json": 1}
    again = box.run("--dead-letter", "out", "--dead-letter-content", "--strict")
    assert again == (0, b"", ""), "the dead are those of this run"


def test_letters_of_an_older_input_go_with_it(box: Box) -> None:
    (box.logs / FIRST).write_bytes(BAD)
    box.run("--dead-letter", "letters")
    letters = box.directory / "letters" / f"{FIRST}.dead.ndjson"
    assert letters.exists()
    (box.logs / FIRST).write_bytes(box.data[FIRST])
    assert box.run("--dead-letter", "letters") == (0, b"", "")
    assert not list(letters.parent.iterdir())
    assert box.unpacked() == box.whole()


def test_too_many_letters_stop_it(box: Box) -> None:
    (box.logs / FIRST).write_bytes(BAD * 100)
    done = box.run("--dead-letter", "letters", "--dead-letter-max", "1000", "--log-level", "error")
    (error,) = done.err.splitlines()
    assert done.code == 1
    assert "stopped: " in error
    assert f"letters/{FIRST}.dead.ndjson is full (--dead-letter-max: 1000 bytes)" in error
    assert not any(path.is_file() for path in (box.directory / "letters").rglob("*"))
    assert FIRST not in {name.removesuffix(".lp.gz") for name in box.names()}


def test_the_same_trouble_is_told_once(box: Box) -> None:
    for name in box.data:
        (box.logs / name).write_bytes(BAD)
    done = box.run("--jobs", "2", "--summary", "never")
    assert (done.code, done.err.count(" dead: invalid_json")) == (0, 1)
    assert done.err.splitlines()[-1].endswith("dead letters: invalid_json 5")


# Inputs in trouble


def test_a_damaged_input_is_done_as_far_as_it_goes(box: Box) -> None:
    """It stays damaged: the run that meets it says so and fails, the next one has nothing to do."""
    lines = box.data[FIRST]
    packed = gzip.compress(lines)
    (box.logs / FIRST).write_bytes(packed[: len(packed) * 3 // 4])
    done = box.run("--dead-letter", "letters", "--log-level", "error")
    assert done.code == 1
    assert f"logs/{FIRST}" in done.err
    assert box.marker(FIRST)["dead"] == {"damaged_archive": 1}
    points = box.unpacked().pop(f"{FIRST}.lp.gz")
    assert points
    assert points_of(lines).startswith(points)
    assert (box.directory / "letters" / f"{FIRST}.dead.ndjson").read_text().count("damaged_archive") == 1
    before = box.times()
    assert box.run("--dead-letter", "letters") == (0, b"", "")
    assert box.times() == before


def test_an_input_that_cannot_be_read_is_not_done(box: Box) -> None:
    """It may be readable another time; the others are done."""
    (box.logs / FIRST).unlink()
    (box.logs / FIRST).symlink_to("/proc/self/mem")  # opens, and then cannot be read
    for _ in range(2):
        done = box.run("--log-level", "error")
        assert done.code == 1
        (error,) = done.err.splitlines()
        assert f"logs/{FIRST}" in error
        assert box.names() == box.expected_names(*(set(box.data) - {FIRST}))
    (box.logs / FIRST).unlink()
    (box.logs / FIRST).write_bytes(box.data[FIRST])
    assert box.run() == (0, b"", "")
    assert box.unpacked() == box.whole()


def test_replay(tmp_path: Path) -> None:
    """Letters of an archive are an archive, too."""
    (tmp_path / "a.log").write_bytes(GOOD_LINES[0] + GOOD_LINES[1][:-1] + b" }\n")
    keep = ("--dead-letter", "out", "--dead-letter-content")
    run(*PLAIN, "a.log", "--output", "out/", *keep, cwd=tmp_path)
    letters = tmp_path / "out" / "a.log.dead.ndjson"
    letter = json.loads(letters.read_text()) | {"content": GOOD_LINES[1].decode().removesuffix("\n")}
    letters.write_text(json.dumps(letter) + "\n")
    done = run("replay", *PLAIN, letters, "--output", "again/", cwd=tmp_path)
    assert done == (0, b"", "")
    packed = (tmp_path / "again" / f"{letters.name}.lp.gz").read_bytes()
    assert gzip.decompress(packed) == points_of(GOOD_LINES[1])

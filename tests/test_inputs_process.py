"""The program on archives: whatever they are packed by, wherever they are, and when they are damaged."""

import gzip
import json
import os
import signal
import subprocess
import zlib
from pathlib import Path

import pytest

from tests.packing import PACKERS, Pack
from tests.support import (
    GOOD_LINES,
    PLAIN,
    Done,
    changed,
    check_refused,
    feed,
    finish,
    line,
    log,
    read_some,
    run,
    start,
    through,
)
from tests.test_delivery_memory import peak

GOOD = b"".join(GOOD_LINES)
POINTS = through(GOOD).out
EACH = pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)


def record(name: str) -> bytes:
    return line(changed(log(), "user.title", name))


def points(*names: str) -> bytes:
    return b"".join(through(record(name)).out for name in names)


def write(directory: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


# What is read


@EACH
def test_files_and_pipes_give_the_same_bytes(pack: Pack, tmp_path: Path) -> None:
    file = tmp_path / "whatever.txt"
    file.write_bytes(pack(GOOD))
    assert run(*PLAIN, file) == (0, POINTS, "")
    assert run(*PLAIN, stdin=pack(GOOD)) == (0, POINTS, "")
    with file.open("rb") as opened:
        assert run(*PLAIN, "-", stdin=opened) == (0, POINTS, "")
    assert run(*PLAIN, f"file://{file}") == (0, POINTS, "")


@pytest.mark.parametrize("more", [["--batch-lines", "1"], ["--batch-lines", "1000"]])
def test_batches_make_no_difference(more: list[str], tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(PACKERS["gzip"](GOOD))
    assert run(*PLAIN, *more, tmp_path / "a").out == POINTS


def test_a_tree_of_all_kinds_with_wrong_names(tmp_path: Path) -> None:
    names = ["a.gz", "b.log", "c/d.zst", "c/e/f", "g.xz", "h"]
    packs: list[Pack] = [*PACKERS.values(), bytes, lambda data: PACKERS["gzip"](data) * 2]
    write(tmp_path, {name: pack(record(name)) for name, pack in zip(names, packs, strict=True)})
    write(tmp_path, {".hidden": b"?\n", "c/.also/x": b"?\n"})
    assert run(*PLAIN, "--recursive", tmp_path) == (0, points(*names, "h"), "")
    assert run(*PLAIN, tmp_path, env={"DIAL_ENRICHER_RECURSIVE": "true"}).out == points(*names, "h")
    assert run(*PLAIN, tmp_path).out == points("a.gz", "b.log", "g.xz", "h", "h")
    assert run(*PLAIN, f"{tmp_path}/**/*.*").out == points("a.gz", "b.log", "c/d.zst", "g.xz")
    assert run(*PLAIN, "--recursive", f"file://{tmp_path}").out == points(*names, "h")
    assert run(*PLAIN, f"file://{tmp_path}/c/**").out == points("c/d.zst", "c/e/f")


def test_colons_part_no_name_below_a_url(tmp_path: Path) -> None:
    names = ["::file", "a::b.log", "zip::c"]
    write(tmp_path / "x::y", {name: record(name) for name in names})
    for url in ("x::y", "x::y/*", "**/*"):
        assert run(*PLAIN, f"file://{tmp_path}/{url}") == (0, points(*names), "")
    assert run(*PLAIN, f"file://{tmp_path}/x::y/a::b.log") == (0, points("a::b.log"), "")


def test_shards_share_the_files(tmp_path: Path) -> None:
    names = [f"{number:02}" for number in range(7)]
    write(tmp_path, {name: record(name) for name in names})
    for index in range(3):
        assert run(*PLAIN, "--shard", f"{index}/3", tmp_path) == (0, points(*names[index::3]), "")
    assert run(*PLAIN, tmp_path, env={"DIAL_ENRICHER_SHARD": "6/7"}).out == points("06")
    assert run(*PLAIN, "--shard", "9/10", tmp_path) == (0, b"", "")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["/nonexistent/x.log"], "no file is named /nonexistent/x.log"),
        (["/nonexistent/*.gz"], "no file fits /nonexistent/*.gz"),
        (["EMPTY"], "holds no file"),
        (["--shard", "3/3", "FILE"], "--shard must be i/n"),
        (["--shard", "x", "FILE"], "--shard must be i/n"),
        (["--shard", "0/2"], "--shard takes a part of FILES"),
        (["--shard", "0/2", "FILE", "-"], "--shard takes a part of FILES"),
        (["--shard", "0/2", "--follow", "FILE"], "--shard is for FILES that are there"),
        (["--recursive", "--follow", "FILE"], "--recursive is for FILES that are there"),
        (["--follow", "file:///x"], "--follow needs files of this machine, not file:///x; --output DIR"),
        (["--checkpoint", "STATE", "s3://b/x"], "--checkpoint needs files of this machine, not s3://b/x"),
        (["s3://bucket/logs"], "pip install 'dial-enricher[cloud]'"),
        (["what://bucket"], "its scheme is not known"),
        (["file:///nonexistent/x"], "no file is named file:///nonexistent/x"),
        (["FILE", "--dead-letter", "FILE"], "is being read"),
        (["HERE", "--dead-letter", "FILE"], "is being read"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read(
    arguments: list[str], name: str, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(GOOD)
    names = {"EMPTY": "empty", "FILE": "file", "STATE": "state", "HERE": "."}
    given = [str(tmp_path / names[one]) if one in names else one for one in arguments]
    check_refused(run(*PLAIN, *given), name)


def test_standard_output_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(record("a"))
    with (tmp_path / "points").open("wb") as file:
        done = run(*PLAIN, tmp_path, stdout=file)
    assert (done.code, (tmp_path / "points").read_bytes()) == (2, b"")
    assert f"standard output goes to {tmp_path}/points, which is being read" in done.err


# What is damaged, or cannot be read


def letters(file: Path) -> list[dict[str, object]]:
    return [json.loads(letter) for letter in file.read_text().splitlines()]


@EACH
def test_of_a_cut_file_the_whole_lines_are_read(pack: Pack, tmp_path: Path) -> None:
    packed = pack(GOOD)
    write(tmp_path, {"logs/a": packed[: len(packed) * 3 // 4], "logs/b": PACKERS["gzip"](record("b"))})
    dead = tmp_path / "dead"
    done = run(*PLAIN, tmp_path / "logs", "--dead-letter", dead)
    assert done.code == 1
    assert done.out.endswith(points("b"))
    assert POINTS.startswith(done.out.removesuffix(points("b")))
    (letter,) = letters(dead)
    assert (letter["code"], letter["source"]) == ("damaged_archive", str(tmp_path / "logs" / "a"))
    assert done.err.count(f"ERROR cannot read {tmp_path}/logs/a to its end: ") == 1
    assert "content" not in letter


def test_the_exit_code_of_damage_is_that_of_an_error(tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes(PACKERS["gzip"](GOOD)[:-1])
    done = run(*PLAIN, "--strict", tmp_path / "cut")
    assert (done.code, done.out) == (1, POINTS)


def test_a_cut_pipe_is_told_as_well() -> None:
    done = run(*PLAIN, stdin=PACKERS["zstd"](GOOD)[:-1])
    assert (done.code, done.out) == (1, POINTS)
    assert "cannot read stdin to its end: its zstd data ends too early" in done.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_closed_file_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    write(tmp_path, {name: record(name) for name in "abc"})
    (tmp_path / "b").chmod(0)
    done = run(*PLAIN, tmp_path)
    assert (done.code, done.out) == (1, points("a", "c"))
    assert f"cannot read {tmp_path}/b: Permission denied" in done.err


@pytest.mark.parametrize("more", [[], ["--checkpoint", "STATE"]])
def test_what_cannot_be_opened_is_told_and_the_others_are_read(more: list[str], tmp_path: Path) -> None:
    write(tmp_path, {"logs/a": record("a"), "logs/d": record("d")})
    (tmp_path / "logs" / "b").symlink_to("nowhere")
    (tmp_path / "logs" / "c").symlink_to("/proc/self/mem")
    dead = tmp_path / "dead"
    more = [str(tmp_path / "state") if one == "STATE" else one for one in more]
    done = run(*PLAIN, *more, tmp_path / "logs", "--dead-letter", dead)
    assert (done.code, done.out) == (1, points("a", "d"))
    gone, broken = done.err.splitlines()
    assert gone.endswith(f"ERROR cannot read {tmp_path}/logs/b: No such file or directory")
    assert f"ERROR cannot read {tmp_path}/logs/c: " in broken
    assert dead.read_bytes() == b""


def test_a_packed_file_is_not_followed_and_the_others_are(tmp_path: Path) -> None:
    write(tmp_path, {"a.log": record("a"), "b.log": PACKERS["xz"](record("b"))})
    process = start(*PLAIN, "--max-delay", "0", "--follow", f"{tmp_path}/*.log")
    assert read_some(process) == points("a")
    process.send_signal(signal.SIGTERM)
    done = finish(process)
    assert (done.code, done.out) == (143, b"")
    (sentence,) = done.err.splitlines()
    assert f"cannot follow {tmp_path}/b.log: it is packed (xz); --output DIRECTORY remembers" in sentence


def test_a_checkpoint_takes_directories_and_patterns(tmp_path: Path) -> None:
    write(tmp_path, {"logs/a": record("a"), "logs/deep/b": record("b")})
    command = (
        *PLAIN,
        "--checkpoint",
        tmp_path / "state",
        "--recursive",
        tmp_path / "logs",
        f"{tmp_path}/l*/*",
    )
    assert run(*command) == (0, points("a", "b"), "")
    write(tmp_path, {"logs/c": record("c")})
    assert run(*command) == (0, points("c"), "")


# Stopping, and what is not there yet


def end_by_signal(process: subprocess.Popen[bytes]) -> Done:
    process.send_signal(signal.SIGTERM)
    return finish(process)


@EACH
def test_a_signal_in_the_middle_of_a_file_leaves_whole_lines(pack: Pack, tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(pack(GOOD * 8) * 40)
    process = start(*PLAIN, "--batch-lines", "20", "--dead-letter", tmp_path / "dead", file)
    first = read_some(process, most=1 << 16)
    assert first
    done = end_by_signal(process)
    written = first + done.out
    assert (done.code, done.err) == (143, "")
    assert written.endswith(b"\n")
    assert (POINTS * 320).startswith(written)
    assert len(written) < len(POINTS) * 320
    assert (tmp_path / "dead").read_bytes() == b""


def test_a_packed_pipe_gives_what_has_come(tmp_path: Path) -> None:
    packer = zlib.compressobj(wbits=31)
    process = start(*PLAIN, "--max-delay", "0")
    for name in ("a", "b"):
        feed(process, packer.compress(record(name)) + packer.flush(zlib.Z_SYNC_FLUSH))
        assert read_some(process) == points(name)
    feed(process, packer.compress(record("c") + b'{"half') + packer.flush(zlib.Z_SYNC_FLUSH))
    assert read_some(process) == points("c")
    stdin, process.stdin = process.stdin, None
    done = end_by_signal(process)
    assert stdin is not None
    stdin.close()
    assert (done.code, done.out) == (143, b"")
    assert "invalid_json" in done.err  # what a pipe held is nowhere else
    assert "damaged_archive" not in done.err


def test_a_pipe_that_begins_slowly_is_waited_for() -> None:
    packed = gzip.compress(record("a"))
    process = start(*PLAIN, "--max-delay", "0")
    for place in range(4):
        feed(process, packed[place : place + 1])
        assert read_some(process, seconds=0.1) == b""
    feed(process, packed[4:])
    assert finish(process) == (0, points("a"), "")


# Memory


@EACH
def test_a_bomb_takes_no_more_memory_than_a_log(pack: Pack, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb"
    part = pack(bytes(100_000_000))
    bomb.write_bytes(part * 10 + pack(b"\n" + record("a")))
    assert bomb.stat().st_size < 2_000_000
    process = start(*PLAIN, "--max-line-bytes", "1000000", "--max-delay", "0", bomb, "-")
    assert read_some(process) == points("a")
    most = peak(process)
    done = finish(process)
    assert (done.code, done.out) == (0, b"")
    assert "line_too_long" in done.err
    assert most < 64 << 20

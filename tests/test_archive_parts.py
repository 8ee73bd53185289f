"""The parts of an archive, one by one."""

import gzip
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dial_enricher.archive import marker
from dial_enricher.archive.draft import Draft, discard
from dial_enricher.archive.marker import Basis, basis, fingerprint, is_done
from dial_enricher.archive.place import Place, places
from dial_enricher.errors import SettingError, SinkDown
from dial_enricher.event import Event, Line
from dial_enricher.inputs.sources import Source
from dial_enricher.settings import Format, Scope, Settings
from dial_enricher.sinks.gz import GzSink
from dial_enricher.stats import Stats
from tests.support import memory


def place_in(directory: Path, name: str = "a.log") -> Place:
    source = Source(str(directory / name), name, None)
    return Place(source, directory / "out" / f"{name}.lp.gz", directory / "letters" / f"{name}.dead.ndjson")


# Packed points


def event(*points: bytes) -> Event:
    return Event(b"", Line(b"", "", 1), output=list(points))


def packed(batches: list[list[Event]]) -> bytes:
    with memory() as fd:
        sink = GzSink(fd, "points")
        for batch in batches:
            assert sink.write(batch) == batch
            assert sink.flush() == []
        sink.close()
        return os.pread(fd, os.fstat(fd).st_size, 0)


def test_the_same_points_make_the_same_bytes() -> None:
    """However they come: batches may end anywhere."""
    random = Random(1)
    points = [random.randbytes(random.randint(1, 3000)).hex().encode() + b"\n" for _ in range(2000)]
    one = packed([[event(*points)]])
    assert gzip.decompress(one) == b"".join(points)
    assert packed([[event(point)] for point in points]) == one
    cuts = sorted(random.sample(range(len(points)), 50))
    batches = [points[begin:end] for begin, end in zip([0, *cuts], [*cuts, None], strict=True)]
    assert packed([[event(*batch)] for batch in batches]) == one


def test_points_are_not_kept_until_the_end() -> None:
    """Memory is for the points of a batch, not of an input."""
    random = Random(2)
    with memory() as fd:
        sink = GzSink(fd, "points")
        for _ in range(10):
            sink.write([event(random.randbytes(1 << 18))])
        assert os.fstat(fd).st_size > 8 << 18


def test_nothing_makes_an_empty_file_that_is_whole() -> None:
    assert gzip.decompress(packed([])) == b""
    ignored = event(b"point\n")
    ignored.ignored = "blank"
    assert gzip.decompress(packed([[ignored]])) == b""
    assert not ignored.written


def test_a_full_disk_is_told_with_the_name_of_the_output() -> None:
    with open("/dev/full", "wb") as full:
        sink = GzSink(full.fileno(), "out/a.lp.gz")
        sink.write([event(b"point\n")])
        with pytest.raises(SinkDown, match=r"cannot write out/a\.lp\.gz: No space left on device"):
            sink.close()


# Places


def named(*insides: str) -> list[Source]:
    return [Source(f"/logs/{number}/{inside}", inside, 1) for number, inside in enumerate(insides)]


def test_places() -> None:
    settings = Settings(output_directory="out/", dead_letter="dead", format=Format.JSON)
    (place,) = places(settings, named("2026/aidial.log.gz"))
    assert place.output == Path("out/2026/aidial.log.gz.ndjson.gz")
    assert place.marker == Path("out/2026/aidial.log.gz.ndjson.gz.done")
    assert place.letters == Path("dead/2026/aidial.log.gz.dead.ndjson")


def test_two_inputs_of_one_name_are_refused() -> None:
    with pytest.raises(SettingError, match=r"/logs/0/a and /logs/2/a would both become out/a\.lp\.gz"):
        places(Settings(output_directory="out"), named("a", "b", "a"))


def test_what_is_elsewhere_lies_in_no_directory() -> None:
    (place,) = places(Settings(output_directory="."), [Source("s3://bucket/a.log", "a.log", 1)])
    assert place.output == Path("a.log.lp.gz")


# Markers

WITHOUT_EFFECT = {
    "checkpoint",
    "follow",
    "ack",
    "to",
    "output",
    "output_directory",
    "jobs",
    "influx",
    "retry_time",
    "drain_time",
    "dead_letter_max",
    "batch_lines",
    "max_delay",
    "strict",
    "summary",
    "summary_file",
    "progress",
    "log_level",
    "log_format",
    "log_file",
    "recursive",
    "shard",
    "workers",
}
"""Settings that change no byte of an output that is done."""


def test_every_setting_has_an_effect_on_outputs_or_none() -> None:
    """A new one has to be put on one side: or what is done by other settings would pass for done."""
    effect = set(marker.SHAPING)
    assert not effect & WITHOUT_EFFECT
    assert {field.name for field in fields(Settings)} <= effect | WITHOUT_EFFECT


def test_the_fingerprint() -> None:
    plain = Settings(output_directory="out")
    assert fingerprint(plain) == fingerprint(Settings(output_directory="out", jobs=4, strict=True))
    others = [
        replace(plain, language=Scope.ALL),
        replace(plain, tag=("upstream",)),
        replace(plain, no_tag=()),
    ]
    assert fingerprint(others[0]) != fingerprint(plain) != fingerprint(others[1])
    assert fingerprint(others[2]) == fingerprint(plain)
    with_letters = [replace(plain, dead_letter=name) for name in ("dead", "./dead/")]
    assert fingerprint(with_letters[0]) == fingerprint(with_letters[1]) != fingerprint(plain)


def test_what_an_input_is(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_bytes(b"12345")
    os.utime(file, ns=(1, 2))
    (tmp_path / "link").symlink_to("a.log")
    for name in ("a.log", "link"):
        source = Source(os.path.relpath(tmp_path / name), "a.log", None)
        assert basis(source, "f") == Basis(str(file.resolve()), 5, 2, "f")
    url = "s3://bucket/a.log"
    assert basis(Source(url, "a.log", 7), "f") == Basis(url, 7, None, "f")


# Drafts

WANTED = Basis("/logs/a.log", 5, 2, "f")


def publish(place: Place, points: bytes, letters: bytes) -> None:
    """Makes the files of a place, as a child does."""
    made = Draft(place)
    os.write(made.fd, points)
    assert made.letters is not None
    if letters:
        made.letters.write_bytes(letters)
    made.publish(marker.document(WANTED, made.size, Stats(), "1"))


def check_published(place: Place, points: bytes, letters: bytes) -> None:
    assert place.letters is not None
    assert is_done(place.marker, place.output, WANTED)
    assert place.output.read_bytes() == points
    assert (place.letters.read_bytes() if place.letters.exists() else b"") == letters
    directories = (place.output.parent, place.letters.parent)
    files = {path for directory in directories for path in directory.iterdir()}
    assert files <= {place.output, place.marker, place.letters}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The calls that put something on the disk, in order, while drafts are made."""
    made: list[tuple[str, str]] = []
    for name in ("fsync", "rename"):
        monkeypatch.setattr(os, name, _noting(getattr(os, name), name, made))
    return made


def _noting(call: Callable[..., Any], name: str, made: list[tuple[str, str]]) -> Callable[..., Any]:
    def noted(what: Any, *more: Any) -> Any:
        made.append((name, Path(os.readlink(f"/proc/self/fd/{what}") if name == "fsync" else what).name))
        return call(what, *more)

    return noted


def test_nothing_is_seen_before_it_is_on_the_disk(tmp_path: Path, calls: list[tuple[str, str]]) -> None:
    """And the marker comes last, when all else would survive the loss of power."""
    publish(place_in(tmp_path), b"points", b"letters")
    part, letters, marked = ".a.log.lp.gz.part", ".a.log.dead.ndjson.part", ".a.log.lp.gz.done.part"
    place = calls.index(("rename", letters))
    assert {("fsync", part), ("fsync", marked), ("fsync", "out")} <= set(calls[:place])
    rest = [("fsync", "letters"), ("rename", part), ("fsync", "out"), ("rename", marked), ("fsync", "out")]
    assert calls[place + 1 :] == rest


STEPS = ("fsync", "rename", "unlink", "open", "write")


def _killed_at(step: int, work: Callable[[], None]) -> bool:
    """Does some work in a process that kills itself before one of its steps; false when there is none."""
    pid = os.fork()
    if pid == 0:
        left = iter(range(step))
        for name in STEPS:
            setattr(os, name, _deadly(getattr(os, name), left))
        try:
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def _deadly(call: Callable[..., Any], left: Iterator[int]) -> Callable[..., Any]:
    def deadly(*arguments: Any, **named: Any) -> Any:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **named)

    return deadly


@pytest.mark.parametrize("letters", [b"letters", b""])
@pytest.mark.parametrize("before", ["nothing", "other letters", "no letters"])
def test_a_kill_between_any_two_steps(before: str, letters: bytes, tmp_path: Path) -> None:
    """What is called done is of the one or the other input, and whole; what is not is made again."""
    step = 0
    while True:
        place = place_in(tmp_path / f"{step}")
        assert place.letters is not None
        if before != "nothing":
            publish(place, b"POINTS", b"old letters" if before == "other letters" else b"")
            _make_older(place)
        killed = _killed_at(step, lambda place=place: publish(place, b"points", letters))  # type: ignore[misc]
        if is_done(place.marker, place.output, OLDER):
            assert place.output.read_bytes() == b"POINTS"
            assert place.letters.exists() == (before == "other letters")
        elif is_done(place.marker, place.output, WANTED):
            check_done = place.output.read_bytes(), place.letters.exists()
            assert check_done == (b"points", bool(letters))
        discard(place)
        left = {path.name for path in (tmp_path / f"{step}").rglob("*.part")}
        assert not left, "nobody writes it any more"
        if not killed:
            break
        publish(place, b"points", letters)
        check_published(place, b"points", letters)
        step += 1
    check_published(place, b"points", letters)
    assert step >= 8


OLDER = Basis("/logs/a.log", 4, 1, "f")


def _make_older(place: Place) -> None:
    place.marker.write_bytes(marker.document(OLDER, place.output.stat().st_size, Stats(), "1"))


def test_what_a_kill_left_is_no_output(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    left = Draft(place)
    os.write(left.fd, b"x" * 1000)
    assert left.letters is not None
    left.letters.write_bytes(b"half a let")
    os.close(left.fd)
    publish(place, b"points", b"")
    check_published(place, b"points", b"")


def test_a_place_is_written_by_one_at_a_time(tmp_path: Path) -> None:
    """Another process waits, and what the first has made stays."""
    place = place_in(tmp_path)
    held = Draft(place)
    discard(place)
    assert (place.output.parent / ".a.log.lp.gz.part").exists(), "it is not for others to remove"
    pid = os.fork()
    if pid == 0:
        os.close(held.fd)
        second = Draft(place)
        os._exit(0 if is_done(place.marker, place.output, WANTED) and second.size == 0 else 1)
    os.write(held.fd, b"points")
    held.publish(marker.document(WANTED, held.size, Stats(), "1"))
    assert os.waitpid(pid, 0)[1] == 0
    discard(place)
    check_published(place, b"points", b"")


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    """Of any of the files: those of which an input is of no use are known before it is read."""
    for length in range(220, 251):
        place = place_in(tmp_path, "a" * length)
        try:
            publish(place, b"points", b"letters")
        except SinkDown as error:
            assert error.misconfigured
            assert str(error).endswith(": File name too long")
            assert not list(tmp_path.rglob("*.part"))
            break
        check_published(place, b"points", b"letters")
        shutil.rmtree(tmp_path / "out")
        shutil.rmtree(tmp_path / "letters")
    else:
        raise AssertionError("all names fit")
    with pytest.raises(SinkDown, match="File name too long"):
        Draft(place)


def test_a_file_where_a_directory_has_to_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"")
    for name in ("b.log", "a/b.log", "a/b/c.log"):
        with pytest.raises(SinkDown, match=f"cannot write {tmp_path}/out") as caught:
            Draft(place_in(tmp_path, name))
        assert caught.value.misconfigured, "it concerns what is below it"

"""The reader on sources of all kinds, in this process."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dial_enricher.batch import Batcher
from dial_enricher.event import Line
from dial_enricher.inputs.packing import format_of
from dial_enricher.inputs.reader import Reader
from dial_enricher.inputs.sources import Source, as_given
from dial_enricher.replay import decode
from dial_enricher.signals import Stop
from tests.packing import PACKERS, Pack, unpack
from tests.support import GOOD_LINES, line, log, memory, through

EACH = pytest.mark.parametrize("name", PACKERS)
GOOD = b"".join(GOOD_LINES)
LINES = [line({"request": number, "text": "x" * (number * 7 % 30)}) for number in range(12)]


class Meter:
    """Notes what is told."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self.last = ""

    def begin(self, source: Source, done: int = 0) -> None:
        self.last = source.name
        self.sizes[source.name] = 0

    def read(self, size: int) -> None:
        self.sizes[self.last] += size


def read(sources: Sequence[Source], meter: Meter | None = None) -> tuple[list[Line], list[str]]:
    """All lines, and what failed."""
    stop = Stop()
    reader = Reader(sources, Batcher(7, 1 << 20, 3600), 1 << 20, stop, meter)
    lines = [line for batch in reader.batches() for line in batch]
    for fd in (stop.fd, stop._wakeup):
        os.close(fd)
    return lines, reader.failures


def read_bytes(data: bytes) -> tuple[list[Line], list[str]]:
    with memory(data) as fd:
        return read(as_given([f"/proc/self/fd/{fd}"]))


@contextmanager
def stored(**files: bytes) -> Iterator[list[Source]]:
    """Files in memory, by their URLs."""
    fs = fsspec.filesystem("memory")
    for name, data in files.items():
        fs.pipe(f"/here/{name}", data)
    yield [Source(f"memory://here/{name}", name, len(data)) for name, data in files.items()]
    fs.rm("/here", recursive=True)


@EACH
def test_a_cut_loses_no_whole_line_and_invents_none(name: str) -> None:
    plain = b"".join(LINES).removesuffix(b"\n")
    packed = PACKERS[name](plain)
    for end in range(1, len(packed)):
        lines, failures = read_bytes(packed[:end])
        *whole, last = lines
        there = b"" if format_of(packed[:end]) is None else unpack([packed[:end]])[0]
        texts = [line.raw + b"\n" for line in whole]
        assert texts == LINES[: len(texts)]
        rest = there[there.rfind(b"\n") + 1 :]
        is_whole = rest + b"\n" in LINES  # only its newline is missing
        assert len(texts) == there.count(b"\n") + is_whole
        assert last.damage
        assert last.number == len(lines)
        assert not any(line.damage for line in whole)
        if format_of(packed[:end]):
            assert last.raw == (b"" if is_whole else rest)
        assert failures == [f"cannot read {last.source} to its end: {last.damage}"]
        assert all(before.end == after.begin for before, after in pairwise(lines))


@given(st.sampled_from(sorted(PACKERS)), st.data())
def test_the_accounts_add_up_whatever_is_damaged(name: str, data: st.DataObject) -> None:
    packed = bytearray(PACKERS[name](GOOD))
    place = data.draw(st.integers(0, len(packed) - 1))
    if data.draw(st.booleans()):
        del packed[place:]
    else:
        packed[place] ^= data.draw(st.integers(1, 255))
    outcome = through(bytes(packed))  # raises when the accounts are open
    assert outcome.stats.dead.total() == len(outcome.faults)
    assert len(outcome.lines) == outcome.stats.points.total()


@EACH
def test_the_points_are_those_of_the_plain_log(name: str) -> None:
    assert through(PACKERS[name](GOOD)) == through(GOOD)


def test_a_line_that_is_too_long_and_cut_is_one_letter() -> None:
    packed = PACKERS["gzip"](b"x" * (2 << 20) + b"\n" + b"y" * (2 << 20))[:-9]
    (first, last), _ = read_bytes(packed)
    cut = "its gzip data ends too early"
    assert (first.damage, first.excess is not None, len(first.raw)) == ("", True, 1 << 20)
    assert (last.damage, last.excess is not None, len(last.raw)) == (cut, True, 1 << 20)


def test_damaged_letters_are_dead_letters() -> None:
    (last,), _ = read_bytes(PACKERS["gzip"](line(log()))[:-20])
    (event,) = decode(last)
    assert event.fault is not None
    assert (event.fault.code, event.fault.stage) == ("damaged_archive", "read")


# URLs


@pytest.mark.parametrize("pack", [bytes, *PACKERS.values()])
def test_urls_are_read(pack: Pack) -> None:
    meter = Meter()
    with stored(one=pack(LINES[0]), two=pack(b"".join(LINES[1:]))) as sources:
        lines, failures = read(sources, meter)
    assert [line.raw + b"\n" for line in lines] == LINES
    assert {line.source for line in lines} == {"memory://here/one", "memory://here/two"}
    assert not failures
    assert meter.sizes == {source.name: source.size for source in sources}


def test_a_url_that_has_gone_is_told_and_the_next_one_is_read() -> None:
    with stored(a=LINES[0], b=LINES[1]) as sources:
        gone = Source("memory://here/gone", "gone")
        lines, failures = read([sources[0], gone, sources[1]])
    assert [line.raw + b"\n" for line in lines] == LINES[:2]
    assert failures == ["cannot read memory://here/gone: No such file or directory"]


class Unplugged(Exception):
    """As a library of a cloud raises it, with what should not be told."""


def test_a_connection_that_breaks_leaves_a_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.implementations.memory import MemoryFile

    monkeypatch.setattr("dial_enricher.inputs.remote._CHUNK_BYTES", 1)
    whole_read = MemoryFile.read

    def read_a_part(self: MemoryFile, size: int = -1) -> bytes:
        if self.getvalue() != LINES[2] and self.tell() > len(LINES[0]) + 4:
            raise Unplugged("token=secret")
        return bytes(whole_read(self, size))

    with stored(a=LINES[0] + LINES[1], b=LINES[2]) as sources:
        monkeypatch.setattr(MemoryFile, "read", read_a_part)
        (first, half, last), failures = read(sources)
    assert first.raw + b"\n" == LINES[0]
    assert (half.raw, half.damage) == (LINES[1][:5], "Unplugged")
    assert last.raw + b"\n" == LINES[2]
    assert failures == ["cannot read memory://here/a to its end: Unplugged"]


# The meter


def test_the_meter_is_told_of_each_source_and_of_each_byte_as_stored() -> None:
    meter = Meter()
    packed = PACKERS["zstd"](GOOD)
    with memory(packed) as one, memory(GOOD) as two:
        sources = as_given([f"/proc/self/fd/{one}", "/nonexistent/x", f"/proc/self/fd/{two}"])
        read(sources, meter)
    sizes = [len(packed), 0, len(GOOD)]
    assert meter.sizes == dict(zip([source.name for source in sources], sizes, strict=True))

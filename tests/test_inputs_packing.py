"""What is packed is unpacked, in whatever chunks it comes; what is damaged gives what it can."""

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dial_enricher.inputs.packing import FORMATS, format_of, unpacked
from tests.packing import PACKERS, chunked, unpack, zstandard

EACH = pytest.mark.parametrize("name", PACKERS)
LINES = b"".join(b"line %d, %s\n" % (number, b"%x" % (number * 7919) * 3) for number in range(40))
PLAIN = st.one_of(st.binary(max_size=300), st.sampled_from([b"", b"\n", LINES, b"{}\n" * 2000]))
SIZES = st.lists(st.integers(0, 50), max_size=40)


def test_every_format_is_packed_here() -> None:
    assert {form.name for form in FORMATS} == {*PACKERS}


@given(st.sampled_from(sorted(PACKERS)), PLAIN, SIZES)
def test_chunks_make_no_difference(name: str, data: bytes, sizes: list[int]) -> None:
    packed = PACKERS[name](data)
    assert unpack(chunked(packed, sizes)) == (data, "")


@given(PLAIN, SIZES)
def test_what_is_plain_stays_as_it_is(data: bytes, sizes: list[int]) -> None:
    if format_of(data) is None:
        assert unpack(chunked(data, sizes))[0] == data


@given(st.sampled_from(sorted(PACKERS)), st.lists(PLAIN, min_size=1, max_size=4), SIZES, st.integers(0, 600))
def test_members_follow_each_other(name: str, parts: list[bytes], sizes: list[int], padding: int) -> None:
    packed = (b"\0" * padding).join(map(PACKERS[name], parts)) + b"\0" * padding
    assert unpack(chunked(packed, sizes)) == (b"".join(parts), "")


def test_many_small_members() -> None:
    line = b'{"request": 1}\n'
    assert unpack([gzip.compress(line) * 20_000]) == (line * 20_000, "")


@EACH
def test_of_what_is_cut_nothing_is_lost_that_is_there(name: str) -> None:
    """Each cut gives what a decompressor of the library gives for it: a beginning, and never less of more."""
    packed = PACKERS[name](LINES)
    before = 0
    for end in range(1, len(packed)):
        data, damage = unpack([packed[:end]])
        if format_of(packed[:end]) is None:
            assert (data, damage) == (packed[:end], "it ends within the first bytes of packed data")
            continue
        assert damage == f"its {name} data ends too early"
        assert LINES.startswith(data)
        assert len(data) >= before
        before = len(data)
    assert data == LINES  # the last byte is of a checksum or a trailer


@pytest.mark.parametrize("end", range(3, 200, 7))
def test_gzip_gives_as_much_as_zlib(end: int) -> None:
    packed = PACKERS["gzip"](LINES)[: end * 2]
    assert unpack([packed])[0] == zlib.decompressobj(31).decompress(packed)


@given(st.sampled_from(sorted(PACKERS)), st.data())
def test_a_flipped_bit_raises_nothing(name: str, data: st.DataObject) -> None:
    packed = bytearray(PACKERS[name](LINES))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    got, damage = unpack([bytes(packed)])
    if format_of(bytes(packed)) is None:
        assert got == packed
    elif not damage:  # a name, a time, a flag
        assert got == LINES


@EACH
def test_what_comes_before_the_damage_is_there(name: str) -> None:
    rng = random.Random(1)
    data = b"".join(b"%064x\n" % rng.getrandbits(256) for _ in range(32_000))
    packed = PACKERS[name](data)
    middle = len(packed) // 2
    noise = bytes(byte ^ 0xA5 for byte in packed[middle : middle + 64])
    got, damage = unpack([packed[:middle] + noise + packed[middle + 64 :]])
    assert damage.startswith(f"its {name} data is corrupt: ")
    block = 900_000 if name == "bzip2" else 1 << 17
    same = next(place for place in range(len(got) + 1) if got[place : place + 1] != data[place : place + 1])
    assert len(data) // 2 - same < block + (1 << 14)


@EACH
def test_a_damaged_member_takes_none_before_it_along(name: str) -> None:
    packed = PACKERS[name](LINES)
    got, damage = unpack([packed * 2 + packed[:20] + b"\xff" * 40])
    assert got.startswith(LINES * 2)
    assert damage


def test_a_wrong_checksum_costs_nothing_of_gzip() -> None:
    for place in (-8, -1):
        packed = bytearray(gzip.compress(LINES))
        packed[place] ^= 1
        assert unpack([bytes(packed)]) == (LINES, "its gzip data is corrupt: its checksum does not fit")


@EACH
def test_what_follows_and_is_something_else_is_told(name: str) -> None:
    packed = PACKERS[name](LINES)
    assert unpack([packed + b"plain\n"]) == (LINES, f"something else follows its {name} data")
    assert unpack([packed + packed[:2]]) == (LINES, f"its {name} data ends too early")


@pytest.mark.parametrize(
    "header",
    [
        gzip.compress(LINES)[:10],
        b"\x1f\x8b\x08\x08\0\0\0\0\0\0" + b"a name\0",
        b"\x1f\x8b\x08\x1f\0\0\0\0\0\0" + b"\x04\0\1\2\3\4" + b"a name\0a comment\0" + b"\1\2",
        b"\x1f\x8b\x08\x02\0\0\0\0\0\0" + b"\1\2",
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_headers_of_gzip(header: bytes, size: int) -> None:
    packed = header + gzip.compress(LINES)[10:]
    assert unpack(chunked(packed, [size] * len(packed))) == (LINES, "")


def test_a_header_without_end_is_told() -> None:
    endless = b"\x1f\x8b\x08\x08\0\0\0\0\0\0" + b"a" * 200_000
    assert unpack([endless]) == (b"", "its gzip data is corrupt: its header has no end")


def test_frames_of_zstd_that_hold_nothing() -> None:
    skippable = b"\x52\x2a\x4d\x18\x03\0\0\0abc"
    assert unpack([skippable + zstandard(LINES) + skippable]) == (LINES, "")


def test_what_asks_for_too_much_memory_is_told() -> None:
    _, damage = unpack([zstandard(b"x" * 3_000_000, window_log=30)])
    assert "memory" in damage


def test_xz_that_asks_for_too_much_memory_is_told() -> None:
    """The size of its window stands in a header with a checksum of its own."""
    packed = bytearray(PACKERS["xz"](LINES))
    header = packed[12 : 12 + (packed[12] + 1) * 4]
    place = header.index(b"\x21\x01") + 2
    header[place] = 32  # 256 MiB
    header[-4:] = zlib.crc32(header[:-4]).to_bytes(4, "little")
    packed[12 : 12 + len(header)] = header
    assert unpack([bytes(packed)]) == (b"", "its xz data is corrupt: Memory usage limit exceeded")


@EACH
def test_pieces_grow_with_what_came_before(name: str) -> None:
    """So damage takes little along, whatever the size of the file."""
    before, size = 0, 0
    for piece in unpacked(iter([PACKERS[name](bytes(2_000_000))])):
        assert len(piece) <= max(64, before // 16)
        size = max(size, len(piece))
        before += len(piece)
    assert size == 1 << 14


def test_pauses_stay_pauses() -> None:
    packed = gzip.compress(LINES)
    for data in (packed, LINES):
        pieces = list(unpacked(iter([b"", data[:1], b"", data[1:20], b"", data[20:], b""])))
        assert pieces.count(b"") == 4
        assert b"".join(pieces) == LINES


@EACH
def test_a_bomb_is_unpacked_in_small_pieces(name: str) -> None:
    size = 200_000_000
    packed = b"".join(PACKERS[name](bytes(size // 4)) for _ in range(4))
    assert len(packed) < size // 500
    unpacked_size = 0
    tracemalloc.start()
    try:
        for piece in unpacked(iter([packed])):
            assert len(piece) <= 1 << 14
            unpacked_size += len(piece)
        assert tracemalloc.get_traced_memory()[1] < 16_000_000  # the window of xz has 8 MiB
    finally:
        tracemalloc.stop()
    assert unpacked_size == size


def test_nothing_more_is_asked_for_than_is_needed() -> None:
    """A live pipe: what is there comes out before the next chunk is waited for."""
    asked = []

    def chunks() -> Iterator[bytes]:
        for number, chunk in enumerate([b'{"a": 1}\n', b"{}\n"]):
            asked.append(number)
            yield chunk

    pieces = unpacked(chunks())
    assert (next(pieces), asked) == (b'{"a": 1}\n', [0])
    assert (next(pieces), asked) == (b"{}\n", [0, 1])

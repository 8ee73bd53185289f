"""The parts of `--checkpoint` in this process: marks, and the file that holds them."""

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dial_enricher.errors import SettingError, SinkDown
from dial_enricher.event import Line, Origin
from dial_enricher.files.mark import Mark, Marks
from dial_enricher.files.statefile import StateFile, parse
from dial_enricher.split import Splitter
from tests.support import memory

NATURAL = st.integers(0, 2**63)
NAMES = st.binary(max_size=20).map(os.fsdecode)
MARKS = st.builds(
    Mark,
    NAMES,
    NATURAL,
    NATURAL,
    NATURAL,
    NATURAL,
    NATURAL,
    st.text(max_size=64),
    NATURAL,
    st.text(max_size=64),
)
LINES = st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), min_size=1, max_size=8)


def split(data: bytes, max_line_bytes: int = 1 << 20) -> list[Line]:
    """The lines of a file."""
    origin = Origin("/a.log", 1, 2, data[:1024])
    splitter = Splitter("a.log", max_line_bytes, origin)
    return [*splitter.feed(data), *splitter.finish()]


# A mark


@given(LINES, st.binary(max_size=50), st.integers(0, 7), st.booleans())
def test_a_mark_fits_what_was_read_and_what_grew_of_it(
    lines: list[bytes], more: bytes, place: int, has_newline: bool
) -> None:
    data = b"\n".join(lines) + b"\n" * has_newline
    for line in split(data)[place : place + 1]:
        mark = Mark.behind(line)
        assert data[mark.line_begin : mark.offset].removesuffix(b"\n") == line.raw
        assert mark.lines == place + 1
        for grown in (data, data + more, data[: mark.offset] + more):
            with memory(grown) as fd:
                assert mark.fits(fd)
        with memory(data[: mark.offset - 1]) as fd:
            assert not mark.fits(fd)


@given(LINES, st.integers(0, 7), st.integers(0, 400), st.integers(1, 255))
def test_a_mark_fits_no_file_with_another_head_or_line(
    lines: list[bytes], place: int, where: int, change: int
) -> None:
    data = b"\n".join(lines) + b"\n"
    line = split(data)[place % len(lines)]
    mark = Mark.behind(line)
    changed = bytearray(data)
    where %= mark.offset
    changed[where] ^= change
    with memory(bytes(changed)) as fd:
        assert mark.fits(fd) is (where == mark.offset - 1 >= 1024 and b"\n" not in changed[where:])


def test_a_mark_behind_a_line_of_which_only_the_head_was_kept() -> None:
    data = b"a\n" + b"x" * 3_000_000 + b"\nb\n"
    mark = Mark.behind(split(data, max_line_bytes=10)[1])
    assert mark.line_sha256 == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    other = data.replace(b"xx\n", b"xy\n")
    for content, fits in ((data, True), (data[:-2], True), (data[:-3], False), (other, False)):
        with memory(content) as fd:
            assert mark.fits(fd) is fits


def test_of_several_marks_the_furthest_that_fits_is_found() -> None:
    data = b"".join(b"%d\n" % number for number in range(500))
    lines = split(data)
    marks = Marks(Mark.behind(line) for line in lines[::50])
    for count in (1, 60, 499, 500):
        content = b"".join(line.raw + b"\n" for line in lines[:count])
        with memory(content) as fd:
            found = marks.find(fd, (9, 9), "/elsewhere")
            assert found is not None
            assert found.lines == (count - 1) // 50 * 50 + 1
    with memory(b"other\n" + data) as fd:
        assert marks.find(fd, (1, 2), "/a.log") is None


# The state file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state"


@given(st.lists(MARKS, max_size=5))
def test_marks_survive_the_file(tmp_path_factory: pytest.TempPathFactory, marks: list[Mark]) -> None:
    path = tmp_path_factory.mktemp("state") / "state"
    file = StateFile(str(path))
    for some in (marks, marks[:1]):
        file.write(some)
        assert file.read() == some == parse(path.read_bytes(), "")
        assert path.read_bytes().isascii()
    os.close(file._fd)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["version", "files", "path", "offset", "line_sha256"]), inner),
    ),
    max_leaves=20,
)


@given(st.one_of(st.binary(max_size=200), JSON.map(lambda value: json.dumps(value).encode())))
def test_no_other_document_is_taken_for_marks(document: bytes) -> None:
    try:
        marks = parse(document, "the file")
    except SettingError as error:
        assert "the file" in str(error)
    else:
        written = json.loads(document) if document.strip() else {"version": 1, "files": []}
        assert written["version"] == 1
        assert [asdict(mark) for mark in marks] == written["files"]


def test_two_cannot_have_it(path: Path) -> None:
    first = StateFile(str(path))
    for _ in range(2):
        with pytest.raises(SinkDown, match="in use"):
            StateFile(str(path))
        first.write([])
    os.close(first._fd)
    os.close(StateFile(str(path))._fd)

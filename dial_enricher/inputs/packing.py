"""What is packed is unpacked while it comes, whatever its name: a format is known by its first bytes.

Pieces are pulled: however much a little data unpacks to, no more than a piece of it is in memory.
"""

import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

_SLICE_BYTES = 1 << 16
"""A decompressor gets so much at a time, because it copies what it leaves: there may be many members."""
_MOST_BYTES, _LEAST_BYTES = 1 << 14, 1 << 6
"""Of a piece. Damaged data takes with it the piece that it was found in, so pieces are small,"""
_SHARE = 16
"""and at the beginning they grow: this part of what came before."""
_MEMORY_BYTES = 1 << 27
"""That the data may ask for; `xz -9` takes half of it, and zstd never more by itself."""
_PADDING = b"\0"
"""May stand behind a member, in files that were written in blocks."""


class Damaged(Exception):
    """Packed data is cut or corrupt. Says why in one clause, without text of what it holds."""


class _Member(Protocol):
    """Packed data up to its end, behind which other such data may stand."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    magic: tuple[bytes, ...]
    """How a member begins: one of these."""
    begin: Callable[[], _Member]
    """Imports what it needs: nobody pays for a format that is not met."""


def _gzip() -> _Member:
    from dial_enricher.inputs.gzip import GzipDecompressor

    return GzipDecompressor()


def _zstd() -> _Member:
    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdDecompressor
    else:
        from backports.zstd import ZstdDecompressor

    return ZstdDecompressor()


def _bzip2() -> _Member:
    from bz2 import BZ2Decompressor

    return BZ2Decompressor()


def _xz() -> _Member:
    from lzma import FORMAT_XZ, LZMADecompressor

    return LZMADecompressor(FORMAT_XZ, _MEMORY_BYTES)


_BZIP2_MARKS = (b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90")
"""Before a block, and at the end of data that holds none."""
_SKIPPABLE = tuple(bytes((first,)) + b"\x2a\x4d\x18" for first in range(0x50, 0x60))
"""Frames that hold no data; pzstd begins with one."""
FORMATS = (
    Format("gzip", (b"\x1f\x8b\x08",), _gzip),
    Format("zstd", (b"\x28\xb5\x2f\xfd", *_SKIPPABLE), _zstd),
    Format(
        "bzip2", tuple(b"BZh%d" % level + mark for level in range(1, 10) for mark in _BZIP2_MARKS), _bzip2
    ),
    Format("xz", (b"\xfd7zXZ\0",), _xz),
)


def format_of(head: bytes) -> Format | None:
    """The format of data that begins so; None when it is not packed."""
    return next((one for one in FORMATS if head.startswith(one.magic)), None)


def unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks as they are, or what is packed in them; empty ones, which mean a pause, stay what they are.

    Raises Damaged, after all that could be unpacked.
    """
    head = b""
    for chunk in chunks:
        head += chunk
        if not chunk:
            yield chunk
        elif not _may_become(head, FORMATS):
            form = format_of(head)
            yield from chain((head,), chunks) if form is None else _members(form, chain((head,), chunks))
            return
    if head:
        yield head
        raise Damaged("it ends within the first bytes of packed data")


def _may_become(head: bytes, formats: Iterable[Format]) -> bool:
    """Whether a head is too short to tell."""
    return any(len(head) < len(one) and one.startswith(head) for form in formats for one in form.magic)


def _members(form: Format, chunks: Iterable[bytes]) -> Iterator[bytes]:
    members = _Members(form)
    for chunk in chunks:
        if not chunk:
            yield chunk
        for begin in range(0, len(chunk), _SLICE_BYTES):
            yield from members.feed(chunk[begin : begin + _SLICE_BYTES])
    members.end()


class _Members:
    """Packed data of one format, member after member."""

    def __init__(self, form: Format) -> None:
        self._form = form
        self._member: _Member | None = None
        self._head = b""
        """Of a member, too short to tell whether it is one."""
        self._unpacked = 0
        """Bytes."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What can be unpacked now. Raises Damaged."""
        while data:
            if self._member is None:
                data = self._begin(self._head + data)
            if self._member is not None:
                data = yield from self._pull(self._member, data)

    def end(self) -> None:
        """Nothing more comes. Raises Damaged when something is missing."""
        if self._member is not None or self._head:
            raise Damaged(f"its {self._form.name} data ends too early")

    def _begin(self, data: bytes) -> bytes:
        """Begins a member, if there is one; what is to be unpacked."""
        data = data.lstrip(_PADDING)
        self._head = data if _may_become(data, (self._form,)) else b""
        if not data or self._head:
            return b""
        if not data.startswith(self._form.magic):
            raise Damaged(f"something else follows its {self._form.name} data")
        self._member = self._form.begin()
        return data

    def _pull(self, member: _Member, data: bytes) -> Generator[bytes, None, bytes]:
        """Unpacks what a member holds; what stands behind its end."""
        while True:
            size = min(_MOST_BYTES, max(_LEAST_BYTES, self._unpacked // _SHARE))
            try:
                piece = member.decompress(data, size)
            except Exception as error:  # each library has its own kinds, and all are about the data
                raise Damaged(f"its {self._form.name} data is corrupt: {error}") from None
            data = b""
            self._unpacked += len(piece)
            if piece:
                yield piece
            if member.eof:
                self._member = None
                return member.unused_data
            if member.needs_input:
                return b""

"""One member of gzip data. Its checksum is looked at only when all that it holds has been handed over.

isal unpacks twice as fast as zlib, but a checksum that does not fit costs it the last piece. So it unpacks
the deflate data alone; header and trailer (RFC 1952) are read here.
"""

from isal.igzip_lib import DECOMP_DEFLATE, IgzipDecompressor
from isal.isal_zlib import crc32

_FIXED_BYTES = 10
_CRC, _EXTRA, _NAME, _COMMENT = 2, 4, 8, 16
"""Bits of the flags."""
_TRAILER_BYTES = 8
_LONGEST_HEADER = 1 << 17
"""An extra field has 64 KiB at most; names and comments of such a length are none."""


class BadGzip(ValueError):
    """The data is no gzip, or damaged."""


class GzipDecompressor:
    """In the manner of BZ2Decompressor and the others."""

    def __init__(self) -> None:
        self.eof = False
        self.needs_input = True
        self.unused_data = b""
        self._deflated: IgzipDecompressor | None = None
        self._pending = b""
        """Of the header or the trailer, as far as it has come."""
        self._crc = 0
        self._length = 0

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """At most so many bytes more. Raises BadGzip, and IsalError."""
        if self._deflated is None:
            self._pending += data
            end = _end_of_header(self._pending)
            if end is None and len(self._pending) > _LONGEST_HEADER:
                raise BadGzip("its header has no end")
            if end is None:
                return b""
            data, self._pending = self._pending[end:], b""
            self._deflated = IgzipDecompressor(flag=DECOMP_DEFLATE)
        if self._deflated.eof:
            self._check(data)
            return b""
        piece: bytes = self._deflated.decompress(data, max_length)
        self._crc = crc32(piece, self._crc)
        self._length += len(piece)
        if self._deflated.eof:
            self._pending = self._deflated.unused_data
        self.needs_input = self._deflated.needs_input and not self._deflated.eof
        return piece

    def _check(self, data: bytes) -> None:
        """Compares what was unpacked with the trailer, as soon as that is there."""
        self._pending += data
        self.needs_input = len(self._pending) < _TRAILER_BYTES
        if self.needs_input:
            return
        trailer, self.unused_data = self._pending[:_TRAILER_BYTES], self._pending[_TRAILER_BYTES:]
        if trailer != self._crc.to_bytes(4, "little") + (self._length % 2**32).to_bytes(4, "little"):
            raise BadGzip("its checksum does not fit")
        self.eof = True


def _end_of_header(data: bytes) -> int | None:
    """Where the deflate data begins; None when the header goes on."""
    if len(data) < _FIXED_BYTES:
        return None
    flags, end = data[3], _FIXED_BYTES
    if flags & _EXTRA:
        end += 2 + int.from_bytes(data[end : end + 2], "little")
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            end = data.find(b"\0", end) + 1
            if end == 0:
                return None
    end += 2 if flags & _CRC else 0
    return end if end <= len(data) else None

"""Packed data, made by the libraries that everybody uses."""

import bz2
import gzip
import lzma
import sys
from collections.abc import Callable, Iterable, Iterator

from dial_enricher.inputs.packing import Damaged, unpacked

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Pack = Callable[[bytes], bytes]


def zstandard(data: bytes, window_log: int = 0) -> bytes:
    """A frame with a checksum; a window so large has to be asked for."""
    options: dict[int, int] = {zstd.CompressionParameter.checksum_flag: 1}
    if window_log:
        options[zstd.CompressionParameter.window_log] = window_log
    packer = zstd.ZstdCompressor(options=options)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, Pack] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zstd": zstandard,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}


def chunked(data: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    """The data in chunks of these sizes, and the rest in one."""
    begin = 0
    for size in sizes:
        yield data[begin : begin + size]
        begin += size
    if data[begin:]:
        yield data[begin:]


def unpack(chunks: Iterable[bytes]) -> tuple[bytes, str]:
    """What chunks unpack to, and what damage there is."""
    pieces = []
    try:
        for piece in unpacked(iter(chunks)):
            pieces.append(piece)
    except Damaged as error:
        return b"".join(pieces), str(error)
    return b"".join(pieces), ""

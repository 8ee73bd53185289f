"""Sources that URLs name, through fsspec: S3, Azure, Google Cloud and whatever else it knows."""

import errno
import os
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dial_enricher.errors import SettingError
from dial_enricher.inputs.sources import Source, base_of, no_file, no_file_below, shown

_CHUNK_BYTES = 1 << 20
_BLOCK_BYTES = 4 << 20
"""That are fetched at a time; some file systems take fifty times as many by default."""
_Info = dict[str, Any]
_Found = dict[str, _Info]
"""By path."""


def sources(url: str, *, recursive: bool) -> list[Source]:
    """The files that a URL names: one, those in a directory, or those that fit a pattern; at least one.

    Raises SettingError.
    """
    fs, path = _file_system(url)
    try:
        info = _info(fs, path)
        if info is not None and info["type"] != "directory":
            return [Source(url, posixpath.basename(path), info.get("size"))]
        base = base_of(url) if info is None else url.rstrip("/")
        found = _fitting(fs, path, recursive) if info is None else _in_directory(fs, path, recursive)
    except Exception as error:  # each file system has its own kinds
        raise SettingError(f"cannot look up {shown(url)}: {_reason(error)}") from None
    if not found:
        raise no_file(url) if info is None else no_file_below(url, recursive)
    above = fs._strip_protocol(base).rstrip("/") + "/"
    sizes = {path.removeprefix(above): info.get("size") for path, info in found.items()}
    return [Source(f"{base}/{inside}", inside, sizes[inside]) for inside in sizes]


def _file_system(url: str) -> tuple[Any, str]:
    """What knows the files of a URL, and its path there. Raises SettingError."""
    try:
        from fsspec import get_filesystem_class

        kind = get_filesystem_class(url.partition("://")[0])  # its `url_to_fs` would part a name at `::`
        return kind(**kind._get_kwargs_from_urls(url)), kind._strip_protocol(url)
    except ImportError:
        raise SettingError(
            f"{shown(url)} cannot be read without more packages: pip install 'dial-enricher[cloud]'"
        ) from None
    except ValueError:
        raise SettingError(f"{shown(url)} cannot be read: its scheme is not known") from None
    except Exception as error:
        raise SettingError(f"{shown(url)} cannot be read: {_reason(error)}") from None


def _info(fs: Any, path: str) -> _Info | None:
    try:
        found: _Info = fs.info(path)
    except FileNotFoundError:
        return None
    return found


def _in_directory(fs: Any, path: str, recursive: bool) -> _Found:
    found: _Found = fs.find(path, maxdepth=None if recursive else 1, detail=True)
    return _visible(found, path)


def _fitting(fs: Any, pattern: str, recursive: bool) -> _Found:
    found: _Found = {}
    for path, info in _visible(fs.glob(pattern, detail=True), pattern).items():
        if info["type"] != "directory":
            found[path] = info
        elif recursive:
            found |= _in_directory(fs, path, recursive)
    return found


def _visible(found: _Found, argument: str) -> _Found:
    """What is not hidden, unless hidden names were asked for."""
    if "/." in argument:
        return found
    return {path: info for path, info in found.items() if "/." not in path}


@contextmanager
def opened(url: str) -> Iterator[Iterator[bytes]]:
    """The chunks of a file. Raises OSError, whatever the library raises."""
    try:
        fs, path = _file_system(url)
        file = fs.open(path, "rb", block_size=_BLOCK_BYTES)
    except Exception as error:
        raise OSError(errno.EIO, _reason(error)) from None
    try:
        yield _chunks(file)
    finally:
        file.close()


def _chunks(file: Any) -> Iterator[bytes]:
    while True:
        try:
            chunk: bytes = file.read(_CHUNK_BYTES)
        except Exception as error:
            raise OSError(errno.EIO, _reason(error)) from None
        if not chunk:
            return
        yield chunk


def _reason(error: Exception) -> str:
    """Why something failed; not in the words of a library, which may quote what gives access."""
    match error:
        case OSError(strerror=str(words)):
            return words
        case FileNotFoundError():
            return os.strerror(errno.ENOENT)
        case PermissionError():
            return os.strerror(errno.EACCES)
    return type(error).__name__

"""Marks on the disk: a file that is replaced as a whole, so that it holds the old marks or the new ones."""

import fcntl
import json
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, fields
from typing import Any

from dial_enricher.errors import SettingError, SinkDown
from dial_enricher.files.mark import Mark
from dial_enricher.sinks.descriptor import is_named, sync_directory, write_lines

_VERSION = 1
_TRIES = 10
_TYPES = {"path": str, "line_sha256": str, "head_sha256": str}
"""Of the columns of a mark; of all others: int."""


class StateFile:
    """The file of a checkpoint, which one process uses at a time.

    Raises SinkDown when it cannot be read or written or another process uses it, SettingError when it holds
    something else.
    """

    def __init__(self, path: str) -> None:
        self.path = os.path.realpath(path)
        self._fd = self._lock()
        if not stat.S_ISREG(os.fstat(self._fd).st_mode):
            raise SettingError(f"the checkpoint {path} is no regular file: name another one")

    def _lock(self) -> int:
        """Opens the file for this process alone. The lock is on the inode: the name may have got another."""
        for _ in range(_TRIES):
            try:
                fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise self._cannot("open", error) from None
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if is_named(fd, self.path):
                    return fd
            except BlockingIOError:
                break
            except OSError as error:
                raise self._cannot("lock", error) from None
            os.close(fd)  # it was replaced this very moment
        raise SinkDown(f"the checkpoint {self.path} is in use by another process")

    def _cannot(self, do: str, error: OSError) -> SinkDown:
        return SinkDown.by(error, f"cannot {do} the checkpoint {self.path}")

    def read(self) -> list[Mark]:
        """The marks; none in a file that is new or empty."""
        try:
            document = os.pread(self._fd, os.fstat(self._fd).st_size, 0)
        except OSError as error:
            raise self._cannot("read", error) from None
        return parse(document, self.path)

    def write(self, marks: Sequence[Mark]) -> None:
        """Replaces what the file holds; when that fails it holds what it held."""
        new = f"{self.path}.new"
        try:
            with suppress(FileNotFoundError):  # a run that was killed may have left one
                os.unlink(new)
            fd = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._cannot("write", error) from None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            write_lines(fd, _document(marks))
            os.fsync(fd)
            os.rename(new, self.path)
        except OSError as error:
            os.close(fd)
            with suppress(OSError):  # room on a full disk is all that it is about
                os.unlink(new)
            raise self._cannot("write", error) from None
        os.close(self._fd)
        self._fd = fd
        try:
            sync_directory(os.path.dirname(self.path) or ".")
        except OSError as error:
            raise self._cannot("write", error) from None


def parse(document: bytes, path: str) -> list[Mark]:
    """The marks in a document; none in an empty one. Raises SettingError."""
    if not document.strip():
        return []
    try:
        return [_mark(one) for one in _list(json.loads(document))]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise SettingError(
            f"{path} is no checkpoint of this program, or damaged: name another file, or delete it to read"
            " all files from their beginning"
        ) from None


def _document(marks: Sequence[Mark]) -> bytes:
    """JSON with a line for each file; a name that is no UTF-8 is kept in escapes."""
    files = ",\n".join(json.dumps(asdict(mark)) for mark in marks)
    return f'{{"version": {_VERSION}, "files": [\n{files}\n]}}\n'.encode()


def _list(document: Any) -> list[Any]:
    """Raises ValueError, TypeError, KeyError for what is not a document of ours."""
    if document["version"] != _VERSION or not isinstance(document["files"], list):
        raise ValueError("another version")
    return document["files"]


def _mark(columns: Any) -> Mark:
    """Raises TypeError, KeyError for what is no mark."""
    for one in fields(Mark):
        if type(columns[one.name]) is not _TYPES.get(one.name, int):
            raise TypeError(one.name)
        if isinstance(columns[one.name], int) and columns[one.name] < 0:
            raise ValueError(one.name)
    return Mark(**columns)

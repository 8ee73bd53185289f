"""The files of a place while they are being written: hidden, held by one process, seen when whole."""

import errno
import fcntl
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from dial_enricher.archive.place import Place
from dial_enricher.errors import SinkDown
from dial_enricher.inputs.sources import shown
from dial_enricher.sinks.descriptor import is_named, sync_directory, write_all


class Draft:
    """The unfinished files of a place, for this process alone.

    Another process that writes to the same place is waited for. What a process that was killed has left is
    overwritten. Raises SinkDown, misconfigured when it is for the names of this place.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._part = _part(place.output)
        self.letters = None if place.letters is None else _part(place.letters)
        """Where dead letters are to be written."""
        try:
            for path in filter(None, (place.output, place.letters)):
                path.parent.mkdir(parents=True, exist_ok=True)
            for path in filter(None, (place.output, place.marker, place.letters)):
                _check_name(path)
            self.fd = self._hold()
            _forget(self.letters)
        except OSError as error:
            raise self._cannot(error) from None

    def _hold(self) -> int:
        while True:
            fd = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(fd, fcntl.LOCK_EX)
            if is_named(fd, str(self._part)):
                os.ftruncate(fd, 0)
                return fd
            os.close(fd)  # whoever held it has made it the output

    def _cannot(self, error: OSError) -> SinkDown:
        path = error.filename2 or error.filename or self._place.output
        return SinkDown.by(error, f"cannot write {shown(os.fsdecode(path))}")

    @property
    def size(self) -> int:
        """Bytes of the output so far."""
        return os.fstat(self.fd).st_size

    def publish(self, marker: bytes) -> None:
        """Makes the files seen, and then the marker: who finds that finds the others whole, and made with it.

        Raises SinkDown.
        """
        place, written = self._place, _part(self._place.marker)
        try:
            os.fsync(self.fd)
            _write(written, marker)
            _forget(place.marker)  # that of another input or of other settings
            sync_directory(place.output.parent)
            self._publish_letters()
            os.rename(self._part, place.output)
            sync_directory(place.output.parent)
            os.rename(written, place.marker)
            sync_directory(place.output.parent)
        except OSError as error:
            raise self._cannot(error) from None
        os.close(self.fd)

    def _publish_letters(self) -> None:
        """Letters that are there are on the disk already; nothing died means no file, and no older one."""
        if self.letters is None or self._place.letters is None:
            return
        if self.letters.exists() and self.letters.stat().st_size:
            os.rename(self.letters, self._place.letters)
        else:
            _forget(self.letters)
            _forget(self._place.letters)
        sync_directory(self._place.letters.parent)

    def discard(self) -> None:
        """Removes what is not wanted any more."""
        os.close(self.fd)
        discard(self._place)


def discard(place: Place) -> None:
    """Removes the unfinished files of a place, unless another process is writing them."""
    part, marker = _part(place.output), _part(place.marker)
    letters = None if place.letters is None else _part(place.letters)
    _forget_unless_held(part, (marker, letters, part))
    _forget_unless_held(place.output, (marker,))  # who was killed before the last step had renamed its part


def _forget_unless_held(held: Path, paths: Sequence[Path | None]) -> None:
    with suppress(OSError):  # it is not there, or held; what stays is overwritten by the next run
        fd = os.open(held, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if is_named(fd, str(held)):
                for path in paths:
                    _forget(path)
        finally:
            os.close(fd)


def _part(path: Path) -> Path:
    """The name that a file has while it is written."""
    return path.with_name(f".{path.name}.part")


def _check_name(path: Path) -> None:
    """Raises OSError when no file can have this name, which else is noticed when all of an input is read."""
    for name in (path, _part(path)):
        with suppress(FileNotFoundError):
            if stat.S_ISDIR(os.lstat(name).st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)


def _forget(path: Path | None) -> None:
    if path is not None:
        path.unlink(missing_ok=True)


def _write(path: Path, document: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        write_all(fd, document)
        os.fsync(fd)
    finally:
        os.close(fd)

"""Files are followed while they grow, roll to new names, are renamed, cut and deleted."""

import errno
import os
import resource
import select
import stat
import time
from collections.abc import Iterator
from glob import glob

from dial_enricher.event import Line
from dial_enricher.files.held import HeldFile, NoFile
from dial_enricher.files.reader import FileReader
from dial_enricher.logs import LOGGER
from dial_enricher.reader import InputFailed, shown

_GLANCE = 0.25
"""Seconds between two looks at whether files have grown."""
_SCAN = 1.0
"""Seconds between two looks for new files."""
_GRACE = 5.0
"""Seconds that a file is still read for after its name has gone and nothing came."""

_Key = tuple[int, int]
"""Device and inode: what a file is known by while it is held open."""


class Follower(FileReader):
    """Follows all files whose names fit patterns, and holds them open until they have gone and were read.

    DIAL Core never renames a log: at midnight and at 1 GiB it begins one of another name, and it deletes the
    oldest (gflog's daily rolling appender). Others rename, or copy a file and empty it; both are understood.
    """

    _held: dict[_Key, HeldFile]
    _next_scan = 0.0

    def batches(self) -> Iterator[list[Line]]:
        """Batches until the program is told to stop; an empty one says that the input pauses.

        Raises InputFailed when more files have to be held open than the system allows.
        """
        self._stop.begin()
        self._held = {}
        _allow_many_files()
        try:
            while not self._stop.asked:
                yield from self._turn()
                if (batch := self._outlet.due()) is not None:
                    yield batch
                elif not self._stop.asked:
                    self._wait()
        finally:
            for file in self._held.values():
                file.close()
        yield from self._outlet.rest()

    def _wait(self) -> None:
        patience = self._outlet.patience()
        timeout = _GLANCE if patience is None else min(_GLANCE, patience)
        if select.select([self._stop.fd], [], [], timeout)[0]:
            self._stop.quiet()

    def _turn(self) -> Iterator[list[Line]]:
        """Reads each file as far as it reaches when its turn comes, the oldest first."""
        self._scan()
        for file in sorted(self._held.values(), key=lambda file: (file.born, file.path)):
            try:
                for batch in self._catch_up(file):
                    yield batch
                    self._scan()
            except OSError as error:
                _warn(file.path, error)
                self._leave(file)
            if self._stop.asked:
                return

    def _catch_up(self, file: HeldFile) -> Iterator[list[Line]]:
        if file.was_cut():
            self._remember(file)
            file.begin_again()
        yield from self._read_on(file)
        if file.has_gone_for(_GRACE) and file.offset >= file.size:
            yield from self._outlet.fill(file.finish())
            self._leave(file)

    def _leave(self, file: HeldFile) -> None:
        super()._leave(file)
        del self._held[file.key]
        if self._checkpoint:
            self._checkpoint.forget()

    # Which files there are

    def _scan(self) -> None:
        """When it is time to, looks for new files and for those whose name has gone."""
        now = time.monotonic()
        if now < self._next_scan:
            return
        present = self._present()
        for key in sorted(present.keys() - self._held.keys(), key=present.__getitem__):
            self._take_up(present[key])
        for key, file in self._held.items():
            if key in present:
                file.rename(present[key])
                file.gone_since = None
            elif file.gone_since is None:
                file.gone_since = now
        self._next_scan = time.monotonic() + _SCAN

    def _present(self) -> dict[_Key, str]:
        """The files that the patterns lead to now. No empty ones: a copy may be about to be made there."""
        present: dict[_Key, str] = {}
        for pattern in self._names:
            for path in expanded(pattern):
                try:
                    status = os.stat(path)
                except OSError as error:
                    if not isinstance(error, FileNotFoundError):
                        _warn(path, error)
                    continue
                if stat.S_ISREG(status.st_mode) and status.st_size:
                    present.setdefault((status.st_dev, status.st_ino), path)
        return present

    def _take_up(self, path: str) -> None:
        """Opens a file; one that may be a copy in the making has to wait.

        Raises InputFailed when too many are open.
        """
        try:
            file = HeldFile(path, self._max_line_bytes)
        except (OSError, NoFile) as error:
            if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
                many = len(self._held)
                raise InputFailed(f"cannot follow more than {many} files: {error.strerror}") from None
            _warn(path, error)
            return
        try:
            ready = self._place(file)
        except OSError as error:
            _warn(path, error)
            ready = False
        if ready and file.key not in self._held:
            self._held[file.key] = file
        else:
            file.close()

    def _place(self, file: HeldFile) -> bool:
        """Finds out where to begin with a file; false while that cannot be known. Raises OSError."""
        if mark := file.find(self._known):
            self._resume(file, mark)
            return True
        for other in filter(file.begins_like, self._held.values()):
            if file.is_begun_copy_of(other):
                return False
            if (mark := other.reached()) and mark.fits(file.fd):
                if other.offset < other.size:  # what it holds more than was read may stand in both
                    return False
                self._resume(file, mark)
                return True
        return True


def expanded(pattern: str) -> list[str]:
    """The names that fit a pattern now; one without wildcards stands for itself."""
    return [pattern] if os.path.lexists(pattern) else sorted(glob(pattern, recursive=True))


def _warn(path: str, error: OSError | NoFile) -> None:
    reason = error.strerror if isinstance(error, OSError) else f"it {error}"
    LOGGER.warning("cannot follow %s: %s", shown(path), reason, extra={"code": f"follow {path}"})


def _allow_many_files() -> None:
    """Raises the limit of open files to what the system allows: by default that is only 1024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

"""Files are followed while they grow, roll to new names, are renamed, cut and deleted."""

import errno
import os
import resource
import select
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from glob import glob

from dial_enricher.errors import InputFailed
from dial_enricher.event import Line
from dial_enricher.files.held import HeldFile, NoFile
from dial_enricher.files.places import Key, NotYet
from dial_enricher.files.reader import FileReader
from dial_enricher.inputs.sources import shown
from dial_enricher.logs import LOGGER

_GLANCE = 0.25
"""Seconds between two looks at whether files have grown."""
_SCAN = 1.0
"""Seconds between two looks for new files."""
_SPARE = 16
"""Descriptors that are left for everything else: connections, a checkpoint, looking through a directory."""
_GRACE = 5.0
"""Seconds that a file is still read for after its name has gone and nothing came."""


class Follower(FileReader):
    """Follows all files whose names fit patterns, and holds them open until they have gone and were read.

    DIAL Core never renames a log: at midnight and at 1 GiB it begins one of another name, and it deletes the
    oldest (gflog's daily rolling appender). Others rename, or copy a file and empty it; both are understood.
    """

    _held: dict[Key, HeldFile]
    _next_scan = 0.0
    _told: dict[str, str | None]

    def batches(self) -> Iterator[list[Line]]:
        """Batches until the program is told to stop; an empty one says that the input pauses.

        When more files have to be held open than the system allows, it is told to stop here.
        """
        self._stop.begin()
        self._held, self._told = {}, {}
        _allow_many_files()
        try:
            while not self._stop.asked:
                yield from self._turn()
                if (batch := self._outlet.due()) is not None:
                    yield batch
                elif not self._stop.asked:
                    self._wait()
            if not self._is_over():
                self._next_scan = 0.0
                yield from self._turn()  # what was written until now
        except InputFailed as error:
            self._stop.because(str(error))
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
                self._warn(file.path, error.strerror)
                self._leave(file)
            if self._is_over():
                return

    def _is_over(self) -> bool:
        """Whether the time for reading on after SIGTERM has ended: the log may go with the machine."""
        return self._stop.asked and self._stop.reading_is_over()

    def _catch_up(self, file: HeldFile) -> Iterator[list[Line]]:
        if file.was_cut():
            self._cut(file)
        yield from self._read_on(file)
        if file.has_gone_for(_GRACE) and file.offset >= file.size:
            yield from self._outlet.fill(file.finish() if file.is_deleted() else file.finish_whole())
            self._leave(file)

    def _cut(self, file: HeldFile) -> None:
        self._places.cut(file)
        if self._checkpoint:
            self._checkpoint.forget()

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
        self._check_room()
        present = self._present()
        if new := [path for key, path in present.items() if key not in self._held]:
            self._notice_cuts()
            for path in new:
                self._take_up(path)
        for key, file in self._held.items():
            if key in present:
                with suppress(OSError):  # it has gone again: the next look will tell
                    file.rename(present[key])
                file.gone_since = None
            elif file.gone_since is None and _has_gone(file):
                file.gone_since = now
        self._next_scan = time.monotonic() + _SCAN

    def _present(self) -> dict[Key, str]:
        """The files that the patterns lead to now, originals before the copies that are being made of them.

        So the largest first, and without empty ones, which may be about to become copies.
        """
        sizes: dict[str, int] = {}
        present: dict[Key, str] = {}
        for pattern in self._names:
            paths = expanded(pattern)
            if not paths:
                self._warn(pattern, _why_none(pattern))
            for path in paths:
                try:
                    status = os.stat(path)
                except OSError as error:
                    if not isinstance(error, FileNotFoundError):
                        self._warn(path, error.strerror)
                    continue
                if not stat.S_ISREG(status.st_mode):
                    self._warn(path, "it is no regular file")
                elif status.st_size:
                    present.setdefault((status.st_dev, status.st_ino), path)
                    sizes[path] = status.st_size
        return dict(sorted(present.items(), key=lambda one: -sizes[one[1]]))

    def _check_room(self) -> None:
        """Raises InputFailed when so many files are open that nothing else could be opened any more."""
        spare: list[int] = []
        try:
            for _ in range(_SPARE):
                spare.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
        except OSError as error:
            raise InputFailed(f"cannot follow {len(self._held)} files: {error.strerror}") from None
        finally:
            for fd in spare:
                os.close(fd)

    def _notice_cuts(self) -> None:
        """A new file may be the copy of one that was emptied a moment ago."""
        for file in self._held.values():
            with suppress(OSError):  # its turn will tell
                if file.was_cut():
                    self._cut(file)

    def _take_up(self, path: str) -> None:
        """Opens a file; one that may be a copy in the making has to wait.

        Raises InputFailed when too many are open.
        """
        try:
            file = HeldFile(path, self._max_line_bytes)
        except NoFile as error:
            self._warn(path, f"it {error}")
            return
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                many = len(self._held)
                raise InputFailed(f"cannot follow more than {many} files: {error.strerror}") from None
            self._warn(path, error.strerror)
            return
        try:
            if file.key in self._held:  # the name leads elsewhere by now
                raise NotYet
            self._begin(file, self._held.values())
            self._held[file.key] = file
            self._told.pop(path, None)
        except NotYet:
            file.close()
        except OSError as error:
            self._warn(path, error.strerror)
            file.close()

    def _warn(self, name: str, reason: str | None) -> None:
        """Says once why something is not followed."""
        if self._told.get(name) != reason:
            self._told[name] = reason
            LOGGER.warning("cannot follow %s: %s", shown(name), reason)


def expanded(pattern: str) -> list[str]:
    """The names that fit a pattern now; it may be a name itself, even with wildcards in it."""
    return sorted({*glob(pattern, recursive=True), *([pattern] if os.path.lexists(pattern) else [])})


def _has_gone(file: HeldFile) -> bool:
    """Whether a file that was not found was deleted or renamed, and not its directory moved or unmounted."""
    try:
        return file.is_deleted() or file.is_directory_there()
    except OSError:
        return False


def _why_none(pattern: str) -> str:
    """Why nothing fits a pattern: it may be wrong, or its directory closed to us."""
    directory = os.path.dirname(pattern.partition("*")[0].partition("?")[0].partition("[")[0]) or "."
    try:
        os.scandir(directory).close()
    except OSError as error:
        return f"{shown(directory)}: {error.strerror}"
    return "no file is there yet"


def _allow_many_files() -> None:
    """Raises the limit of open files to what the system allows: by default that is only 1024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

"""A checkpoint: marks that move as records are settled, and are put on the disk."""

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

from dial_enricher.errors import SinkDown
from dial_enricher.event import Event, Line, Origin
from dial_enricher.files.mark import Mark, is_telling
from dial_enricher.files.statefile import StateFile
from dial_enricher.signals import AWAY, Stop

_SHARE = 9
"""Times as long as saving takes the program does something else, unless it has nothing to do."""
_MOST_GONE = 1000
"""Marks that are kept of files that have gone: some come back under another name, or are not mounted."""


@runtime_checkable
class OnDisk(Protocol):
    """A part that can put on the disk what it has written. Raises SinkDown."""

    def sync(self) -> None: ...


class Checkpoint:
    """Remembers behind which line of each file all records are settled: the witness of a pipeline.

    Before it is saved, the parts that write to the disk have to sync. When that fails or the checkpoint
    cannot be written, and when a record was lost, the program is told to stop: what is behind the marks is
    read again at the next start.
    Raises SinkDown and SettingError at the start only.
    """

    def __init__(self, path: str, stop: Stop, on_disk: Sequence[OnDisk]) -> None:
        self._file = StateFile(path)
        self._stop = stop
        self._on_disk = on_disk
        self._former = _tidy(self._file.read())
        """Of files that were not opened again so far."""
        self._marks: dict[Origin, Mark] = {}
        self._lost = False
        """A record has to be read again: no mark may move behind it, nor behind one that came later."""
        self._dirty = False
        self._due = 0.0
        self._file.write(self._former)  # whether it can be written has to be known before anything is read

    @property
    def former(self) -> list[Mark]:
        """The marks of the last run."""
        return list(self._former)

    def resume(self, origin: Origin, mark: Mark) -> None:
        """A file is read from a mark of the last run on, which may have been of a file elsewhere.

        A mark of this run says how far a file was read, not how far it is settled: it does not count here.
        """
        if mark not in self._former:
            return
        is_copy = (mark.device, mark.inode) != (origin.device, origin.inode)
        if not is_copy:  # else the original may still come
            self._former.remove(mark)
        self._marks[origin] = replace(mark, path=origin.path, device=origin.device, inode=origin.inode)
        self._dirty = True

    def forget(self) -> None:
        """Forgets files that went long ago."""
        kept = set(_tidy(self._marks.values()))
        self._marks = {origin: mark for origin, mark in self._marks.items() if mark in kept}

    def settled(self, events: Sequence[Event]) -> None:
        last: dict[Origin, Line] = {}
        for event in events:
            if event.lost and not self._lost:
                self._lost = True
                self._stop.because(AWAY)
            if (
                event.ends_line
                and event.line.origin is not None
                and not self._lost
                and is_telling(event.line)
            ):
                last[event.line.origin] = event.line
        for origin, line in last.items():
            self._marks.pop(origin, None)  # the latest stand last
            self._marks[origin] = Mark.behind(line)
            self._dirty = True
        if time.monotonic() >= self._due:
            self._save()

    def rest(self) -> None:
        self._save()

    def _save(self) -> None:
        if not self._dirty:
            return
        begun = time.monotonic()
        try:
            for part in self._on_disk:
                part.sync()
            self._file.write([*self._former, *self._marks.values()])
            self._dirty = False
        except SinkDown as error:
            self._stop.because(str(error))
        ended = time.monotonic()
        self._due = ended + (ended - begun) * _SHARE


def _tidy(marks: Iterable[Mark]) -> list[Mark]:
    """The marks, in order, without those of files that went long ago, or were cut long ago."""
    ordered = list(marks)
    latest = {mark.path: mark for mark in ordered}
    gone = [mark for mark in ordered if latest[mark.path] != mark or not os.path.exists(mark.path)]
    dropped = set(gone[:-_MOST_GONE])
    return [mark for mark in ordered if mark not in dropped]

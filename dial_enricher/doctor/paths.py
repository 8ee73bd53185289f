"""The files that a run would read, and those that it would write besides the points. Nothing is created."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from dial_enricher import summary_file
from dial_enricher.assemble import assemble, outputs_of
from dial_enricher.doctor.finding import Level, Said, counted
from dial_enricher.errors import SettingError
from dial_enricher.event import Event, Line
from dial_enricher.files.follower import expanded
from dial_enricher.files.statefile import parse
from dial_enricher.inputs.arguments import sources
from dial_enricher.inputs.packing import Damaged, format_of, unpacked
from dial_enricher.inputs.sources import OUTPUT_REMEMBERS, STDIN, is_url
from dial_enricher.report import listed
from dial_enricher.rsyslog import check_spool
from dial_enricher.settings import Ack, Destination, Scope, Settings, check_no_loop
from dial_enricher.sinks.descriptor import check_open
from dial_enricher.split import Splitter
from dial_enricher.stats import Stats

_LINES = 100
"""That are looked at in a file."""
_CHUNK_BYTES = 1 << 16
_NEARLY_FULL = 0.9


# What is read


class Sampler:
    """Takes the first lines of files through the stages of a run, and keeps the counts alone.

    All of them, for a part that is wanted (`--since`) may begin further down.
    """

    def __init__(self, settings: Settings) -> None:
        everything: dict[str, Any] = {"since": None, "until": None, "where": ()}
        self._settings = replace(settings, language=Scope.OFF, topics=Scope.OFF, **everything)
        self.newest: int | None = None
        """The time of the newest record, in nanoseconds since 1970."""

    def look(self, names: Sequence[str]) -> Said:
        """Whether files hold records. Raises SinkDown when a standard input that is to be read is closed."""
        found = False
        for name in names or (STDIN,):
            try:
                for file in self._files(name):
                    found = True
                    yield self._tell(file)
            except SettingError as error:
                yield Level.FAIL, str(error)
        if self._settings.follow and not found:
            yield Level.WARN, f"no file is there yet: {', '.join(names)}"

    def _tell(self, file: str) -> tuple[Level, str]:
        if file == STDIN:
            check_open(0, "standard input")
            return Level.OK, "standard input, not read"
        if is_url(file):
            return Level.OK, f"{file}: is there, not read"
        try:
            level, words = self._look(Path(file))
        except OSError as error:
            level, words = Level.FAIL, f"cannot be read: {error.strerror}"
        return level, f"{file}: {words}"

    def _files(self, name: str) -> list[str]:
        """Raises SettingError."""
        if self._settings.follow:
            return expanded(name)
        settings = self._settings
        found = sources([name], recursive=settings.recursive, outputs=outputs_of(settings))
        return [source.name for source in found]

    def _look(self, file: Path) -> tuple[Level, str]:
        status = file.stat()
        if stat.S_ISREG(status.st_mode):
            return self._judge(file, status.st_size) if status.st_size else (Level.OK, "empty")
        return Level.OK, "no regular file, not read"

    def _judge(self, file: Path, size: int) -> tuple[Level, str]:
        with file.open("rb") as opened:
            form = format_of(opened.read(_CHUNK_BYTES))
        if form and (self._settings.follow or self._settings.checkpoint):
            return Level.FAIL, f"is packed ({form.name}); {OUTPUT_REMEMBERS}"
        try:
            stats = self._sample(file)
        except Damaged as error:
            return Level.FAIL, f"is damaged: {error}"
        stored = f"{size} bytes, {form.name}" if form else f"{size} bytes"
        told = f"{stored}, first {counted(stats.lines, 'line')}: {_counts(stats)}"
        if stats.dead and not stats.written:
            return Level.FAIL, f"{told}; name a log that DIAL Core wrote"
        if not stats.written:
            return Level.WARN, f"{told}; nothing of that becomes a point"
        if stats.dead:
            return Level.WARN, f"{told}; --dead-letter FILE tells more of what is dead"
        return Level.OK, told

    def _sample(self, file: Path) -> Stats:
        """The accounts of the first lines. Raises Damaged."""
        sink = _Sink()
        pipeline = assemble(self._settings, sink, sink)
        with file.open("rb") as opened:
            for line in islice(_lines(opened, self._settings.max_line_bytes), _LINES):
                pipeline.process([line])
        self.newest = max((time for time in (self.newest, sink.newest) if time is not None), default=None)
        return pipeline.stats


class _Sink:
    """The end of a trial: takes points and dead records, keeps nothing but the newest time."""

    def __init__(self) -> None:
        self.newest: int | None = None

    def write(self, events: list[Event]) -> list[Event]:
        for event in events:
            event.written = event.live
            for point in event.points:
                self.newest = max(point.time, self.newest or point.time)
        return events

    def flush(self) -> list[Event]:
        return []

    def bury(self, events: Sequence[Event]) -> None:
        pass


def _lines(opened: Any, max_bytes: int) -> Iterator[Line]:
    splitter = Splitter("", max_bytes)
    for piece in unpacked(iter(lambda: opened.read(_CHUNK_BYTES), b"")):
        yield from splitter.feed(piece)
    yield from splitter.finish()


def _counts(stats: Stats) -> str:
    counts = [counted(stats.records, "record"), f"{stats.written} usable"]
    for name, kinds in (("dead", stats.dead), ("ignored", stats.ignored)):
        if kinds:
            counts.append(f"{kinds.total()} {name} ({listed(kinds)})")
    return ", ".join(counts)


# What is written


def checkpoint(settings: Settings, files: Sequence[str]) -> Said:
    """Whether can be remembered how far files are done. Raises SettingError."""
    if settings.checkpoint is None:
        if settings.follow:
            yield Level.WARN, "none: after a restart all files are read again; name a file with --checkpoint"
        return
    file = Path(settings.checkpoint)
    _check_appendable(file)
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise SettingError(f"{file}: its directory may not be written to; name another file")
    check_no_loop(settings, files)
    if settings.ack is not Ack.OFF:
        check_spool(settings.checkpoint)
        yield Level.OK, f"{file} holds what {settings.ack} has handed over until it is stored"
    else:
        marks = parse(file.read_bytes(), settings.checkpoint) if file.exists() else []
        yield Level.OK, f"{file} knows {counted(len(marks), 'file')}"


def output(settings: Settings) -> Said:
    """Whether points can be written to a file, or to files. Raises SettingError."""
    if settings.output_directory is not None:
        _check_writable(Path(settings.output_directory))
        yield Level.OK, f"a file in {settings.output_directory} for each input"
    if settings.output is not None:
        _check_appendable(Path(settings.output))
        yield Level.OK, f"appended to {settings.output}"


def dead_letters(settings: Settings, files: Sequence[str]) -> Said:
    """Whether records in trouble can be kept. Raises SinkDown, SettingError."""
    name = settings.dead_letter
    kept = ", with the text of the records: keep it from strangers" if settings.dead_letter_content else ""
    if name is None:
        if settings.to is Destination.INFLUXDB and not settings.comes_again:
            lost = "what cannot be delivered before a stop would be lost"
            yield Level.WARN, f"none are kept: {lost}; name a file with --dead-letter"
        else:
            yield Level.OK, "none are kept"
    elif name == "-":
        check_open(2, "standard error")
        yield Level.OK, f"to standard error{kept}"
    elif settings.output_directory is not None:
        _check_writable(Path(name))
        yield Level.OK, f"a file in {name} for each input in which something dies{kept}"
    else:
        _check_appendable(Path(name))
        check_no_loop(settings, files)
        used = Path(name).stat().st_size if Path(name).is_file() else 0
        if used >= settings.dead_letter_max * _NEARLY_FULL:
            advice = "move it away, or raise --dead-letter-max"
            yield Level.WARN, f"{name}: {used} of {settings.dead_letter_max} bytes are used; {advice}"
        else:
            yield Level.OK, f"appended to {name}{kept}"


def log_file(file: Path | None) -> Said:
    """Whether messages can be written where they should. Raises SettingError."""
    if file is not None:
        _check_appendable(file)
        yield Level.OK, f"appended to {file}"


def summary(file: Path | None) -> Said:
    """Whether the figures of a run can be written. Raises SettingError."""
    if file is not None:
        summary_file.check(file)
        yield Level.OK, f"{file} is replaced at the end of each run"


def _check_appendable(file: Path) -> None:
    """Raises SettingError when a file cannot be opened for appending, or not be created."""
    try:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe may have no reader
        os.close(os.open(file, flags))
    except FileNotFoundError:
        if not file.parent.is_dir():
            raise SettingError(f"{file}: no such directory; create it, or name another file") from None
        if not os.access(file.parent, os.W_OK | os.X_OK):
            raise SettingError(f"{file}: its directory may not be written to; name another file") from None
    except OSError as error:
        raise SettingError(f"cannot open {file}: {error.strerror}; name another file") from None


def _check_writable(directory: Path) -> None:
    """Raises SettingError when files cannot be made in a directory, or it cannot be made itself."""
    there = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    if not there.is_dir():
        raise SettingError(f"{there} is a file; name a directory")
    if not os.access(there, os.W_OK | os.X_OK):
        raise SettingError(f"{there} may not be written to; name another directory")

"""When a checkpoint is saved, in which order, and how far its marks may go."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dial_enricher.errors import SinkDown
from dial_enricher.event import Event, Origin
from dial_enricher.files import checkpoint as module
from dial_enricher.files.checkpoint import Checkpoint
from dial_enricher.files.mark import Mark
from dial_enricher.files.statefile import StateFile, parse
from dial_enricher.signals import Stop
from dial_enricher.split import Splitter

DATA = b"".join(b"line %06d\n" % number for number in range(1000))
ORIGIN = Origin("/a.log", 1, 2, DATA[:1024])
SAVE = ["sync", "sync", "write", "fsync", "rename", "fsync"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state"


class Part:
    """A part that writes to a disk, which may be full."""

    def __init__(self, said: list[str]) -> None:
        self.said = said
        self.error: SinkDown | None = None

    def sync(self) -> None:
        self.said.append("sync")
        if self.error:
            raise self.error


class Clock:
    """Time goes by when a checkpoint is written, and when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


class Desk:
    """A checkpoint, and what it does to the disk."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch, *, save_takes: float = 1.0) -> None:
        self.said: list[str] = []
        self.clock = Clock()
        self.path = path
        self.stop = Stop()
        self.parts = [Part(self.said), Part(self.said)]
        monkeypatch.setattr(module, "time", self.clock)
        for name in ("fsync", "rename"):
            monkeypatch.setattr(os, name, self._told(name, getattr(os, name)))
        write = StateFile.write

        def slow(file: StateFile, marks: Sequence[Mark]) -> None:
            self.said.append("write")
            self.clock.now += save_takes
            write(file, marks)

        monkeypatch.setattr(StateFile, "write", slow)
        self.checkpoint = Checkpoint(str(path), self.stop, self.parts)
        self.said.clear()

    def _told(self, name: str, function: Any) -> Any:
        def told(*arguments: Any) -> Any:
            self.said.append(name)
            return function(*arguments)

        return told

    @property
    def lines(self) -> list[int]:
        """How many lines are done of each file, as the disk has it."""
        return [mark["lines"] for mark in json.loads(self.path.read_bytes())["files"]]


@pytest.fixture
def desk(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    desk = Desk(path, monkeypatch)
    yield desk
    for fd in (desk.stop.fd, desk.stop._wakeup, desk.checkpoint._file._fd):
        os.close(fd)


def events(count: int, first: int = 0) -> list[Event]:
    """Settled records, each a line of one file."""
    lines = Splitter("a.log", 1000, ORIGIN).feed(DATA)[first : first + count]
    return [Event(line.raw, line, written=True, ends_line=True) for line in lines]


def test_a_save_has_its_order(desk: Desk) -> None:
    """What stands before the mark is on the disk before the mark is, and that before it has its name."""
    desk.checkpoint.settled(events(3))
    assert desk.said == SAVE
    assert desk.lines == [3]


def test_saving_takes_a_tenth_of_the_time(desk: Desk) -> None:
    """Or less: what is settled between two saves waits for the second."""
    for done in (1, 5, 9):
        desk.checkpoint.settled(events(1, first=done - 1))
        for place in range(3):
            assert desk.lines == [done]
            desk.clock.now += 2.9
            desk.checkpoint.settled(events(1, first=done + place))
        assert desk.lines == [done]
        desk.clock.now += 0.4
    assert desk.said == SAVE * 3


def test_a_pause_saves_at_once_and_only_once(desk: Desk) -> None:
    desk.checkpoint.settled(events(1))
    desk.checkpoint.settled(events(2, first=1))
    assert desk.lines == [1]
    desk.said.clear()
    for _ in range(3):
        desk.checkpoint.rest()
        desk.checkpoint.settled([])
    assert desk.said == SAVE
    assert desk.lines == [3]
    assert not desk.stop.asked


def test_no_mark_goes_beyond_a_record_that_has_to_come_again(desk: Desk) -> None:
    """Not in its file nor in another, not in this batch nor in the next."""
    batch = events(5)
    batch[2].lost = True
    desk.checkpoint.settled(batch)
    assert desk.lines == [2]
    assert desk.stop.reason is not None
    other = events(3)
    for event in other:
        event.line.origin = Origin("/b.log", 1, 3, ORIGIN.head)
    desk.checkpoint.settled(other)
    desk.checkpoint.settled(events(5, first=5))
    desk.checkpoint.rest()
    assert desk.lines == [2]


def test_a_line_is_done_with_its_last_record(desk: Desk) -> None:
    first, second = events(2)
    parts = [Event(b"", second.line, written=True) for _ in range(3)]
    desk.checkpoint.settled([first, *parts[:2]])
    desk.checkpoint.rest()
    assert desk.lines == [1]
    parts[-1].ends_line = True
    desk.checkpoint.settled(parts[2:])
    desk.checkpoint.rest()
    assert desk.lines == [2]


@pytest.mark.parametrize("part", [0, 1])
def test_what_cannot_be_put_on_the_disk_has_no_mark(part: int, desk: Desk) -> None:
    before = desk.path.read_bytes()
    desk.parts[part].error = SinkDown("the disk is full")
    desk.checkpoint.settled(events(3))
    assert "write" not in desk.said
    assert desk.path.read_bytes() == before
    assert desk.stop.reason == "the disk is full"
    desk.parts[part].error = None
    desk.checkpoint.rest()
    assert desk.lines == [3]


def test_a_file_that_was_moved_takes_its_mark_along(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as it is opened, before any record of it is settled; the marks of other files stay."""
    old = Mark.behind(events(4)[-1].line)
    other = replace(old, path="/b.log", inode=3, offset=1)
    file = StateFile(str(path))
    file.write([old, other])
    os.close(file._fd)
    desk = Desk(path, monkeypatch)
    desk.checkpoint.resume(Origin("/b.log", 1, 2), old)
    desk.checkpoint.rest()
    found = [(mark.path, mark.inode, mark.offset) for mark in parse(path.read_bytes(), "")]
    assert sorted(found) == [("/b.log", 2, old.offset), ("/b.log", 3, 1)]

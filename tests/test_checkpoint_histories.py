"""Whatever befalls files between runs, wherever runs are killed: no line is missed, none is read twice."""

import json
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dial_enricher.batch import Batcher
from dial_enricher.event import Event
from dial_enricher.files import checkpoint as module
from dial_enricher.files.checkpoint import Checkpoint
from dial_enricher.files.reader import FileReader
from dial_enricher.signals import Stop

BATCH = 2


class Step(NamedTuple):
    """Something that happens to the file of a number, or a run."""

    what: str
    file: int = 0
    more: int = 0


FILES = st.integers(0, 2)
BETWEEN = st.one_of(
    st.builds(Step, st.sampled_from(["append", "append", "blank"]), FILES, st.integers(1, 5)),
    st.builds(
        Step, st.sampled_from(["half", "unended", "rotate", "move", "replace", "rewrite", "cut"]), FILES
    ),
)
RUN = st.builds(Step, st.sampled_from(["run", "kill", "kill_unsaved"]), st.integers(0, 1), st.integers(0, 6))


class World:
    """Files to which things happen, and a program that reads them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.state = directory / "state"
        self.logs = directory / "logs"
        self.logs.mkdir()
        self._next = 0
        self._copies = 0
        self._rest: dict[Path, bytes] = {}
        """Of the last line of each file: what has to be written before the next one."""
        self.written: Counter[int] = Counter()
        """The lines that have been read, and how often."""
        self.again: Counter[int] = Counter()
        """Those of a kill before they were saved, which have to be read again."""
        self.all: Counter[int] = Counter()

    def take(self, step: Step) -> None:
        file = self.logs / f"{step.file}.log"
        match step.what:
            case "append":
                for _ in range(step.more):
                    self._append(file, self._line())
            case "blank":
                self._append(file, b"\n" * step.more)
            case "half":
                line = self._line()
                self._append(file, line[:9])
                self._rest[file] = line[9:]
            case "unended":
                self._append(file, self._line()[:-1])
                self._rest[file] = b"\n"
            case "run":
                self._run(backwards=bool(step.file))
            case "kill" | "kill_unsaved":
                self._run(backwards=bool(step.file), kill=step.more, save=step.what == "kill")
            case what if file.exists():
                self._end(file)
                getattr(self, f"_{what}")(file)

    def _line(self) -> bytes:
        self._next += 1
        return b'{"line": %d, "text": "%s"}\n' % (self._next, b"x" * (self._next * 7 % 5))

    def _append(self, file: Path, data: bytes) -> None:
        with file.open("ab") as open_file:
            open_file.write(self._rest.pop(file, b"") + data)

    def _end(self, file: Path) -> None:
        """Ends a line that has no end."""
        self._append(file, b"")

    # What happens to files

    def _rotate(self, file: Path, number: int = 1) -> None:
        older = self.logs / f"{file.name.partition('.log')[0]}.log.{number}"
        if older.exists():
            self._rotate(older, number + 1)
        file.rename(older)

    def _move(self, file: Path) -> None:
        """To another disk: the content gets another inode, and another name."""
        self._copy(file)
        file.unlink()

    def _replace(self, file: Path) -> None:
        """It is read, deleted, and another one is made."""
        self._run()
        file.unlink()
        self._append(file, self._line())

    def _rewrite(self, file: Path) -> None:
        """It is read and emptied, and keeps its inode."""
        self._run()
        os.truncate(file, 0)
        self._append(file, self._line())

    def _cut(self, file: Path) -> None:
        """It is copied and emptied."""
        self._copy(file)
        os.truncate(file, 0)

    def _copy(self, file: Path) -> None:
        self._copies += 1
        shutil.copy(file, self.logs / f"copy-{self._copies}.log")

    # What the program does

    def _run(self, *, backwards: bool = False, kill: int = -1, save: bool = True) -> None:
        """Reads all files; is killed after so many batches, maybe before the last one is saved."""
        stop = Stop()
        checkpoint = Checkpoint(str(self.state), stop, [])
        names = sorted(map(str, self.logs.iterdir()), reverse=backwards)
        reader = FileReader(names, Batcher(BATCH, 1 << 20, 3600), 1 << 20, stop, checkpoint)
        for number, lines in enumerate(reader.batches()):
            read = Counter(json.loads(line.raw)["line"] for line in lines if line.raw)
            self.written += read
            if number == kill and not save:
                self.again += read
                break
            checkpoint.settled([Event(line.raw, line, written=True, ends_line=True) for line in lines])
            if number == kill:
                break
        else:
            checkpoint.rest()
        for fd in (stop.fd, stop._wakeup, checkpoint._file._fd):
            os.close(fd)

    def end(self) -> None:
        """All lines are ended and read."""
        for file in self.logs.iterdir():
            self._end(file)
        self._run()
        self.all = Counter(range(1, self._next + 1))


@pytest.fixture(autouse=True)
def every_batch_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SHARE", 0)
    monkeypatch.setattr(os, "fsync", lambda fd: None)  # nobody pulls the plug here


@given(st.lists(st.one_of(BETWEEN, BETWEEN, RUN), max_size=30))
@settings(max_examples=400)
@example(
    [Step("append", 0, 3), Step("rotate"), Step("append", 0, 3), Step("run"), Step("rotate"), Step("run")]
)
@example([Step("append", 0, 5), Step("kill", 0, 0), Step("append", 0, 1), Step("cut"), Step("run", 1)])
def test_each_line_is_read_once(tmp_path_factory: pytest.TempPathFactory, history: list[Step]) -> None:
    """And once more for each kill before it was saved."""
    world = lived(tmp_path_factory, history)
    assert world.written == world.all + world.again


COPY = st.builds(Step, st.just("copy"), FILES)


@given(st.lists(st.one_of(BETWEEN, COPY, RUN), max_size=30))
@settings(max_examples=400)
def test_copies_hide_no_line(tmp_path_factory: pytest.TempPathFactory, history: list[Step]) -> None:
    """A copy of a part of a file cannot be told from another file: its lines may be read twice."""
    world = lived(tmp_path_factory, history)
    assert set(world.written) == set(world.all)


def lived(tmp_path_factory: pytest.TempPathFactory, history: list[Step]) -> World:
    """A world in which all this has happened."""
    directory = tmp_path_factory.mktemp("history")
    world = World(directory)
    for step in history:
        world.take(step)
    world.end()
    shutil.rmtree(directory)
    return world

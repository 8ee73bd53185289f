"""The follower in this process, with a clock of its own: no order of events loses a line, or doubles one."""

import os
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from signal import SIGTERM
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dial_enricher import outlet
from dial_enricher.batch import Batcher
from dial_enricher.event import Event, Line
from dial_enricher.files import checkpoint, follower, held
from dial_enricher.files.checkpoint import Checkpoint
from dial_enricher.files.follower import Follower
from dial_enricher.signals import Stop
from tests.day import EARLY, HARD, QUIET, RESTARTS, Day, Script

Step = tuple[str, int, int]
Maker = Callable[[int], bytes]
MOST_MOMENTS = 3000
"""That a script may take until it has ended: after so many the follower is stuck."""

ONCE_WRONG: dict[str, list[Step]] = {
    "grown beyond, after a restart": [("write", 1, 9), ("pause", 0, 9), ("told", 0, 1), ("copy_away", 1, 20)],
    "copied with what came after a restart": [
        *[("write", 0, 5), ("pause", 0, 9), ("told", 0, 1), ("write", 0, 5), ("pause", 0, 9)],
        ("copy_slowly", 0, 3),
    ],
    "two copies in a moment": [
        ("write", 0, 3),
        ("pause", 0, 9),
        ("copy_truncate", 0, 4),
        ("copy_slowly", 0, 13),
    ],
    "a copy of what was not read yet": [("write", 0, 13), ("copy_slowly", 0, 13)],
    "written to for long under a name elsewhere": [("write", 0, 3), ("pause", 0, 9), ("rename_away", 0, 15)],
    "cut between a look and a copy": [
        *[("write", 2, 12), ("copy_away", 2, 13), ("roll", 1, 22), ("copy_slowly", 2, 16)],
    ],
    "cut in the middle of a turn": [
        *[("write", 0, 8), ("write", 1, 8), ("write", 2, 6), ("pause", 0, 10), ("copy_truncate", 2, 10)],
        *[("copy_away", 0, 2), ("write", 2, 24), ("replace", 0, 2), ("write", 2, 11), ("copy_slowly", 2, 5)],
        ("roll", 0, 15),
    ],
}


class Killed(Exception):
    """The follower is gone without a word."""


class World:
    """Stands in for `time` and `select`: whenever the follower waits, the script goes on."""

    def __init__(
        self, directory: Path, *, memory: bool, slow: bool, in_flight: int, drain: float, make: Maker
    ) -> None:
        self.now = 0.0
        self.moments = 0
        self.out: list[bytes] = []
        self.again: Counter[bytes] = Counter()
        """Lines that were under way when the follower was killed, which have to come again."""
        self.day = Day(directory, make, self.is_held, lambda: len(set(self.out)))
        self._state = directory / "state" if memory else None
        self._slow, self._in_flight, self._drain = slow, in_flight, drain
        self._script: Script = iter(())
        self._over = False

    def monotonic(self) -> float:
        return self.now

    def select(self, *arguments: Any) -> tuple[list[int], list[int], list[int]]:
        self.now += arguments[3]
        self._next()
        return [], [], []

    def is_held(self, path: Path) -> bool:
        ours = {writer.fd for writer in self.day.writers}
        status = path.stat()
        return any(fd not in ours and os.path.samestat(status, os.fstat(fd)) for fd in open_files())

    def _next(self) -> None:
        """One moment of the script. Raises Killed."""
        self.moments += 1
        assert self.moments < MOST_MOMENTS, "it does not come"
        what = next(self._script, "over")
        self._over = what == "over"
        if what == "killed":
            raise Killed
        if what is not None:
            self._stop._on_signal(SIGTERM, None)

    def play(self, steps: list[Step]) -> None:
        self._script = self.day.play(steps)
        while not self._over:
            self._stop = Stop(self._drain)
            with closing(self._stop):
                self._run()
        self.day.close()

    def _run(self) -> None:
        """One run of the follower, with a sink that confirms late."""
        witness = Checkpoint(str(self._state), self._stop, ()) if self._state else None
        batcher = Batcher(5, 1 << 20, 0.5)
        flight: deque[list[Line]] = deque()
        batches = Follower([self.day.pattern], batcher, 1 << 20, self._stop, witness).batches()
        assert isinstance(batches, Generator)
        try:
            for batch in batches:
                self.out += [line.raw for line in batch]
                flight.append(batch)
                while flight and (len(flight) > self._in_flight or not batch):
                    settle(witness, flight.popleft())
                if not batch and witness:
                    witness.rest()
                if batch and self._slow and not self._stop.asked:
                    self.now += 0.3
                    self._next()
        except Killed:
            self.again.update(line.raw for lines in flight for line in lines)
        else:
            while flight:
                settle(witness, flight.popleft())
            if witness:
                witness.rest()
        finally:
            batches.close()
            if witness:
                os.close(witness._file._fd)


def settle(witness: Checkpoint | None, lines: list[Line]) -> None:
    if witness and lines:
        witness.settled([Event(line.raw, line, ends_line=True) for line in lines])


def short_line(number: int) -> bytes:
    """One of many lines, of different lengths."""
    return f'{{"n":{number:06},"pad":"{"x" * Random(number).randrange(90)}"}}'.encode() + b"\n"


def even_line(number: int) -> bytes:
    """One of many lines of one length."""
    return f'{{"n":{number:06}}}'.encode() + b"\n"


def open_files() -> Iterator[int]:
    for name in os.listdir("/proc/self/fd"):
        try:
            os.fstat(int(name))
        except OSError:  # that of the directory itself
            continue
        yield int(name)


@contextmanager
def closing(stop: Stop) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(stop.fd)
        os.close(stop._wakeup)


def play(
    steps: list[Step],
    *,
    memory: bool,
    slow: bool,
    in_flight: int = 0,
    drain: float = 5.0,
    make: Maker = short_line,
) -> World:
    """Plays steps for a follower that reads few bytes at a time; checks that each line came out once."""
    with TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        before = set(open_files())
        world = World(Path(directory), memory=memory, slow=slow, in_flight=in_flight, drain=drain, make=make)
        patch.setattr(os, "fsync", lambda fd: None)  # the disk is not in question
        patch.setattr(held, "_CHUNK_BYTES", 400)
        patch.setattr(follower, "select", world)
        for module in (follower, held, checkpoint, outlet):
            patch.setattr(module, "time", world)
        world.play(steps)
        assert set(open_files()) == before
    expected = Counter(line.removesuffix(b"\n") for line in world.day.written)
    found = Counter(world.out)
    lost, surplus = expected - found, found - expected
    assert not lost and surplus <= world.again, (sorted(lost), sorted(surplus - world.again))
    return world


def steps(*names: str) -> st.SearchStrategy[list[Step]]:
    step = st.tuples(st.sampled_from(names), st.integers(0, 2), st.integers(1, 25))
    return st.lists(step, min_size=2, max_size=25)


@given(steps(*QUIET), st.booleans())
@settings(max_examples=200)
def test_rolled_and_renamed_logs(script: list[Step], slow: bool) -> None:
    play(script, memory=False, slow=slow)


@given(steps(*QUIET, *HARD, *EARLY), st.booleans(), st.sampled_from([short_line, even_line]))
@settings(max_examples=350)
def test_copied_emptied_and_replaced_logs(script: list[Step], slow: bool, make: Maker) -> None:
    play(script, memory=False, slow=slow, make=make)


@given(steps(*QUIET, *HARD, *RESTARTS), st.booleans(), st.integers(0, 2), st.sampled_from([0.0, 5.0]))
@settings(max_examples=350)
def test_a_follower_that_is_started_again(
    script: list[Step], slow: bool, in_flight: int, drain: float
) -> None:
    play(script, memory=True, slow=slow, in_flight=in_flight, drain=drain)


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize("memory", [False, True])
@pytest.mark.parametrize("script", ONCE_WRONG.values(), ids=ONCE_WRONG)
def test_what_once_went_wrong(script: list[Step], memory: bool, slow: bool) -> None:
    play([step for step in script if memory or step[0] not in RESTARTS], memory=memory, slow=slow)


def test_lines_of_one_length() -> None:
    """What was emptied has grown to the same size again when the follower looks."""
    play(
        [("write", 0, 3), ("pause", 0, 9), ("copy_truncate", 0, 3)], memory=False, slow=False, make=even_line
    )

"""The parent: starts a child for each input, so many at a time, and keeps one account of all."""

import gc
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess

from dial_enricher.archive.draft import discard
from dial_enricher.archive.messages import Done, DoneBefore, Failed, Said, Wire
from dial_enricher.archive.place import Place
from dial_enricher.archive.work import Work
from dial_enricher.errors import SinkDown
from dial_enricher.inputs.sources import shown
from dial_enricher.logs import LOGGER
from dial_enricher.progress import Progress, Seen
from dial_enricher.report import Run
from dial_enricher.signals import Stop
from dial_enricher.stats import Stats

_CONTEXT = get_context("fork")
"""Children have the models from their parent, and start in milliseconds."""


@dataclass(slots=True)
class _Child:
    process: ForkProcess
    place: Place
    seen: Seen = field(default_factory=lambda: Seen(None))
    """What it has told of its progress."""
    has_told: bool = False
    """What became of its input."""

    def show(self, seen: Seen, progress: Progress) -> None:
        """Hands on what is new."""
        before, self.seen = self.seen, seen
        progress.read(seen.read - before.read)
        progress.count(seen.lines - before.lines, seen.points - before.points, seen.dead - before.dead)


class Archive:
    """Enriches one input after the other, each in a child, of which `jobs` run at a time.

    In the given order: no output needs another one, and who looks knows what is done. The files of an archive
    are of much the same size, so that little would be gained by beginning with the largest.
    """

    def __init__(
        self, work: Work, places: Sequence[Place], jobs: int, stop: Stop, stats: Stats, run: Run
    ) -> None:
        self._work = work
        self._places = places
        self._jobs = jobs
        self._stop = stop
        self._run = run
        self._children: dict[Connection, _Child] = {}
        self._done = 0
        self._skipped = run.files_skipped or 0
        self.stats = stats
        self.failures: list[str] = []
        """A sentence for each input that is not done, or damaged."""

    def run(self) -> None:
        """Returns when all is done, or when the program is told to stop; no child is left then.

        What is half done is thrown away, and so are its files: there is nothing to wait for.
        Raises SinkDown when a child cannot be started.
        """
        waiting = iter(self._places)
        gc.collect()
        gc.freeze()  # else the collector of a child would copy the models by looking at them
        try:
            while not self._stop.asked:
                self._start(waiting)
                if not self._children:
                    return
                self._listen()
        finally:
            self._end()
            self._run.files_done, self._run.files_skipped = self._done, self._skipped

    def _start(self, waiting: Iterator[Place]) -> None:
        """Starts as many children as may run."""
        while len(self._children) < self._jobs and (place := next(waiting, None)) is not None:
            self._run.progress.begin(place.source)
            try:
                ours, theirs = _CONTEXT.Pipe(duplex=False)
                process = _CONTEXT.Process(target=self._in_child, args=(place, ours, theirs), daemon=True)
                process.start()
            except OSError as error:
                number = len(self._children) + 1
                raise SinkDown(
                    f"cannot start process {number} of --jobs {self._jobs}: {error.strerror};"
                    " take fewer, or raise what limits them (ulimit -n, ulimit -u, memory)"
                ) from None
            theirs.close()  # it ends when the child ends
            self._children[ours] = _Child(process, place)

    def _in_child(self, place: Place, ours: Connection, theirs: Connection) -> None:
        for connection in (*self._children, ours):
            connection.close()  # else the pipe of a child would outlive the parent in its brothers
        self._work.do(place, Wire(theirs))

    def _listen(self) -> None:
        """Waits for the next messages, or for a signal."""
        for ready in wait([*self._children, self._stop.fd]):
            if isinstance(ready, Connection):
                self._hear(ready)
            else:
                self._stop.quiet()

    def _hear(self, connection: Connection) -> None:
        child = self._children[connection]
        try:
            message = connection.recv()
        except (EOFError, OSError):  # it has ended, maybe in the middle of a word
            del self._children[connection]
            self._bury(connection, child)
            return
        match message:
            case Seen():
                child.show(message, self._run.progress)
            case Said(record):
                LOGGER.handle(record)
            case _:
                child.has_told = True
                self._account(message)

    def _account(self, outcome: Done | DoneBefore | Failed) -> None:
        """Takes down what became of an input."""
        match outcome:
            case Done(stats, damage):
                self._done += 1
                self.stats.merge(stats)
                self.failures += damage
            case DoneBefore():
                self._skipped += 1
            case Failed(reason, hopeless=True):
                self._stop.because(reason)
            case Failed(reason):
                self.failures.append(reason)

    def _bury(self, connection: Connection, child: _Child) -> None:
        connection.close()
        child.process.join()
        if not child.has_told:
            discard(child.place)
            self.failures.append(f"{shown(child.place.source.name)} is not done: {_end_of(child.process)}")
            LOGGER.error("%s", self.failures[-1])

    def _end(self) -> None:
        """Ends the children that are left, and removes what they were writing."""
        for child in self._children.values():
            child.process.kill()
        for connection, child in self._children.items():
            child.process.join()
            connection.close()
            discard(child.place)
        self._children.clear()


def _end_of(process: ForkProcess) -> str:
    """Why a process has ended that did not say so."""
    code = process.exitcode or 0
    if code == -signal.SIGKILL:
        return "its process was killed (SIGKILL), for want of memory perhaps"
    if code < 0:
        return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process ended with {code}"

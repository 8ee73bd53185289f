"""Files become batches of lines, each from where the checkpoint has it to its end."""

import os
from collections.abc import Iterable, Iterator, Sequence

from dial_enricher.batch import Batcher
from dial_enricher.event import Line
from dial_enricher.files.checkpoint import Checkpoint
from dial_enricher.files.held import HeldFile, NoFile
from dial_enricher.files.places import Places
from dial_enricher.inputs.sources import Source, shown
from dial_enricher.logs import LOGGER
from dial_enricher.meter import Meter, NoMeter
from dial_enricher.outlet import Outlet
from dial_enricher.signals import Stop


class FileReader:
    """Reads files one after the other. A copy of a file is read from where that one ended."""

    def __init__(
        self,
        names: Sequence[str],
        batcher: Batcher,
        max_line_bytes: int,
        stop: Stop,
        checkpoint: Checkpoint | None,
        meter: Meter | None = None,
    ) -> None:
        self._names = names
        self._outlet = Outlet(batcher)
        self._max_line_bytes = max_line_bytes
        self._stop = stop
        self._checkpoint = checkpoint
        self._meter = meter or NoMeter()
        self._places = Places(checkpoint.former if checkpoint else ())
        self.failures: list[str] = []
        """A sentence for each file that could not be read."""

    def batches(self) -> Iterator[list[Line]]:
        """Batches until the last file has ended or the program is told to stop."""
        self._stop.begin()
        for name in self._names:
            if self._stop.asked:
                break
            try:
                yield from self._read(name)
            except OSError as error:
                self._fail(f"cannot read {shown(name)}: {error.strerror}")
            except NoFile as error:
                self._fail(f"cannot remember how far {shown(name)} was read: it {error}")
        yield from self._outlet.rest()

    def _fail(self, sentence: str) -> None:
        self.failures.append(sentence)
        LOGGER.error("%s", sentence)

    def _read(self, name: str) -> Iterator[list[Line]]:
        file = HeldFile(name, self._max_line_bytes)
        try:
            self._begin(file)
            self._meter.begin(Source(name, os.path.basename(name)), done=file.offset)
            yield from self._read_on(file)
            if file.was_cut():
                LOGGER.warning("%s was cut while it was read", shown(name))
            elif not self._stop.asked:
                yield from self._outlet.fill(file.finish_whole())
        finally:
            self._leave(file)

    def _read_on(self, file: HeldFile) -> Iterator[list[Line]]:
        """Reads a file as far as it reaches now, unless the program is told to stop."""
        end = file.size
        while file.offset < min(end, file.size) and not file.was_cut() and not self._is_over():
            begin = file.offset
            lines = file.read()
            self._meter.read(file.offset - begin)
            yield from self._outlet.fill(lines)
        file.reached()  # a mark takes less room than the last line

    def _is_over(self) -> bool:
        """Whether the rest is left for the next run."""
        return self._stop.asked

    def _begin(self, file: HeldFile, held: Iterable[HeldFile] = ()) -> None:
        """Finds where to begin with a file. Raises NotYet, and OSError."""
        if mark := self._places.of(file, held):
            file.resume(mark)
            if self._checkpoint:
                self._checkpoint.resume(file.origin, mark)

    def _leave(self, file: HeldFile) -> None:
        self._places.remember(file)
        file.close()

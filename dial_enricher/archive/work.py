"""What a child process does: one input from its beginning to its end."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import wait
from threading import Thread

from dial_enricher.archive.draft import Draft
from dial_enricher.archive.marker import basis, document, is_done
from dial_enricher.archive.messages import Done, DoneBefore, Failed, ToParent, Wire
from dial_enricher.archive.place import Place
from dial_enricher.assemble import assemble, make_reader
from dial_enricher.enrich.work import Enricher
from dial_enricher.errors import InputFailed, SettingError, SinkDown, where
from dial_enricher.event import Event, Line
from dial_enricher.inputs.sources import shown
from dial_enricher.logs import LOGGER
from dial_enricher.progress import Progress
from dial_enricher.settings import Settings
from dial_enricher.signals import Stop, leave_to_parent
from dial_enricher.sinks.deadletter import DeadLetters, Undertaker
from dial_enricher.sinks.gz import GzSink
from dial_enricher.stats import Stats


@dataclass(frozen=True)
class Work:
    """How to enrich one input. Made once; all children have it from their parent."""

    settings: Settings
    fingerprint: str
    """Of the settings."""
    version: str
    """Of the program."""
    enrichers: Sequence[Enricher]
    decode: Callable[[Line], list[Event]]
    growth: int
    """How many times longer than a record a line may be."""

    def do(self, place: Place, wire: Wire) -> None:
        """Enriches one input, in a process of its own, and tells its parent what became of it."""
        leave_to_parent()
        Thread(target=_leave_with_parent, daemon=True).start()
        LOGGER.handlers = [ToParent(wire)]
        wire.tell(self._outcome(place, wire))

    def _outcome(self, place: Place, wire: Wire) -> Done | DoneBefore | Failed:
        try:
            draft = Draft(place)
            try:
                return self._enrich(place, draft, wire)
            except BaseException:
                draft.discard()
                raise
        except InputFailed as error:  # which the reader has told the log
            return Failed(str(error), hopeless=False)
        except SinkDown as error:
            if not error.misconfigured:
                return Failed(str(error), hopeless=True)
            reason = str(error)
        except SettingError as error:
            reason = str(error)
        except OSError as error:  # of the system, as too many open files
            return Failed(f"cannot go on: {error.strerror} ({where(error)})", hopeless=True)
        except Exception as error:
            reason = f"for a bug, please report it: {where(error)}"
        reason = f"{shown(place.source.name)} is not done: {reason}"
        LOGGER.error("%s", reason)
        return Failed(reason, hopeless=False)

    def _enrich(self, place: Place, draft: Draft, wire: Wire) -> Done | DoneBefore:
        """Raises SinkDown when nothing can be written, InputFailed when the input cannot be read.

        Raises SettingError when another run has made the output meanwhile, of another input.
        """
        made_of = basis(place.source, self.fingerprint)  # before it is read: what is added later is noticed
        if is_done(place.marker, place.output, made_of):
            draft.discard()
            return DoneBefore()
        stats, damage = self._through(place, draft, wire)
        draft.publish(document(made_of, draft.size, stats, self.version))
        return Done(stats, damage)

    def _through(self, place: Place, draft: Draft, wire: Wire) -> tuple[Stats, list[str]]:
        """Takes all of an input to the draft; its accounts, and how it is damaged, if it is."""
        settings, stop = self.settings, Stop()
        letters = DeadLetters(
            None if draft.letters is None else str(draft.letters),
            with_content=settings.dead_letter_content,
            max_bytes=settings.dead_letter_max,
            name=shown(str(place.letters)),
        )
        sink, graveyard = GzSink(draft.fd, shown(str(place.output))), Undertaker(letters, stop)
        progress = Progress(wire)
        reader = make_reader(settings, [place.source], stop, self.growth, progress)
        pipeline = assemble(settings, sink, graveyard, self.decode, enrichers=self.enrichers)
        pipeline.run(progress.watch(reader.batches(), pipeline.stats))
        progress.close()
        if stop.reason is not None:
            raise SinkDown(stop.reason)
        if reader.may_recover:
            raise InputFailed(*reader.failures)
        sink.close()
        graveyard.sync()
        return pipeline.stats, reader.failures


def _leave_with_parent() -> None:
    """Ends this process when its parent has gone, whatever it is waiting for."""
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)

"""Settings and inputs become an archive that is ready to run. Nothing that is done is started again."""

import os
from collections.abc import Callable, Sequence

from dial_enricher.archive.marker import basis, fingerprint, is_done
from dial_enricher.archive.place import places
from dial_enricher.archive.run import Archive
from dial_enricher.archive.work import Work
from dial_enricher.assemble import make_enrichers, make_progress
from dial_enricher.errors import SinkDown
from dial_enricher.event import Event, Line
from dial_enricher.inputs.sources import Source, shown
from dial_enricher.report import Run
from dial_enricher.settings import Settings
from dial_enricher.signals import Stop
from dial_enricher.stats import Stats


def make_archive(
    settings: Settings,
    sources: Sequence[Source],
    stop: Stop,
    run: Run,
    decode: Callable[[Line], list[Event]],
    growth: int,
    version: str,
) -> Archive:
    """`growth` is how many times longer than a record a line may be, `version` that of the program.

    Raises SettingError, and SinkDown for a directory that cannot be made or written to.
    """
    wanted = places(settings, sources)
    mark, stats = fingerprint(settings), Stats()
    waiting = [
        place for place in wanted if not is_done(place.marker, place.output, basis(place.source, mark))
    ]
    for directory in filter(None, (settings.output_directory, settings.dead_letter)):
        _make(directory)
    enrichers = make_enrichers(settings, stats) if waiting else []
    run.files_done, run.files_skipped = 0, len(wanted) - len(waiting)
    run.progress = make_progress(settings, [place.source for place in waiting])
    work = Work(settings, mark, version, enrichers, decode, growth)
    return Archive(work, waiting, settings.jobs, stop, stats, run)


def _make(directory: str) -> None:
    try:
        os.makedirs(directory, exist_ok=True)
    except OSError as error:
        raise SinkDown.by(error, f"cannot make the directory {shown(directory)}") from None
    if not os.access(directory, os.W_OK | os.X_OK):
        raise SinkDown(f"the directory {shown(directory)} may not be written to", misconfigured=True)

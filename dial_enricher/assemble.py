"""Settings become a ready pipeline: the only place that chooses parts. Connects to nothing."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from dial_enricher import jsonlines, lineprotocol, logformat
from dial_enricher.batch import Batcher
from dial_enricher.enrich.work import Alone, Enricher, warm_up
from dial_enricher.event import Event, Line, Point
from dial_enricher.inputs.arguments import sources
from dial_enricher.inputs.outputs import Outputs
from dial_enricher.inputs.reader import Reader
from dial_enricher.inputs.sources import STDIN, Source, as_given
from dial_enricher.meter import Meter
from dial_enricher.pipeline import Enrichment, Graveyard, Nobody, Pipeline, Sink, Witness
from dial_enricher.points import PointBuilder
from dial_enricher.pricing import Pricing
from dial_enricher.profiles import profile
from dial_enricher.progress import Bar, Lines, Progress, Screen
from dial_enricher.selection import selection
from dial_enricher.settings import Ack, Destination, Format, ProgressShown, Scope, Settings
from dial_enricher.signals import Stop
from dial_enricher.sinks.deadletter import DeadLetters, Undertaker
from dial_enricher.sinks.output import OutputSink
from dial_enricher.stats import Stats

_MAX_BATCH_BYTES = 512 * 1024
_MAX_SHARED_BATCH_BYTES = 1024 * 1024
"""Of a batch that others enrich: each costs messages there and back."""
_RENDERERS: dict[Format, Callable[[Point], bytes]] = {
    Format.LP: lineprotocol.render,
    Format.JSON: jsonlines.render,
}


class Input(Protocol):
    failures: list[str]
    """A sentence for each source that could not be read, or not to its end."""

    def batches(self) -> Iterator[list[Line]]: ...


def _output(settings: Settings, stop: Stop) -> Sink:
    return OutputSink(settings.output, continued=settings.checkpoint is not None)


def _influx(settings: Settings, stop: Stop) -> Sink:
    from dial_enricher.sinks.influx.delivery import Delivery
    from dial_enricher.sinks.influx.patience import Patience
    from dial_enricher.sinks.influx.server import Server  # influxdb_client: only who wants it loads it
    from dial_enricher.sinks.influx.sink import InfluxSink

    assert settings.influx is not None
    delivery = Delivery(Server(settings.influx), Patience(settings.retry_time, stop))
    return InfluxSink(delivery, stop, settings.max_delay)


SINKS: dict[Destination, Callable[[Settings, Stop], Sink]] = {
    Destination.STDOUT: _output,
    Destination.INFLUXDB: _influx,
}


def make_sink(settings: Settings, stop: Stop) -> Sink:
    """Where the points go. Raises SettingError, and SinkDown for a file that cannot be opened."""
    return SINKS[settings.to](settings, stop)


def make_graveyard(settings: Settings, stop: Stop) -> Graveyard:
    """Where the dead letters go. Raises SinkDown for a file that cannot be opened."""
    letters = DeadLetters(
        settings.dead_letter,
        with_content=settings.dead_letter_content,
        max_bytes=settings.dead_letter_max,
    )
    return Undertaker(letters, stop, comes_again=settings.comes_again)


def make_sources(settings: Settings, arguments: Sequence[str]) -> list[Source]:
    """What there is to read now; patterns where files are followed. Raises SettingError."""
    if settings.follow:
        return as_given(arguments)
    return sources(
        arguments, recursive=settings.recursive, shard=settings.shard, outputs=outputs_of(settings)
    )


def outputs_of(settings: Settings) -> Outputs:
    """The directories that get a file for each input, if there are any."""
    if settings.output_directory is None:
        return Outputs()
    return Outputs(filter(None, (settings.output_directory, settings.dead_letter)))


def make_progress(settings: Settings, sources: Sequence[Source]) -> Progress:
    """What shows how far the run is; made when the log is set up."""
    sizes = [source.size for source in sources if source.size is not None]
    return Progress(_screen(settings, sources), sum(sizes) if len(sizes) == len(sources) else None)


def _screen(settings: Settings, sources: Sequence[Source]) -> Screen | None:
    """A bar needs the terminal for itself: no points and no dead letters there, only the log."""
    to_stdout = settings.to is Destination.STDOUT and (settings.output or settings.output_directory) is None
    points_on_screen = to_stdout and os.isatty(1)
    has_terminal = sys.stderr is not None and sys.stderr.isatty()
    bar = has_terminal and not points_on_screen and settings.dead_letter != "-"
    has_end = not settings.follow and all(source.name != STDIN for source in sources)
    wanted = {ProgressShown.ALWAYS: True, ProgressShown.AUTO: bar and has_end, ProgressShown.NEVER: False}
    if not wanted[settings.progress]:
        return None
    return Bar() if bar else Lines(settings.log_format)


def make_input(
    settings: Settings,
    sources: Sequence[Source],
    stop: Stop,
    written: Sequence[Sink | Graveyard],
    growth: int,
    meter: Meter | None = None,
) -> tuple[Input, Witness]:
    """What reads, and who wants to know what is settled.

    A checkpoint is saved after what was `written` is on the disk. `growth` is how many times longer than a
    record a line may be.
    Raises SettingError, and SinkDown for a file that cannot be opened.
    """
    if settings.ack is Ack.OFF and settings.checkpoint is None and not settings.follow:
        return make_reader(settings, sources, stop, growth, meter), Nobody()
    batcher, longest = _batcher(settings), settings.max_line_bytes * growth
    if settings.ack is Ack.RSYSLOG:
        from dial_enricher.rsyslog import Rsyslog, Spool

        rsyslog = Rsyslog(batcher, longest, stop, Spool(settings.checkpoint) if settings.checkpoint else None)
        return rsyslog, rsyslog
    from dial_enricher.files.checkpoint import Checkpoint, OnDisk
    from dial_enricher.files.follower import Follower
    from dial_enricher.files.reader import FileReader

    on_disk = [part for part in written if isinstance(part, OnDisk)]
    checkpoint = Checkpoint(settings.checkpoint, stop, on_disk) if settings.checkpoint else None
    kind = Follower if settings.follow else FileReader
    names = [source.name for source in sources]
    return kind(names, batcher, longest, stop, checkpoint, meter), checkpoint or Nobody()


def make_reader(
    settings: Settings, sources: Sequence[Source], stop: Stop, growth: int, meter: Meter | None
) -> Reader:
    """What reads sources from their beginning to their end, once."""
    return Reader(sources, _batcher(settings), settings.max_line_bytes * growth, stop, meter)


def _batcher(settings: Settings) -> Batcher:
    max_bytes = _MAX_BATCH_BYTES if settings.workers == 1 else _MAX_SHARED_BATCH_BYTES
    return Batcher(settings.batch_lines, max_bytes, settings.max_delay)


def assemble(
    settings: Settings,
    sink: Sink,
    graveyard: Graveyard,
    decode: Callable[[Line], list[Event]] = logformat.decode,
    witness: Witness | None = None,
    enrichers: Sequence[Enricher] | None = None,
) -> Pipeline:
    """The pipeline for these settings, between a sink and a graveyard; its enrichers may be there already.

    Raises SettingError.
    """
    stats, measurements = Stats(), profile(settings.schema, settings.tag, settings.no_tag)
    return Pipeline(
        decode=decode,
        enrichment=_enrichment(
            make_enrichers(settings, stats) if enrichers is None else enrichers, settings.workers
        ),
        pricing=Pricing(settings.rates),
        builder=PointBuilder(measurements),
        render=_RENDERERS[settings.format],
        sink=sink,
        graveyard=graveyard,
        stats=stats,
        witness=witness or Nobody(),
        selection=selection(settings.since, settings.until, settings.where, measurements),
    )


def _enrichment(enrichers: Sequence[Enricher], workers: int) -> Enrichment:
    if workers == 1 or not enrichers:
        return Alone(enrichers)
    from dial_enricher.enrich.crew import Crew  # multiprocessing: only who wants it loads it

    return Crew(enrichers, workers)


def make_enrichers(settings: Settings, stats: Stats) -> list[Enricher]:
    """What takes long to load. Raises SettingError."""
    enrichers: list[Enricher] = []
    if settings.language is not Scope.OFF:
        from dial_enricher.enrich.language import Language  # lingua: only who wants it loads it

        enrichers.append(
            Language(
                everyone=settings.language is Scope.ALL,
                languages=settings.languages or None,
                accuracy=settings.language_accuracy.value,
            )
        )
        stats.undefined["language"] = 0
    if settings.topics is not Scope.OFF:
        # numpy's: more threads would only wait in a loop, and a process that forks must have one alone.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        from dial_enricher.enrich.topic import Topic
        from dial_enricher.topics.find import find  # numpy and more: only who wants topics loads them

        model = find(settings.topic_model, settings.topic_embeddings_model)
        if model is None:
            stats.remarks.append("no topic model found")
        else:
            enrichers.append(Topic(model, everyone=settings.topics is Scope.ALL))
            stats.undefined["topic"] = 0
    warm_up(enrichers)
    return enrichers

"""Settings become a ready pipeline: the only place that chooses parts. Connects to nothing."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from dial_enricher import jsonlines, lineprotocol, logformat
from dial_enricher.batch import Batcher
from dial_enricher.event import Event, Line, Point
from dial_enricher.pipeline import Enricher, Graveyard, Nobody, Pipeline, Sink, Witness
from dial_enricher.points import PointBuilder
from dial_enricher.pricing import Pricing
from dial_enricher.profiles import profile
from dial_enricher.reader import Reader
from dial_enricher.settings import Ack, Destination, Format, Scope, Settings
from dial_enricher.signals import Stop
from dial_enricher.sinks.deadletter import DeadLetters, Undertaker
from dial_enricher.sinks.output import OutputSink
from dial_enricher.stats import Stats

_MAX_BATCH_BYTES = 2 * 1024 * 1024
_RENDERERS: dict[Format, Callable[[Point], bytes]] = {
    Format.LP: lineprotocol.render,
    Format.JSON: jsonlines.render,
}


class Input(Protocol):
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


def make_input(
    settings: Settings, sources: Sequence[str], stop: Stop, written: Sequence[Sink | Graveyard], growth: int
) -> tuple[Input, Witness]:
    """What reads, and who wants to know what is settled.

    A checkpoint is saved after what was `written` is on the disk. `growth` is how many times longer than a
    record a line may be.
    Raises SettingError, and SinkDown for a file that cannot be opened.
    """
    batcher = Batcher(settings.batch_lines, _MAX_BATCH_BYTES, settings.max_delay)
    longest = settings.max_line_bytes * growth
    if settings.ack is Ack.RSYSLOG:
        from dial_enricher.rsyslog import Rsyslog, Spool

        rsyslog = Rsyslog(batcher, longest, stop, Spool(settings.checkpoint) if settings.checkpoint else None)
        return rsyslog, rsyslog
    if settings.checkpoint is None and not settings.follow:
        return Reader(sources, batcher, longest, stop), Nobody()
    from dial_enricher.files.checkpoint import Checkpoint, OnDisk
    from dial_enricher.files.follower import Follower
    from dial_enricher.files.reader import FileReader

    on_disk = [part for part in written if isinstance(part, OnDisk)]
    checkpoint = Checkpoint(settings.checkpoint, stop, on_disk) if settings.checkpoint else None
    kind = Follower if settings.follow else FileReader
    return kind(sources, batcher, longest, stop, checkpoint), checkpoint or Nobody()


def assemble(
    settings: Settings,
    sink: Sink,
    graveyard: Graveyard,
    decode: Callable[[Line], list[Event]] = logformat.decode,
    witness: Witness | None = None,
) -> Pipeline:
    """The pipeline for these settings, between a sink and a graveyard. Raises SettingError."""
    stats = Stats()
    return Pipeline(
        decode=decode,
        enrichers=_enrichers(settings, stats),
        pricing=Pricing(settings.rates),
        builder=PointBuilder(profile(settings.schema, settings.tag, settings.no_tag)),
        render=_RENDERERS[settings.format],
        sink=sink,
        graveyard=graveyard,
        stats=stats,
        witness=witness or Nobody(),
    )


def _enrichers(settings: Settings, stats: Stats) -> list[Enricher]:
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
    if settings.topics is not Scope.OFF:
        from dial_enricher.enrich.topic import Topic
        from dial_enricher.topics.find import find  # numpy and more: only who wants topics loads them

        model = find(settings.topic_model, settings.topic_embeddings_model)
        if model is None:
            stats.remarks.append("no topic model found")
        else:
            enrichers.append(Topic(model, everyone=settings.topics is Scope.ALL))
    return enrichers

"""Settings become a ready pipeline: the only place that chooses parts. Connects to nothing."""

from collections.abc import Callable

from dial_enricher import jsonlines, lineprotocol, logformat
from dial_enricher.event import Event, Line, Point
from dial_enricher.pipeline import Enricher, Graveyard, Pipeline, Sink
from dial_enricher.points import PointBuilder
from dial_enricher.pricing import Pricing
from dial_enricher.profiles import profile
from dial_enricher.settings import Destination, Format, Scope, Settings
from dial_enricher.signals import Stop
from dial_enricher.sinks.deadletter import DeadLetters, Undertaker
from dial_enricher.sinks.stdout import StdoutSink
from dial_enricher.stats import Stats

_RENDERERS: dict[Format, Callable[[Point], bytes]] = {
    Format.LP: lineprotocol.render,
    Format.JSON: jsonlines.render,
}


def _stdout(settings: Settings, stop: Stop) -> Sink:
    return StdoutSink()


def _influx(settings: Settings, stop: Stop) -> Sink:
    from dial_enricher.sinks.influx.delivery import Delivery
    from dial_enricher.sinks.influx.patience import Patience
    from dial_enricher.sinks.influx.server import Server  # influxdb_client: only who wants it loads it
    from dial_enricher.sinks.influx.sink import InfluxSink

    assert settings.influx is not None
    delivery = Delivery(Server(settings.influx), Patience(settings.retry_time, stop))
    return InfluxSink(delivery, stop, settings.max_delay)


SINKS: dict[Destination, Callable[[Settings, Stop], Sink]] = {
    Destination.STDOUT: _stdout,
    Destination.INFLUXDB: _influx,
}


def make_sink(settings: Settings, stop: Stop) -> Sink:
    """Where the points go. Raises SettingError."""
    return SINKS[settings.to](settings, stop)


def make_graveyard(settings: Settings, stop: Stop) -> Graveyard:
    """Where the dead letters go. Raises SinkDown for a file that cannot be opened."""
    letters = DeadLetters(
        settings.dead_letter,
        with_content=settings.dead_letter_content,
        max_bytes=settings.dead_letter_max,
    )
    return Undertaker(letters, stop)


def assemble(
    settings: Settings,
    sink: Sink,
    graveyard: Graveyard,
    decode: Callable[[Line], list[Event]] = logformat.decode,
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

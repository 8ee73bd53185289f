"""Settings become a ready pipeline: the only place that chooses parts. Connects to nothing."""

from collections.abc import Callable

from dial_enricher import jsonlines, lineprotocol
from dial_enricher.event import Point
from dial_enricher.pipeline import Enricher, Graveyard, Pipeline, Sink
from dial_enricher.points import PointBuilder
from dial_enricher.pricing import Pricing
from dial_enricher.schema import MEASUREMENTS
from dial_enricher.settings import Format, Scope, Settings
from dial_enricher.stats import Stats

_RENDERERS: dict[Format, Callable[[Point], bytes]] = {
    Format.LP: lineprotocol.render,
    Format.JSON: jsonlines.render,
}


def assemble(settings: Settings, sink: Sink, graveyard: Graveyard) -> Pipeline:
    """The pipeline for these settings, between a sink and a graveyard. Raises SettingError."""
    stats = Stats()
    return Pipeline(
        enrichers=_enrichers(settings, stats),
        pricing=Pricing(settings.rates),
        builder=PointBuilder(MEASUREMENTS),
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

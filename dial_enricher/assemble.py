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
    return Pipeline(
        enrichers=_enrichers(settings),
        pricing=Pricing(settings.rates),
        builder=PointBuilder(MEASUREMENTS),
        render=_RENDERERS[settings.format],
        sink=sink,
        graveyard=graveyard,
        stats=Stats(),
    )


def _enrichers(settings: Settings) -> list[Enricher]:
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
    return enrichers

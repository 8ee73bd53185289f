"""What the operator is told when the stream has ended."""

import sys
from collections.abc import Mapping
from typing import Any

from dial_enricher import logs
from dial_enricher.settings import Settings, Summary
from dial_enricher.stats import Stats


def report(stats: Stats, settings: Settings) -> None:
    """Sends the counts to the log, and the closing line to stderr when it is wanted."""
    if stats.dead:
        logs.LOGGER.warning("dead letters: %s", listed(stats.dead))
    if stats.ignored:
        logs.LOGGER.info("ignored on purpose: %s", listed(stats.ignored))
    if stats.notes:
        logs.LOGGER.info("mended or unknown: %s", listed(stats.notes))
    if settings.summary is Summary.ALWAYS or (settings.summary is Summary.AUTO and _somebody_cares(stats)):
        figures = stats.summary()
        remarks = [f"({remark})" for remark in stats.remarks]
        message = " ".join([f"{name}={figure}" for name, figure in figures.items()] + remarks)
        logs.say(message, figures, settings.log_format)


def _somebody_cares(stats: Stats) -> bool:
    return bool(stats.dead or stats.again) or (sys.stderr is not None and sys.stderr.isatty())


def listed(counts: Mapping[Any, int]) -> str:
    """`invalid_json 2, undelivered 1`."""
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))

"""Turns the logs of AI DIAL Core into points of usage, cost, language and topic."""

from dial_enricher.enricher import Enricher, EnricherSettings, enrich_lines

__all__ = ["Enricher", "EnricherSettings", "__version__", "enrich_lines"]
__version__ = "0.1.0"

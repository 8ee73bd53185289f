"""Turns the logs of AI DIAL Core into points of usage, cost, language and topic."""

from dial_enricher.enricher import Enricher

__all__ = ["Enricher", "__version__"]
__version__ = "0.1.0"

"""What a model tells of one text, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from dial_enricher.topics.model import OUTLIER, Match, TopicModel


@dataclass(frozen=True, slots=True)
class Assignment:
    """The topic of a text, and those that are near to it."""

    topic: str | None
    """The label that becomes the tag; None for `undefined`."""
    matches: Sequence[Match]
    """The nearest topics, the nearest first; none for a text that says nothing."""
    reason: str
    """Why there is no topic, in a few words; empty where there is one."""


def assign(model: TopicModel, text: str, count: int) -> Assignment:
    """Asks a model for the topic of a text, and for the `count` nearest ones (1 or more)."""
    (topic,) = model.labels([text])
    (matches,) = model.matches([text], count)
    return Assignment(topic, matches, "" if topic is not None else _reason(model, matches))


def _reason(model: TopicModel, matches: Sequence[Match]) -> str:
    if not matches:
        return "the text has no word that the model knows"
    nearest = matches[0]
    if nearest.topic.id == OUTLIER:
        return "the nearest topic is the one for outliers"
    if nearest.similarity < model.min_similarity:
        return f"the nearest topic is below the model's limit of {model.min_similarity:.2f}"
    return "the model takes it for an outlier"

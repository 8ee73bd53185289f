"""The topic of an exchange: asked of a topic model, once for each text."""

from dial_enricher.enrich.recent import REMEMBERED, Recent
from dial_enricher.enrich.work import is_asked
from dial_enricher.event import Event
from dial_enricher.topics.excerpt import excerpt
from dial_enricher.topics.model import TopicModel


class Topic:
    """Sets the column `topic` to the label of the exchange's topic, or to None where it has none."""

    def __init__(self, model: TopicModel, everyone: bool, remembered: int = REMEMBERED) -> None:
        """`everyone` tells the topic of every exchange, not only of those with a chat id."""
        self._everyone = everyone
        self._labels = Recent(model.labels, remembered)

    def fill(self, events: list[Event]) -> None:
        """Tells the topic of all events at once; one that fails goes without, and its notes count it."""
        concerned = [event for event in events if self.concerns(event)]
        try:
            self._tell(concerned)
        except Exception:  # whatever is wrong with one text, the others need their topic
            for event in concerned:
                self._tell_alone(event)

    def concerns(self, event: Event) -> bool:
        """Whether the topic of an event is asked for."""
        return is_asked(event, self._everyone)

    def _tell(self, events: list[Event]) -> None:
        exchanges = [event.exchange for event in events if event.exchange is not None]
        for exchange in exchanges:
            exchange.columns["topic"] = None
        texts = [(exchange, text) for exchange in exchanges if (text := excerpt(exchange.texts()))]
        for (exchange, _), label in zip(texts, self._labels.of([text for _, text in texts]), strict=True):
            exchange.columns["topic"] = label

    def _tell_alone(self, event: Event) -> None:
        try:
            self._tell([event])
        except Exception:
            if event.log is not None:
                event.log.notes["topic_failed"] += 1

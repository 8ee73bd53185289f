"""The topic of an exchange: asked of a topic model, once for each text."""

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b

from dial_enricher.event import Event
from dial_enricher.topics.excerpt import excerpt
from dial_enricher.topics.model import TopicModel

REMEMBERED = 2048
"""Texts whose label is kept: agents and retries ask the same again and again."""

_Key = bytes


class Topic:
    """Sets the column `topic` to the label of the exchange's topic, or leaves it absent where it has none.

    The model is asked once for a batch. The labels of the last texts are remembered by a hash, so that no
    conversation stays in memory.
    """

    def __init__(self, model: TopicModel, everyone: bool, remembered: int = REMEMBERED) -> None:
        """`everyone` tells the topic of every exchange, not only of those with a chat id."""
        self._model = model
        self._everyone = everyone
        self._remembered = remembered
        self._labels: OrderedDict[_Key, str | None] = OrderedDict()
        """The text used last is last."""

    def fill(self, events: list[Event]) -> None:
        """Tells the topic of all events at once; one that fails goes without, and its notes count it."""
        keys: dict[_Key, str] = {}
        cases: list[tuple[Event, _Key]] = []
        for event in filter(self._concerns, events):
            if text := _excerpt(event):
                key = _key(text)
                keys[key] = text
                cases.append((event, key))
        labels = self._tell(keys)
        for event, key in cases:
            if key not in labels:
                _note(event)
            elif label := labels[key]:
                assert event.exchange is not None
                event.exchange.columns["topic"] = label

    def _concerns(self, event: Event) -> bool:
        return event.exchange is not None and bool(self._everyone or event.exchange.columns.get("chat_id"))

    def _tell(self, texts: dict[_Key, str]) -> dict[_Key, str | None]:
        """The label of each text, by its key. A text that the model fails at has none."""
        known = {key: self._labels[key] for key in texts if key in self._labels}
        new = [key for key in texts if key not in known]
        known |= self._ask(new, [texts[key] for key in new])
        for key, label in known.items():
            self._labels[key] = label
            self._labels.move_to_end(key)
        while len(self._labels) > self._remembered:
            self._labels.popitem(last=False)
        return known

    def _ask(self, keys: Sequence[_Key], texts: Sequence[str]) -> dict[_Key, str | None]:
        if not texts:
            return {}
        try:
            return dict(zip(keys, self._model.labels(texts), strict=True))
        except Exception:  # whatever is wrong with one text, the others need their topic
            if len(texts) == 1:
                return {}
            singly = [self._ask([key], [text]) for key, text in zip(keys, texts, strict=True)]
            return {key: label for found in singly for key, label in found.items()}


def _excerpt(event: Event) -> str:
    """The text to ask about; empty when there is none, and, noted, when it cannot be read."""
    assert event.exchange is not None
    try:
        return excerpt(event.exchange.texts())
    except Exception:
        _note(event)
        return ""


def _note(event: Event) -> None:
    if event.log is not None:
        event.log.notes["topic_failed"] += 1


def _key(text: str) -> _Key:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()

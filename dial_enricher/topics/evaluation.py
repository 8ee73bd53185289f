"""How often a model tells the topic that people gave to a text."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from dial_enricher.schema import UNDEFINED
from dial_enricher.topics.model import OUTLIER, TopicModel
from dial_enricher.topics.rows import Row

NO_TOPIC = frozenset({"none", UNDEFINED})
"""Labels of texts for which no topic is the right answer."""
_BATCH = 256
"""Texts asked at once."""


@dataclass(slots=True)
class Tally:
    """What became of some texts."""

    texts: int = 0
    right: int = 0
    undefined: int = 0
    """Those without a topic, rightly or not."""
    wrong: Counter[str] = field(default_factory=Counter)
    """How often each topic was told where it is wrong."""

    @property
    def accuracy(self) -> float:
        """The share of the texts that are right, 0 to 1; 0 without texts."""
        return self.right / self.texts if self.texts else 0.0

    @property
    def undefined_share(self) -> float:
        """The share of the texts without a topic, 0 to 1; 0 without texts."""
        return self.undefined / self.texts if self.texts else 0.0

    @property
    def most_wrong(self) -> tuple[str, int] | None:
        """The topic that is told most often where it is wrong, and how often; None if none is."""
        return min(self.wrong.items(), key=lambda one: (-one[1], one[0]), default=None)

    def add(self, told: str | None, right: bool) -> None:
        """Counts one text, by the label of the topic that was told."""
        self.texts += 1
        self.right += right
        self.undefined += told is None
        if told is not None and not right:
            self.wrong[told] += 1


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What became of all texts, and of those of each label; one with several labels counts for its first."""

    overall: Tally
    by_label: dict[str, Tally]
    """The label with the most texts first, equal ones by name."""
    unknown: list[str]
    """First labels that are neither a topic nor a group of the model, and so never right."""


def evaluate(model: TopicModel, rows: Iterable[Row]) -> Evaluation:
    """Asks for the topic of each row, and compares it with the row's labels, in whatever case.

    A label is right for a topic that has this label, or that belongs to a group of this name; `none` and
    `undefined` are right for no topic.
    """
    names = _names(model)
    overall, by_label = Tally(), defaultdict[str, Tally](Tally)
    for batch in _batches(rows):
        for row, told in zip(batch, model.labels([row.text for row in batch]), strict=True):
            right = not names[told].isdisjoint(label.casefold() for label in row.labels)
            overall.add(told, right)
            by_label[row.labels[0]].add(told, right)
    ordered = dict(sorted(by_label.items(), key=lambda one: (-one[1].texts, one[0])))
    known = frozenset().union(*names.values())
    return Evaluation(overall, ordered, [label for label in ordered if label.casefold() not in known])


def _names(model: TopicModel) -> dict[str | None, frozenset[str]]:
    """What each topic that can be told goes by, by its label; topics may share one."""
    names: dict[str | None, frozenset[str]] = {None: NO_TOPIC}
    for topic in model.topics:
        if topic.id != OUTLIER:
            own = {name.casefold() for name in (topic.label, *topic.groups)}
            names[topic.label] = names.get(topic.label, frozenset()) | own
    return names


def _batches(rows: Iterable[Row]) -> Iterator[Sequence[Row]]:
    left = iter(rows)
    while batch := list(islice(left, _BATCH)):
        yield batch

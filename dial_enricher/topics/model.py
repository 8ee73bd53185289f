"""What every topic model can do, and what it knows of its topics."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OUTLIER = -1
"""The id of the topic for texts that belong to none."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as the model was trained to know it."""

    id: int
    label: str
    """Its name for people; what becomes the tag."""
    words: tuple[str, ...]
    """The words that are typical of it, the most typical one first."""
    size: int
    """How many texts of the training belong to it."""
    groups: tuple[str, ...] = ()
    """The wider subjects that it belongs to, the nearest one first; none where the model knows of none."""


class Match(NamedTuple):
    """How near a text is to a topic."""

    topic: Topic
    similarity: float
    """Cosine of the angle between the two embeddings, -1 to 1."""


class TopicModel(Protocol):
    """A loaded model. `labels` and `matches` return one entry for each text, in order, and take any text."""

    @property
    def topics(self) -> Sequence[Topic]:
        """All topics by ascending id, the one for outliers included if there is one."""
        ...

    @property
    def directions(self) -> "NDArray[np.float32]":
        """The embeddings of the topics: a row of length 1 for each, zeros for one without any direction."""
        ...

    @property
    def min_similarity(self) -> float:
        """The similarity below which a topic is not told; -1 where there is no such limit."""
        ...

    def labels(self, texts: Sequence[str]) -> list[str | None]:
        """The label of each text's topic; None for a text that belongs to none, or that says nothing."""
        ...

    def matches(self, texts: Sequence[str], count: int) -> list[list[Match]]:
        """The topics nearest to each text, at most `count`, the nearest first, outliers and far ones too.

        None for a text that says nothing.
        """
        ...


def label(generated: Any, custom: str | None, name: str) -> str:
    """The label of a topic: what a generator called it, else what its owner did, else BERTopic's own name.

    `generated` is the topic's entry in the aspect `GeneratedName`: pairs of a text and a weight, or None.
    """
    first = generated[0][0].strip() if generated else ""
    return first or custom or name


def groups(aspect: Any) -> tuple[str, ...]:
    """The groups of a topic: the names in its entry of the aspect `Group`, or None; empty ones only pad."""
    return tuple(name for name, _ in aspect or () if name)


def well_formed(text: str) -> str:
    """The text without lone surrogates, which JSON can escape but no tokenizer takes."""
    return text.encode("utf-8", "ignore").decode()

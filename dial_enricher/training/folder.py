"""The model folder: a BERTopic model and its static embedding, side by side."""

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from dial_enricher.topics import files
from dial_enricher.topics.model import OUTLIER
from dial_enricher.topics.nearest import unit
from dial_enricher.topics.static import StaticEmbedding
from dial_enricher.training.clusters import vectorizer
from dial_enricher.training.corpus import NONE, Topic
from dial_enricher.training.student import Student
from dial_enricher.training.teacher import Vectors

_CLIPPED = 0.9999
"""Numbers of the table beyond this share of them are cut to it, so that the others keep their bits."""
_SHOWN = 10
"""Entries of an aspect: BERTopic pads the answer of a language model with empty ones to as many."""


@dataclass(frozen=True)
class Embedded:
    """A student as it ships, and where it sees texts."""

    tokenizer: Tokenizer
    table: npt.NDArray[np.int8]
    directions: Vectors
    """Of the topics, in the order of their keys."""

    @classmethod
    def of(cls, student: Student, tokenizer: Tokenizer) -> "Embedded":
        return cls(tokenizer, _quantised(student.table), student.directions)

    def similarities(self, texts: Sequence[str]) -> Vectors:
        """The cosine of each text with each topic, shape (texts, topics), as the engine will find it."""
        embedding = StaticEmbedding(Tokenizer.from_str(self.tokenizer.to_str()), self.table)
        vectors = np.stack(list(embedding.embed(texts)))
        return np.asarray(unit(vectors) @ self.directions.T, np.float32)


def describe(model: Any, texts: Sequence[str], rows: Sequence[int], keys: Sequence[str]) -> list[str]:
    """Gives a fitted BERTopic the topics of its texts, as rows of `keys`, and finds the words of each.

    Returns the keys in the order of BERTopic's numbers: the one without a topic, then from the biggest on.
    A topic that no text has is left out.
    """
    sizes = Counter(rows)
    order = sorted((row for row in sizes if keys[row] != NONE), key=lambda row: (-sizes[row], keys[row]))
    numbers = {row: number for number, row in enumerate(order)}
    # It warns of what is meant here: that somebody else says what the topics are.
    logging.getLogger("BERTopic").setLevel(logging.ERROR)
    model.update_topics(
        list(texts), topics=[numbers.get(row, OUTLIER) for row in rows], vectorizer_model=vectorizer()
    )
    without = [NONE] if len(order) < len(sizes) else []
    return without + [keys[row] for row in order]


def save(
    folder: Path,
    model: Any,
    embedded: Embedded,
    keys: Sequence[str],
    ordered: Sequence[str],
    named: Mapping[str, Topic],
    limit: float,
) -> None:
    """Writes the folder: what BERTopic saves, the static embedding, the limit below which nothing is told."""
    first = OUTLIER if ordered[0] == NONE else 0
    labels = {number: _topic(key, named) for number, key in enumerate(ordered, first)}
    model.topic_embeddings_ = np.stack([embedded.directions[keys.index(key)] for key in ordered])
    model.topic_aspects_ = {
        "GeneratedName": {number: _aspect([topic.label]) for number, topic in labels.items()},
        "Group": {number: _aspect(topic.groups) for number, topic in labels.items()},
    }
    model.custom_labels_ = None
    counter = model.vectorizer_model  # numpy's integers, which it uses, cannot be written as JSON
    counter.vocabulary_ = {word: int(place) for word, place in counter.vocabulary_.items()}
    model.save(folder, serialization="safetensors", save_ctfidf=True)
    save_file({"embeddings": embedded.table}, folder / files.TOKEN_EMBEDDINGS)
    embedded.tokenizer.save(str(folder / files.TOKENIZER), pretty=False)
    (folder / files.ENGINE).write_text(json.dumps({"min_similarity": round(limit, 3)}) + "\n")
    for file in folder.glob("*.safetensors"):  # made for their owner's eyes alone
        file.chmod((folder / files.ENGINE).stat().st_mode)


def _topic(key: str, named: Mapping[str, Topic]) -> Topic:
    return named.get(key, Topic(key))


def _aspect(names: Sequence[str]) -> list[tuple[str, float]]:
    return [(name, 1.0) for name in names] + [("", 0.0)] * (_SHOWN - len(names))


def _quantised(table: Vectors) -> npt.NDArray[np.int8]:
    """The table in a byte a number. A common factor does not matter: only angles count."""
    step = np.quantile(np.abs(table), _CLIPPED) / 127
    return np.asarray((table / step).round().clip(-127, 127), np.int8)

"""A BERTopic model with a static embedding, run with three libraries: numpy, safetensors and tokenizers.

It tells the same topics as BERTopic and model2vec do with the same folder, without loading either.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dial_enricher.errors import SettingError
from dial_enricher.topics import files, static
from dial_enricher.topics.model import OUTLIER, Match, Topic, groups, label
from dial_enricher.topics.nearest import Matrix, Nearest
from dial_enricher.topics.static import StaticEmbedding


class NativeModel:
    """A `TopicModel`. The topic of a text is the one whose embedding has the smallest angle with the text's.

    Each text is compared by itself: its topic does not depend on what else is in the batch.
    """

    def __init__(self, nearest: Nearest, embedding: StaticEmbedding, min_similarity: float) -> None:
        self._nearest = nearest
        self._embedding = embedding
        self.min_similarity = min_similarity

    @property
    def topics(self) -> Sequence[Topic]:
        return self._nearest.topics

    @property
    def directions(self) -> Matrix:
        return self._nearest.directions

    def labels(self, texts: Sequence[str]) -> list[str | None]:
        return [self._label(found) for found in self.matches(texts, 1)]

    def matches(self, texts: Sequence[str], count: int) -> list[list[Match]]:
        return [self._nearest.to(vector, count) for vector in self._embedding.embed(texts)]

    def _label(self, found: list[Match]) -> str | None:
        for topic, similarity in found:
            if topic.id != OUTLIER and similarity >= self.min_similarity:
                return topic.label
        return None


def load(folder: Path, embedding_folder: Path | None = None) -> NativeModel:
    """Reads a model, and its embedding from another folder if one is given.

    Raises SettingError with one sentence that names the file and what is expected of it.
    """
    topics = _read_topics(folder / files.TOPICS)
    vectors = _read_vectors(folder / files.TOPIC_EMBEDDINGS, topics)
    embedding = static.load(embedding_folder or folder)
    if embedding.dimension != vectors.shape[1]:
        raise SettingError(
            f"{folder / files.TOPIC_EMBEDDINGS} has topics of {vectors.shape[1]} dimensions, "
            f"but {(embedding_folder or folder) / files.TOKEN_EMBEDDINGS} has tokens of {embedding.dimension}"
        )
    return NativeModel(Nearest(topics, vectors), embedding, _read_min_similarity(folder / files.ENGINE))


def _read_topics(file: Path) -> list[Topic]:
    """The topics by ascending id: as many as BERTopic counts, each in the row where it looks for it."""
    document = files.read_json(file)
    try:
        topics = _topics(document)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise SettingError(f"{file} must hold the topics as BERTopic saves them") from None
    if not topics:
        raise SettingError(f"{file} must hold one topic at least")
    first = topics[0].id
    if first not in (OUTLIER, 0) or [topic.id for topic in topics] != list(range(first, first + len(topics))):
        raise SettingError(f"{file} must number its topics from -1 or 0 without a gap")
    return topics


def _topics(document: dict[str, Any]) -> list[Topic]:
    sizes = {int(key): int(size) for key, size in document["topic_sizes"].items()}
    aspects = document.get("topic_aspects") or {}
    generated, grouped = aspects.get("GeneratedName") or {}, aspects.get("Group") or {}
    custom = document.get("custom_labels") or [None] * len(sizes)
    return [
        Topic(
            id=number,
            label=label(generated.get(str(number)), own, document["topic_labels"][str(number)]),
            words=tuple(word for word, _ in document["topic_representations"][str(number)] if word),
            size=sizes[number],
            groups=groups(grouped.get(str(number))),
        )
        for number, own in zip(sorted(sizes), custom, strict=True)
    ]


def _read_vectors(file: Path, topics: Sequence[Topic]) -> Matrix:
    vectors = files.read_tensors(file, ("topic_embeddings",)).get("topic_embeddings")
    if vectors is None or vectors.ndim != 2 or vectors.dtype.kind != "f":
        raise SettingError(f"{file} must have `topic_embeddings` of floats with a row a topic")
    if len(vectors) != len(topics):
        raise SettingError(f"{file} has {len(vectors)} rows, but {files.TOPICS} has {len(topics)} topics")
    if not np.isfinite(vectors).all():
        raise SettingError(f"{file} must hold finite numbers only")
    return vectors.astype(np.float32)


def _read_min_similarity(file: Path) -> float:
    """The similarity below which a topic is not told; none where the file is missing."""
    least = files.read_json(file).get("min_similarity", -1) if file.exists() else -1
    if type(least) not in (int, float) or not -1 <= least <= 1:
        raise SettingError(f"{file} must hold a min_similarity of -1 to 1")
    return float(least)

"""How good a model is: measured on texts that it was not trained on, beside the teacher."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dial_enricher.topics import native
from dial_enricher.topics.evaluation import evaluate
from dial_enricher.topics.model import OUTLIER, TopicModel
from dial_enricher.topics.nearest import unit
from dial_enricher.topics.rows import Row
from dial_enricher.training.clusters import Clusters
from dial_enricher.training.corpus import NONE, Corpus, Topic
from dial_enricher.training.head import Head
from dial_enricher.training.report import LONG, Accuracy, Report
from dial_enricher.training.teacher import Teacher, Vectors

_TIMED = 2000
_TIMED_TEACHER = 60


@dataclass(frozen=True)
class Evidence:
    """What the recipe knows at its end. A row a text, a column a topic, in the order of the keys."""

    corpus: Corpus
    held_out: Sequence[int]
    keys: Sequence[str]
    named: Mapping[str, Topic]
    vectors: Vectors
    """The teacher's."""
    known: Head
    similarities: Vectors
    """The student's."""
    limit: float

    def accuracy(self, likeness: Vectors, least: float = -1.0) -> Accuracy:
        """How often the likeliest topic of a held-out text is accepted, when it is as like as `least`."""
        places = [place for place in self.held_out if self.corpus.reviewed[place][0] != NONE]
        wanted = [self.corpus.reviewed[place] for place in places]
        told = [self.keys[row] for row in likeness[places].argmax(axis=1)]
        sure = likeness[places].max(axis=1) >= least
        same = np.array([key in own for key, own in zip(told, wanted, strict=True)], bool) & sure
        groups = [set[str]().union(*map(self._groups, own)) for own in wanted]
        near = np.array([bool(self._groups(key) & own) for key, own in zip(told, groups, strict=True)], bool)
        return Accuracy(_share(same), _share(near & sure))

    def _groups(self, key: str) -> set[str]:
        return {key, *(self.named[key].groups if key in self.named else ())}

    def undefined(self, places: Sequence[int]) -> float | None:
        """The share of some texts that the model gives no topic, None when there are none."""
        likeness = self.similarities[places]
        without = (likeness.argmax(axis=1) == self.keys.index(NONE)) | (likeness.max(axis=1) < self.limit)
        return _share(without) if len(places) else None


def measure(
    evidence: Evidence,
    found: Clusters,
    new: int,
    teacher: Teacher,
    folder: Path,
    labelled: Mapping[str, Sequence[Row]],
) -> Report:
    """All figures of a model that was just saved. `labelled` are the rows of files for the report alone."""
    model = native.load(folder)
    corpus, similarities, vectors = evidence.corpus, evidence.similarities, evidence.vectors
    told = similarities.argmax(axis=1)
    guessed = evidence.known.shares(vectors)
    nothing = [place for place in evidence.held_out if corpus.reviewed[place][0] == NONE]
    texts_per_second, teacher_texts_per_second = _speeds(model, teacher, corpus.texts)
    return Report(
        texts=len(corpus.texts),
        reviewed=len(corpus.reviewed),
        held_out=len(evidence.held_out),
        topics=sum(topic.id != OUTLIER for topic in model.topics),
        clusters=new,
        outlier_share=found.outlier_share,
        undefined_share=evidence.undefined(range(len(corpus.texts))) or 0.0,
        coherence=_coherence(found.model, corpus.texts),
        min_similarity=model.min_similarity,
        student=evidence.accuracy(similarities),
        limited=evidence.accuracy(similarities, evidence.limit),
        teacher_head=evidence.accuracy(guessed),
        teacher_centroids=evidence.accuracy(vectors @ _centroids(vectors, told, len(evidence.keys)).T),
        agreement=_share((told == guessed.argmax(axis=1))[list(evidence.held_out)]),
        nothing_told=evidence.undefined(nothing),
        labelled={name: evaluate(model, rows).overall.accuracy for name, rows in labelled.items()},
        texts_per_second=texts_per_second,
        teacher_texts_per_second=teacher_texts_per_second,
        megabytes=sum(file.stat().st_size for file in folder.iterdir()) / 1e6,
    )


def _share(hits: Any) -> float:
    return float(np.mean(hits)) if len(hits) else 0.0


def _coherence(model: Any, texts: Sequence[str]) -> float:
    """Mean NPMI over the topics: how much more often than by chance their single words stand together."""
    from sklearn.feature_extraction.text import CountVectorizer

    words = {
        number: [word for word, _ in described if word and " " not in word]
        for number, described in model.get_topics().items()
        if number != OUTLIER
    }
    vocabulary = sorted({word for own in words.values() for word in own})
    if not vocabulary:
        return 0.0
    places = {word: place for place, word in enumerate(vocabulary)}
    counts = CountVectorizer(vocabulary=vocabulary, binary=True).transform(texts)
    together = (counts.T @ counts).toarray() / len(texts)
    alone = together.diagonal()
    means = []
    for own in words.values():
        pairs = [(places[a], places[b]) for number, a in enumerate(own) for b in own[:number]]
        found = [_npmi(together[a, b], alone[a], alone[b]) for a, b in pairs]
        means += [np.mean(found)] if found else []
    return float(np.mean(means)) if means else 0.0


def _npmi(both: float, one: float, other: float) -> float:
    if not both:
        return -1.0
    return float(np.log(both / (one * other)) / -np.log(both)) if both < 1 else 1.0


def _centroids(vectors: Vectors, topics: Any, count: int) -> Vectors:
    """The mean direction of each topic's texts, shape (count, dimensions); zeros for a topic without any."""
    sums = np.zeros((count, vectors.shape[1]), np.float32)
    np.add.at(sums, np.asarray(topics), vectors)
    return unit(sums)


def _speeds(model: TopicModel, teacher: Teacher, texts: Sequence[str]) -> tuple[float, float]:
    """Texts of 2,000 characters a second, by the clock, of the model and of its teacher."""
    joined = "\n\n".join(texts[: 20 * _TIMED])
    long = [joined[start : start + LONG] for start in range(0, len(joined) - LONG, LONG)][:_TIMED]
    if not long:
        return 0.0, 0.0
    began = time.perf_counter()
    model.labels(long)
    ended = time.perf_counter()
    teacher.encode(long[:_TIMED_TEACHER])
    return len(long) / (ended - began), len(long[:_TIMED_TEACHER]) / (time.perf_counter() - ended)

"""The topics that are in the corpus: a BERTopic fit, and which of its clusters reviewers have not named."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dial_enricher.errors import SettingError
from dial_enricher.topics.model import OUTLIER
from dial_enricher.training.teacher import Vectors

_NEIGHBOURS = 15
_COMPONENTS = 5
_WORDS = 10
"""Words that describe a topic."""
_VOCABULARY = 5000
"""Words and pairs of words of the c-TF-IDF table: all that a person reads, and little to ship."""
_SEEN = 3
"""Reviewed texts that make a cluster one that reviewers have seen."""


@dataclass(frozen=True)
class Clusters:
    """What BERTopic found."""

    model: Any
    """The fitted `BERTopic`."""
    topics: list[int]
    """Cluster of each text; -1 for outliers."""
    outlier_share: float
    """Part of the texts that HDBSCAN left without a cluster, before they were given to the nearest one."""


def fit(texts: Sequence[str], vectors: Vectors, smallest: int, seed: int) -> Clusters:
    """Fits BERTopic on texts and their vectors; HDBSCAN makes no cluster of fewer than `smallest` texts.

    Raises `SettingError` for a handful of texts.
    """
    from bertopic import BERTopic
    from hdbscan import HDBSCAN
    from umap import UMAP

    if len(texts) <= _NEIGHBOURS:
        raise SettingError(f"{len(texts)} texts are too few to train on")
    model = BERTopic(
        umap_model=UMAP(
            n_neighbors=_NEIGHBOURS,
            n_components=_COMPONENTS,
            min_dist=0.0,
            metric="cosine",
            random_state=seed,
        ),
        hdbscan_model=HDBSCAN(min_cluster_size=smallest, min_samples=min(10, smallest)),
        vectorizer_model=vectorizer(),
        top_n_words=_WORDS,
    )
    topics, _ = model.fit_transform(list(texts), vectors)
    outlier_share = topics.count(OUTLIER) / len(topics)
    if 0 < outlier_share < 1:
        topics = model.reduce_outliers(list(texts), topics, strategy="embeddings", embeddings=vectors)
    return Clusters(model, [int(topic) for topic in topics], outlier_share)


def vectorizer() -> Any:
    """Counts the words and pairs of words that describe topics."""
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(stop_words="english", ngram_range=(1, 2), max_features=_VOCABULARY)


def unseen(clusters: Clusters, reviewed: Mapping[int, tuple[str, ...]]) -> dict[int, str]:
    """The clusters that reviewers have hardly seen, each named by its words: topics of their own.

    Without any review these are all of them. The others are known by what reviewers said of single texts,
    which is surer than the majority of a cluster (training/README.md has the figures).
    """
    seen = Counter(clusters.topics[place] for place in reviewed)
    rare = [cluster for cluster in sorted(set(clusters.topics)) if seen[cluster] < _SEEN]
    return {cluster: _by_words(clusters.model, cluster) for cluster in rare if cluster != OUTLIER}


def _by_words(model: Any, cluster: int) -> str:
    """A name such as `Invoice payment supplier`: the three words that tell a cluster best, none twice."""
    words: list[str] = []
    for phrase, _ in model.get_topic(cluster):
        words += [word for word in phrase.split() if word not in words]
    return " ".join(words[:3]).capitalize() or f"Topic {cluster}"

"""Any topic model that the BERTopic package can load, run by that package: slow to start, and big.

Whatever those packages would say, some of it to stdout, is kept from the product's streams.
"""

import json
import os
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TextIO

from dial_enricher.errors import SettingError
from dial_enricher.topics import files
from dial_enricher.topics.model import OUTLIER, Match, Topic, groups, label, well_formed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PACKAGES = ("bertopic", "model2vec", "sentence_transformers")
INSTALL = "pip install 'dial-enricher[bertopic]'"
_TOPIC_EMBEDDINGS = (files.TOPIC_EMBEDDINGS, "topic_embeddings.bin")
_COMMUNITY = "sentence-transformers/"
"""The owner of the embedding models that are known without one."""


class StockModel:
    """A `TopicModel` that tells the topics that `BERTopic.transform` tells."""

    min_similarity = -1.0
    """What is too far from every topic is BERTopic's own decision."""

    def __init__(self, bertopic: Any) -> None:
        """Takes a BERTopic with an embedding model, and tries it. Raises whatever goes wrong in BERTopic."""
        from dial_enricher.topics.nearest import Nearest

        self._bertopic = bertopic
        self._nearest = Nearest(_topics(bertopic), bertopic.topic_embeddings_)
        self._labels = {topic.id: topic.label for topic in self.topics if topic.id != OUTLIER}
        made, expected = (array.shape[1] for array in (self._embed(["a trial"]), bertopic.topic_embeddings_))
        if made != expected:
            raise SettingError(f"topic_model: its topics have {expected} dimensions, its embeddings {made}")
        self.labels(["a trial"])

    @property
    def topics(self) -> Sequence[Topic]:
        return self._nearest.topics

    @property
    def directions(self) -> "NDArray[np.float32]":
        return self._nearest.directions

    def labels(self, texts: Sequence[str]) -> list[str | None]:
        asked = [well_formed(text) for text in texts]
        telling = [text for text in asked if text.strip()]
        numbers = iter(self._transform(telling) if telling else [])
        return [self._labels.get(next(numbers)) if text.strip() else None for text in asked]

    def matches(self, texts: Sequence[str], count: int) -> list[list[Match]]:
        asked = [well_formed(text) for text in texts]
        with _silence():
            vectors = self._embed(asked) if asked else []
        return [
            self._nearest.to(vector, count) if text.strip() else []
            for text, vector in zip(asked, vectors, strict=True)
        ]

    def _transform(self, texts: list[str]) -> Sequence[int]:
        with _silence():
            numbers, _ = self._bertopic.transform(texts, embeddings=self._embed(texts))
        return [int(number) for number in numbers]

    def _embed(self, texts: list[str]) -> Any:
        """An array with a row for each text."""
        return self._bertopic.embedding_model.embed_documents(texts)


def load(model: str, embeddings: str | None = None) -> StockModel:
    """Loads a topic model and its embedding model, each a path or a name on Hugging Face.

    `embeddings` of None stands for the one that the topic model names. The network is not asked for what is
    a path. Raises SettingError with one sentence.
    """
    if Path(model).is_dir():
        files.read_json(Path(model, files.TOPICS))  # what is no model at all needs no package to say so
    if not all(map(find_spec, PACKAGES)):
        missing = "" if Path(model).exists() else "no such folder, and "
        raise SettingError(f"topic_model: {model}: {missing}BERTopic is not installed: {INSTALL}")
    with _silence():
        source = Path(model) if Path(model).exists() else _fetched(model, (*_TOPIC_EMBEDDINGS, "*.json"))
        bertopic = _pickled(source, embeddings) if source.is_file() else _saved(source, embeddings)
        if not hasattr(bertopic.embedding_model, "embed_documents"):
            raise _nothing_embeds(model)
        with _sentence(f"topic_model: {model} does not work with its embedding model"):
            return StockModel(bertopic)


def _pickled(file: Path, embeddings: str | None) -> Any:
    from bertopic import BERTopic

    embedder = None if embeddings is None else _embedder(embeddings)
    with _sentence(f"{file} is no topic model that this version of BERTopic can load"):
        bertopic = BERTopic.load(str(file), embedding_model=embedder)
        if not isinstance(bertopic, BERTopic):
            raise TypeError
    return bertopic


def _saved(folder: Path, embeddings: str | None) -> Any:
    """The model in a folder, with its embedding model.

    BERTopic would fetch the embedding model that a model names even when it gets another one, and pass in
    silence over the failure. So it sees the files that it needs alone, in a folder without that name.
    """
    from bertopic import BERTopic

    files.read_json(folder / files.TOPICS)
    config = files.read_json(folder / files.CONFIG)
    named = config.pop("embedding_model", None)
    if not (embeddings or named):
        raise _nothing_embeds(str(folder))
    embedder = _embedder(embeddings or named)
    with (
        _sentence(f"{folder} holds no topic model that this version of BERTopic can load"),
        TemporaryDirectory() as bare,
    ):
        Path(bare, files.CONFIG).write_text(json.dumps(config), "utf-8")
        for name in filter(lambda name: (folder / name).exists(), (files.TOPICS, *_TOPIC_EMBEDDINGS)):
            shutil.copy(folder / name, bare)
        return BERTopic.load(bare, embedding_model=embedder)


def _nothing_embeds(model: str) -> SettingError:
    return SettingError(f"topic_model: {model} names no embedding model: topic_embeddings_model has to")


def _embedder(name: str) -> Any:
    """An embedding model, by its path or its name on Hugging Face."""
    from model2vec import StaticModel
    from sentence_transformers import SentenceTransformer

    from dial_enricher.topics.static import is_static

    local = Path(name).exists()
    full_name = name if local or "/" in name else _COMMUNITY + name
    # Asked first: without a network it says so at once, the packages below after a minute.
    about = Path(name) if local else _fetched(full_name, ("config.json",))
    with _sentence(f"topic_embeddings_model: {name} is no model that embeds texts"):
        if is_static(about) or _is_static_by_name(about):
            return StaticModel.from_pretrained(full_name, force_download=False)
        return SentenceTransformer(full_name, local_files_only=local)


def _is_static_by_name(folder: Path) -> bool:
    """Whether the configuration of a model tells that model2vec made it."""
    file = folder / files.CONFIG
    return file.is_file() and files.read_json(file).get("model_type") == "model2vec"


def _fetched(name: str, patterns: Sequence[str]) -> Path:
    """The folder that holds some files of a model on Hugging Face."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=list(patterns)))
    except RepositoryNotFoundError:
        raise SettingError(f"{name} is neither a folder nor a model on Hugging Face") from None
    except LocalEntryNotFoundError:
        raise SettingError(
            f"{name} is no folder, not in the cache, and Hugging Face cannot be reached"
        ) from None
    except Exception as error:
        raise SettingError(f"{name} cannot be fetched from Hugging Face: {type(error).__name__}") from None


def _topics(bertopic: Any) -> list[Topic]:
    numbers = sorted(bertopic.topic_sizes_)
    aspects = bertopic.topic_aspects_ or {}
    generated, grouped = aspects.get("GeneratedName", {}), aspects.get("Group", {})
    custom = bertopic.custom_labels_ or [None] * len(numbers)
    return [
        Topic(
            id=int(number),
            label=label(generated.get(number), own, bertopic.topic_labels_[number]),
            words=tuple(word for word, _ in bertopic.topic_representations_[number] if word),
            size=int(bertopic.topic_sizes_[number]),
            groups=groups(grouped.get(number)),
        )
        for number, own in zip(numbers, custom, strict=True)
    ]


@contextmanager
def _sentence(problem: str) -> Iterator[None]:
    """Makes one sentence of whatever goes wrong. The packages' own messages run over many lines."""
    try:
        yield
    except SettingError:
        raise
    except Exception as error:
        raise SettingError(f"{problem}: {type(error).__name__}") from None


@contextmanager
def _silence() -> Iterator[None]:
    with redirect_stdout(_nowhere()), redirect_stderr(_nowhere()), warnings.catch_warnings():
        yield


@cache
def _nowhere() -> TextIO:
    """Open to the end: loggers that are made in silence keep it."""
    return open(os.devnull, "w", encoding="utf-8")

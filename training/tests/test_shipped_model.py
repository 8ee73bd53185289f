"""The model that ships, by our engine and by BERTopic."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from bertopic import BERTopic
from model2vec import StaticModel

from dial_enricher.topics import native
from dial_enricher.topics.model import OUTLIER
from dial_enricher.topics.native import NativeModel
from tests.support import ROOT, SAMPLE_LINES
from training.tests import synthetic

STRANGE = [
    "",
    " \n\t",
    "\0",
    "👍👍",
    "x",
    "\u202e\ufeff",
    "[UNK] [PAD] [CLS] [SEP] [MASK]",
    "##ing ##ed",
    "Über naïve façades",
    "数据库 データベース база данных قاعدة البيانات",
    "DROP TABLE students; --",
    "word " * 5_000,
    "SQL" * 30_000,
    "a" * 100_000,
]


@pytest.fixture(scope="module")
def ours(shipped: Path) -> NativeModel:
    return native.load(shipped)


@pytest.fixture
def theirs(shipped: Path) -> Any:
    """Loaded as its README says; the tests change it."""
    return BERTopic.load(str(shipped), embedding_model=StaticModel.from_pretrained(str(shipped)))


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """More than 3,000, of all kinds that are in the repository."""
    examples = (ROOT / "training" / "examples.ndjson").read_text("utf-8").splitlines()
    found = [json.loads(row)["text"] for row in examples[::3]]
    for file in sorted((ROOT / "benchmarks" / "language").glob("*.ndjson")):
        rows = map(json.loads, file.read_text("utf-8").splitlines())
        found += [text for row in rows for text in row.values() if isinstance(text, str)]
    found += [line.decode(errors="replace") for line in SAMPLE_LINES]
    found += ["\n\n".join(found[start : start + 9]) for start in range(0, 900, 9)]
    found += [row.text for row in synthetic.corpus()[:200]]
    assert len(found) > 3_000
    return found + STRANGE


def test_every_text_has_the_topic_that_bertopic_tells(
    ours: NativeModel, theirs: Any, texts: list[str]
) -> None:
    numbers, similarities = theirs.transform(texts)
    pairs = zip(numbers, similarities, strict=True)
    for text, found, (number, similarity) in zip(texts, ours.matches(texts, 1), pairs, strict=True):
        if found:
            assert found[0].topic.id == number, text
            assert found[0].similarity == pytest.approx(similarity, abs=1e-5), text
        else:  # BERTopic has no word for a text that says nothing
            assert similarity == 0, text


def test_what_is_told_is_the_nearest_topic_unless_that_is_far(ours: NativeModel, texts: list[str]) -> None:
    told = ours.labels(texts)
    for found, label in zip(ours.matches(texts, 1), told, strict=True):
        near = [
            match.topic.label
            for match in found
            if match.topic.id != OUTLIER and match.similarity >= ours.min_similarity
        ]
        assert label == next(iter(near), None)
    assert len(set(told)) > 100


def test_topics_are_described_alike(ours: NativeModel, theirs: Any) -> None:
    info = theirs.get_topic_info()
    assert list(info.Topic) == [topic.id for topic in ours.topics]
    assert [names[0] for names in info.GeneratedName] == [topic.label for topic in ours.topics]
    assert [[name for name in names if name] for names in info.Group] == [
        list(topic.groups) for topic in ours.topics
    ]
    assert list(info.Count) == [topic.size for topic in ours.topics]
    for topic in ours.topics:
        assert [word for word, _ in theirs.get_topic(topic.id)] == list(topic.words)


def test_topics_are_found_by_what_they_are_about(ours: NativeModel, theirs: Any) -> None:
    for topic in ours.topics[1::20]:
        numbers, _ = theirs.find_topics(topic.label, top_n=5)
        (matches,) = ours.matches([topic.label], 5)
        assert numbers == [match.topic.id for match in matches]


def test_people_can_rename_topics_and_save_them(
    ours: NativeModel, theirs: Any, shipped: Path, tmp_path: Path
) -> None:
    theirs.set_topic_labels({0: "What most people ask"})
    del theirs.topic_aspects_["GeneratedName"]
    theirs.save(tmp_path, serialization="safetensors", save_ctfidf=True)
    for name in ("tokenizer.json", "model.safetensors"):
        shutil.copy(shipped / name, tmp_path)
    renamed = native.load(tmp_path)
    biggest = next(topic for topic in ours.topics if topic.id == 0)
    text = " ".join(biggest.words)
    assert ours.labels([text]) == [biggest.label]
    assert renamed.labels([text]) == ["What most people ask"]
    assert [topic.words for topic in renamed.topics] == [topic.words for topic in ours.topics]


def test_topics_of_two_models_can_be_merged(ours: NativeModel, theirs: Any, shipped: Path) -> None:
    merged = BERTopic.merge_models([theirs, theirs])
    assert len(merged.get_topic_info()) == len(ours.topics)
    merged.embedding_model = theirs.embedding_model
    question = ["Which index makes this SQL query fast?"]
    assert merged.transform(question)[0] == theirs.transform(question)[0]

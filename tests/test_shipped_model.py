"""The model in `topic_model/`: complete, small, and right on texts that it was not trained on."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from dial_enricher.topics import native
from dial_enricher.topics.model import OUTLIER
from dial_enricher.topics.native import NativeModel
from dial_enricher.training.corpus import NONE, is_held_out

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "topic_model"
REVIEWED = tomllib.loads((ROOT / "training" / "topics.toml").read_text("utf-8"))
REPORT = json.loads((FOLDER / "report.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def model() -> NativeModel:
    return native.load(FOLDER)


def examples() -> Iterator[tuple[str, str]]:
    """Texts and keys of topics that no training has seen."""
    for line in (ROOT / "training" / "examples.ndjson").read_text("utf-8").splitlines():
        row = json.loads(line)
        if is_held_out(row["text"]):
            yield row["text"], row["topic"]


def told(model: NativeModel, texts: list[str]) -> list[str | None]:
    return model.labels(texts)


def test_it_has_the_topics_that_were_reviewed(model: NativeModel) -> None:
    topics = [topic for topic in model.topics if topic.id != OUTLIER]
    assert {topic.label: topic.groups for topic in topics} == {
        topic["label"]: tuple(topic["groups"]) for topic in REVIEWED.values()
    }
    assert len({topic.label.casefold() for topic in topics}) == len(topics) == REPORT["topics"]
    assert 60 <= len(topics) <= 150
    assert all(len(topic.label) <= 40 and topic.words and topic.size for topic in topics)


def test_it_is_small() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 20_000_000


def test_it_knows_what_it_was_not_told(model: NativeModel) -> None:
    pairs = [(text, key) for text, key in examples() if key != NONE]
    labels = told(model, [text for text, _ in pairs])
    topic_of = {topic.label: topic for topic in model.topics}
    right = [label == REVIEWED[key]["label"] for label, (_, key) in zip(labels, pairs, strict=True)]
    near = [
        label is not None and bool(set(topic_of[label].groups) & set(REVIEWED[key]["groups"]))
        for label, (_, key) in zip(labels, pairs, strict=True)
    ]
    assert len(pairs) > 300
    assert sum(right) / len(pairs) > 0.6
    assert sum(near) / len(pairs) > 0.75


def test_it_keeps_quiet_where_there_is_nothing_to_tell(model: NativeModel) -> None:
    texts = [text for text, key in examples() if key == NONE]
    labels = told(model, texts)
    assert len(texts) > 40
    assert labels.count(None) / len(texts) > 0.7  # one in four is chatter, which a chance word gives a topic


@pytest.mark.parametrize(
    "text", ["", " \n", "x", "7", "🎉", "\ud83d", "\x00", "🎉" * 100_000, "a" * 10_000_000]
)
def test_no_text_is_too_strange(model: NativeModel, text: str) -> None:
    (label,) = told(model, [text])
    assert label is None or label in {topic.label for topic in model.topics}


def test_its_figures_are_those_of_this_model(model: NativeModel) -> None:
    assert model.min_similarity == pytest.approx(REPORT["min_similarity"], abs=5e-4)
    assert REPORT["student"]["group"] > REPORT["teacher_centroids"]["group"] - 0.03
    assert REPORT["student"]["topic"] > REPORT["teacher_head"]["topic"] - 0.03

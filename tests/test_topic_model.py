"""Topic models: our engine against an obvious one, what it refuses, and which model is found."""

import json
import math
import shutil
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from dial_enricher.errors import SettingError
from dial_enricher.topics import find, native
from dial_enricher.topics.model import OUTLIER, TopicModel
from tests import tiny_model
from tests.support import Json, line, log, run

SENTENCES = st.lists(st.sampled_from(tiny_model.WORDS) | st.text(max_size=12), max_size=40).map(" ".join)
BUG = "Python bug in loop"
ONE = line(log(body={"messages": [{"role": "user", "content": BUG}]}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_model.write(tmp_path / "model")


# An obvious engine, in plain Python


class Obvious:
    """Reads the same folder and does what BERTopic and model2vec describe, number by number."""

    def __init__(self, folder: Path) -> None:
        tensors = load_file(folder / "model.safetensors")
        self.table = tensors["embeddings"].astype(float).tolist()
        self.weights = tensors.get("weights", np.ones(len(tiny_model.WORDS))).tolist()
        self.mapping = tensors.get("mapping", np.arange(len(tiny_model.WORDS))).tolist()
        self.topics = load_file(folder / "topic_embeddings.safetensors")["topic_embeddings"].tolist()
        self.ids = sorted(map(int, json.loads((folder / "topics.json").read_bytes())["topic_sizes"]))

    def similarities(self, text: str) -> dict[int, float]:
        """By topic id; empty when no word is known."""
        longest = 512 * int(np.median([len(word) for word in tiny_model.WORDS]))
        words = text[:longest].encode("utf-8", "ignore").decode().lower().split()[:512]
        known = [tiny_model.WORDS.index(word) for word in words if word in tiny_model.WORDS[1:]]
        vector = [0.0] * len(self.topics[0])
        for token in known:
            for place, value in enumerate(self.table[self.mapping[token]]):
                vector[place] += value * self.weights[token] / len(known)
        if not any(vector):
            return {}
        return {
            number: sum(a * b for a, b in zip(vector, topic, strict=True))
            / (math.hypot(*vector) * math.hypot(*topic))
            for number, topic in zip(self.ids, self.topics, strict=True)
        }


def halved(table: NDArray[Any], kind: Any) -> NDArray[Any]:
    return (table / 127).astype(kind)


_RANDOM = np.random.default_rng(3)
_WEIGHTS = _RANDOM.random(len(tiny_model.WORDS)).astype(np.float32) + 0.1
_MAPPING = _RANDOM.integers(0, 30, len(tiny_model.WORDS))
VARIANTS: dict[str, Json] = {
    "int8": {},
    "float16": {"table": halved(tiny_model.vectors(), np.float16)},
    "float32": {"table": halved(tiny_model.vectors(), np.float32)},
    "weights": {"weights": _WEIGHTS},
    "mapping": {"table": tiny_model.vectors()[1:31], "weights": _WEIGHTS, "mapping": _MAPPING},
    "no outliers": {"outliers": False},
    "no threshold": {"min_similarity": None},
}


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[TopicModel, Obvious]]:
    @cache
    def variant(name: str) -> tuple[TopicModel, Obvious]:
        folder = tiny_model.write(tmp_path_factory.mktemp("variant"), **VARIANTS[name])
        return native.load(folder), Obvious(folder)

    return variant


@pytest.mark.parametrize("name", VARIANTS)
@given(text=SENTENCES)
def test_similarities_are_those_of_the_obvious_engine(
    variants: Callable[[str], tuple[TopicModel, Obvious]], name: str, text: str
) -> None:
    model, obvious = variants(name)
    (matches,) = model.matches([text], 10)
    expected = obvious.similarities(text)
    found = {match.topic.id: match.similarity for match in matches}
    assert found == pytest.approx(expected, abs=2e-3 if name == "float16" else 1e-5)
    assert [match.similarity for match in matches] == sorted(found.values(), reverse=True)


@pytest.mark.parametrize("name", VARIANTS)
@given(texts=st.lists(SENTENCES, max_size=5))
def test_a_label_is_that_of_the_nearest_topic_if_it_is_near(
    variants: Callable[[str], tuple[TopicModel, Obvious]], name: str, texts: list[str]
) -> None:
    model, _ = variants(name)
    least = VARIANTS[name].get("min_similarity", tiny_model.MIN_SIMILARITY)
    for text, label in zip(texts, model.labels(texts), strict=True):
        matches = model.matches([text], 1)[0]
        near = [m.topic.label for m in matches if m.topic.id != OUTLIER and m.similarity >= (least or -1)]
        assert label == (near[0] if near else None)


@given(texts=st.lists(SENTENCES, max_size=150))
def test_a_topic_does_not_depend_on_the_batch(
    variants: Callable[[str], tuple[TopicModel, Obvious]], texts: list[str]
) -> None:
    model, _ = variants("float16")
    assert model.matches(texts, 3) == [model.matches([text], 3)[0] for text in texts]


# What the model says


def test_topics_have_their_labels_words_and_sizes(folder: Path) -> None:
    topics = native.load(folder).topics
    assert {topic.id: topic.label for topic in topics} == tiny_model.LABELS
    assert {topic.id: " ".join(topic.words) for topic in topics} == tiny_model.SUBJECTS
    assert [(topic.id, topic.size) for topic in topics] == [(id, 100 - id) for id in range(-1, 4)]
    assert {topic.id: list(topic.groups) for topic in topics} == tiny_model.GROUPS


def test_texts_get_the_labels_of_their_subjects(folder: Path) -> None:
    model = native.load(folder)
    texts = [BUG, "BREAD soup?", "a hotel at the beach", "guitar piano", "what is the thing", "nonsense"]
    assert model.labels(texts) == [*list(tiny_model.LABELS.values())[1:], None, None]
    assert [match.topic.label for match in model.matches(["what is the thing"], 1)[0]] == ["Rest"]


def test_what_is_too_far_from_every_topic_has_no_label(folder: Path) -> None:
    text = "python soup"
    assert native.load(folder).labels([text]) != [None]
    tiny_model.write_json(folder / "engine.json", {"min_similarity": 0.95})
    assert native.load(folder).labels([text]) == [None]
    assert native.load(folder).matches([text], 1) != [[]]


@pytest.mark.parametrize(
    "text", ["", " \n", "\ud800", "👍👍", "x", "\0", "\u202e\ufeff", "word " * 2_000_000]
)
def test_nothing_is_told_from_nothing(folder: Path, text: str) -> None:
    model = native.load(folder)
    assert model.labels([text]) == [None]
    assert model.matches([text], 3) == [[]]


def test_what_is_strange_in_a_text_spoils_nothing(folder: Path) -> None:
    long = f"{BUG} " * 500_000
    assert native.load(folder).labels([f"\udfff{BUG} 👍", long, ""]) == ["Programming", "Programming", None]


def test_only_the_beginning_of_a_text_counts(folder: Path) -> None:
    text = "cook " * 512 + "guitar " * 5_000
    assert native.load(folder).matches([text], 5) == native.load(folder).matches(["cook"], 5)
    tiny_model.write_json(folder / "config.json", {"max_length": 1024})  # as model2vec's own may say
    assert native.load(folder).matches([text], 5) != native.load(folder).matches(["cook"], 5)


def test_no_texts_have_no_topics(folder: Path) -> None:
    assert native.load(folder).labels([]) == []
    assert native.load(folder).matches([], 3) == []


# What is refused

Damage = Callable[[Path], object]


def deleted(name: str) -> tuple[str, Damage]:
    return name, lambda folder: (folder / name).unlink()


def cut(name: str) -> tuple[str, Damage]:
    return name, lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-9])


def written(name: str, content: bytes) -> tuple[str, Damage]:
    return name, lambda folder: (folder / name).write_bytes(content)


def edited(name: str, **changes: Any) -> tuple[str, Damage]:
    def damage(folder: Path) -> None:
        tiny_model.write_json(folder / name, json.loads((folder / name).read_bytes()) | changes)

    return name, damage


def tensors(name: str, change: Callable[[Json], object]) -> tuple[str, Damage]:
    def damage(folder: Path) -> None:
        loaded = {key: array.copy() for key, array in load_file(folder / name).items()}
        change(loaded)
        save_file(loaded, folder / name)

    return name, damage


def changed(key: str, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Callable[[Json], object]:
    return lambda loaded: loaded.update({key: np.ascontiguousarray(change(loaded[key]))})


def unlike(folder: Path) -> None:
    """A tokenizer with one word less."""
    document = json.loads((folder / "tokenizer.json").read_bytes())
    document["model"]["vocab"].pop("opera")
    tiny_model.write_json(folder / "tokenizer.json", document)


def with_gap(folder: Path) -> None:
    document = json.loads((folder / "tokenizer.json").read_bytes())
    document["model"]["vocab"]["opera"] = 1000
    tiny_model.write_json(folder / "tokenizer.json", document)


WORDS = len(tiny_model.WORDS)
TOPICS, TOKENS = "topic_embeddings.safetensors", "model.safetensors"
DAMAGES: dict[str, tuple[str, Damage]] = {
    **{f"no {name}": deleted(name) for name in ("topics.json", "tokenizer.json", TOPICS, TOKENS)},
    **{f"cut {name}": cut(name) for name in ("topics.json", "tokenizer.json", "config.json", TOPICS, TOKENS)},
    **{f"empty {name}": written(name, b"") for name in ("topics.json", "engine.json", TOPICS, TOKENS)},
    "no UTF-8": written("tokenizer.json", b"\xff\xfe"),
    "endless JSON": written("topics.json", b"[" * 100_000),
    "a list": written("topics.json", b"[]"),
    "another JSON": written("topics.json", b"{}"),
    "another tokenizer": written("tokenizer.json", b'{"version": "1.0"}'),
    "no topics": edited("topics.json", topic_sizes={}, custom_labels=None),
    "a topic less": (TOPICS, edited("topics.json", topic_sizes={"-1": 1, "0": 1}, custom_labels=None)[1]),
    "a gap in the topics": edited("topics.json", topic_sizes={"-1": 1, "0": 1, "7": 1}, custom_labels=None),
    "labels of others": edited("topics.json", custom_labels=["one"]),
    "no labels": edited("topics.json", topic_labels={}, topic_aspects={}),
    "odd groups": edited("topics.json", topic_aspects={"Group": {"0": ["databases"]}}),
    "odd labels": edited("topics.json", topic_aspects={"GeneratedName": {"0": [[1, 2]]}}),
    "odd threshold": edited("engine.json", min_similarity="high"),
    "threshold out of range": edited("engine.json", min_similarity=30),
    "topics of other dimensions": tensors(TOPICS, changed("topic_embeddings", lambda rows: rows[:, :4])),
    "more topics": tensors(TOPICS, changed("topic_embeddings", lambda rows: np.vstack([rows, rows]))),
    "topics that are no numbers": tensors(TOPICS, changed("topic_embeddings", lambda rows: rows * np.nan)),
    "topics of one row": tensors(TOPICS, changed("topic_embeddings", np.ravel)),
    "topics under another name": tensors(TOPICS, lambda all: all.update(topics=all.pop("topic_embeddings"))),
    "tokens under another name": tensors(TOKENS, lambda all: all.update({"weight": all.pop("embeddings")})),
    "a word less": (TOKENS, unlike),
    "a gap in the words": ("tokenizer.json", with_gap),
    "a row more": tensors(TOKENS, changed("embeddings", lambda rows: np.vstack([rows, rows[:1]]))),
    "wide integers": tensors(TOKENS, changed("embeddings", lambda rows: rows.astype(np.int64))),
    "infinite": tensors(TOKENS, changed("embeddings", lambda rows: rows.astype(np.float32) / 0)),
    "few weights": tensors(TOKENS, lambda all: all.update(weights=np.ones(3, np.float32))),
    "no weight": tensors(TOKENS, lambda all: all.update(weights=np.full(WORDS, np.nan, np.float32))),
    "few mappings": tensors(TOKENS, lambda all: all.update(mapping=np.zeros(3, np.int64))),
    "mapped to nowhere": tensors(TOKENS, lambda all: all.update(mapping=np.full(WORDS, WORDS, np.int64))),
}


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_model_is_refused_in_one_sentence(folder: Path, damage: str) -> None:
    name, make = DAMAGES[damage]
    make(folder)
    with pytest.raises(SettingError) as raised:
        find.find(str(folder))
    sentence = str(raised.value)
    assert str(folder / name) in sentence
    assert "\n" not in sentence
    assert len(sentence) - len(str(folder)) * sentence.count(str(folder)) < 160


@pytest.mark.parametrize("damage", ["no topics.json", f"cut {TOKENS}", "a word less"])
def test_a_damaged_model_stops_the_program_before_it_reads(folder: Path, damage: str) -> None:
    name, make = DAMAGES[damage]
    make(folder)
    process = run("--topic-model", folder, stdin=ONE)
    assert (process.code, process.out) == (2, b"")
    (sentence,) = process.err.splitlines()
    assert sentence.startswith("Error: ")
    assert str(folder / name) in sentence


def test_a_file_that_may_not_be_read_is_named(folder: Path) -> None:
    (folder / TOKENS).unlink()
    (folder / TOKENS).mkdir()
    with pytest.raises(SettingError, match=f"cannot read .*{TOKENS}"):
        find.find(str(folder))


# Which model


def test_the_model_of_the_working_directory_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site" / "dial_enricher"
    monkeypatch.setattr(find, "_PACKAGE", package)
    monkeypatch.chdir(tmp_path)
    Path("topic_model").mkdir()  # somebody's folder of that name
    assert find.find() is None
    for place in (package.parent, package, tmp_path):
        tiny_model.write(place / "topic_model")
        assert find.at_hand() == (Path("topic_model") if place == tmp_path else place / "topic_model")
    model = find.find()
    assert model is not None
    assert model.labels([BUG]) == ["Programming"]


def test_the_embedding_can_be_in_another_folder(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "embedding"
    other.mkdir()
    for name in ("model.safetensors", "tokenizer.json"):
        shutil.move(folder / name, other / name)
    model = find.find(str(folder), str(other))
    assert model is not None
    assert model.labels([BUG]) == ["Programming"]
    (other / "model.safetensors").write_bytes(b"")
    with pytest.raises(SettingError, match=str(other / "model.safetensors")):
        find.find(str(folder), str(other))


@pytest.mark.parametrize(
    "name", ["./there", "/not/there", "not\\there", "~/there", "not/here/there", "there", "a b/c"]
)
def test_a_path_to_nowhere_is_no_name_on_hugging_face(name: str) -> None:
    with pytest.raises(SettingError, match="topic_model: no such folder: "):
        find.find(name)


@pytest.mark.parametrize("name", ["./there", "/not/there", "not\\there", "not/here/there"])
def test_a_path_to_nowhere_is_no_name_of_embeddings(folder: Path, name: str) -> None:
    for model in (str(folder), None):
        with pytest.raises(SettingError, match="topic_embeddings_model: no such folder: "):
            find.find(model, name)


def test_a_folder_without_topics_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=f"{tmp_path / 'topics.json'} is missing"):
        find.find(str(tmp_path))


@pytest.mark.skipif(find_spec("bertopic") is not None, reason="BERTopic is installed")
def test_other_models_need_the_package_and_the_sentence_tells_how_to_get_it(folder: Path) -> None:
    for model in ("owner/name", str(folder)):
        (folder / "model.safetensors").unlink(missing_ok=True)
        (folder / "tokenizer.json").unlink(missing_ok=True)
        done = run("--topic-model", model, stdin=ONE)
        assert (done.code, done.out) == (2, b"")
        (sentence,) = done.err.splitlines()
        assert model in sentence
        assert "pip install 'dial-enricher[bertopic]'" in sentence
        assert ("no such folder" in sentence) == (model == "owner/name")

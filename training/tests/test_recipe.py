"""`dial-enricher topics train`: real processes that make small models, and what these can do."""

import gzip
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from bertopic import BERTopic
from model2vec import StaticModel

from dial_enricher.topics import native
from dial_enricher.topics.model import OUTLIER
from dial_enricher.topics.native import NativeModel
from dial_enricher.training.teacher import Teacher
from tests.support import Done, Json, check_refused
from training.tests import processes, synthetic
from training.tests.conftest import write_rows
from training.tests.processes import run

LABELLED = ("--labels", "labels.ndjson", "--topics", "topics.toml", "--labelled", "fresh.ndjson")
RECIPES = {"first": LABELLED, "second": LABELLED, "unlabelled": ()}
FILES = {
    *("config.json", "ctfidf.safetensors", "ctfidf_config.json", "engine.json", "model.safetensors"),
    *("report.json", "report.md", "tokenizer.json", "topic_embeddings.safetensors", "topics.json"),
}
ROWS = synthetic.corpus(seed=6)
TEXTS = [row.text for row in ROWS]


@pytest.fixture(scope="module")
def made(workshop: Path) -> dict[str, Done]:
    """The models, made side by side: `first` and `second` in the same way, and `unlabelled`."""
    command = ("topics", "train", "corpus.ndjson", "--teacher", "teacher")
    started = {
        name: processes.start(
            *command, *more, "--output", name, "--cache", f"{name}-cache", "--seed", "7", cwd=workshop
        )
        for name, more in RECIPES.items()
    }
    return {name: processes.finish(process) for name, process in started.items()}


@pytest.fixture(scope="module")
def folders(made: dict[str, Done], workshop: Path) -> dict[str, Path]:
    assert {name: done.code for name, done in made.items()} == dict.fromkeys(RECIPES, 0), made
    return {name: workshop / name for name in RECIPES}


@pytest.fixture(scope="module")
def model(folders: dict[str, Path]) -> NativeModel:
    return native.load(folders["first"])


def report(folder: Path) -> Json:
    document: Json = json.loads((folder / "report.json").read_bytes())
    return document


def labels_of(model: NativeModel, subject: str) -> Counter[str | None]:
    return Counter(model.labels([row.text for row in ROWS if row.subject == subject]))


# What comes out


def test_a_folder_comes_out_and_a_table_is_printed(made: dict[str, Done], folders: dict[str, Path]) -> None:
    for name, folder in folders.items():
        assert {file.name for file in folder.iterdir()} == FILES
        assert made[name].out.decode().strip() == (folder / "report.md").read_text().strip()
        said = made[name].err.splitlines()
        assert said[0].startswith("2,000 texts, ")
        assert said[-1] == "measuring"
        assert "Warning" not in made[name].err.title()
        assert all(file.stat().st_mode & 0o444 == 0o444 for file in folder.iterdir()), "for all to read"


def test_texts_get_the_topics_that_people_gave_to_others_like_them(
    folders: dict[str, Path], model: NativeModel
) -> None:
    figures = report(folders["first"])
    assert figures["texts"] == 2000
    assert figures["reviewed"] == sum(row.labelled for row in synthetic.corpus())
    assert 0 < figures["held_out"] < figures["reviewed"] / 5
    assert (figures["topics"], figures["clusters"]) == (len(synthetic.SUBJECTS), 1)
    assert figures["student"]["topic"] > 0.9
    assert figures["limited"]["topic"] > 0.85
    assert figures["teacher_head"]["topic"] > 0.9
    assert figures["nothing_told"] > 0.9
    assert figures["labelled"]["fresh.ndjson"] > 0.8  # not 0.9: one of twenty subjects has another name
    named = {f"All about {subject}": (subject[0],) for subject in synthetic.SUBJECTS}
    del named[f"All about {synthetic.UNLABELLED}"]
    topics = {topic.label: topic.groups for topic in model.topics if topic.id != OUTLIER}
    assert topics.items() >= named.items()


def test_what_nobody_has_named_becomes_a_topic_of_its_own_named_by_its_words(model: NativeModel) -> None:
    told = labels_of(model, synthetic.UNLABELLED)
    ((label, count),) = told.most_common(1)
    assert label is not None
    assert count > 0.8 * synthetic.EACH
    assert set(label.casefold().split()) <= set(synthetic.SUBJECTS[synthetic.UNLABELLED].split())
    others = {label for subject in synthetic.SUBJECTS for label in labels_of(model, subject)} - {label, None}
    assert all(other is not None and other.startswith("All about ") for other in others)


def test_what_people_gave_no_topic_gets_none(model: NativeModel) -> None:
    assert labels_of(model, "none")[None] > 0.9 * synthetic.STRANGE


def test_the_same_seed_makes_the_same_model(folders: dict[str, Path]) -> None:
    first, second = folders["first"], folders["second"]
    for name in ("topics.json", "ctfidf_config.json", "engine.json", "tokenizer.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    ours, theirs = native.load(first), native.load(second)
    assert ours.labels(TEXTS) == theirs.labels(TEXTS)
    assert np.allclose(ours.directions, theirs.directions, atol=1e-4)


def test_without_labels_the_topics_are_clusters_named_by_their_words(folders: dict[str, Path]) -> None:
    figures = report(folders["unlabelled"])
    assert figures["reviewed"] == figures["held_out"] == 0
    assert figures["topics"] == figures["clusters"]
    model = native.load(folders["unlabelled"])
    assert model.min_similarity == -1
    alone = 0
    for subject, words in synthetic.SUBJECTS.items():
        ((label, count),) = labels_of(model, subject).most_common(1)
        assert label is not None
        alone += count > 0.8 * synthetic.EACH and bool(set(label.casefold().split()) & set(words.split()))
    assert alone > 0.7 * len(synthetic.SUBJECTS)


@pytest.mark.parametrize("name", RECIPES)
def test_bertopic_tells_the_same(folders: dict[str, Path], name: str) -> None:
    folder = str(folders[name])
    bertopic = BERTopic.load(folder, embedding_model=StaticModel.from_pretrained(folder))
    numbers, _ = bertopic.transform(TEXTS)
    ours = native.load(folders[name]).matches(TEXTS, 1)
    assert [int(number) for number in numbers] == [match.topic.id for (match,) in ours]


def test_the_tools_work_on_it(folders: dict[str, Path], workshop: Path) -> None:
    folder = ("--topic-model", folders["first"])
    listed = run("topics", "list", *folder, cwd=workshop)
    assert (listed.code, listed.err) == (0, "")
    assert "All about chess" in listed.out.decode()
    question = "Should the knight or the bishop come first if I want to castle?"
    assigned = run("topics", "assign", question, *folder, cwd=workshop)
    assert "topic: All about chess" in assigned.out.decode()
    evaluated = run("topics", "evaluate", "--format", "json", "fresh.ndjson", *folder, cwd=workshop)
    assert evaluated.code == 0
    share = report(folders["first"])["labelled"]["fresh.ndjson"]
    assert json.loads(evaluated.out)["accuracy"] == pytest.approx(share, abs=1e-4)
    drawn = run("topics", "map", "--output", "map.html", *folder, cwd=workshop)
    assert drawn.code == 0
    assert "All about chess" in (workshop / "map.html").read_text()


# What is refused, before anything slow


def refused(workshop: Path, *arguments: str, name: str) -> None:
    command = ("topics", "train", "--output", "refused", "--cache", "refused-cache", *arguments)
    check_refused(run(*command, cwd=workshop), name)


@pytest.mark.parametrize("row", ['{"text": 1}', "[]", "text", '{"text": "\\ud800"}', '{"topic": "x"}'])
def test_a_bad_line_of_the_corpus_is_named(workshop: Path, row: str) -> None:
    (workshop / "bad.ndjson").write_text(f'{{"text": "good"}}\n\n{row}\n')
    refused(workshop, "bad.ndjson", name="bad.ndjson:3: ")


@pytest.mark.parametrize(
    "row",
    [
        {"text": "good"},
        {"text": "good", "topic": []},
        {"text": "good", "topic": [1]},
        {"text": "good", "topic": ""},
        {"topic": "x"},
        {"text_sha256": [], "topic": "x"},
        {"text": None, "topic": "x"},
    ],
)
def test_a_bad_label_is_named(workshop: Path, row: Json) -> None:
    write_rows(workshop / "bad.ndjson", [row])
    refused(workshop, "corpus.ndjson", "--labels", "bad.ndjson", name="bad.ndjson:1: ")


@pytest.mark.parametrize(
    "content", ["[sql", "sql = 1", "[sql]", "[sql]\nlabel = 1", '[sql]\nlabel = "a"\ngroups = "b"']
)
def test_bad_names_of_topics_are_named(workshop: Path, content: str) -> None:
    (workshop / "bad.toml").write_text(content)
    refused(workshop, "corpus.ndjson", "--topics", "bad.toml", name="bad.toml")


def test_files_that_cannot_be_used_are_named(workshop: Path) -> None:
    (workshop / "empty.ndjson").write_bytes(b"\n")
    refused(workshop, "empty.ndjson", name="no texts")
    refused(workshop, name="no texts")
    refused(workshop, "not-there.ndjson", name="not-there.ndjson")
    packed = gzip.compress((workshop / "corpus.ndjson").read_bytes())
    (workshop / "cut.ndjson.gz").write_bytes(packed[:-100])
    refused(workshop, "cut.ndjson.gz", name="cut.ndjson.gz")
    (workshop / "damaged.ndjson.gz").write_bytes(packed[:500] + b"\0" * 100 + packed[600:])
    refused(workshop, "damaged.ndjson.gz", name="damaged.ndjson.gz")
    (workshop / "bad.ndjson").write_text('{"text": "without labels"}\n')
    refused(workshop, "corpus.ndjson", "--labelled", "bad.ndjson", name="bad.ndjson, line 1: ")
    (workshop / "taken").touch()
    refused(workshop, "corpus.ndjson", "--output", "taken/folder", name="taken/folder")


@pytest.mark.parametrize("teacher", ["./not-there", "not-there", "nobody/not-there", "folder", "static"])
def test_a_teacher_that_is_none_is_named(workshop: Path, teacher: str, tmp_path: Path) -> None:
    if teacher == "folder":
        (workshop / teacher).mkdir()
    elif teacher == "static":
        _static_transformer(workshop / teacher)
    refused(workshop, "corpus.ndjson", "--teacher", teacher, name=f"teacher {teacher}: ")


def _static_transformer(folder: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder.with_name("teacher") / "tokenizer.json"))
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)]).save(str(folder))


def test_too_little_to_learn_from_is_said(workshop: Path) -> None:
    rows = [{"text": text} for text in TEXTS]
    write_rows(workshop / "few.ndjson", rows[:5])
    refused(workshop, "few.ndjson", "--teacher", "teacher", name="5 texts are too few")
    write_rows(workshop / "more.ndjson", rows[:60])
    refused(workshop, "more.ndjson", "--teacher", "teacher", name="nothing to learn")


# The teacher


def test_a_teacher_is_asked_once(tmp_path: Path) -> None:
    first = Teacher(None, tmp_path, progress=False)
    vectors = first.embed(["a cat", "the stock market", "a cat"])
    assert vectors.shape == (3, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    assert np.array_equal(vectors[0], vectors[2])
    second = Teacher(None, tmp_path, progress=False)
    second.encode = None  # type: ignore[method-assign, assignment]  # whoever asks again, fails
    assert np.array_equal(second.embed(["the stock market", "a cat"]), vectors[[1, 0]])
    shutil.rmtree(tmp_path)

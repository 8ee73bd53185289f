"""Making a topic model: the parts that need no more than numpy. The rest is in `training/tests`."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from dial_enricher.errors import SettingError
from dial_enricher.training import augment, corpus, folder, head
from dial_enricher.training.corpus import NONE, Corpus, Topic, digest, read_corpus, read_topics
from tests.support import Json, check_refused, run

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Makes an NDJSON file of some rows."""

    def write(*rows: Json, name: str = "rows.ndjson") -> Path:
        file = tmp_path / name
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return file

    return write


def texts(*all: str) -> list[dict[str, str]]:
    return [{"text": text} for text in all]


# The corpus


def test_texts_are_trimmed_cut_and_taken_once(write: Write) -> None:
    first = write(*texts("a", " a\n", "b"), name="first.ndjson")
    second = write(*texts("b", "  ", "", "c" * 5_000, "c" * 4_000), name="second.ndjson")
    assert read_corpus([first, second], []) == Corpus(["a", "b", "c" * corpus.LONGEST])


def test_files_may_be_compressed(write: Write) -> None:
    file = write(*texts("a", "b"))
    file.write_bytes(gzip.compress(file.read_bytes()))
    assert read_corpus([file], []).texts == ["a", "b"]


def test_labels_name_a_text_or_its_digest(write: Write) -> None:
    labels = write(
        {"text_sha256": digest("b"), "topic": ["x", "y"]},
        {"text_sha256": digest("not in the corpus"), "topic": "x"},
        {"text": " a ", "topic": "z"},
        {"text": "new", "topic": NONE},
        {"text": " ", "topic": "x"},
        name="labels.ndjson",
    )
    found = read_corpus([write(*texts("a", "b"))], [labels])
    assert found.texts == ["a", "b", "new"]
    assert found.reviewed == {0: ("z",), 1: ("x", "y"), 2: (NONE,)}
    assert read_corpus([], [labels]).texts == ["a", "new"], "labels alone are a corpus, too"


def test_the_last_label_of_a_text_counts(write: Write) -> None:
    labels = write({"text": "a", "topic": "x"}, {"text": "a", "topic": "y"})
    assert read_corpus([], [labels]).reviewed == {0: ("y",)}


def test_a_digest_is_that_of_the_text_as_it_is_used() -> None:
    assert digest("a") == "ca978112ca1bbdca"


def test_one_text_in_fifteen_is_kept_from_training() -> None:
    kept = sum(corpus.is_held_out(f"text {number}") for number in range(3_000))
    assert 150 < kept < 250


@pytest.mark.parametrize("content", [b"", b"\n \n", b'{"text": " "}'])
def test_no_texts_are_no_corpus(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "empty").write_bytes(content)
    with pytest.raises(SettingError, match="no texts"):
        read_corpus([tmp_path / "empty"], [])


@pytest.mark.parametrize(
    "row", [b"text", b"[]", b'{"txt": "a"}', b'{"text": 1}', b"\xff", b'{"text": "\\ud800"}']
)
def test_a_line_that_is_no_row_is_named(tmp_path: Path, row: bytes) -> None:
    file = tmp_path / "corpus"
    file.write_bytes(b'{"text": "a"}\n' + row)
    with pytest.raises(SettingError, match=f"{file}:2: "):
        read_corpus([file], [])


LABEL: Json = {"text": "a", "topic": "x"}


@pytest.mark.parametrize(
    "row", [LABEL | {"topic": wrong} for wrong in (None, "", [], [""], [1], 1)] + [LABEL | {"text": None}]
)
def test_a_label_that_is_none_is_named(write: Write, row: Json) -> None:
    for label in (row, {"text_sha256": row["text"], "topic": row["topic"]}):
        with pytest.raises(SettingError, match=r"rows\.ndjson:2: expected a t"):
            read_corpus([], [write(LABEL, label)])


@pytest.mark.parametrize("spoil", [lambda data: data[:-9], lambda data: data[:12] + b"\xff" * 9 + data[21:]])
def test_a_damaged_archive_is_named(write: Write, spoil: Callable[[bytes], bytes]) -> None:
    file = write(*texts(*map(str, range(999))))
    file.write_bytes(spoil(gzip.compress(file.read_bytes())))
    with pytest.raises(SettingError, match=f"cannot read {file}: "):
        read_corpus([file], [])


def test_topics_have_labels_and_groups(tmp_path: Path) -> None:
    file = tmp_path / "topics.toml"
    file.write_text('[py]\nlabel = "Python"\ngroups = ["code"]\ncovers = "all"\n[art]\nlabel = "Art"\n')
    assert read_topics(file) == {"py": Topic("Python", ("code",)), "art": Topic("Art")}


@pytest.mark.parametrize(
    "content",
    ["[py", "py = 1", "[py]", "[py]\nlabel = 1", '[py]\nlabel = ""', '[py]\nlabel = "a"\ngroups = "b"'],
)
def test_topics_that_are_none_are_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "topics.toml"
    file.write_text(content)
    with pytest.raises(SettingError, match=str(file)):
        read_topics(file)


# What else is learned from


def test_a_text_gives_the_same_pieces_wherever_it_stands() -> None:
    one, other = (" ".join(f"{name}{number}" for number in range(100)) for name in "ab")
    alone = augment.pieces([one], [], seed=1)
    assert augment.pieces([other, one, one], [], seed=1)[-len(alone) :] == alone
    assert len(alone) == 3
    assert all(piece in one for piece in alone)
    assert augment.pieces([one], [], seed=2) != alone
    assert augment.pieces(["too short to cut"], [], seed=1) == []


def test_words_are_asked_about_in_groups() -> None:
    words = [f"word{number}" for number in range(200)]
    groups = augment.pieces([], words, seed=1)
    counts = Counter(word for group in groups for word in group.split())
    assert set(counts) == set(words)
    assert set(counts.values()) <= {1, 2, 3}, "three times, but no group twice"
    assert counts.total() > 590
    assert {len(group.split()) for group in groups} == {1, 2, 3, 4}
    assert len(set(groups)) == len(groups)


def test_words_are_taken_from_vocabularies_of_all_kinds() -> None:
    assert augment.plain_words(["the", "##ing", "an", "Ġcat", "▁dog", "dog", "[CLS]", "Cat", "co2"]) == [
        "cat",
        "dog",
        "the",
    ]
    assert [augment.plain(token) for token in ("##ing", "▁dog", "##", "▁", "dog")] == [
        "ing",
        "dog",
        "##",
        "▁",
        "dog",
    ]


def test_chats_are_of_one_topic_with_chatter_between() -> None:
    tokens = [[row] * 50 for row in range(20)]
    by_topic = [range(5), range(5, 10), range(10, 14)]
    chatter = [[100, 101], [102]]
    made, members = augment.chats(tokens, by_topic, chatter, 200, seed=1)
    assert len(made) == len(members) == 200
    for chat, own in zip(made, members, strict=True):
        assert 1 <= len(own) <= 4
        assert {token for token in chat if token < 100} == set(own)
        assert len({row // 5 for row in own}) == 1
        assert max(own) < 10, "four texts are too few to be told from chance"
        assert len(chat) <= 300
    assert any(100 in chat for chat in made)
    assert (made, members) == augment.chats(tokens, by_topic, chatter, 200, seed=1)
    assert augment.chats(tokens, [range(4)], chatter, 200, seed=1) == ([], [])


# What is learned, and how it is kept


def test_the_first_of_two_topics_counts_for_more() -> None:
    shares = head.targets([("b",), ("a", "c"), ("c", "b", "a")], ["a", "b", "c"])
    assert shares == pytest.approx(np.array([[0, 1, 0], [0.65, 0, 0.35], [0, 0.35, 0.65]]))


def test_a_table_in_bytes_keeps_the_directions() -> None:
    table = np.random.default_rng(1).normal(size=(1_000, 64)).astype(np.float32)
    table[0, 0] = 1_000  # one number out of all proportion must not take the bits of the others
    small = folder._quantised(table)
    assert small.dtype == np.int8
    assert small[0, 0] == 127
    cosines = (
        (small[1:] * table[1:]).sum(1) / np.linalg.norm(small[1:], axis=1) / np.linalg.norm(table[1:], axis=1)
    )
    assert cosines.min() > 0.998
    assert np.median(cosines) > 0.9999


# The command


@pytest.mark.skipif(find_spec("bertopic") is not None, reason="what training needs is installed")
def test_without_the_extra_a_sentence_tells_how_to_get_it(write: Write) -> None:
    done = run("topics", "train", write(*texts("a")))
    check_refused(done, "pip install 'dial-enricher[train]'")
    assert len(done.err.splitlines()) == 1

"""What is told of a topic model to people: rows of texts, why a topic, how often right, tables."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dial_enricher.errors import SettingError
from dial_enricher.event import Texts
from dial_enricher.topics import native, rows, tables
from dial_enricher.topics.assignment import assign
from dial_enricher.topics.evaluation import Tally, evaluate
from dial_enricher.topics.excerpt import excerpt
from dial_enricher.topics.model import OUTLIER, TopicModel
from dial_enricher.topics.rows import Row
from tests import tiny_model
from tests.support import Json, line


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TopicModel:
    return native.load(tiny_model.write(tmp_path_factory.mktemp("model")))


# Rows

LONG = [f"part {number} " * 60 for number in range(9)]


def test_a_line_is_a_row_or_a_text() -> None:
    lines = [
        b"plain text\n",
        b"\n",
        b" \t\r\n",
        line({"text": " of a row "}),
        line({"request": ["start", " ", "question"], "answer": ["answer"]}),
        line({"request": ["question"]}),
        b'"in quotes"\n',
        b"[1]\n",
        b'{"text": "cut\n',
        b"\xff no UTF-8",
    ]
    texts = [row.text for row in rows.lines_or_rows(lines, "here")]
    assert texts == [
        "plain text",
        "of a row",
        "start\n\nquestion\n\nanswer",
        "question",
        '"in quotes"',
        "[1]",
        '{"text": "cut',
        "\ufffd no UTF-8",
    ]


def test_rows_are_shortened_as_the_stream_does() -> None:
    chat: Json = {"request": LONG, "answer": LONG[:2]}
    whole = [part.strip() for part in LONG]
    question = "\n".join(LONG)
    (first, second) = rows.lines_or_rows([line(chat), line({"text": question})], "here")
    assert first.text == excerpt(Texts(request=whole, answer=whole[:2]))
    assert second == rows.asked(question)
    assert second.text == excerpt(Texts(request=[question.strip()])) != question.strip()


@pytest.mark.parametrize(
    "row", [{}, {"text": 1}, {"text": None}, {"request": "no list"}, {"request": [1]}, {"answer": ["alone"]}]
)
def test_a_row_without_a_text_is_named(row: Json) -> None:
    with pytest.raises(SettingError, match=r"^here, line 3: expected a `text`"):
        list(rows.lines_or_rows([b"one\n", b"\n", line(row)], "here"))


def test_labels_are_one_or_a_list_under_either_name() -> None:
    lines = [
        line({"text": "one", "labels": ["a", "b"]}),
        line({"text": "two", "topic": "a"}),
        line({"text": "three", "topic": ["a", "b"]}),
        line({"request": ["four"], "answer": [], "labels": "a", "topic": "b"}),
    ]
    labels = [row.labels for row in rows.labelled(lines, "here")]
    assert labels == [("a", "b"), ("a",), ("a", "b"), ("a",)]


@pytest.mark.parametrize("labels", [{}, {"labels": []}, {"topic": 3}, {"topic": ""}, {"labels": ["a", None]}])
def test_a_row_without_labels_is_named(labels: Json) -> None:
    with pytest.raises(SettingError, match=r"^here, line 1: expected `labels` or a `topic`"):
        list(rows.labelled([line({"text": "one"} | labels)], "here"))


@pytest.mark.parametrize("text", [b"plain\n", b"[]\n", b'{"text": \n', b"\xff\n"])
def test_a_labelled_line_is_an_object(text: bytes) -> None:
    with pytest.raises(SettingError, match=r"^here, line 2: expected a JSON object"):
        list(rows.labelled([b"\n", text], "here"))


# Why


def test_a_topic_comes_with_the_nearest_ones(model: TopicModel) -> None:
    assigned = assign(model, "Python bug", 2)
    assert (assigned.topic, assigned.reason) == ("Programming", "")
    assert assigned.matches == model.matches(["Python bug"], 2)[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the text has no word that the model knows"),
        ("zebra", "the text has no word that the model knows"),
        ("what is the thing", "the nearest topic is the one for outliers"),
    ],
)
def test_no_topic_comes_with_a_reason(model: TopicModel, text: str, reason: str) -> None:
    assigned = assign(model, text, 3)
    assert (assigned.topic, assigned.reason) == (None, reason)


def test_a_limit_is_a_reason(tmp_path: Path) -> None:
    strict = native.load(tiny_model.write(tmp_path, min_similarity=0.95))
    assigned = assign(strict, "python soup", 1)
    assert assigned.topic is None
    assert assigned.reason == "the nearest topic is below the model's limit of 0.95"
    assert assigned.matches[0].topic.id != OUTLIER


# How often right


def test_labels_and_groups_are_right_in_whatever_case(model: TopicModel) -> None:
    judged = [
        Row("python", ("PROGRAMMING",)),
        Row("python", ("Technology",)),
        Row("python", ("something", "programming")),
        Row("soup", ("leisure",)),
        Row("hotel", ("leisure",)),
        Row("what is the thing", ("none",)),
        Row("zebra", ("Undefined",)),
        Row("soup", ("technology",)),
        Row("soup", ("none",)),
        Row("what is the thing", ("Rest",)),
        Row("", ("leisure",)),
    ]
    found = evaluate(model, judged)
    assert (found.overall.texts, found.overall.right, found.overall.undefined) == (11, 7, 4)
    assert found.overall.wrong == {"Food and drink": 2}
    assert found.overall.accuracy == pytest.approx(7 / 11)
    assert found.overall.undefined_share == pytest.approx(4 / 11)


def test_each_text_counts_for_its_first_label(model: TopicModel) -> None:
    texts = ["python", "soup", "soup", "hotel", ""]
    found = evaluate(model, [Row(text, ("Travel", "Programming")) for text in texts] + [Row("x", ("b",))])
    assert list(found.by_label) == ["Travel", "b"]
    travel = found.by_label["Travel"]
    assert (travel.texts, travel.right, travel.undefined) == (5, 2, 1)
    assert travel.most_wrong == ("Food and drink", 2)
    assert found.by_label["b"].most_wrong is None
    assert found.unknown == ["b"]


def test_what_is_told_most_often_where_it_is_wrong_is_the_same_every_time() -> None:
    tally = Tally()
    for told in ("b", "a", "b", "a", "c"):
        tally.add(told, right=False)
    assert tally.most_wrong == ("a", 2)


def test_nothing_measured_is_nothing(model: TopicModel) -> None:
    found = evaluate(model, [])
    assert (found.overall.accuracy, found.overall.undefined_share, found.by_label) == (0, 0, {})


@given(st.lists(st.tuples(st.sampled_from(tiny_model.WORDS), st.sampled_from(["leisure", "none", "x"]))))
def test_the_labels_add_up_to_all(model: TopicModel, texts: list[tuple[str, str]]) -> None:
    found = evaluate(model, [Row(text, (label,)) for text, label in texts])
    tallies = found.by_label.values()
    for figure in ("texts", "right", "undefined"):
        assert sum(getattr(tally, figure) for tally in tallies) == getattr(found.overall, figure)
    assert found.overall.texts == len(texts)


# Tables


def test_columns_line_up_in_a_terminal() -> None:
    lines = tables.table(
        [("a", "1", "x"), ("日本", "100", ""), ("e\u0301e", "20", "y")], right=frozenset({1})
    )
    assert lines == ["a       1  x", "日本  100", "e\u0301e     20  y"]


@given(st.text())
def test_nothing_steers_a_terminal(text: str) -> None:
    shown = tables.one_line(text)
    assert shown.isprintable()
    assert shown == " ".join(shown.split())


def test_an_escape_is_no_escape() -> None:
    assert tables.one_line("a\x1b[31mb\r\n\u202ec") == "a [31mb c"


def test_a_long_text_is_shortened() -> None:
    assert tables.shortened("word " * 30, 12) == "word word w…"
    assert tables.shortened("short\ntext", 12) == "short text"

"""The topic of exchanges."""

import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dial_enricher.enrich.topic import Topic
from dial_enricher.event import Event, Line, Texts
from dial_enricher.topics import model
from tests.support import reading


class Parrot:
    """A model whose label of a text is its first word. It stumbles over `bug`, and has none for `rest`."""

    topics: Sequence[model.Topic] = ()
    directions = np.zeros((0, 1), np.float32)
    min_similarity = -1.0

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def labels(self, texts: Sequence[str]) -> list[str | None]:
        self.asked.append(list(texts))
        if "bug" in texts:
            raise ValueError(texts)
        return [None if text == "rest" else text.split()[0] for text in texts]

    def matches(self, texts: Sequence[str], count: int) -> list[list[model.Match]]:
        raise NotImplementedError


def event(asked: str = "", chat_id: str | None = "c1") -> Event:
    texts = Texts(request=[asked] if asked else [])
    return reading(lambda: texts, chat_id)


def told(events: list[Event]) -> list[object]:
    return [event.exchange.columns.get("topic") for event in events if event.exchange]


def notes(events: list[Event]) -> list[dict[str, int]]:
    return [dict(event.log.notes) for event in events if event.log]


def filled(texts: Sequence[str], topic: Topic) -> list[object]:
    events = [event(text) for text in texts]
    topic.fill(events)
    return told(events)


def test_a_batch_is_asked_at_once_and_equal_texts_once() -> None:
    parrot = Parrot()
    texts = ["sport news", "rest", "music", "sport news", "", "music"]
    assert filled(texts, Topic(parrot, everyone=False)) == ["sport", None, "music", "sport", None, "music"]
    assert parrot.asked == [["sport news", "rest", "music"]]


def test_nothing_to_ask_is_not_asked() -> None:
    parrot = Parrot()
    Topic(parrot, everyone=True).fill([])
    Topic(parrot, everyone=True).fill([event(), Event(b"", Line(b"", "stdin", 2))])
    assert parrot.asked == []


def test_what_was_told_is_remembered_in_later_batches() -> None:
    parrot = Parrot()
    topic = Topic(parrot, everyone=False)
    assert filled(["music", "rest"], topic) == filled(["music", "rest"], topic) == ["music", None]
    assert filled(["music", "new"], topic) == ["music", "new"]
    assert parrot.asked == [["music", "rest"], ["new"]]


def test_memory_is_bounded_and_keeps_what_was_used_last() -> None:
    parrot = Parrot()
    topic = Topic(parrot, everyone=False, remembered=2)
    for texts in (["one"], ["two"], ["one"], ["three"], ["one"], ["two"]):
        assert filled(texts, topic) == texts
    assert parrot.asked == [["one"], ["two"], ["three"], ["two"]]
    many = [f"{number}" for number in range(5)]
    assert filled(many, topic) == many


def test_no_text_stays_in_memory() -> None:
    topic = Topic(Parrot(), everyone=False)
    filled(["canary sings"], topic)
    assert "sings" not in repr(vars(topic))


def test_only_chats_unless_everyone_is_wanted() -> None:
    without = [event("music", chat_id=chat) for chat in (None, "")]
    Topic(Parrot(), everyone=False).fill(without)
    assert told(without) == [None, None]
    Topic(Parrot(), everyone=True).fill(without)
    assert told(without) == ["music", "music"]


def test_texts_of_nobody_concerned_are_not_read() -> None:
    def read() -> Texts:
        raise AssertionError("read")

    one = reading(read, chat_id=None)
    Topic(Parrot(), everyone=False).fill([one])
    assert notes([one]) == [{}]


def test_an_event_that_fails_costs_the_others_nothing() -> None:
    def read() -> Texts:
        raise RuntimeError("odd")

    parrot = Parrot()
    topic = Topic(parrot, everyone=False)
    events = [event("music"), event("bug"), reading(read), event("bug"), event("sport")]
    topic.fill(events)
    assert told(events) == ["music", None, None, None, "sport"]
    failed = {"topic_failed": 1}
    assert notes(events) == [{}, failed, failed, failed, {}]
    assert filled(["music", "sport"], topic) == ["music", "sport"]
    assert parrot.asked == [["music"], ["bug"], ["bug"], ["sport"]]
    again = event("bug")
    topic.fill([again])
    assert notes([again]) == [failed]


@given(st.lists(st.text(st.characters(), min_size=1) | st.just("\ud800x"), max_size=8))
def test_any_text_is_asked_about(texts: list[str]) -> None:
    known = [text for text in texts if text.split() and text not in ("bug", "rest")]
    assert filled(known, Topic(Parrot(), everyone=False)) == [text.split()[0] for text in known]


def test_a_text_of_ten_megabytes_is_asked_about_in_part() -> None:
    parrot = Parrot()
    assert filled(["music " * 1_700_000], Topic(parrot, everyone=False)) == ["music"]
    assert len(parrot.asked[0][0]) < 10_000


@pytest.mark.parametrize("module", ["enrich.topic", "topics.find", "topics.model", "topics.stock"])
def test_importing_a_module_loads_no_engine(module: str) -> None:
    code = f"import sys, dial_enricher.{module}; sys.exit(bool({{'numpy', 'bertopic'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

"""What of a conversation is embedded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dial_enricher.event import Texts
from dial_enricher.topics.excerpt import (
    AGAIN,
    ANSWER,
    EARLIER,
    JOINT,
    LONG,
    QUESTION,
    QUESTION_TAIL,
    START,
    TOTAL,
    excerpt,
)

HUGE = 10_000
PARTS = st.lists(st.sampled_from([1, 30, 199, 400, 801, 5_000]), max_size=12)


def part(letter: str, length: int) -> str:
    """A text whose characters tell where they come from."""
    return letter * length


def count(text: str) -> dict[str, int]:
    return {letter: text.count(letter) for letter in sorted(set(text.replace(JOINT, "")))}


@pytest.mark.parametrize(
    "texts",
    [
        Texts(["Why?"], ["Because."]),
        Texts(["You help.", "One?", "Two.", "Three?"], ["Four.", "Five."]),
        Texts(["only"]),
        Texts([], ["only"]),
        Texts([part("s", 500), part("q", 300)], [part("a", TOTAL - 800 - 2 * len(JOINT))]),
    ],
)
def test_a_short_conversation_is_taken_whole(texts: Texts) -> None:
    assert excerpt(texts) == "\n\n".join(texts.request + texts.answer)


def test_nothing_gives_nothing() -> None:
    assert excerpt(Texts()) == ""


def test_of_a_long_conversation_the_question_counts_most() -> None:
    long = excerpt(Texts([part(letter, HUGE) for letter in "sxyq"], [part("a", HUGE)]))
    left = TOTAL - QUESTION - AGAIN - ANSWER - 3 * len(JOINT)
    assert count(long) == {"s": min(START, left), "q": QUESTION + AGAIN - len(JOINT), "a": ANSWER}
    assert [text[0] for text in long.split(JOINT)] == ["s", "q", "q", "a", "q"]


def test_the_beginning_of_a_long_question_is_said_once_more() -> None:
    question = "Write a test for this: " + part("x", LONG)
    assert excerpt(Texts(["s", question], ["a"])) == JOINT.join(["s", question, "a", question[:AGAIN]])
    assert excerpt(Texts([question[:LONG]])) == question[:LONG]


def test_a_long_question_shows_both_its_ends() -> None:
    question = part("b", HUGE) + part("e", HUGE)
    assert count(excerpt(Texts([question]))) == {
        "b": QUESTION - QUESTION_TAIL - len(JOINT) + AGAIN,
        "e": QUESTION_TAIL,
    }


def test_earlier_turns_fill_the_room_that_is_theirs_the_latest_first() -> None:
    long = excerpt(
        Texts([part("s", HUGE), part("x", HUGE), part("y", 300), part("q", 100)], [part("a", HUGE)])
    )
    parts = long.split(JOINT)
    assert [text[0] for text in parts] == ["s", "x", "y", "q", "a"]
    assert count(long) == {
        "s": START,
        "x": EARLIER - 300 - len(JOINT),
        "y": 300,
        "q": 100,
        "a": ANSWER,
    }


def test_a_single_part_is_the_question_and_no_system_prompt() -> None:
    assert count(excerpt(Texts([part("q", HUGE)], [part("a", 10)]))) == {
        "q": QUESTION - len(JOINT) + AGAIN,
        "a": 10,
    }


def test_an_answer_alone_is_cut() -> None:
    assert excerpt(Texts([], [part("a", HUGE), "b"])) == part("a", ANSWER)


@given(request=PARTS, answer=PARTS)
def test_an_excerpt_is_bounded_and_made_of_the_texts(request: list[int], answer: list[int]) -> None:
    texts = Texts([part("r", length) for length in request], [part("a", length) for length in answer])
    told = excerpt(texts)
    assert len(told) <= TOTAL
    assert bool(told) == bool(request or answer)
    assert all(piece for piece in told.split(JOINT)) or not told
    assert ("r" in told, "a" in told) == (bool(request), bool(answer))

"""What of a conversation is embedded: enough to tell its topic, and never more than a bounded text.

A short one is taken whole. Of a long one the last question counts most; then what it was answered, how the
conversation was set up, and as many of the turns before the question as there is room for.
"""

from dial_enricher.event import Texts

# All in characters.
TOTAL = 1_400
"""The most of all parts together, with what joins them."""
QUESTION = 600
"""The most of the last question."""
QUESTION_TAIL = 200
"""How much of that is its end, when it is longer: a request stands before or behind what was pasted."""
LONG = 400
"""A longer question has something pasted into it, mostly, which would outweigh what is asked for:"""
AGAIN = 200
"""so much of its beginning is said once more."""
ANSWER = 500
"""The most of the answer: its beginning."""
START = 100
"""The most of the first part, mostly a system prompt: its beginning."""
EARLIER = 400
"""The most of the turns before the question: they tell what a short one is about, but may be elsewhere."""
JOINT = "\n\n"


def excerpt(texts: Texts) -> str:
    """The text to embed; empty when there is none."""
    again = [part[:AGAIN] for part in texts.request[-1:] if len(part) > LONG]
    parts = [*texts.request, *texts.answer, *again]
    if sum(map(len, parts)) + len(JOINT) * (len(parts) - 1) <= TOTAL:
        return JOINT.join(parts)
    room = _Room(TOTAL)
    question = [room.take(_ends(part)) for part in texts.request[-1:]]
    again = [room.take(part) for part in again]
    answer = [room.take(JOINT.join(texts.answer)[:ANSWER])]
    start = [room.take(part[:START]) for part in texts.request[:-1][:1]]
    room.narrow(EARLIER)
    between = [room.take(part) for part in reversed(texts.request[1:-1])]
    return JOINT.join(part for part in (*start, *reversed(between), *question, *answer, *again) if part)


def _ends(question: str) -> str:
    if len(question) <= QUESTION:
        return question
    return question[: QUESTION - QUESTION_TAIL - len(JOINT)] + JOINT + question[-QUESTION_TAIL:]


class _Room:
    """What is left of a number of characters."""

    def __init__(self, left: int) -> None:
        self._left = left

    def narrow(self, most: int) -> None:
        """Leaves at most so many."""
        self._left = min(self._left, most)

    def take(self, part: str) -> str:
        """As much of a part as there is room for, from its beginning."""
        taken = part[: max(0, self._left)]
        self._left -= len(taken) + len(JOINT)
        return taken

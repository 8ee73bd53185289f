"""More to learn from than the corpus: pieces of its texts, words by themselves, and made-up chats."""

import random
import re
from collections.abc import Iterable, Sequence

import numpy as np

CHATTER = (
    "You are a helpful assistant.",
    "You are a helpful, respectful and honest assistant. Answer as helpfully as possible.",
    "You are an AI assistant. Answer the user's questions accurately and concisely. Use markdown "
    "where it helps.",
    "You are the internal assistant of our company. Be polite, be brief, do not reveal confidential "
    "information, and say so when you do not know something.",
    "Answer in the language of the user. If the question is unclear, ask for clarification before "
    "you answer.",
    "Today's date is 3 March. Knowledge cutoff: last year. Respond in plain text without emojis.",
    "You are an expert. Think step by step and explain your reasoning before you give the final answer.",
    "Use only the information in the context. If the answer is not there, say that you do not know.",
    "You help employees with their daily work. Never share personal data. Keep a friendly and "
    "professional tone.",
    "Always format lists as bullet points, put important terms in bold, and end with a short summary.",
    "Hi! Thanks, that was useful. One more question:",
    "Thank you! Now something else.",
    "Great, thanks. And another thing:",
    "Hello, can you help me with this?",
    "Certainly! Here is a clear overview of what you asked for, step by step:",
    "Sure! Here's one way to do it:",
    "Of course, I'd be happy to help with that. Let's go through the main points.",
    "Great question! In short, it depends on a few things. Here is a breakdown:",
    "I hope this helps! Let me know if you have any questions or would like me to change anything.",
    "Would you like me to go into more detail, give an example, or adjust the tone?",
    "Here are some key points to keep in mind: first, start small; second, be consistent; third, "
    "check the result.",
    "**Summary** - point one - point two - point three. **Next steps** 1. Review 2. Adjust 3. Repeat",
    "Note: this is general information and no professional advice. Please check with an expert for "
    "your situation.",
    "I'm sorry, I don't have access to that information, but here is what I can tell you in general.",
)
"""What stands around the matter of a chat: system prompts, courtesies, headings. It belongs to no topic."""

_WINDOW = (3, 30)
"""Words in a piece of a text."""
_WORDS_PER_PIECE = 40
"""A text gives one piece for so many words, four at most."""
_GROUP = (1, 4)
"""Words in a group of words."""
_PART = 120
"""Tokens of each text in a chat."""
_CHAT = 300
"""Tokens of a chat."""


def pieces(texts: Iterable[str], words: Sequence[str], seed: int) -> list[str]:
    """Short texts for the teacher to judge, none twice: pieces of texts, and groups of words.

    A text gives the same pieces whatever else is in the corpus, so a teacher that remembers is asked once.
    """
    cut = [piece for text in texts for piece in _windows(text.split(), random.Random(f"{seed} {text}"))]
    chance = random.Random(seed)
    grouped = [group for _ in range(3) for group in _groups(list(words), chance)]
    return list(dict.fromkeys(cut + grouped))


def plain(token: str) -> str:
    """What a token of a vocabulary looks like in a text: without the mark of a word's beginning or rest."""
    return re.sub("^(##|▁|Ġ)", "", token) or token


def plain_words(vocabulary: Iterable[str]) -> list[str]:
    """The words in a vocabulary, in alphabetical order. What BERT marks as the rest of a word is none."""
    words = (re.fullmatch("[▁Ġ]?([a-z]{3,})", token) for token in vocabulary)
    return sorted({word[1] for word in words if word})


def chats(
    tokens: Sequence[Sequence[int]],
    by_topic: Sequence[Sequence[int]],
    chatter: Sequence[Sequence[int]],
    count: int,
    seed: int,
) -> tuple[list[list[int]], list[list[int]]]:
    """Tokens of made-up chats, and the texts in each: one to four of the same topic, with chatter between.

    `tokens` are those of the texts, `by_topic` has the positions of each topic's texts. Long texts are rare
    in a corpus of prompts, and a mean over many tokens must learn to overhear those that say nothing.
    """
    chance = np.random.RandomState(seed)
    told = [places for places in by_topic if len(places) >= 5]
    made: list[list[int]] = []
    members: list[list[int]] = []
    for _ in range(count if told else 0):
        places = told[chance.randint(len(told))]
        chosen = [places[number] for number in chance.randint(0, len(places), chance.randint(1, 5))]
        parts = [list(tokens[place][:_PART]) for place in chosen]
        for number in chance.randint(0, len(chatter), chance.randint(0, 4)):
            parts.insert(chance.randint(0, len(parts) + 1), list(chatter[number]))
        made.append([token for part in parts for token in part][:_CHAT])
        members.append(chosen)
    return made, members


def _windows(words: list[str], chance: random.Random) -> Iterable[str]:
    for _ in range(1 + min(3, len(words) // _WORDS_PER_PIECE)):
        length = chance.randint(*_WINDOW)
        if len(words) <= length + 2:
            if len(words) < 6:
                continue
            length = chance.randint(2, len(words) - 2)
        start = chance.randint(0, len(words) - length)
        yield " ".join(words[start : start + length])


def _groups(words: list[str], chance: random.Random) -> Iterable[str]:
    chance.shuffle(words)
    start = 0
    while start < len(words):
        length = chance.randint(*_GROUP)
        yield " ".join(words[start : start + length])
        start += length

"""A language as people write it: sentences that hardly repeat, and a vocabulary that never ends.

The sentences are those of this repository, cut and joined anew, with every second longer word drawn from a
vocabulary. Its frequencies fall as in Zipf's law: the words of the sentences come first, then many that are
made up of their letters. Names, numbers and words that nobody wrote before come in between. So neither a
cache of texts nor one of words can look better than it would in production.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from itertools import accumulate
from pathlib import Path
from random import Random

from tests.dialcore.prose import SENTENCES

ROOT = Path(__file__).resolve().parents[2]
PROMPTS = ROOT / "training" / "examples.ndjson"
"""Thousands of requests in English; those of the topic `none` are in other languages too."""
ROWS = ROOT / "benchmarks" / "language"
SOURCES = (PROMPTS, *(ROWS / f"{name}.ndjson" for name in ("answers", "plain", "requests")))
WRITTEN = frozenset("sentence casual answer paragraph short_question".split())
"""Kinds of rows that are in one language from end to end."""
SHORT = 20
"""A sentence has so many characters at least: greetings do repeat."""
MADE_UP = 6000
"""Words that each language gets besides those of its sentences."""
_IDEOGRAPHS = {"zh": "gb2312", "ja": "euc_jp"}
"""Languages without spaces, and the code whose first characters are those in daily use."""
_END = re.compile(r"(?<=[.?!。？！])\s+|\n+")
_WORD = re.compile(r"(\w+)")
_IDEOGRAPH = re.compile("([\u4e00-\u9fff])")
_ROMAN = "abcdefghijklmnoprstuvwz"


class Tongue:
    """Writes sentences of one language."""

    def __init__(self, language: str) -> None:
        dice = Random(language)  # of its own: what is made up does not depend on the log
        self._spaced = language not in _IDEOGRAPHS
        split = _WORD if self._spaced else _IDEOGRAPH
        self._sentences = [split.split(sentence) for sentence in _sentences(language)]
        counts = Counter(word for parts in self._sentences for word in parts[1::2] if self._open(word))
        self._order = 1 if language == "ko" else 2
        self._chain = self._followers(counts)
        self._words = [word for word, _ in counts.most_common()]
        weights = [float(count) for _, count in counts.most_common()]
        more = self._made_up(dice) if self._spaced else _in_daily_use(language, dice)
        # Where the known words end the curve goes on: what is made up has a third of all uses.
        first = sum(weights) / 2 / sum(1 / rank for rank in range(30, 30 + len(more)))
        self._words += more
        self._weights = list(accumulate([*weights, *(first / (30 + rank) for rank in range(len(more)))]))

    def sentence(self, dice: Random) -> str:
        """Write a sentence."""
        parts = dice.choice(self._sentences)
        if dice.random() < 0.5:
            other = dice.choice(self._sentences)
            parts = parts[: len(parts) // 4 * 2] + other[len(other) // 4 * 2 :]
        else:
            parts = parts.copy()
        places = [place for place in range(dice.choice((1, 3)), len(parts), 4) if self._open(parts[place])]
        for place, word in zip(places, self._draw(dice, len(places)), strict=True):
            chance = dice.random()
            if self._spaced and chance < 0.12:
                word = self.number(dice) if chance < 0.05 else self.name(dice, proper=chance < 0.09)
            parts[place] = word.capitalize() if parts[place][0].isupper() else word
        return "".join(parts)

    def name(self, dice: Random, *, proper: bool) -> str:
        """Make up a word out of the letters of others."""
        state, word = " " * self._order, ""
        most = dice.randint(4, 14)
        while len(word) < most:
            letter = dice.choice(self._chain.get(state) or _ROMAN)
            if letter == " ":
                break
            word += letter
            state = (state + letter)[-self._order :]
        return word.capitalize() if proper else word

    def number(self, dice: Random) -> str:
        """Write an amount, a year, a time, a version, an identifier."""
        match dice.randrange(5):
            case 0:
                return str(dice.randint(2, 400))
            case 1:
                return f"{dice.randint(1, 99_999):,}.{dice.randrange(100):02d}"
            case 2:
                return f"{dice.randint(1980, 2030)}-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}"
            case 3:
                return (
                    f"{dice.choice('ABCDEFGHKLMNPRSTX')}{dice.choice('ACDEFX')}-{dice.randint(100, 99_999)}"
                )
            case _:
                return f"{dice.randrange(9)}.{dice.randrange(30)}.{dice.randrange(80)}"

    def _draw(self, dice: Random, count: int) -> list[str]:
        return dice.choices(self._words, cum_weights=self._weights, k=count)

    def _open(self, word: str) -> bool:
        """Whether another word may stand in its place: the short ones hold a language together."""
        return len(word) > 3 if self._spaced else True

    def _followers(self, words: Iterable[str]) -> dict[str, str]:
        """Which letters come after which in words without digits."""
        after: defaultdict[str, list[str]] = defaultdict(list)
        for word in filter(str.isalpha, words):
            padded = " " * self._order + word.lower() + " "
            for place in range(self._order, len(padded)):
                after[padded[place - self._order : place]].append(padded[place])
        return {state: "".join(letters) for state, letters in after.items()}

    def _made_up(self, dice: Random) -> list[str]:
        words = (self.name(dice, proper=False) for _ in range(MADE_UP))
        return [word for word in dict.fromkeys(words) if self._open(word)]


def _in_daily_use(language: str, dice: Random) -> list[str]:
    """Some thousand ideographs, and pairs of them."""
    codes = (bytes((row, cell)) for row in range(0xB0, 0xD0) for cell in range(0xA1, 0xFE))
    single = [code.decode(_IDEOGRAPHS[language], "ignore") for code in codes]
    single = [character for character in single if character]
    dice.shuffle(single)
    return single + [dice.choice(single) + dice.choice(single) for _ in range(MADE_UP)]


@cache
def tongue(language: str) -> Tongue:
    """The one of a language."""
    return Tongue(language)


def _sentences(language: str) -> list[str]:
    texts = [*SENTENCES[language], *_texts().get(language, ())]
    return [sentence for text in texts for sentence in _END.split(text) if len(sentence) >= _least(language)]


def _least(language: str) -> int:
    return SHORT if language not in _IDEOGRAPHS else SHORT // 3


@cache
def _texts() -> dict[str, list[str]]:
    """What the repository holds, by language."""
    texts: defaultdict[str, list[str]] = defaultdict(list)
    for source in SOURCES:
        for line in source.read_text("utf-8").splitlines():
            row = json.loads(line)
            if "topic" in row:
                if row["topic"] != "none":
                    texts["en"].append(row["text"])
            elif row["kind"] in WRITTEN:
                texts[row["language"]] += [row["asked"], row.get("answer", "")]
    return texts

"""Texts become tokens word by word, and the tokens of recent words are remembered: most words come again.

A tokenizer of BERT's kind looks at each word by itself, so this gives the very tokens that it gives for the
whole text, for a fraction of the cost.
"""

import re
from array import array
from functools import lru_cache
from unicodedata import category, normalize

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

REMEMBERED = 10_000
"""Words whose tokens are kept, each by itself: two megabytes."""

Tokens = NDArray[np.intc]

_SPACES = r" \t\n\r\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""Not all that Python takes for spaces: the tokenizer drops some controls, and joins what they part."""
_MARKS = (
    r"!-/:-@\[-`{-~\xa1\xab\xb7\xbb\xbf\u060c\u061b\u061f\u0964\u2010-\u2027\u3001-\u3003\u3008-\u3011"
    r"\uff01-\uff03\uff05-\uff0a\uff0c-\uff0f\uff1a\uff1b\uff1f\uff20"
)
"""Each is a word of its own; of those beyond ASCII only the usual ones are here."""
_CHINESE = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""So is each of these, and some rarer ones."""
_WORD = re.compile(rf"[{_MARKS}{_CHINESE}]|[^{_SPACES}{_MARKS}{_CHINESE}]+")
"""A word, or more than one: those that a character parts which is not among the above."""
_KNOWN = re.compile(
    r"[0-9A-Za-z\x80-\u07fc\u0900-\u097f\u0e00-\u0e7f\u1100-\u11ff\u1e00-\u1fff\u3040-\u30ff\u4e00-\u9fa5"
    r"\uac00-\ud7a3]+"
)
"""Scripts in which every Unicode says of each character what it is, and what its parts are."""
_NOTHING = r"(?!)"
"""Is nowhere in a text."""


class WordTokenizer:
    """The numbers of a text's tokens, as a tokenizer gives them."""

    def __init__(self, tokenizer: Tokenizer, max_tokens: int) -> None:
        """Takes the tokenizer over. Of a text the first `max_tokens` tokens count."""
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_tokens)
        self._tokenizer = tokenizer
        self._model = tokenizer.model
        self._max_tokens = max_tokens
        self._is_by_word = _is_by_word(tokenizer)
        special = [re.escape(token.content) for token in tokenizer.get_added_tokens_decoder().values()]
        self._special = re.compile("|".join(special) or _NOTHING, re.IGNORECASE)
        """What a text has that cannot be taken word by word, nor put in lower case before."""
        self._of_word = lru_cache(REMEMBERED)(self._ask_word)

    def tokens(self, text: str) -> Tokens:
        """The tokens of a text without lone surrogates."""
        if not self._is_by_word or self._special.search(text):
            return np.array(self._ask(text), np.intc)
        # The tokenizer, too, puts each letter by itself in lower case; Python knows another sigma at the end.
        words = _WORD.findall(text.replace("Σ", "σ").lower())
        return np.frombuffer(b"".join(map(self._of_word, words)), np.intc)[: self._max_tokens]

    def _ask_word(self, word: str) -> bytes:
        """The tokens of a word in lower case, as they lie in an array: that takes the least memory."""
        letters = word if word.isascii() and word.isalnum() else _bare_letters(word)
        # With letters, what the tokenizer does before, which is most of its work, is done.
        ids = [token.id for token in self._model.tokenize(letters)] if letters else self._ask(word)
        return array("i", ids).tobytes()

    def _ask(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids


def _bare_letters(word: str) -> str:
    """A word without accents; nothing where it has more than letters of known scripts."""
    parts = normalize("NFD", word)
    letters = parts if parts.isalnum() else "".join([char for char in parts if category(char) != "Mn"])
    return letters if _KNOWN.fullmatch(word) and letters.isalnum() else ""


def _is_by_word(tokenizer: Tokenizer) -> bool:
    """Whether a tokenizer parts words as `_WORD` does before all else, and puts them in lower case."""
    normalizer = tokenizer.normalizer
    return (
        isinstance(normalizer, BertNormalizer)
        and normalizer.clean_text
        and normalizer.handle_chinese_chars
        and normalizer.lowercase
        and normalizer.strip_accents is not False
        and isinstance(tokenizer.pre_tokenizer, BertPreTokenizer)
    )

"""Texts become tokens word by word, and the tokens of recent words are remembered: most words come again.

A tokenizer of BERT's kind looks at each word by itself, so this gives the very tokens that it gives for the
whole text, for a fraction of the cost.
"""

import re
from functools import lru_cache
from itertools import chain
from unicodedata import category, normalize

from tokenizers import Tokenizer
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

REMEMBERED = 6000
"""Words whose tokens are kept, each by itself: a few megabytes."""

_SPACES = r"\s\xa0\u2000-\u200a\u202f\u205f\u3000"
_MARKS = (
    r"!-/:-@\[-`{-~\xa1\xab\xb7\xbb\xbf\u060c\u061b\u061f\u0964\u2010-\u2027\u3001-\u3003\u3008-\u3011"
    r"\uff01-\uff03\uff05-\uff0a\uff0c-\uff0f\uff1a\uff1b\uff1f\uff20"
)
"""Each is a word of its own; of those beyond ASCII only the usual ones are here."""
_CHINESE = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002b81f"
"""So is each of these."""
_WORD = re.compile(rf"[^{_SPACES}{_MARKS}{_CHINESE}]+|[{_MARKS}{_CHINESE}]")
_KNOWN = re.compile(
    r"[0-9A-Za-z\x80-\u07fc\u0900-\u097f\u0e00-\u0e7f\u1100-\u11ff\u1e00-\u1fff\u3040-\u30ff]+"
)
"""Scripts in which every Unicode says of each character what it is."""
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85]"
"""The tokenizer drops these, and joins what they part."""


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
        self._whole = re.compile("|".join([*special, _CONTROL]))
        """What a text has that cannot be taken word by word."""
        self._of_word = lru_cache(REMEMBERED)(self._ask_word)

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text without lone surrogates."""
        if not self._is_by_word or self._whole.search(text):
            return self._ask(text)
        words = _WORD.findall(text.lower() if text.isascii() else text)
        return list(chain.from_iterable(map(self._of_word, words)))[: self._max_tokens]

    def _ask_word(self, word: str) -> list[int]:
        letters = word.lower() if word.isascii() else _bare_letters(word)
        if not letters:
            return self._ask(word)
        # What the tokenizer does before, which is most of its work, is done.
        return [token.id for token in self._model.tokenize(letters)]

    def _ask(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids


def _bare_letters(word: str) -> str:
    """A word without accents, in lower case; nothing where it has more than letters of known scripts."""
    parts = normalize("NFD", word)
    # Letter by letter: at the end of a word Python's own lower case of a sigma would be another one.
    letters = "".join([char.lower() for char in parts if category(char) != "Mn"])
    return letters if _KNOWN.fullmatch(parts) and letters.isalnum() else ""


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

"""Tokens word by word are the very tokens of the whole text."""

from itertools import product
from typing import Any
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer, Lowercase
from tokenizers.pre_tokenizers import BertPreTokenizer, Whitespace

from dial_enricher.topics.words import WordTokenizer
from tests.support import ROOT

LONGEST = 512
OURS = ROOT / "topic_model" / "tokenizer.json"
ODD = "aZ09É é ß Σς1/_.:\n`~{}<>[]()\"«»’… 日本한국жЖ-,'\u0301\u00a0\u2019\x01\x85\t\u200b\ufffd\u3000、。ｱﬁİ"
MIXED = st.text(st.sampled_from(ODD) | st.characters(exclude_categories=["Cs"]), max_size=60)
PIECES = st.sampled_from(
    ["[MASK]", "[CLS]", "mask", "don't", "naïve", "x" * 120, "C++", "e.g.", "ΣΊΣΥΦΟΣ", "Ünïcödé"]
)
TEXTS = st.lists(MIXED | PIECES, max_size=12).map(" ".join)


def whole() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(OURS))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST)
    return tokenizer


WHOLE, BY_WORD = whole(), WordTokenizer(whole(), LONGEST)


def by_word(text: str, tokenizer: WordTokenizer = BY_WORD) -> list[int]:
    found: list[int] = tokenizer.tokens(text).tolist()
    return found


def ids(text: str, tokenizer: Tokenizer = WHOLE) -> list[int]:
    found: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return found


@given(TEXTS)
def test_tokens_are_those_of_the_whole_text(text: str) -> None:
    assert by_word(text) == ids(text)


def test_each_character_of_the_usual_planes_does_what_it_does_in_the_whole_text() -> None:
    known = (chr(code) for code in (*range(1, 0xD800), *range(0xE000, 0x20000), *range(0x2F800, 0x2FA20)))
    texts = [f"ab{char}cd {char} {char}x Q{char}" for char in known if category(char) != "Cn"]
    assert len(texts) > 60_000
    wrong = [text for text in texts if by_word(text) != ids(text)]
    assert wrong == []


def test_only_the_first_tokens_count() -> None:
    text = "one, two and three. " * 100
    assert len(ids(text)) == LONGEST
    assert by_word(text) == ids(text)
    assert by_word(text, WordTokenizer(whole(), 7)) == ids(text)[:7]


def test_more_words_than_are_remembered() -> None:
    words = ["".join(letters) for letters in product("abcdefghijklmnop", repeat=4)]
    for start in range(0, len(words), 400):
        text = " ".join(words[start : start + 400])
        assert by_word(text) == ids(text)
    again = " ".join(words[:400])
    assert by_word(again) == ids(again)


@pytest.mark.parametrize(
    ("normalizer", "parting"),
    [
        (Lowercase(), BertPreTokenizer()),
        (BertNormalizer(lowercase=False), BertPreTokenizer()),
        (BertNormalizer(strip_accents=False), BertPreTokenizer()),
        (BertNormalizer(clean_text=False), BertPreTokenizer()),
        (BertNormalizer(), Whitespace()),
        (None, None),
    ],
)
def test_a_tokenizer_of_another_kind_is_given_the_whole_text(normalizer: Any, parting: Any) -> None:
    vocabulary = {"[UNK]": 0, "Été": 1, "été": 2, "ete": 3, "a": 4, ".": 5, "a.": 6, "A": 7}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if parting is not None:
        tokenizer.pre_tokenizer = parting
    ours = WordTokenizer(Tokenizer.from_str(tokenizer.to_str()), LONGEST)
    for text in ("Été a. A", "a\x01a", "été"):
        assert by_word(text, ours) == ids(text, tokenizer)


@pytest.mark.parametrize("special", [[], ["mask"], ["MASK", "[PAD]"]])
def test_a_special_token_is_what_it_is_in_the_whole_text(special: list[str]) -> None:
    tokenizer = Tokenizer(WordPiece({"[UNK]": 0, "mask": 1, "##s": 2, "mas": 3, "##k": 4}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = BertNormalizer(), BertPreTokenizer()
    tokenizer.add_special_tokens(special)
    ours = WordTokenizer(Tokenizer.from_str(tokenizer.to_str()), LONGEST)
    for text in ("mask", "MASK", "masks°", "MASKS°", "amask", "aMASK", "[pad]", "[PAD]"):
        assert by_word(text, ours) == ids(text, tokenizer)

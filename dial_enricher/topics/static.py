"""A static embedding, as model2vec makes it: the vector of a text is the mean of its tokens' vectors."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from dial_enricher.errors import SettingError
from dial_enricher.topics import files
from dial_enricher.topics.model import well_formed
from dial_enricher.topics.words import Tokens, WordTokenizer

Vector = NDArray[np.float32]

MAX_TOKENS = 512
"""What model2vec looks at of a text, unless the embedding's own configuration says something else."""


class StaticEmbedding:
    """Embeds texts, with the very numbers of `model2vec.StaticModel.encode` without normalisation.

    The table of token vectors stays as it is on disk (int8, mostly): only the rows of one text's tokens
    become floats. A text is embedded by itself: what else is in the batch changes no bit.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        table: NDArray[Any],
        weights: Vector | None = None,
        mapping: NDArray[np.intp] | None = None,
        max_tokens: int = MAX_TOKENS,
    ) -> None:
        """Takes a tokenizer over, and a table of int8, float16 or float32 with a row for each token.

        `weights` holds a number for each token, None for ones; `mapping` the row of each token, None where it
        is the token's own number. Of a text the first `max_tokens` tokens count.
        """
        self._tokenizer = WordTokenizer(tokenizer, max_tokens)
        self._table = table
        self._weights = weights
        self._mapping = mapping
        self._precision = np.dtype(np.float32) if table.dtype == np.int8 else table.dtype
        self._unknown = _unknown_token(tokenizer)
        # model2vec cuts characters first, too: then a long text costs no more than a bounded one.
        self._max_characters = max_tokens * int(np.median([len(token) for token in _vocabulary(tokenizer)]))

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        return int(self._table.shape[1])

    def embed(self, texts: Sequence[str]) -> Iterator[Vector]:
        """One vector for each text, in order; zeros for a text without a known token."""
        for text in texts:
            yield self._mean(self._tokenizer.tokens(well_formed(text[: self._max_characters])))

    def _mean(self, tokens: Tokens) -> Vector:
        if self._unknown is not None:
            tokens = tokens[tokens != self._unknown]
        if not len(tokens):
            return np.zeros(self.dimension, np.float32)
        rows = tokens if self._mapping is None else self._mapping[tokens]
        vectors = self._table.take(rows, axis=0)
        if self._weights is not None:
            vectors = vectors * self._weights[tokens, None]
        # model2vec rounds the mean to the precision of the table, and the nearest topic may hang on that.
        mean: Vector = vectors.mean(axis=0, dtype=np.float32).astype(self._precision).astype(np.float32)
        return mean


def is_static(folder: Path) -> bool:
    """Whether a folder holds a static embedding, be it a damaged one, and not some other model."""
    file = folder / files.TOKEN_EMBEDDINGS
    if not (file.is_file() and (folder / files.TOKENIZER).is_file()):
        return False
    try:
        return "embeddings" in files.tensor_names(file)
    except SettingError:
        return True  # who loads it says what is wrong


def load(folder: Path) -> StaticEmbedding:
    """Reads the embedding in a folder. Raises SettingError that names the file that cannot be used."""
    tokenizer = _read_tokenizer(folder / files.TOKENIZER)
    tokens = tokenizer.get_vocab_size()
    file = folder / files.TOKEN_EMBEDDINGS
    tensors = files.read_tensors(file, ("embeddings", "weights", "mapping"))
    table, weights, mapping = (tensors.get(name) for name in ("embeddings", "weights", "mapping"))
    if table is None or table.ndim != 2 or table.dtype not in (np.int8, np.float16, np.float32):
        raise SettingError(f"{file} must have `embeddings` of int8, float16 or float32 with a row a token")
    if mapping is None and len(table) != tokens:
        raise SettingError(f"{file} has {len(table)} rows, but {files.TOKENIZER} has {tokens} tokens")
    if mapping is not None and not _is_mapping(mapping, tokens, len(table)):
        raise SettingError(f"{file} must have a row of `embeddings` for each of {tokens} tokens in `mapping`")
    if weights is not None and weights.shape != (tokens,):
        raise SettingError(f"{file} must have a number for each of {tokens} tokens in `weights`")
    if not all(np.isfinite(tensor).all() for tensor in tensors.values() if tensor.dtype.kind == "f"):
        raise SettingError(f"{file} must hold finite numbers only")
    return StaticEmbedding(
        tokenizer,
        table,
        None if weights is None else weights.astype(np.float32),
        None if mapping is None else mapping.astype(np.intp),
        _max_tokens(folder / files.CONFIG),
    )


def _is_mapping(mapping: NDArray[Any], tokens: int, rows: int) -> bool:
    integers = mapping.shape == (tokens,) and mapping.dtype.kind in "iu"
    return integers and bool((mapping >= 0).all() and (mapping < rows).all())


def _read_tokenizer(file: Path) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_str(file.read_text("utf-8"))
        tokenizer.encode(
            "probe \u2603", add_special_tokens=False
        )  # some lack what they need for a strange word
        is_whole = all(_vocabulary(tokenizer))
    except OSError as error:
        raise files.unreadable(file, error) from None
    except Exception:  # the package has no type of its own for its errors
        raise SettingError(f"{file} is damaged: a tokenizer of Hugging Face is expected") from None
    if not is_whole or not tokenizer.get_vocab_size():
        raise SettingError(f"{file} must number its tokens from 0 without a gap")
    return tokenizer


def _vocabulary(tokenizer: Tokenizer) -> Iterator[str]:
    """The tokens by number, one by one: all at once they would take megabytes; an empty text fills a gap."""
    return (tokenizer.id_to_token(number) or "" for number in range(tokenizer.get_vocab_size()))


def _max_tokens(file: Path) -> int:
    """The limit in the embedding's own configuration. That of BERTopic, in the same place, has none."""
    limit = files.read_json(file).get("max_length") if file.exists() else None
    return limit if isinstance(limit, int) and limit > 0 else MAX_TOKENS


def _unknown_token(tokenizer: Tokenizer) -> int | None:
    """The number of the token that stands for all that the vocabulary lacks."""
    if hasattr(tokenizer.model, "unk_token"):
        token = tokenizer.model.unk_token
        return None if token is None else tokenizer.token_to_id(token)
    unknown: int | None = json.loads(tokenizer.to_str())["model"].get("unk_id")  # Unigram hides it
    return unknown
